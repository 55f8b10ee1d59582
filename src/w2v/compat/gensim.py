"""Put w2v in gensim's place, so that programs and packages that import gensim train on w2v unchanged.

Opt-in, for the running process and the children it starts by multiprocessing: after `install`, an import of
``gensim.models.word2vec``, ``.doc2vec``, ``.fasttext``, ``.keyedvectors``, ``.phrases``, ``.callbacks`` or
``.translation_matrix``, or of their classes
from ``gensim.models``, gives ours. If gensim is installed, the rest of it stays, built on its own classes as
before. Without gensim, stand-ins for ``gensim``, ``gensim.models`` and ``gensim.utils`` hold the names that their users
need.

Call `install` before the program imports gensim's classes by name: classes imported earlier stay gensim's.
"""

import argparse
import builtins
import importlib
import multiprocessing.spawn
import runpy
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from importlib.metadata import Distribution, DistributionFinder
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from w2v import callbacks
from w2v.align import translation
from w2v.common import old_names
from w2v.compat import gensim_utils
from w2v.compat.gensim_names import ft_ngram_hashes, prep_vectors, pseudorandom_weak_vector
from w2v.files import gensim_pickle
from w2v.models import doc2vec, fasttext, fasttext_files, word2vec
from w2v.terms import phrases, scoring, transformation
from w2v.text import readers
from w2v.vectors import keyed, subwords

EXAMPLES = """\
examples:
  python -m w2v.compat.gensim script.py
  python -m w2v.compat.gensim script.py --its --own arguments
  python -m w2v.compat.gensim -m package.module arguments
  python -m w2v.compat.gensim --allow-pickle script.py old.model
  python -m w2v.compat.gensim --check script.py notebook.ipynb folder

Children that the program starts by multiprocessing run on w2v too; a new `python` that it calls does not.
"""

# ``gensim.__version__`` where gensim is not installed: the version whose interface w2v offers.
VERSION = "4.4.0"

# gensim's test of its own speed; 1 stands for compiled code.
FAST_VERSION = 1
CORPUSFILE_VERSION = 1
MAX_WORDS_IN_BATCH = 10_000

_KEYED_VECTORS = keyed.KeyedVectors

# The modules under gensim.models and their names.
SUBSTITUTED: dict[str, dict[str, Any]] = {
    "word2vec": {
        "Word2Vec": word2vec.Word2Vec,
        "KeyedVectors": _KEYED_VECTORS,
        "LineSentence": readers.LineSentence,
        "PathLineSentences": readers.PathLineSentences,
        "Text8Corpus": readers.Text8Corpus,
        "BrownCorpus": readers.BrownCorpus,
        "Vocab": old_names.Vocab,
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
        "Vocab": old_names.Vocab,
        "CompatVocab": old_names.Vocab,
        "REAL": gensim_utils.REAL,
        "load_word2vec_format": keyed.load_word2vec_format,
        "_load_word2vec_format": keyed._load_word2vec_format,
        "prep_vectors": prep_vectors,
        "pseudorandom_weak_vector": pseudorandom_weak_vector,
        "logger": keyed.logger,
    },
    "doc2vec": {
        "Doc2Vec": doc2vec.Doc2Vec,
        "Word2Vec": word2vec.Word2Vec,
        "KeyedVectors": _KEYED_VECTORS,
        "TaggedDocument": readers.TaggedDocument,
        "LabeledSentence": readers.TaggedDocument,  # its name in gensim 3
        "TaggedLineDocument": readers.TaggedLineDocument,
        "TaggedBrownCorpus": readers.TaggedBrownCorpus,
        "Doctag": old_names.Doctag,
        "FAST_VERSION": FAST_VERSION,
        "CORPUSFILE_VERSION": CORPUSFILE_VERSION,
        "pseudorandom_weak_vector": pseudorandom_weak_vector,
        "logger": doc2vec.logger,
    },
    "fasttext": {
        "FastText": fasttext.FastText,
        "FastTextKeyedVectors": subwords.FastTextKeyedVectors,
        "Word2Vec": word2vec.Word2Vec,
        "KeyedVectors": _KEYED_VECTORS,
        "load_facebook_model": fasttext_files.load_facebook_model,
        "load_facebook_vectors": fasttext_files.load_facebook_vectors,
        "save_facebook_model": fasttext_files.save_facebook_model,
        "ft_ngram_hashes": ft_ngram_hashes,
        "logger": subwords.logger,
    },
    "callbacks": {"CallbackAny2Vec": callbacks.CallbackAny2Vec},
    "translation_matrix": {
        "TranslationMatrix": translation.TranslationMatrix,
        "BackMappingTranslationMatrix": translation.BackMappingTranslationMatrix,
        "Space": translation.Space,
    },
    "phrases": {
        "Phrases": phrases.Phrases,
        "FrozenPhrases": phrases.FrozenPhrases,
        "Phraser": phrases.FrozenPhrases,
        "_PhrasesTransformation": transformation.PhrasesTransformation,
        "ENGLISH_CONNECTOR_WORDS": phrases.ENGLISH_CONNECTOR_WORDS,
        "original_scorer": scoring.original_scorer,
        "npmi_scorer": scoring.npmi_scorer,
        "NEGATIVE_INFINITY": scoring.NEGATIVE_INFINITY,
        "logger": phrases.logger,
    },
}

