"""The uses of gensim in a program, and what becomes of each on w2v.

The program is read, not run. Names are followed from the import of gensim through assignments, attributes and calls to
what they stand for: a module, a class of ours, an object of such a class. A name that stands for two kinds of things
stands for none. What cannot be followed is said, and never counted as "runs unchanged": a call whose arguments are not
written out, a class that is built on one of gensim's, a method that we lack on an object of unknown origin.
"""

import ast
import inspect
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from w2v.models import doc2vec, word2vec
from w2v.models.doc2vec import Doc2Vec
from w2v.models.fasttext import FastText
from w2v.models.word2vec import Word2Vec
from w2v.terms.phrases import FrozenPhrases, Phrases
from w2v.vectors.keyed import KeyedVectors
from w2v.vectors.subwords import FastTextKeyedVectors

RUNS, DIFFERS, LOOK, BESIDE, MISSING = "runs", "differs", "look", "gensim's own", "missing"

# A program is as good as the worst of its uses; from the best to the worst.
VERDICTS = {
    RUNS: "runs unchanged",
    DIFFERS: "runs, with differences",
    LOOK: "look at it: what a call is could not be told",
    BESIDE: "needs gensim beside w2v, for what is not ours",
    MISSING: "needs a change: w2v lacks something",
}

# What gensim's objects have and ours lack, and what to do instead.
LACKING = {
    "get_keras_embedding": "give wv.vectors to the layer as its weights",
    "offset2doctag": "take dv.index_to_key",
    "doctags": "take dv.key_to_index",
    "doctag_syn0": "take dv.vectors",
    "vectors_docs": "take dv.vectors",
    "trainables": "syn1neg, syn1 and wv.vectors_lockf belong to the model itself",
    "add_null_word": "pass null_word=1 to the constructor",
    "get_sentence_vector": "take wv.get_mean_vector(words)",
    "load_binary_data": "call load_facebook_model(path)",
    "load_fasttext_format": "call load_facebook_model(path)",
    "seeded_vector": "the first vectors follow from seed=",
    **dict.fromkeys(
        (
            "_train_epoch",
            "_do_train_epoch",
            "_do_train_job",
            "_job_producer",
            "_worker_loop",
            "_get_thread_working_mem",
        ),
        "training is compiled, and has no such step",
    ),
    **dict.fromkeys(
        ("_load_specials", "_save_specials", "_smart_save", "_adapt_by_suffix"), "files are safetensors, not pickles"
    ),
    **dict.fromkeys(("_upconvert_old_vocab", "_upconvert_old_d2vkv"), "load(..., allow_pickle=True) reads old files"),
}

# Methods that do the same with another file, or in another way.
OF_METHODS = {
    "load": "reads our files; gensim's with allow_pickle=True, and --allow-pickle",
    "save": "writes one safetensors file, which gensim does not read",
    "get_latest_training_loss": "counts every update; gensim's misses some",
    "infer_vector": "gives the same vector every time",
    "estimate_memory": "has other figures, since the matrices are padded",
}

# Arguments that are taken and do something else, or nothing.
OF_ARGUMENTS = {
    "hashfxn": "has no effect, as in gensim",
    "queue_factor": "has no effect",
    "report_delay": "has no effect; there is a progress bar",
    "batch_words": "has no effect",
    "pickle_protocol": "has no effect: there is no pickle",
    "separately": "has no effect: there is one file",
    "sep_limit": "has no effect: there is one file",
}

# Arguments of gensim 3 that work.
OLD_ARGUMENTS = (
    word2vec.OLD_PARAMETERS
    | doc2vec.OLD_PARAMETERS
    | Doc2Vec.old_corpus
    | {
        "steps": "epochs",
        "common_terms": "connector_words",
    }
)

# How the docstring of such a name begins.
OLD_NAME = ("Old name of", "Old form of")

