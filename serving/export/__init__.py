"""What a run has learned, as files that other programs read."""
