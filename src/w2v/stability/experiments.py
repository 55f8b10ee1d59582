"""Experiments: repeat a training with one thing changed, keep the runs in a folder, and go on where they stopped."""

import hashlib
import itertools
import json
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from w2v.about import show_config
from w2v.common.checks import integer, one_of
from w2v.common.progress import progress_bar
from w2v.files import errors, native, reading, writing
from w2v.files.arrays import sha256_of
from w2v.files.reading import Pathlike, open_binary
from w2v.models.ppmi import PPMI
from w2v.models.word2vec import Word2Vec
from w2v.stability.neighbors import Record, Space
from w2v.text.readers import read_sentences
from w2v.training.settings import CountSettings, Settings
from w2v.vectors.keyed import KeyedVectors

RECORDS = "records.json"
SAFE_NAME = re.compile(r"[A-Za-z0-9][\w.+-]*", re.ASCII)
CORPUS_CHANGES = ("bootstrap", "shuffle")
MODELS: dict[str, Any] = {"Word2Vec": Word2Vec, "PPMI": PPMI}
WAYS = ("nothing", "seed", *CORPUS_CHANGES, "words")  # and any parameter of Word2Vec that is a setting

Corpus = Pathlike | Sequence[Sequence[str]]


def collect(
    make: Callable[..., Any],
    plan: Mapping[str, Mapping[str, Any]],
    folder: Pathlike | None = None,
    settings: Mapping[str, Any] | None = None,
    progress: bool | None = None,
) -> dict[str, Any]:
    """Call `make` once per run of a plan, and keep its results.

    Parameters
    ----------
    make : callable
        ``make(**plan[name])`` returns KeyedVectors: ours, gensim's, or read from a file.
    plan : mapping of str to dict
        The name of each run (letters, digits and ``_.+-``) and its keyword arguments, which JSON can hold.
    folder : path-like, optional
        Created if need be. Each run's vectors are written to ``NAME.safetensors`` as soon as it is done, and
        ``records.json`` has its arguments, seconds, number of words and SHA-256. Runs that are there are not made
        again, so an interrupted experiment goes on where it stopped, and a longer plan adds runs. No link in the folder
        is followed.
    settings : mapping, optional
        Everything else that the vectors depend on, in types that JSON can hold. Kept in the folder, and compared.
    progress : bool, optional
        A bar over the runs on stderr; by default only on a terminal.

    Returns
    -------
    dict of str to KeyedVectors
        In the order of the plan. From a folder they are mapped, not copied into memory.

    Raises
    ------
    ValueError
        A malformed name; or the folder has other settings, a run of this name with other arguments, or a file that
        differs from the record.
    OSError
        A file of the folder is a link.

    Examples
    --------
    >>> from w2v import Word2Vec
    >>> def make(window):
    ...     return Word2Vec([["fast", "exact", "vectors"]] * 9, window=window, vector_size=4, min_count=1).wv
    >>> list(collect(make, {"narrow": {"window": 1}, "wide": {"window": 5}}))
    ['narrow', 'wide']
    """
    for name in plan:
        if not SAFE_NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot be the name of a run; use letters, digits and _ . + -")
    if folder is None:
        with progress_bar(progress, total=len(plan), desc="runs") as shown:
            return {name: _advance(make(**arguments), shown) for name, arguments in plan.items()}
    wanted = {name: _plain(dict(arguments)) for name, arguments in plan.items()}
    facts = _plain(settings or {})
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    kept = _Kept(path, reading.open_folder(path))
    try:
        records = _records(kept, facts, wanted)
        runs = {}
        with progress_bar(progress, total=len(plan), desc="runs") as shown:
            for name, arguments in plan.items():
                file = f"{name}.safetensors"
                if name not in records["runs"] or not kept.has(file):
                    records["runs"][name] = _make_run(make, arguments, kept, file)
                    _write_records(kept, records)
                runs[name] = _read(kept, file, records["runs"][name])
                shown.update()
    finally:
        os.close(kept.opened)
    return runs