# Objects whose attributes are ours to know, and attributes that are such objects.
CLASSES: dict[str, type] = {
    "Word2Vec": Word2Vec,
    "Doc2Vec": Doc2Vec,
    "FastText": FastText,
    "KeyedVectors": KeyedVectors,
    "FastTextKeyedVectors": FastTextKeyedVectors,
    "Phrases": Phrases,
    "FrozenPhrases": FrozenPhrases,
}
PARTS = {"wv", "dv", "docvecs"}  # KeyedVectors
LOADERS = {"load", "load_word2vec_format", "load_fasttext_format", "resume"}
FACTORIES = {
    "load_facebook_model": "FastText",
    "load_facebook_vectors": "FastTextKeyedVectors",
    "load_word2vec_format": "KeyedVectors",
}


class Use(NamedTuple):
    """One use of gensim.

    Attributes
    ----------
    path : str
    line : int, from 1; of a notebook, of its code cells one after the other
    what : str, as one would write it
    verdict : str, a key of `VERDICTS`
    note : str, what is different, or what to do; may be empty
    """

    path: str
    line: int
    what: str
    verdict: str
    note: str = ""


class Thing(NamedTuple):
    """What a name stands for.

    Attributes
    ----------
    kind : str
        A ``module`` of gensim; something in one that is ``ours`` or ``theirs``; a ``class`` of ours, an ``object`` of
        one, a ``guess`` that it is one, or a ``method`` of one.
    name : str, of the module or the thing, or of the class
    method : str
    """

    kind: str
    name: str
    method: str = ""


class Gensim(NamedTuple):
    """The names of gensim that w2v puts something in the place of.

    Attributes
    ----------
    modules : mapping, of each module of gensim.models its names and what they become
    models : mapping, the names of gensim.models itself
    utils : sequence of str, the names of gensim.utils that stand-ins have
    """

    modules: Mapping[str, Mapping[str, Any]]
    models: Mapping[str, Any]
    utils: Sequence[str]


def uses_in(path: str, source: str, ours: Gensim) -> list[Use]:
    """All uses of gensim in a program, in order; SyntaxError if it is not Python 3."""
    tree = ast.parse(source)
    reader = _Reader(path, ours)
    for _ in range(3):  # a name may be used above the line that says what it is
        reader.uses.clear()
        reader.visit(tree)
    return sorted(set(reader.uses), key=lambda use: (use.line, use.what))


