"""Files of interactions in tabular formats, checked cell by cell."""
