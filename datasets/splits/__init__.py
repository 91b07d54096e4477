"""From a log to a dataset: protocols, validation parts and candidates."""