class _Reader(ast.NodeVisitor):
    """Goes through a program, and notes what names stand for and which uses there are."""

    def __init__(self, path: str, ours: Gensim) -> None:
        self.path, self.uses, self._ours = path, list[Use](), ours
        self._names: dict[str, Thing | None] = {}
        self._guesses: dict[str, str] = {}  # objects with a part that models have
        self._added: set[str] = set()

    def _note(self, node: ast.AST, what: str, verdict: str, note: str = "") -> None:
        self.uses.append(Use(self.path, getattr(node, "lineno", 1), what, verdict, note))

    def _bind(self, name: str, thing: Thing | None) -> None:
        if thing is not None:
            self._names[name] = thing if self._names.get(name, thing) == thing else None

    # --- imports ----------------------------------------------------------------------------------------------------

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.name.split(".")[0] == "gensim":
                self._bind(alias.asname or "gensim", Thing("module", alias.name if alias.asname else "gensim"))
                if alias.name != "gensim":
                    self._note(node, f"import {alias.name}", *self._of_module(alias.name))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.level or (node.module or "").split(".")[0] != "gensim":
            return
        for alias in node.names:
            if alias.name == "*":
                self._note(node, f"from {node.module} import *", LOOK, "import the names that are used")
                continue
            thing = self._named(f"{node.module}.{alias.name}")
            self._bind(alias.asname or alias.name, thing)
            self._note(node, f"from {node.module} import {alias.name}", *self._of_thing(thing))

    def _of_module(self, module: str) -> tuple[str, str]:
        parts = module.split(".")
        ours = module in ("gensim", "gensim.models", "gensim.utils")
        if ours or (parts[:2] == ["gensim", "models"] and parts[-1] in self._ours.modules):
            return RUNS, ""
        return BESIDE, f"{module} stays what it is"

    def _of_thing(self, thing: Thing) -> tuple[str, str]:
        if thing.kind == "module":
            return self._of_module(thing.name)
        return (RUNS, "") if thing.kind in ("class", "ours") else (BESIDE, f"{thing.name} stays what it is")

    def _named(self, dotted: str) -> Thing:
        """What a full name of gensim stands for."""
        module, _, name = dotted.rpartition(".")
        place = module.removeprefix("gensim.models").removeprefix(".")
        if module == "gensim" or (module == "gensim.models" and name in self._ours.modules):
            return Thing("module", dotted)
        if module == "gensim.utils":
            return Thing("ours" if name in self._ours.utils else "theirs", dotted)
        names = self._ours.models if module == "gensim.models" else self._ours.modules.get(place, {})
        if name not in names:
            return Thing("theirs", dotted)
        own = getattr(names[name], "__name__", "")
        return Thing("class", own) if own in CLASSES else Thing("ours", dotted)

    # --- what an expression stands for ------------------------------------------------------------------------------

    def _thing(self, node: ast.AST) -> Thing | None:
        if isinstance(node, ast.Name | ast.Attribute):
            named = ast.unparse(node)
            if named in self._names:
                return self._names[named]
            if named in self._guesses:
                return Thing("guess", self._guesses[named])
        if isinstance(node, ast.Attribute):
            base = self._thing(node.value)
            if base is None:
                return Thing("object", "KeyedVectors") if node.attr in PARTS else None
            if base.kind == "module":
                return self._named(f"{base.name}.{node.attr}")
            if base.kind in ("object", "guess") and node.attr in PARTS:
                subwords = base.name == "FastText" and node.attr == "wv"
                return Thing("object", "FastTextKeyedVectors" if subwords else "KeyedVectors")
            if base.kind in ("class", "object", "guess"):
                return Thing("method", base.name, node.attr)
        if isinstance(node, ast.Call) and (called := self._thing(node.func)) is not None:
            if called.kind == "class":
                return Thing("object", called.name)
            if called.kind == "method" and called.method in LOADERS:
                return Thing("object", called.name)
            if called.kind == "method" and called.method == "freeze":
                return Thing("object", "FrozenPhrases")
            if called.kind == "ours" and (made := FACTORIES.get(called.name.rpartition(".")[2])):
                return Thing("object", made)
        return None

    def visit_Assign(self, node: ast.Assign) -> None:
        thing = self._thing(node.value)
        for target in node.targets:
            if isinstance(target, ast.Name | ast.Attribute):
                self._bind(ast.unparse(target), thing)
        self.generic_visit(node)

    def visit_withitem(self, node: ast.withitem) -> None:
        if isinstance(node.optional_vars, ast.Name):
            self._bind(node.optional_vars.id, self._thing(node.context_expr))
        self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for base in node.bases:
            thing = self._thing(base)
            if thing is not None and thing.kind == "class":
                self._note(node, f"class {node.name}({thing.name})", LOOK, "what it overrides may not be called")
        self.generic_visit(node)

    # --- uses -------------------------------------------------------------------------------------------------------

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.generic_visit(node)
        base = self._thing(node.value)
        if base is None:
            if node.attr in PARTS and (named := ast.unparse(node.value)) not in ("self", "cls"):
                self._guesses[named] = "Word2Vec" if node.attr == "wv" else "Doc2Vec"
            if node.attr in LACKING:
                self._note(node, f".{node.attr}", LOOK, f"if it is a model's: {LACKING[node.attr]}")
            return
        if base.kind == "module":
            self._note(node, f"{base.name}.{node.attr}", *self._of_thing(self._named(f"{base.name}.{node.attr}")))
        elif base.kind in ("class", "object", "guess"):
            self._note_member(node, base)

    def _note_member(self, node: ast.Attribute, base: Thing) -> None:
        name, owner = node.attr, base.name
        what = f"{owner}.{name}"
        if name in _members(owner):
            note = OF_METHODS.get(name, "") if name != "infer_vector" or owner == "Doc2Vec" else ""
            old = str(getattr(getattr(CLASSES[owner], name, None), "__doc__", "")).startswith(OLD_NAME)
            note = note or ("the name of gensim 3; it works, with a warning" if old else "")
            self._note(node, what, DIFFERS if note else RUNS, note)
        elif isinstance(node.ctx, ast.Store):
            self._added.add(name)
            self._note(node, what, DIFFERS, "an attribute of your own is not saved")
        elif name in self._added:
            self._note(node, what, RUNS)
        elif base.kind == "guess":
            self._note(node, f".{name}", LOOK, f"if it is a {owner}: {LACKING.get(name, 'there is none')}")
        else:
            self._note(node, what, MISSING, LACKING.get(name, f"{owner} has no {name}"))

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        called = self._thing(node.func)
        if called is None or called.kind not in ("class", "method"):
            return
        owner = CLASSES[called.name]
        function = getattr(owner, called.method or "__init__", None)
        if not callable(function) or str(function.__doc__).startswith(OLD_NAME):
            return
        what = f"{called.name}.{called.method}()" if called.method else f"{called.name}()"
        if any(keyword.arg is None for keyword in node.keywords) or any(isinstance(a, ast.Starred) for a in node.args):
            self._note(node, what, LOOK, "its arguments are not written out")
        self._note_arguments(node, what, function, owner)

    def _note_arguments(self, node: ast.Call, what: str, function: Any, owner: type) -> None:
        known, open_ended = _parameters(function, owner)
        most = _most_positions(function)
        if len(node.args) > most and not any(isinstance(given, ast.Starred) for given in node.args):
            self._note(
                node, what, MISSING, f"takes {most or 'no'} arguments by their place, and is given {len(node.args)}"
            )
        for keyword in node.keywords:
            name = keyword.arg
            if name is None:
                continue
            written = f"{what[:-1]}{name}=)"
            if name in OF_ARGUMENTS:
                self._note(keyword.value, written, DIFFERS, OF_ARGUMENTS[name])
            elif name == "workers" and not _may_be_workers(keyword.value):
                self._note(keyword.value, written, DIFFERS, "0 is an error, -1 is every core")
            elif name in known:
                self._note(keyword.value, written, RUNS)
            elif name in OLD_ARGUMENTS and open_ended:
                self._note(keyword.value, written, DIFFERS, f"works, with a warning; now {OLD_ARGUMENTS[name]}=")
            else:
                self._note(keyword.value, written, MISSING, "there is no such argument")


