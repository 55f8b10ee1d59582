"""Word embeddings on CPUs: fast, and reproducible to the last bit.

>>> from w2v import Word2Vec
>>> model = Word2Vec([["fast", "exact", "vectors"]] * 100, vector_size=8, min_count=1, workers=1)
>>> model.wv["fast"].shape
(8,)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from w2v._version import __version__

if TYPE_CHECKING:
    from w2v.about import show_config
    from w2v.callbacks import CallbackAny2Vec
    from w2v.files.errors import FormatError
    from w2v.models.fasttext import FastText
    from w2v.models.fasttext_files import load_facebook_model, load_facebook_vectors, save_facebook_model
    from w2v.models.word2vec import Word2Vec
    from w2v.text.readers import LineSentence, PathLineSentences, Text8Corpus
    from w2v.training.epoch import EpochRecord, StopTraining
    from w2v.vectors.keyed import KeyedVectors
    from w2v.vectors.subwords import FastTextKeyedVectors
    from w2v.vocabulary.choose import RULE_DEFAULT, RULE_DISCARD, RULE_KEEP

# Public names load with their module on first use, so that `import w2v` costs next to nothing.
_HOME = {
    "CallbackAny2Vec": "callbacks",
    "LineSentence": "text.readers",
    "PathLineSentences": "text.readers",
    "Text8Corpus": "text.readers",
    "FormatError": "files.errors",
    "EpochRecord": "training.epoch",
    "StopTraining": "training.epoch",
    "show_config": "about",
    "KeyedVectors": "vectors.keyed",
    "FastTextKeyedVectors": "vectors.subwords",
    "RULE_DEFAULT": "vocabulary.choose",
    "RULE_DISCARD": "vocabulary.choose",
    "RULE_KEEP": "vocabulary.choose",
    "Word2Vec": "models.word2vec",
    "FastText": "models.fasttext",
    "load_facebook_model": "models.fasttext_files",
    "load_facebook_vectors": "models.fasttext_files",
    "save_facebook_model": "models.fasttext_files",
}

__all__ = [
    "RULE_DEFAULT",
    "RULE_DISCARD",
    "RULE_KEEP",
    "CallbackAny2Vec",
    "EpochRecord",
    "FastText",
    "FastTextKeyedVectors",
    "FormatError",
    "KeyedVectors",
    "LineSentence",
    "PathLineSentences",
    "StopTraining",
    "Text8Corpus",
    "Word2Vec",
    "__version__",
    "load_facebook_model",
    "load_facebook_vectors",
    "save_facebook_model",
    "show_config",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'w2v' has no attribute {name!r}")
    value = getattr(import_module(f"w2v.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_HOME))
