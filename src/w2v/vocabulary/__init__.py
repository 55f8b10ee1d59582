"""Words and rows: the choice of words, and the tables that training derives from their counts."""
