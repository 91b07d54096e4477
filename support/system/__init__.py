"""What the machine, or a container on it, has to give."""
