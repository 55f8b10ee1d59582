"""The names that a pickle of gensim's models may use."""

# Everything that gensim 0.12 to 4.4 and numpy name in these files, under Python 2 and 3 (which has written
# UserString for collections in protocol 2). Nothing is imported: these are names.
_NUMPY = {
    "numpy": {"ndarray", "dtype"},
    "numpy.core.multiarray": {"_reconstruct", "scalar"},
    "numpy.core.numeric": {"_frombuffer"},
    "numpy.random": {"__RandomState_ctor"},
    "numpy.random._pickle": {"__randomstate_ctor", "__bit_generator_ctor", "__generator_ctor"},
    "numpy.random._mt19937": {"MT19937"},
    "numpy.random._pcg64": {"PCG64"},
    "numpy.random.bit_generator": {"SeedSequence", "__pyx_unpickle_SeedSequence"},
}
_PLAIN = {"int", "long", "float", "hash", "bytes", "set", "frozenset"}
KNOWN: dict[str, set[str]] = {
    **_NUMPY,
    **{name.replace("numpy.core", "numpy._core"): names for name, names in _NUMPY.items() if "core" in name},
    "builtins": _PLAIN,
    "__builtin__": _PLAIN,
    "_codecs": {"encode"},
    "collections": {"defaultdict", "Counter", "OrderedDict"},
    "UserString": {"defaultdict"},
    "gensim.utils": {"call_on_class_only"},
    "gensim.models.phrases": {"Phrases", "FrozenPhrases", "Phraser", "original_scorer", "npmi_scorer"},
    "gensim.models.word2vec": {"Word2Vec", "Vocab", "Word2VecVocab", "Word2VecTrainables"},
    "gensim.models.doc2vec": {"Doc2Vec", "Doctag", "DocvecsArray", "Doc2VecVocab", "Doc2VecTrainables"},
    "gensim.models.fasttext": {"FastText", "FastTextVocab", "FastTextTrainables", "FastTextKeyedVectors"},
    "gensim.models.keyedvectors": {
        *("KeyedVectors", "Word2VecKeyedVectors", "EuclideanKeyedVectors", "WordEmbeddingsKeyedVectors"),
        *("Vocab", "CompatVocab", "Doc2VecKeyedVectors", "Doctag", "FastTextKeyedVectors"),
    },
}
