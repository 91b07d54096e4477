"""Two-tower models; importing the package registers them."""
