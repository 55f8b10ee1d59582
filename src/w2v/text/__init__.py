"""Sources of sentences, and how a corpus is told from another: strings in, strings out."""
