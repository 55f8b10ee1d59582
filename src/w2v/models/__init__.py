"""What a user holds while training: words, matrices and history behind gensim's names."""
