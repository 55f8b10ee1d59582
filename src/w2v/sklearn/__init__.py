"""scikit-learn transformers: documents or sequences in, vectors out.

Importing this package imports scikit-learn; nothing else in w2v does.
"""

try:
    import sklearn  # noqa: F401
except ImportError as error:
    raise ImportError("w2v.sklearn needs scikit-learn; pip install 'w2v[sklearn]'") from error

from w2v.sklearn.documents import Doc2VecVectorizer, LSAVectorizer, Word2VecVectorizer
from w2v.sklearn.sequences import SequenceVectorizer

__all__ = ["Doc2VecVectorizer", "LSAVectorizer", "SequenceVectorizer", "Word2VecVectorizer"]

# Pickles name the classes as users import them.
for _made in (Doc2VecVectorizer, LSAVectorizer, SequenceVectorizer, Word2VecVectorizer):
    _made.__module__ = __name__
