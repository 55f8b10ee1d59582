"""Bytes to arrays and back: opening, writing and checking files, and the formats."""
