"""Faults put in on purpose, seeded: what is killed, damaged or starved, and whether what follows is right.

Each module with a `run(seed, scratch, tries)` is a subject; `python -m benchmarks.torture` runs them all.
"""

Row = tuple[str, int, int, str]
"""A kind of fault, how often it was tried, how often what followed was right, and what is right."""
