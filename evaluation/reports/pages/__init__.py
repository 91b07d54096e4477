"""Boards as Markdown pages, and the lists of them."""
