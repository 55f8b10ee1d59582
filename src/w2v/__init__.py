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
    from w2v import align, bio, distributed
    from w2v.about import show_config
    from w2v.advice.advisor import advise
    from w2v.advice.report import Advice
    from w2v.align.merging import merge
    from w2v.align.translation import BackMappingTranslationMatrix, TranslationMatrix
    from w2v.atlas.atlas import Atlas
    from w2v.callbacks import CallbackAny2Vec
    from w2v.evaluation.report import Evaluation, evaluate
    from w2v.files.errors import FormatError
    from w2v.models.doc2vec import Doc2Vec
    from w2v.models.fasttext import FastText
    from w2v.models.fasttext_files import load_facebook_model, load_facebook_vectors, save_facebook_model
    from w2v.models.inference import Inferred
    from w2v.models.lsa import LSA
    from w2v.models.ppmi import PPMI
    from w2v.models.update import update
    from w2v.models.word2vec import Word2Vec
    from w2v.terms.phrases import ENGLISH_CONNECTOR_WORDS, FrozenPhrases, Phraser, Phrases
    from w2v.terms.steps import load_terms
    from w2v.terms.term_map import TermMap
    from w2v.text.kmers import Kmers, TaggedKmers
    from w2v.text.letters import tokenize
    from w2v.text.readers import LineSentence, PathLineSentences, TaggedDocument, TaggedLineDocument, Text8Corpus
    from w2v.text.texts import Texts
    from w2v.topics.topics import Topics
    from w2v.training.epoch import EpochRecord, StopTraining
    from w2v.vectors.exchange import load_finalfusion, save_finalfusion, save_model2vec
    from w2v.vectors.index import SearchIndex
    from w2v.vectors.keyed import KeyedVectors
    from w2v.vectors.subwords import FastTextKeyedVectors
    from w2v.vocabulary.choose import RULE_DEFAULT, RULE_DISCARD, RULE_KEEP

# Public names load with their module on first use, so that `import w2v` costs next to nothing.
_HOME = {
    "CallbackAny2Vec": "callbacks",
    "Kmers": "text.kmers",
    "LineSentence": "text.readers",
    "TaggedKmers": "text.kmers",
    "PathLineSentences": "text.readers",
    "TaggedDocument": "text.readers",
    "TaggedLineDocument": "text.readers",
    "Texts": "text.texts",
    "tokenize": "text.letters",
    "Text8Corpus": "text.readers",
    "FormatError": "files.errors",
    "EpochRecord": "training.epoch",
    "StopTraining": "training.epoch",
    "show_config": "about",
    "Evaluation": "evaluation.report",
    "evaluate": "evaluation.report",
    "Advice": "advice.report",
    "advise": "advice.advisor",
    "KeyedVectors": "vectors.keyed",
    "load_finalfusion": "vectors.exchange",
    "save_finalfusion": "vectors.exchange",
    "save_model2vec": "vectors.exchange",
    "SearchIndex": "vectors.index",
    "FastTextKeyedVectors": "vectors.subwords",
    "RULE_DEFAULT": "vocabulary.choose",
    "RULE_DISCARD": "vocabulary.choose",
    "RULE_KEEP": "vocabulary.choose",
    "Doc2Vec": "models.doc2vec",
    "Inferred": "models.inference",
    "LSA": "models.lsa",
    "PPMI": "models.ppmi",
    "Word2Vec": "models.word2vec",
    "update": "models.update",
    "merge": "align.merging",
    "TranslationMatrix": "align.translation",
    "BackMappingTranslationMatrix": "align.translation",
    "ENGLISH_CONNECTOR_WORDS": "terms.phrases",
    "FrozenPhrases": "terms.phrases",
    "Phraser": "terms.phrases",
    "Phrases": "terms.phrases",
    "TermMap": "terms.term_map",
    "load_terms": "terms.steps",
    "FastText": "models.fasttext",
    "load_facebook_model": "models.fasttext_files",
    "load_facebook_vectors": "models.fasttext_files",
    "save_facebook_model": "models.fasttext_files",
    "Topics": "topics.topics",
    "Atlas": "atlas.atlas",
}

# Rooms whose names are public as they are: w2v.align.fit.
_ROOMS = ("align", "bio", "distributed")

__all__ = [
    "ENGLISH_CONNECTOR_WORDS",
    "LSA",
    "PPMI",
    "RULE_DEFAULT",
    "RULE_DISCARD",
    "RULE_KEEP",
    "Advice",
    "Atlas",
    "BackMappingTranslationMatrix",
    "CallbackAny2Vec",
    "Doc2Vec",
    "EpochRecord",
    "Evaluation",
    "FastText",
    "FastTextKeyedVectors",
    "FormatError",
    "FrozenPhrases",
    "Inferred",
    "KeyedVectors",
    "Kmers",
    "LineSentence",
    "PathLineSentences",
    "Phraser",
    "Phrases",
    "SearchIndex",
    "StopTraining",
    "TaggedDocument",
    "TaggedKmers",
    "TaggedLineDocument",
    "TermMap",
    "Text8Corpus",
    "Texts",
    "Topics",
    "TranslationMatrix",
    "Word2Vec",
    "__version__",
    "advise",
    "align",
    "bio",
    "distributed",
    "evaluate",
    "load_facebook_model",
    "load_facebook_vectors",
    "load_finalfusion",
    "load_terms",
    "merge",
    "save_facebook_model",
    "save_finalfusion",
    "save_model2vec",
    "show_config",
    "tokenize",
    "update",
]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"w2v.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'w2v' has no attribute {name!r}")
    value = getattr(import_module(f"w2v.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_HOME) | set(_ROOMS))
