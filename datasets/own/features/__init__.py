"""Tables of items and users of one's own: types of their columns, and vectors."""
