"""Put w2v in gensim's place, so that programs and packages that import gensim train on w2v unchanged.

Opt-in, for the running process: after `install`, ``gensim.models.word2vec``, ``.keyedvectors`` and ``.callbacks``, and
the classes of these modules under ``gensim.models``, are ours. With gensim installed everything else of it stays;
without it there are stand-ins for ``gensim``, ``gensim.models`` and ``gensim.utils`` with what users of the three need.

    python -m w2v.compat.gensim script.py arguments ...
    python -m w2v.compat.gensim -m package.module arguments ...

Call `install` before the program imports gensim's classes by name: what it holds already stays gensim's.
"""

import runpy
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from w2v import callbacks, corpus, gensim_files, legacy, vectors
from w2v.compat import gensim_utils
from w2v.compat.gensim_names import prep_vectors, pseudorandom_weak_vector
from w2v.models import word2vec

# What ``gensim.__version__`` says where gensim is not installed: the version whose interface this is.
VERSION = "4.4.0"

# gensim's test of its own speed; 1 stands for compiled code.
FAST_VERSION = 1
CORPUSFILE_VERSION = 1
MAX_WORDS_IN_BATCH = 10_000

_KEYED_VECTORS = vectors.KeyedVectors

# The modules under gensim.models and what they offer.
SUBSTITUTED: dict[str, dict[str, Any]] = {
    "word2vec": {
        "Word2Vec": word2vec.Word2Vec,
        "KeyedVectors": _KEYED_VECTORS,
        "LineSentence": corpus.LineSentence,
        "PathLineSentences": corpus.PathLineSentences,
        "Text8Corpus": corpus.Text8Corpus,
        "BrownCorpus": corpus.BrownCorpus,
        "Vocab": legacy.Vocab,
        "FAST_VERSION": FAST_VERSION,
        "CORPUSFILE_VERSION": CORPUSFILE_VERSION,
        "MAX_WORDS_IN_BATCH": MAX_WORDS_IN_BATCH,
        "logger": word2vec.logger,
    },
    "keyedvectors": {
        "KeyedVectors": _KEYED_VECTORS,
        "Word2VecKeyedVectors": _KEYED_VECTORS,
        "Doc2VecKeyedVectors": _KEYED_VECTORS,
        "EuclideanKeyedVectors": _KEYED_VECTORS,
        "Vocab": legacy.Vocab,
        "CompatVocab": legacy.Vocab,
        "REAL": gensim_utils.REAL,
        "load_word2vec_format": vectors.load_word2vec_format,
        "_load_word2vec_format": vectors._load_word2vec_format,
        "prep_vectors": prep_vectors,
        "pseudorandom_weak_vector": pseudorandom_weak_vector,
        "logger": vectors.logger,
    },
    "callbacks": {"CallbackAny2Vec": callbacks.CallbackAny2Vec},
}

# The names that gensim.models itself has of them.
CLASSES = {"Word2Vec": word2vec.Word2Vec, "KeyedVectors": _KEYED_VECTORS}

_MISSING = object()
_before: list[tuple[Any, str, Any]] = []  # (module or sys.modules, name, what was there)


def install(*, allow_pickle: bool = False) -> None:
    """Substitute w2v for gensim in this process; a second call changes nothing but `allow_pickle`.

    Parameters
    ----------
    allow_pickle : bool, default False
        Let ``load`` read files that gensim has pickled, as ``load(..., allow_pickle=True)`` does: nothing in them
        is executed, but such a file can still fill the memory.
    """
    gensim_files.allowed = bool(allow_pickle)
    if _before:
        return
    try:
        models = import_module("gensim.models")
    except ModuleNotFoundError as error:
        if error.name not in ("gensim", "gensim.models"):
            raise
        models = _stand_in()
    for name, contents in SUBSTITUTED.items():
        module = _module(f"gensim.models.{name}", contents)
        _put(sys.modules, module.__name__, module)
        _put(models, name, module)
    for name, value in CLASSES.items():
        _put(models, name, value)


def uninstall() -> None:
    """Undo `install`; without it, do nothing. Classes that were imported meanwhile stay what they are."""
    gensim_files.allowed = False
    while _before:
        place, name, value = _before.pop()
        if isinstance(place, ModuleType):
            place = place.__dict__
        if value is _MISSING:
            place.pop(name, None)
        else:
            place[name] = value


@contextmanager
def installed(*, allow_pickle: bool = False) -> Iterator[None]:
    """Substitute within a ``with`` block."""
    outer, allowed = bool(_before), gensim_files.allowed
    install(allow_pickle=allow_pickle or allowed)
    try:
        yield
    finally:
        if outer:
            gensim_files.allowed = allowed
        else:
            uninstall()


def _put(place: Any, name: str, value: Any) -> None:
    names = place.__dict__ if isinstance(place, ModuleType) else place
    _before.append((place, name, names.get(name, _MISSING)))
    names[name] = value


def _module(name: str, contents: dict[str, Any]) -> ModuleType:
    module = ModuleType(name, f"w2v in the place of {name}.")
    module.__spec__ = ModuleSpec(name, None, is_package="__path__" in contents)
    module.__dict__.update(contents)
    return module


def _stand_in() -> ModuleType:
    """Modules for a machine without gensim; returns ``gensim.models``."""
    models = _module("gensim.models", {"__path__": []})
    utils = _module("gensim.utils", {name: getattr(gensim_utils, name) for name in gensim_utils.__all__})
    whole = _module("gensim", {"__path__": [], "__version__": VERSION, "models": models, "utils": utils})
    for module in (whole, models, utils):
        _put(sys.modules, module.__name__, module)
    return models


def main(arguments: Sequence[str]) -> None:
    """Run a script, or with ``-m`` a module, under the substitution."""
    if not arguments or arguments[0] in ("-h", "--help") or arguments == ["-m"]:
        print(__doc__)
        raise SystemExit(0 if arguments and arguments[0] != "-m" else 2)
    from w2v.compat import gensim  # this module under its own name, not as __main__: there is one state

    gensim.install()
    if arguments[0] == "-m":
        sys.argv = list(arguments[1:])
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = list(arguments)
        sys.path.insert(0, str(Path(arguments[0]).resolve().parent))
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
