"""Everything a GPU is asked for, measured in one go."""
