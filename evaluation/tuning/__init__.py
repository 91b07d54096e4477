"""Hyperparameter search on the validation part."""
