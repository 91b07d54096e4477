"""What differs between two states of stored results, row by row."""
