"""Lists of recommendations that come in from elsewhere, or go out with raw ids."""
