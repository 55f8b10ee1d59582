"""Training: token ids in, matrices changed in place."""
