"""Counts instead of training: how often words meet, what of it is more than chance, and vectors of that."""
