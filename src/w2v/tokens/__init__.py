"""A corpus as integers: the last place where a word is a string."""
