"""Advice: which model to take for a text, tried on parts of it."""
