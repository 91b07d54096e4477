"""Metrics of ranked lists, overall and by slice."""
