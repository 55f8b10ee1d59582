"""Standing in for other libraries, when asked to."""
