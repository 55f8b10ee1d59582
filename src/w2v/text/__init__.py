"""Sources of sentences, and the identity of a corpus: strings in, strings out."""
