"""What a service answers from, on disk."""
