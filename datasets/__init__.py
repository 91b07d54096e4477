"""Sources of interactions and the splits that turn them into queries."""
