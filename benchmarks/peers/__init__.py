"""The same work done by other libraries and by this suite, one process at a time, on one machine."""
