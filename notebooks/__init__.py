"""Notebooks, and what their cells call."""
