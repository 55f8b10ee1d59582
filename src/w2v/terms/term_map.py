"""A dictionary of terms: variants, abbreviations and names of several words, each made one word, its concept."""

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from w2v.common import checks
from w2v.common.cores import thread_count
from w2v.common.public import public
from w2v.files.errors import FormatError
from w2v.files.reading import Pathlike
from w2v.terms import term_file
from w2v.terms._terms import spelt
from w2v.terms.dictionaries import Entry, read_entries
from w2v.terms.dividing import Chain, Level, Stream
from w2v.terms.rewriting import count_terms
from w2v.text.corpus import Corpus
from w2v.tokens.words import Numbered, Sentences

# What happens to a term that a dictionary names more than once.
CONFLICTS = ("error", "first", "last")


class TermReport(NamedTuple):
    """What a dictionary did to a corpus.

    Attributes
    ----------
    words : int, of the corpus
    mapped : dict of str to int, how often each term that occurs was mapped, the most frequent first
    concepts : dict of str to int, the same for what they became
    never : list of str, terms that never occurred, in the order of the dictionary
    """

    words: int
    mapped: dict[str, int]
    concepts: dict[str, int]
    never: list[str]


@public
class TermMap(Chain):
    """Map terms of any number of words to concepts, the longest term at each place, from left to right.

    Parameters
    ----------
    entries : mapping of str to str, or iterable of (term, concept)
        A term is words between white space. White space within a concept becomes `delimiter`. A concept that is a term
        itself, of another concept, stands for that one.
    ignore_case : bool, default False
        ``MI`` and ``mi`` are the same term.
    ignore_punctuation : bool, default False
        Punctuation at the ends of a word does not count: ``embolism,`` is ``embolism``. Where a term is mapped, its
        punctuation goes with it.
    conflicts : {"error", "first", "last"}, default "error"
        What counts if a term is named again: nothing, which is an error, or its first or last concept.
    delimiter : str, default "_"

    Attributes
    ----------
    concepts : dict of str to str
        The terms as they are compared, and their concepts.

    Raises
    ------
    ValueError
        A term is empty, named twice, or maps to itself by a detour; with its line, or its place.

    Examples
    --------
    >>> terms = TermMap({"pulmonary embolism": "PE", "pe": "PE"}, ignore_case=True)
    >>> terms[["no", "Pulmonary", "embolism", "seen"]]
    ['no', 'PE', 'seen']
    >>> terms.spans(["no", "Pulmonary", "embolism", "seen"])[1]
    Span(word='PE', begin=1, end=3)
    """

    def __init__(
        self,
        entries: Mapping[str, str] | Iterable[tuple[str, str]],
        *,
        ignore_case: bool = False,
        ignore_punctuation: bool = False,
        conflicts: str = "error",
        delimiter: str = "_",
    ) -> None:
        self._take(_numbered(entries), "entry", ignore_case, ignore_punctuation, conflicts, delimiter)

    def _take(
        self,
        entries: list[Entry],
        place: str,
        ignore_case: bool,
        ignore_punctuation: bool,
        conflicts: str,
        delimiter: str,
    ) -> None:
        self.ignore_case, self.ignore_punctuation = bool(ignore_case), bool(ignore_punctuation)
        self.conflicts = checks.one_of("conflicts", conflicts, CONFLICTS)
        if not isinstance(delimiter, str) or delimiter.split() != [delimiter]:
            raise ValueError(f"delimiter={delimiter!r} must be a str without white space")
        self.delimiter = delimiter
        found: dict[str, Entry] = {}
        for entry in entries:
            key = self._spelt(entry.term)
            if not key:
                raise ValueError(f"{place} {entry.line:,}: the term {entry.term!r:.80} is empty")
            if not entry.concept or entry.concept.isspace():
                raise ValueError(f"{place} {entry.line:,}: the concept of {entry.term!r:.80} is empty")
            if key in found and self.conflicts == "error":
                raise ValueError(
                    f"{place} {entry.line:,}: {entry.term!r:.80} becomes {entry.concept!r:.80}, and "
                    f"{found[key].concept!r:.80} by {place} {found[key].line:,}; conflicts='first' or 'last' chooses"
                )
            if key not in found or self.conflicts == "last":
                found[key] = entry
        self._entries = list(found.values())
        self.concepts = {key: self._concept_of(key, found, place) for key in found}

    def _concept_of(self, key: str, found: dict[str, Entry], place: str) -> str:
        """The concept of a term, through concepts that are terms themselves."""
        passed: dict[str, None] = {key: None}
        while True:
            concept = found[key].concept
            new = self._spelt(concept)
            if new == key or new not in found:
                return self.delimiter.join(concept.split())
            if new in passed:
                lines = ", ".join(f"{found[one].line:,}" for one in passed)
                raise ValueError(f"{place} {lines}: {found[new].term!r:.80} becomes itself by a detour")
            passed[new] = None
            key = new

    @property
    def _spelling(self) -> int:
        return self.ignore_case + 2 * self.ignore_punctuation

    def _spelt(self, term: str) -> str:
        """A term as it is compared, with a blank between words."""
        words = term.split()
        made = " ".join([spelt(word, self._spelling) for word in words] if self._spelling else words)
        return term if made == term else made  # one object for both, where they are many

    @classmethod
    def from_file(
        cls,
        path: Pathlike,
        form: str | None = None,
        *,
        ignore_case: bool = False,
        ignore_punctuation: bool = False,
        conflicts: str = "error",
        delimiter: str = "_",
    ) -> Self:
        """Read a dictionary: ``term<TAB>concept``, ``term,concept``, or CLEVER's ``id|term|CLASS``.

        Parameters
        ----------
        path : path
            In UTF-8; also compressed.
        form : {"tsv", "csv", "clever"}, optional
            By default the name tells: .tsv, .csv or .clever.
        ignore_case, ignore_punctuation, conflicts, delimiter
            As in the constructor.

        Raises
        ------
        FormatError
            A line is malformed; with its number.
        """
        entries = read_entries(path, form)
        made = cls.__new__(cls)
        try:
            made._take(entries, "line", ignore_case, ignore_punctuation, conflicts, delimiter)
        except ValueError as error:
            if any(entries) and str(error).startswith("line "):
                raise FormatError(f"{os.fspath(path)}, {error}") from None
            raise
        return made

    def __len__(self) -> int:
        return len(self.concepts)

    def __str__(self) -> str:
        return f"{type(self).__name__}<{len(self)} terms, {len(set(self.concepts.values()))} concepts>"

    __repr__ = __str__

    @property
    def levels(self) -> list[Level]:
        return [Level(_Words(self.concepts), list(self.concepts.values()), spelling=self._spelling)]

    def report(
        self, sentences: Sentences | None = None, *, corpus_file: Pathlike | None = None, workers: int = -1
    ) -> TermReport:
        """Tell how often each term of the dictionary occurs in a corpus, and which ones never do.

        Parameters
        ----------
        sentences, corpus_file
            As in `w2v.Word2Vec`.
        workers : int, default -1
            Threads; the report does not depend on them.
        """
        corpus, threads = Corpus.from_arguments(sentences, corpus_file), thread_count(checks.worker_number(workers))
        if corpus.is_path:
            found, words = count_terms(self, corpus.source, threads)
            return self._report_of(words, found)
        numbered = Numbered(*corpus, threads)
        stream, words = Stream(self.joiner, numbered.words), 0
        for tokens, ends, *_ in numbered:
            stream.feed(tokens, ends)
            words += len(tokens)
        return self._report_of(words, stream.terms_found())

    def _report_of(self, words: int, found: NDArray[np.int64]) -> TermReport:
        outputs = list(self.concepts.values())
        mapped, concepts = {}, dict.fromkeys(outputs, 0)
        for place in np.argsort(-found, kind="stable").tolist():
            if found[place]:
                mapped[self._entries[place].term] = int(found[place])
                concepts[outputs[place]] += int(found[place])
        never = [entry.term for entry, count in zip(self._entries, found.tolist(), strict=True) if not count]
        by_count = sorted(((name, count) for name, count in concepts.items() if count), key=lambda item: -item[1])
        return TermReport(words, mapped, dict(by_count), never)

    def step(self) -> dict[str, Any]:
        """What a file holds of this dictionary; see `w2v.terms.term_file`."""
        options = {
            name: getattr(self, name) for name in ("ignore_case", "ignore_punctuation", "conflicts", "delimiter")
        }
        return {"kind": "term map", "options": options, "entries": [list(entry[:2]) for entry in self._entries]}

    @classmethod
    def of_step(cls, step: Mapping[str, Any]) -> Self:
        """The dictionary of a `step`; ValueError or the like if it is malformed."""
        return cls([(term, concept) for term, concept in step["entries"]], **step["options"])

    def __getstate__(self) -> dict[str, Any]:
        return self.step()

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.__dict__.update(self.of_step(state).__dict__)

    def save(self, fname: Pathlike) -> None:
        """Write one JSON file, atomically; compressed if the name says so. `load` gives it back."""
        term_file.write(fname, [self.step()])

    @classmethod
    def load(cls, fname: Pathlike) -> Self:
        """Read a file of `save`; FormatError if it is none."""
        steps = term_file.read(fname)
        if len(steps) != 1 or steps[0]["kind"] != "term map":
            raise FormatError(
                f"{os.fspath(fname)}: a file of terms, but not of a dictionary alone; w2v.load_terms reads it"
            )
        return term_file.made(cls.of_step, steps[0], os.fspath(fname))


class _Words:
    """The words of each of many terms, which are never all there at once."""

    def __init__(self, terms: Iterable[str]) -> None:
        self._terms = terms

    def __iter__(self) -> Iterator[list[str]]:
        return map(str.split, self._terms)


def _numbered(entries: Any) -> list[Entry]:
    pairs = entries.items() if isinstance(entries, Mapping) else entries
    found = []
    for place, pair in enumerate(pairs, 1):
        try:
            term, concept = pair
        except (TypeError, ValueError):
            raise TypeError(f"entry {place:,}: {pair!r:.80} is not a term and its concept") from None
        if not isinstance(term, str) or not isinstance(concept, str):
            raise TypeError(f"entry {place:,}: a term and its concept are str, not {pair!r:.80}")
        found.append(Entry(term, concept, place))
    return found
