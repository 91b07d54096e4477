"""Checks for people who write models."""