def retrain(
    corpus: Corpus,
    runs: int = 10,
    vary: str = "seed",
    values: Sequence[Any] = (),
    folder: Pathlike | None = None,
    progress: bool | None = None,
    model: str = "Word2Vec",
    **settings: Any,
) -> dict[Any, dict[str, Any]]:
    """Train `Word2Vec` several times on one corpus, with one thing changed; or count with `PPMI`.

    Parameters
    ----------
    corpus : path-like, or list of token lists
        In a file every line is a document.
    runs : int, default 10
        How many, for each of `values` if there are some.
    vary : str, default "seed"
        What changes from run to run:

        - ``"nothing"``: the same seed again. With one worker the runs are the same bytes.
        - ``"seed"``: seed, seed + 1, ...
        - ``"bootstrap"``: as many documents as there are, drawn with repetition (Antoniak & Mimno 2018).
        - ``"shuffle"``: all documents in another order. In both the seed stays, and the text is held in memory.
        - ``"words"``: the size of the corpus. For each of `values` that many words from its beginning on, whole
          documents; the seed changes within each size.
        - a parameter of `Word2Vec`: its `values`, and the seed within each.
    values : sequence, optional
        The values of ``vary``; only with ``"words"`` or a parameter.
    folder, progress
        As in `collect`. The folder also holds a hash of the corpus, so that another text is refused.
    model : {"Word2Vec", "PPMI"}, default "Word2Vec"
        `PPMI` draws nothing at random: with another seed it is the same, with another text it is not.
    **settings
        Parameters of `Word2Vec`, or of `PPMI`. `workers` is 1 unless you say otherwise, so that nothing but `vary`
        changes.

    Returns
    -------
    dict
        For each value its runs, ``{name: KeyedVectors}``; without values there is one entry, under `vary`.

    Raises
    ------
    ValueError, TypeError
        A way to vary, a value, or a setting that does not exist; a corpus with fewer words than asked for; or a
        folder of another experiment (see `collect`).
    """
    integer("runs", runs, 1)
    one_of("model", model, MODELS)
    _check_ways(vary, values, settings, known_settings(model))
    if isinstance(corpus, Iterator):
        raise TypeError(f"{type(corpus).__name__} can be read only once; give a list of token lists, or a path")
    settings = {"workers": 1, "seed": 1} | settings
    if vary == "words":
        _check_words(corpus, values)
    every = {name: default for name, default in known_settings(model).items() if name != vary} | settings
    every |= {"model": model} if model != "Word2Vec" else {}  # folders that were begun before there was a choice
    plan = _plan(vary, runs, values, settings["seed"])
    documents = _documents(corpus) if vary in CORPUS_CHANGES else ()

    def make(**changes: Any) -> KeyedVectors:
        return _train(corpus, documents, settings | changes, model)

    facts = {} if folder is None else {"corpus": _fingerprint(corpus), "scheme": show_config()["scheme"], **every}
    flat = collect(make, {name: changes for _, name, changes in plan}, folder, facts, progress)
    groups: dict[Any, dict[str, Any]] = {}
    for group, name, _ in plan:
        groups.setdefault(group, {})[name] = flat[name]
    return groups


# --- the plan -----------------------------------------------------------------------------------------------------


def known_settings(model: str = "Word2Vec") -> dict[str, Any]:
    """Return the parameters of `Word2Vec` or `PPMI` that say how to train, and not on what, with their defaults."""
    if model == "PPMI":
        names = [name for name in PPMI.own_settings() if name != "progress"]
        return dict(sorted({**CountSettings().chosen(names), "seed": 1}.items()))  # a seed changes nothing
    defaults = Settings()
    saved = Settings.named(saved=True)
    return dict(sorted({**defaults.chosen(saved), "batch_words": 10_000}.items()))  # which gensim has as well


