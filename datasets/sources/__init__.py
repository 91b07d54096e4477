"""Public datasets: where their files lie, how they are fetched, and how they are read."""