def _parameters(function: Any, owner: type) -> tuple[set[str], bool]:
    """The arguments of a method, with those that a constructor hands on, and whether it looks at others."""
    constructors = [base.__dict__["__init__"] for base in owner.__mro__ if "__init__" in base.__dict__]
    functions = constructors if function is constructors[0] else [function]
    known: set[str] = set()
    for each in functions:
        parameters = inspect.signature(each).parameters
        known |= set(parameters)
        if all(parameter.kind is not parameter.VAR_KEYWORD for parameter in parameters.values()):
            break
    first = inspect.signature(functions[0]).parameters.values()
    return known, any(parameter.kind is parameter.VAR_KEYWORD for parameter in first)


def _most_positions(function: Any) -> float:
    """How many arguments can be given by their place, without the object itself."""
    parameters = inspect.signature(function).parameters.values()
    if any(each.kind is inspect.Parameter.VAR_POSITIONAL for each in parameters):
        return float("inf")
    places = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(each.kind in places and each.name != "self" for each in parameters)


def _may_be_workers(node: ast.AST) -> bool:
    """Whether a number of workers is positive, or not written out."""
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return True
    return not isinstance(value, int) or value > 0


@cache
def _members(name: str) -> frozenset[str]:
    """All attributes of an object of a class of ours, made without a corpus."""
    makers: dict[str, Any] = {
        "KeyedVectors": lambda: KeyedVectors(1),
        "FastText": lambda: FastText(vector_size=1, bucket=1),
        "FastTextKeyedVectors": lambda: FastText(vector_size=1, bucket=1).wv,
        "FrozenPhrases": lambda: Phrases().freeze(),
    }
    return frozenset(dir(makers.get(name, CLASSES[name])()))
