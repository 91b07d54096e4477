"""Training examples and negatives, batch by batch."""
