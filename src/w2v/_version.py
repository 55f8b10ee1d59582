"""The version, for everybody inside and outside."""

__version__ = "0.1.0"
