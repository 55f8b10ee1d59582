"""Bytes to arrays and back: how files are opened, written and checked, and what formats hold."""
