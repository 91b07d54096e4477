"""Preparing a log on Spark: its executors code, sort and split, and the driver holds counts alone."""
