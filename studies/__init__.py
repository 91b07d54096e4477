"""Studies that derive pages of docs/ from stored runs; their records lie in `records/`."""
