"""Where pickles made before `w2v.models` find the class; nothing of ours imports it."""

from w2v.models.word2vec import Word2Vec

__all__ = ["Word2Vec"]
