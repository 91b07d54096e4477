"""The layers of the two towers."""
