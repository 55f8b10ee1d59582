"""Training on an NVIDIA GPU: the same examples and the same draws, thousands of windows at a time."""
