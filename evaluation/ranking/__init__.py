"""Exact top-k over the whole catalog, block by block."""
