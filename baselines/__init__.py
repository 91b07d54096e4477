"""Classical retrieval models; importing the package registers them."""
