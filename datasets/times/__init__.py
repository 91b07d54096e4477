"""Times in the formats that logs have them in, as seconds since 1970."""
