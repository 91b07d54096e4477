"""How sure a board is: intervals, paired tests and ranks, from the metrics of every query."""