# The names that gensim.models offers itself.
CLASSES = {
    "Word2Vec": word2vec.Word2Vec,
    "Doc2Vec": doc2vec.Doc2Vec,
    "FastText": fasttext.FastText,
    "KeyedVectors": _KEYED_VECTORS,
    "TranslationMatrix": translation.TranslationMatrix,
    "BackMappingTranslationMatrix": translation.BackMappingTranslationMatrix,
    "Phrases": phrases.Phrases,
}

_MISSING = object()
_before: list[tuple[Any, str, Any]] = []  # (module or sys.modules, name, former value)


def install(*, allow_pickle: bool = False) -> None:
    """Substitute w2v for gensim in this process; a second call changes nothing but `allow_pickle`.

    Parameters
    ----------
    allow_pickle : bool, default False
        Let ``load`` read files that gensim has pickled, as ``load(..., allow_pickle=True)`` does: nothing in them
        is executed, but such a file can still fill the memory.
    """
    gensim_pickle.allowed = bool(allow_pickle)
    if _before:
        return
    try:
        models = importlib.import_module("gensim.models")
    except ModuleNotFoundError as error:
        if error.name not in ("gensim", "gensim.models"):
            raise
        models = _stand_in()
    else:
        _hand_out(models)
    for name, value in CLASSES.items():
        _put(models, name, value)
    _put(multiprocessing.spawn, "get_preparation_data", _preparation(multiprocessing.spawn.get_preparation_data))


def uninstall() -> None:
    """Undo `install`; without it, do nothing. Classes imported meanwhile stay ours."""
    gensim_pickle.allowed = False
    while _before:
        place, name, value = _before.pop()
        if isinstance(place, ModuleType):
            place = place.__dict__
        if value is _MISSING:
            place.pop(name, None)
        else:
            place[name] = value
    if _Missing in sys.meta_path:
        sys.meta_path.remove(_Missing)


@contextmanager
def installed(*, allow_pickle: bool = False) -> Iterator[None]:
    """Substitute within a ``with`` block."""
    outer, allowed = bool(_before), gensim_pickle.allowed
    install(allow_pickle=allow_pickle or allowed)
    try:
        yield
    finally:
        if outer:
            gensim_pickle.allowed = allowed
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


def _hand_out(models: ModuleType) -> None:
    """Make imports of gensim's modules give ours; gensim's own are loaded and stay unchanged.

    gensim's other classes are built on its own Word2Vec and KeyedVectors, and a pickle looks a class up by its name
    in `sys.modules`. So nothing changes there; it is the import that has another result.
    """
    ours = {}
    for name, contents in SUBSTITUTED.items():
        theirs = importlib.import_module(f"gensim.models.{name}")
        ours[theirs.__name__] = module = _module(theirs.__name__, vars(theirs) | contents)
        _put(models, name, module)
    import_statement, import_module = builtins.__import__, importlib.import_module

    def importing(name: str, *args: Any, **options: Any) -> ModuleType:
        module = import_statement(name, *args, **options)
        return ours.get(getattr(module, "__name__", ""), module)

    def importing_module(name: str, package: str | None = None) -> ModuleType:
        module = import_module(name, package)
        return ours.get(getattr(module, "__name__", ""), module)

    _put(builtins, "__import__", importing)
    _put(importlib, "import_module", importing_module)


def _stand_in() -> ModuleType:
    """Create modules for a machine without gensim; return ``gensim.models``."""
    utils = {name: getattr(gensim_utils, name) for name in gensim_utils.__all__}
    contents = {"": {"__version__": VERSION}, ".models": {}, ".utils": utils}
    contents |= {f".models.{name}": names for name, names in SUBSTITUTED.items()}
    for name, names in contents.items():
        whole = f"gensim{name}"
        # All are packages: an import of a missing name from a package asks the finders, which raise a helpful error.
        module = _module(whole, {**names, "__path__": [], "__getattr__": _attribute_error(whole)})
        _put(sys.modules, whole, module)
        parent, _, last = whole.rpartition(".")
        if parent:
            setattr(sys.modules[parent], last, module)
    sys.meta_path.insert(0, _Missing)
    return sys.modules["gensim.models"]