def _check_ways(vary: str, values: Sequence[Any], settings: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    one_of("vary", vary, [*WAYS, *known])
    for name in settings:
        one_of("setting", name, known)
    if vary in settings and vary != "seed":
        raise ValueError(f"{vary}={settings[vary]!r} is what varies; leave it out, and give values=[...]")
    takes_values = vary == "words" or vary not in WAYS
    if takes_values != bool(len(values)):
        raise ValueError(f"vary={vary!r} {'needs values to try' if takes_values else 'takes no values'}")
    if vary == "words":
        for value in values:
            integer("words", value, 1, 2**63 - 1)


def _plan(vary: str, runs: int, values: Sequence[Any], seed: int) -> list[tuple[Any, str, dict[str, Any]]]:
    """Group, name and changed arguments of each run."""
    seeds = [seed + number for number in range(runs)]
    if len(values):
        pairs = itertools.product(dict.fromkeys(values), seeds)
        return [(value, f"{vary}-{value}-seed-{seed}", {vary: value, "seed": seed}) for value, seed in pairs]
    if vary == "seed":
        return [(vary, f"seed-{seed}", {"seed": seed}) for seed in seeds]
    return [(vary, f"{vary}-{number}", {"draw": [vary, number]}) for number in range(1, runs + 1)]


def _train(corpus: Corpus, documents: Sequence[Any], settings: dict[str, Any], model: str) -> KeyedVectors:
    if model == "PPMI":
        settings.pop("seed")
    way, number = settings.pop("draw", ("nothing", 0))
    words = settings.pop("words", None)
    if way in CORPUS_CHANGES:
        settings["sentences"] = _draw(documents, way, number)
    elif words is not None:
        settings["sentences"] = _first_words(_sentences(corpus), words)
    elif isinstance(corpus, str | os.PathLike):
        settings["corpus_file"] = corpus
    else:
        settings["sentences"] = corpus
    if settings.get("tokenizer") is not None and isinstance(corpus, str | os.PathLike) and "sentences" in settings:
        settings["sentences"] = map(" ".join, settings["sentences"])  # texts, as the lines of the file are
    vectors: KeyedVectors = MODELS[model](progress=False, **settings).wv
    return vectors


# --- the corpus ---------------------------------------------------------------------------------------------------


def _sentences(corpus: Corpus) -> Iterable[Sequence[str]]:
    return read_sentences(corpus) if isinstance(corpus, str | os.PathLike) else corpus


def _documents(corpus: Corpus) -> Sequence[Any]:
    """All documents: a document of a file is one string, which takes a tenth of the space of a list."""
    if isinstance(corpus, str | os.PathLike):
        return [" ".join(words) for words in read_sentences(corpus)]
    documents = list(corpus)
    for document in documents:
        if isinstance(document, str):
            raise TypeError(f"a document must be a list of words, not the string {document[:40]!r}; split it")
    return documents


def _draw(documents: Sequence[Any], way: str, number: int) -> Iterator[Sequence[str]]:
    """Yield the documents of sample `number`; it depends on `number` and on the count of documents, not on the seed."""
    draw = np.random.default_rng([number, CORPUS_CHANGES.index(way)])
    count = len(documents)
    order = draw.permutation(count) if way == "shuffle" else draw.integers(count, size=count)
    for place in order:
        document = documents[place]
        yield document.split(" ") if isinstance(document, str) else document


def _first_words(sentences: Iterable[Sequence[str]], words: int) -> Iterator[Sequence[str]]:
    for sentence in sentences:
        if words <= 0:
            return
        yield sentence
        words -= len(sentence)


def _check_words(corpus: Corpus, values: Sequence[int]) -> None:
    wanted, found = max(values), 0
    for sentence in _sentences(corpus):
        found += len(sentence)
        if found >= wanted:
            return
    raise ValueError(f"words={wanted}: the corpus has {found} words")


def _fingerprint(corpus: Corpus) -> str:
    """SHA-256 of the text: of a file's unpacked bytes, or of token lists joined by blanks and line ends.

    A list with an empty token, or with a blank in a token, is hashed as JSON, so that it differs from all others.
    """
    digest = hashlib.sha256()
    if isinstance(corpus, str | os.PathLike):
        with open_binary(corpus) as file:
            while block := file.read(1 << 20):
                digest.update(block)
    else:
        for sentence in corpus:
            text = " ".join(sentence)
            if text.split() != list(sentence):
                text = "\0" + json.dumps(list(sentence))
            digest.update((text + "\n").encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


# --- the folder ---------------------------------------------------------------------------------------------------


def _plain(value: Any) -> Any:
    """The value after a trip through JSON: tuples are lists, keys are strings."""
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise type(error)(f"{value!r} cannot be kept in {RECORDS}: {error}") from None


class _Kept(NamedTuple):
    """The folder of an experiment: its path for messages, and its descriptor; see `reading.open_folder`."""

    path: Path
    opened: int

    def has(self, name: str) -> bool:
        return name in os.listdir(self.opened)


def _records(folder: _Kept, settings: Record, wanted: Mapping[str, Any]) -> Record:
    """The records of a folder, new ones if it has none; records that do not fit are refused."""
    path = folder.path / RECORDS
    if not folder.has(RECORDS):
        records = {"settings": settings, "runs": {}}
        _write_records(folder, records)
        return records
    try:
        with reading.open_regular(path, folder.opened) as file:
            found: Record = json.loads(file.read().decode())
        old, runs = found["settings"], {name: run["arguments"] for name, run in found["runs"].items()}
        if not isinstance(old, dict):
            raise TypeError("its settings are no object")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise errors.FormatError(f"{path} is damaged ({error}); move the folder away and start again") from None
    differing = sorted(name for name in {*old, *settings} if old.get(name) != settings.get(name))
    if differing:
        name = differing[0]
        raise ValueError(
            f"{folder.path} was begun with {name}={old.get(name)!r}, and this is {name}={settings.get(name)!r}; "
            "use another folder"
        )
    for name, arguments in wanted.items():
        if runs.get(name, arguments) != arguments:
            raise ValueError(
                f"{folder.path} has a run {name!r} with {runs[name]!r}, not {arguments!r}; use another folder"
            )
    return found


def _write_records(folder: _Kept, records: Record) -> None:
    with writing.atomic_write(folder.path / RECORDS, folder.opened) as file:
        file.write((json.dumps(records, indent=1) + "\n").encode())


def _make_run(make: Callable[..., Any], arguments: Mapping[str, Any], folder: _Kept, name: str) -> Record:
    """Make one run and write its vectors; return its record."""
    started = time.perf_counter()
    vectors = _native(make(**arguments))
    seconds = time.perf_counter() - started
    counts = {"vocab.counts": vectors.expandos["count"]} if "count" in vectors.expandos else {}
    arrays = {"vectors": vectors.vectors, **counts}
    native.write_native(folder.path / name, "vectors", vectors.index_to_key, arrays, {}, folder.opened)
    return {
        "arguments": _plain(dict(arguments)),
        "seconds": round(seconds, 3),
        "words": len(vectors),
        "vector_size": vectors.vector_size,
        "sha256": sha256_of(vectors.vectors),
    }


def _native(space: Space) -> KeyedVectors:
    """Convert any library's KeyedVectors to ours, with their counts."""
    attributes = getattr(space, "expandos", {})
    counts = {"count": np.asarray(attributes["count"], np.int64)} if "count" in attributes else {}
    return KeyedVectors.from_arrays(list(space.index_to_key), np.asarray(space.vectors, np.float32), counts)


def _read(folder: _Kept, name: str, record: Mapping[str, Any]) -> KeyedVectors:
    path = folder.path / name
    _, words, arrays, _ = native.read_native(path, mmap=True, outputs=False, folder=folder.opened)
    if sha256_of(arrays["vectors"]) != record.get("sha256"):
        raise ValueError(f"{path} is not the file that {RECORDS} describes; delete it to make the run again")
    counts = {"count": arrays["vocab.counts"]} if "vocab.counts" in arrays else {}
    return KeyedVectors.from_arrays(words, arrays["vectors"], counts)


def _advance(made: Any, shown: Any) -> Any:
    shown.update()
    return made
