"""One's own data: what is said of it, by the command line, a dataset file or `load`."""
