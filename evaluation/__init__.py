"""The contract of a model, exact ranking, metrics, runs and their tables."""
