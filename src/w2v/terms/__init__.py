"""From words to terms, before training: phrases that a corpus shows, and terms that a dictionary names."""
