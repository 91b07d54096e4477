"""Stored runs: each in a process of its own, with its record."""