def _attribute_error(module: str) -> Any:
    def missing(name: str) -> NoReturn:
        raise AttributeError(_is_missing(f"{module}.{name}"))

    return missing


def _is_missing(name: str) -> str:
    return (
        f"{name} is not there: gensim is not installed, and w2v, which stands in for it, has {', '.join(CLASSES)} and "
        f"what else is in {', '.join(f'gensim.models.{module}' for module in SUBSTITUTED)}, and some of gensim.utils; "
        "for everything else: pip install gensim"
    )


class _Missing(DistributionFinder):
    """The finder of names that the stand-ins lack, and of gensim's version, where gensim is not installed."""

    @classmethod
    def find_spec(cls, name: str, path: object = None, target: object = None) -> None:
        if name.split(".")[0] == "gensim":
            # Under its own name the import statement would take the error for one of the module, and drop the text.
            raise ModuleNotFoundError(_is_missing(name), name="gensim")

    @classmethod
    def find_distributions(  # type: ignore[override]  # a finder may be a class, as Python's own ones are
        cls, context: DistributionFinder.Context
    ) -> Iterable[Distribution]:
        if context.name is not None and context.name.lower() == "gensim":
            yield _Metadata()


class _Metadata(Distribution):
    def read_text(self, filename: str) -> str | None:
        return f"Metadata-Version: 2.1\nName: gensim\nVersion: {VERSION}\n" if filename == "METADATA" else None

    def locate_file(self, path: Any) -> Any:
        return Path(path)


def _preparation(prepare: Any) -> Any:
    """multiprocessing's data for a new interpreter, with the substitution in it."""

    def prepare_child(name: str) -> dict[str, Any]:
        told: dict[str, Any] = prepare(name)
        told["w2v.compat.gensim"] = _Install(told["sys_path"])
        if name == "ignore":  # a fork server would import the program before any child substitutes
            told.pop("init_main_from_path", None)
        return told

    return prepare_child


class _Install:
    """Installs when unpickled: a child unpickles its data before it imports the program."""

    def __init__(self, path: list[str]) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        install = f"gensim.install(allow_pickle={gensim_pickle.allowed})"
        return exec, (f"import sys; sys.path[:] = {self.path!r}; from w2v.compat import gensim; {install}",)


def main(arguments: Sequence[str]) -> None:
    """Run a script, or with ``-m`` a module, under the substitution; or check programs."""
    parser = argparse.ArgumentParser(
        "python -m w2v.compat.gensim",
        usage="%(prog)s [-h] [--allow-pickle] (script.py | -m module) [arguments ...]\n"
        "       %(prog)s --check path ...",
        description="Run a program that imports gensim on w2v, or say which of its calls would run unchanged.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--allow-pickle", action="store_true", help="let load read files that gensim has saved")
    parser.add_argument("--check", action="store_true", help="read programs, notebooks and folders, and run nothing")
    is_program = [argument == "-m" or not argument.startswith("-") for argument in arguments]
    start = is_program.index(True) if True in is_program else len(arguments)
    args = parser.parse_args(arguments[:start])
    program = list(arguments[start:])
    if program in ([], ["-m"]):
        print(parser.format_help())
        raise SystemExit(2)
    if args.check:
        return _check(parser, program)
    is_script = program[0] != "-m"
    if is_script and not Path(program[0]).exists():
        parser.error(f"there is no script {program[0]!r}; a module is run by -m module")
    from w2v.compat import gensim  # this module under its own name, not as __main__: there is one state

    gensim.install(allow_pickle=args.allow_pickle)
    if is_script:
        sys.argv = program
        sys.path.insert(0, str(Path(program[0]).resolve().parent))
        runpy.run_path(program[0], run_name="__main__")
    else:
        if fault := _fault_of(program[1]):
            parser.error(f"{fault}; a script is given by its path, without -m")
        sys.argv = program[1:]
        runpy.run_module(program[1], run_name="__main__", alter_sys=True)


def _check(parser: argparse.ArgumentParser, paths: Sequence[str]) -> None:
    """Print what becomes of the uses of gensim in programs; status 1 where something is missing."""
    from w2v.compat import checking, uses

    try:
        found, verdicts = checking.check(paths, uses.Gensim(SUBSTITUTED, CLASSES, gensim_utils.__all__))
    except FileNotFoundError as error:
        parser.error(str(error))
    print(checking.report(found, verdicts))
    if uses.MISSING in verdicts.values():
        raise SystemExit(1)


def _fault_of(module: str) -> str | None:
    """Return the reason why a module cannot be found, or None."""
    try:
        return None if find_spec(module) else f"there is no module {module!r}"
    except ModuleNotFoundError as error:  # a failing import inside a package passes on
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        return str(error)


if __name__ == "__main__":
    main(sys.argv[1:])
