"""Training by several processes: whether it is that of one, what they send, and how fast it is."""
