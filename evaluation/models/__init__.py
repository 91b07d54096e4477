"""What a model is to the harness: its interface, settings, registration and storage."""
