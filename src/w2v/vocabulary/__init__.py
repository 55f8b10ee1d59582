"""Words and rows: which words are kept, and what training derives from their counts."""
