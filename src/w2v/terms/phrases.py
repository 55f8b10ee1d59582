"""Phrases: pairs of words that occur together more often than chance has it, found in a corpus and joined to one word.

gensim's names and figures (``gensim.models.phrases``), with counting, scoring and joining in compiled code. Numbers,
not spellings, tell pairs apart: a word ``new_york`` of the text and the pair ``new``, ``york`` have each their count.
"""

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from w2v.common import checks
from w2v.common.cores import thread_count
from w2v.common.old_names import new_names_of, warn
from w2v.common.public import public
from w2v.files import gensim_phrases, gensim_pickle
from w2v.files.errors import FormatError
from w2v.files.reading import Pathlike
from w2v.terms import scoring as scorers
from w2v.terms import term_file
from w2v.terms._terms import Joiner
from w2v.terms.counting import PairCounts
from w2v.terms.dividing import MODES, Stream
from w2v.terms.transformation import Phrase, PhrasesTransformation, ScoredPhrases
from w2v.text.corpus import Corpus
from w2v.tokens.encode import CACHE_BYTES
from w2v.tokens.numbering import DictNumbering, Numbering
from w2v.tokens.spool import Spool
from w2v.tokens.words import Numbered, Sentences

logger = logging.getLogger(__name__)

# Articles, prepositions and conjunctions: a phrase may have them inside, but neither begins nor ends with one.
ENGLISH_CONNECTOR_WORDS = frozenset(
    ["a", "an", "the", "for", "of", "with", "without", "at", "from", "to", "in", "on", "by", "and", "or"]
)

MOST_LENGTH = 100

Batches = Iterator[tuple[NDArray[np.int32], NDArray[np.int64]]]


class _Saved(ScoredPhrases):
    """Phrases that files keep."""

    def step(self) -> dict[str, Any]:
        """What a file holds of these phrases."""
        raise NotImplementedError

    def save(self, fname: Pathlike, *ignored: object, **also_ignored: object) -> None:
        """Write one JSON file, atomically; compressed if the name says so. `load` gives it back.

        Further parameters are accepted for gensim's sake and ignored: there is one file, and no pickle.
        """
        term_file.write(fname, [self.step()])

    @classmethod
    def load(cls, fname: Pathlike, *ignored: object, allow_pickle: bool | None = None, **also_ignored: object) -> Any:
        """Read phrases, live or frozen, as the file holds them.

        Parameters
        ----------
        fname : path
        allow_pickle : bool, default False
            Read gensim's pickles, too, as data; see `w2v.files.gensim_pickle`.

        Raises
        ------
        FormatError
            The file is no file of phrases, or is damaged.
        """
        if gensim_pickle.may_read(fname, allow_pickle):
            return of_gensim(gensim_phrases.read_gensim_phrases(fname))
        steps = term_file.read(fname)
        if len(steps) != 1 or steps[0]["kind"] not in KINDS:
            raise FormatError(f"{os.fspath(fname)}: a file of terms, but not of phrases alone; w2v.load_terms reads it")
        return term_file.made(KINDS[steps[0]["kind"]].of_step, steps[0], os.fspath(fname))


@public
class Phrases(_Saved):
    """Find phrases in a corpus, and join them.

    A pair of adjacent words is a phrase if its score is above `threshold`. Connector words may stand between the two.

    Parameters
    ----------
    sentences : iterable of token lists, optional
        Read once. Without it, and without `corpus_file`, call `add_vocab`.
    min_count : int, default 5
        Pairs that occur less often are no phrases.
    threshold : float, default 10.0
        Scores above it make phrases. Positive for ``"default"``, in [-1, 1] for ``"npmi"``.
    max_vocab_size : int, default 40,000,000
        The most words and pairs that are counted. Beyond it the rarest are forgotten, and a warning says by how much
        counts may be short: at most ``4 * words / max_vocab_size`` (see `w2v.terms.counting.PairCounts`). A pair takes
        24 bytes, and up to three times that while its table grows.
    delimiter : str, default "_"
        Stands between the words of a phrase; bytes, as in gensim 3, are UTF-8.
    progress_per : ignored
    scoring : {"default", "npmi"} or callable, default "default"
        See `w2v.terms.scoring`. A function gets ``worda_count, wordb_count, bigram_count, len_vocab, min_count,
        corpus_word_count``.
    connector_words : iterable of str, default none
        Such as `ENGLISH_CONNECTOR_WORDS`: words that a phrase may have inside, uncounted.
    corpus_file : path, optional
        A text file instead of `sentences`, also compressed; see `w2v.Word2Vec`.
    mode : {"greedy", "best"}, default "greedy"
        How overlapping phrases share a sentence: from left to right, as gensim and the C program do, or so that the sum
        of scores is greatest.
    max_length : int, default 2
        The most words of a phrase, connectors not counted. Above 2 the corpus is gone through ``max_length - 1`` times,
        as numbers: each pass joins what the pass before has left.
    workers : int, default -1
        Threads; -1 means one per core. Nothing else depends on it.

    Attributes
    ----------
    vocab : dict of str to int
        Counts of words, and of pairs as their joined words; made when asked for.
    corpus_word_count : int

    Raises
    ------
    ValueError, TypeError
        For a parameter out of range, before any work.

    Examples
    --------
    >>> sentences = [["new", "york", "is", "big"], ["i", "like", "new", "york"]]
    >>> phrases = Phrases(sentences, min_count=1, threshold=1)
    >>> phrases[["new", "york", "is", "old"]]
    ['new_york', 'is', 'old']
    """

    def __init__(
        self,
        sentences: Sentences | None = None,
        min_count: float = 5,
        threshold: float = 10.0,
        max_vocab_size: int = 40_000_000,
        delimiter: str | bytes = "_",
        progress_per: int = 10_000,
        scoring: str | scorers.Scorer = "default",
        connector_words: Iterable[str] = frozenset(),
        *,
        corpus_file: Pathlike | None = None,
        mode: str = "greedy",
        max_length: int = 2,
        workers: int = -1,
        **old_names: Any,
    ) -> None:
        connector_words = new_names_of({"common_terms": "connector_words"}, old_names, type(self).__name__).get(
            "connector_words", connector_words
        )
        if isinstance(delimiter, bytes):
            warn(f"delimiter={delimiter!r}", f"delimiter={delimiter.decode()!r}")
            delimiter = delimiter.decode()
        super().__init__(connector_words)
        self.min_count = checks.number("min_count", min_count)
        if self.min_count <= 0:
            raise ValueError(f"min_count={min_count!r} must be at least 1")
        self.min_count = int(self.min_count) if self.min_count.is_integer() else self.min_count
        self.threshold = checks.number("threshold", threshold)
        if scoring == "default" and self.threshold <= 0:
            raise ValueError(f"threshold={threshold!r} must be positive with scoring='default'")
        if scoring == "npmi" and not -1 <= self.threshold <= 1:
            raise ValueError(f"threshold={threshold!r} must be in [-1, 1] with scoring='npmi'")
        self.scoring = scorers.checked(scoring)
        self.max_vocab_size = checks.integer("max_vocab_size", max_vocab_size, 1, 2**62)
        if not isinstance(delimiter, str):
            raise TypeError(f"delimiter={delimiter!r} must be a str")
        self.delimiter = delimiter
        self.progress_per = progress_per
        self.mode = checks.one_of("mode", mode, MODES)
        self.max_length = checks.integer("max_length", max_length, 2, MOST_LENGTH)
        self.workers = checks.worker_number(workers)
        self._counts = [self._new_counts()]
        self._words: list[Numbering] = [DictNumbering({})]
        self._version = 0
        if sentences is not None or corpus_file is not None:
            self._learn(Corpus.from_arguments(sentences, corpus_file))

    def __str__(self) -> str:
        return (
            f"{type(self).__name__}<{len(self._counts[0])} vocab, min_count={self.min_count}, "
            f"threshold={self.threshold}, max_vocab_size={self.max_vocab_size}>"
        )

    __repr__ = __str__

    # --- counting -----------------------------------------------------------------------------------------------

    def _threads(self) -> int:
        return thread_count(self.workers)

    def _new_counts(self) -> PairCounts:
        return PairCounts(self.max_vocab_size, self.connector_words, self._threads())

    def add_vocab(self, sentences: Sentences | None = None, *, corpus_file: Pathlike | None = None) -> None:
        """Count the words and pairs of more sentences.

        With ``max_length > 2`` the phrases known after each pass over these sentences are joined for the next one; what
        was counted before is not counted anew.
        """
        self._learn(Corpus.from_arguments(sentences, corpus_file))

    def _learn(self, corpus: Corpus) -> None:
        numbered = Numbered(*corpus, self._threads())
        words, batches = numbered.words, ((batch.tokens, batch.ends) for batch in numbered)
        for number in range(self.max_length - 1):
            kept = (Spool(np.int32, CACHE_BYTES), Spool(np.int64, CACHE_BYTES)) if self.max_length > 2 else None
            self._count(number, _kept_in(kept, batches) if kept else batches, words)
            if kept is None or number == self.max_length - 2:
                break
            found = self.passes()
            if len(found) <= number:  # nothing was joined that could be joined again
                break
            stream = Stream(Joiner([self.levels[number]]), words)
            words, batches = stream, (stream.feed(*batch) for batch in zip(*(s.drain() for s in kept), strict=True))
        if lost := self.lost_at_most:
            logger.warning(
                "more than max_vocab_size=%s words and pairs: rare ones were forgotten, and a count may lack up to %s "
                "of its occurrences",
                f"{self.max_vocab_size:,}",
                f"{lost:,}",
            )

    def _count(self, number: int, batches: Batches, words: Numbering) -> None:
        """Count a pass; words that earlier calls have counted keep their numbers."""
        if number == len(self._counts):
            self._counts.append(self._new_counts())
            self._words.append(DictNumbering({}))
        if len(self._words[number]) == 0:
            self._words[number] = words
        else:
            known = _Continued(self._words[number], words)
            batches, words = known.renumbered(batches), known
            self._words[number] = known.by_word
        self._counts[number].add(batches, words)
        self._version += 1

    @property
    def corpus_word_count(self) -> int:
        """Words that were counted, connectors included."""
        return self._counts[0].total_words

    @property
    def lost_at_most(self) -> int:
        """The most occurrences that a count lacks since rare words and pairs were forgotten; 0 if all are exact."""
        return max(counts.lost_at_most for counts in self._counts)

    @property
    def min_reduce(self) -> int:
        """Words and pairs of fewer occurrences may have been forgotten."""
        return self._counts[0].lost_at_most + 1

    @property
    def vocab(self) -> dict[str, int]:
        """Counts of all words, and of all pairs as their joined words; a new dictionary."""
        counts, words = self._counts[0], self._words[0]
        of_words, _ = counts.words()
        spelt = words.words(np.arange(len(of_words)))
        found = {word: count for word, count in zip(spelt, of_words.tolist(), strict=True) if count}
        pairs, links = counts.pairs(), counts.links()
        for a, link, b, count in zip(*(column.tolist() for column in pairs[:4]), strict=True):
            joined = self.delimiter.join([spelt[a], *(spelt[one] for one in links[link]), spelt[b]])
            found[joined] = found.get(joined, 0) + count
        return found

    # --- scoring ------------------------------------------------------------------------------------------------

    def _key(self) -> tuple[Any, ...]:
        return *super()._key(), self.min_count, self.scoring, self.delimiter, self._version

    def passes(self) -> list[list[Phrase]]:
        return self._kept("passes", self._passes)

    def _passes(self) -> list[list[Phrase]]:
        found: list[list[Phrase]] = []
        lengths: dict[str, int] = {}
        for counts, words in zip(self._counts, self._words, strict=True):
            found.append(self._found(counts, words, lengths))
        while found and not found[-1]:
            found.pop()
        return found

    def _found(self, counts: PairCounts, words: Numbering, lengths: dict[str, int]) -> list[Phrase]:
        """The phrases of a pass; `lengths` of the phrases of earlier ones, in words, are taken from and added to."""
        least = 1
        if self.scoring in scorers.NAMED.values():  # both score rarer pairs below any threshold
            least = max(1, int(-(-self.min_count // 1)))
        pairs = counts.pairs(least)
        of_words, errors = counts.words()
        # A pair is scored by what its words may have had at most, and it had at least: no score is too high for that.
        upper = np.where(of_words > 0, of_words + errors, 0)
        first, last = upper[pairs.a], upper[pairs.b]
        kept = np.flatnonzero((first > 0) & (last > 0))
        scores = scorers.scores_of(
            self.scoring,
            first[kept],
            last[kept],
            pairs.counts[kept],
            len(counts),
            self.min_count,  # type: ignore[arg-type]
            counts.total_words,
        )
        above = scores > self.threshold
        kept, scores = kept[above], scores[above]
        links, made = counts.links(), []
        columns = [column[kept] for column in (pairs.a, pairs.link, pairs.b)]
        needed = np.unique(np.concatenate([columns[0], columns[2], [one for run in links for one in run]]))
        spelt = dict(zip(needed.tolist(), words.words(needed.astype(np.int64)), strict=True))
        figures = [column[kept].tolist() for column in (pairs.counts, first, last, pairs.errors)]
        new_lengths = {}
        for a, link, b, score, count, n_first, n_last, error in zip(
            *(column.tolist() for column in columns), scores.tolist(), *figures, strict=True
        ):
            terms = (spelt[a], *(spelt[one] for one in links[link]), spelt[b])
            length = lengths.get(spelt[a], 1) + lengths.get(spelt[b], 1)
            if length <= self.max_length:
                joined = self.delimiter.join(terms)
                made.append(Phrase(joined, score, count, n_first, n_last, error, terms))
                new_lengths[joined] = length
        lengths.update(new_lengths)
        return made

    def freeze(self) -> "FrozenPhrases":
        """The phrases without the counts: smaller, with the same results."""
        return FrozenPhrases(self)

    def step(self) -> dict[str, Any]:
        """What a file holds of these phrases; see `w2v.terms.term_file`."""
        counts = [counts.state(words) for counts, words in zip(self._counts, self._words, strict=True)]
        return {"kind": "phrases", **_settings_of(self, (*SETTINGS, *LIVE)), "counts": counts}

    @classmethod
    def of_step(cls, step: Mapping[str, Any]) -> Self:
        """Phrases of a `step`; ValueError or the like if it is malformed."""
        made = cls.__new__(cls)
        made.__setstate__(step)
        return made

    def __getstate__(self) -> dict[str, Any]:
        return self.step()

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        scoring = scorers.named(state["settings"]["scoring"])
        if scoring is None:
            name = state["settings"]["scoring"]
            raise ValueError(f"the scoring function {name!r:.200} is not there; import its module first")
        settings = {**state["settings"], "scoring": scoring}
        Phrases.__init__(self, connector_words=term_file.words_of(state["connector_words"]), **settings)
        if state["counts"]:
            found = [self._new_counts().restored(counts) for counts in state["counts"]]
            self._counts, self._words = [counts for counts, _ in found], [words for _, words in found]


@public
class FrozenPhrases(_Saved):
    """Phrases as they were found, without the counts of anything else.

    Parameters
    ----------
    phrases_model : Phrases or FrozenPhrases

    Attributes
    ----------
    phrasegrams : dict of str to float
        The phrases and their scores.
    """

    def __init__(self, phrases_model: ScoredPhrases) -> None:
        super().__init__(phrases_model.connector_words)
        for name in SETTINGS:
            setattr(self, name, getattr(phrases_model, name))
        self._found = phrases_model.passes()

    @classmethod
    def of_passes(cls, passes: list[list[Phrase]], settings: dict[str, Any], connector_words: Iterable[str]) -> Self:
        """Phrases that are known already."""
        made = cls.__new__(cls)
        PhrasesTransformation.__init__(made, connector_words)
        for name in SETTINGS:
            setattr(made, name, settings[name])
        made._found = passes
        return made

    def __str__(self) -> str:
        return (
            f"{type(self).__name__}<{len(self.phrasegrams)} phrases, min_count={self.min_count}, "  # type: ignore[attr-defined]
            f"threshold={self.threshold}>"
        )

    __repr__ = __str__

    def passes(self) -> list[list[Phrase]]:
        return [[phrase for phrase in found if phrase.score > self.threshold] for found in self._found]

    @property
    def phrasegrams(self) -> dict[str, float]:
        return {phrase.phrase: phrase.score for found in self._found for phrase in found}

    def freeze(self) -> "FrozenPhrases":
        """A copy."""
        return FrozenPhrases(self)

    def step(self) -> dict[str, Any]:
        """What a file holds of these phrases; see `w2v.terms.term_file`."""
        passes = [[list(phrase) for phrase in found] for found in self._found]
        return {"kind": "frozen phrases", **_settings_of(self, SETTINGS), "passes": passes}

    @classmethod
    def of_step(cls, step: Mapping[str, Any]) -> Self:
        """Phrases of a `step`; ValueError or the like if it is malformed."""
        settings = dict(step["settings"])
        threshold = checks.number("threshold", settings["threshold"])
        # The scores are there: the function that gave them is good to have, and not needed.
        scoring = scorers.named(settings["scoring"]) or scorers.original_scorer
        Phrases(**{**settings, "scoring": scoring, "threshold": threshold})  # checks the rest
        passes = [[_phrase_of(row) for row in found] for found in step["passes"]]
        if any(len({phrase.words for phrase in found}) != len(found) for found in passes):
            raise ValueError("a phrase occurs twice")
        connectors = term_file.words_of(step["connector_words"])
        return cls.of_passes(passes, {**settings, "scoring": scoring, "threshold": threshold}, connectors)


Phraser = FrozenPhrases

# What frozen phrases keep of live ones besides phrases and connectors, and what live ones have besides.
SETTINGS = ("min_count", "threshold", "delimiter", "scoring", "mode", "max_length")
LIVE = ("max_vocab_size", "progress_per", "workers")

KINDS: dict[str, type[Phrases] | type[FrozenPhrases]] = {"phrases": Phrases, "frozen phrases": FrozenPhrases}


def _settings_of(phrases: Phrases | FrozenPhrases, names: Iterable[str]) -> dict[str, Any]:
    settings = {name: getattr(phrases, name) for name in names}
    settings["scoring"] = scorers.name_of(settings["scoring"])
    return {"settings": settings, "connector_words": sorted(phrases.connector_words)}


def _phrase_of(row: Any) -> Phrase:
    """A phrase of a file."""
    joined, score, count, first, last, error, words = row
    phrase = Phrase(joined, score, count, first, last, error, tuple(words))
    kinds = (str, float, int, int, int, int)
    sound = all(type(value) is kind for value, kind in zip(phrase[:-1], kinds, strict=True))
    if not sound or len(phrase.words) < 2 or not all(isinstance(word, str) for word in phrase.words):
        raise ValueError(f"{row!r:.200} is no phrase")
    return phrase


def of_gensim(found: gensim_phrases.GensimPhrases) -> Phrases | FrozenPhrases:
    """gensim's phrases as ours. Where its spelling leaves open which words are joined, each division is taken."""
    settings: dict[str, Any] = {
        "min_count": found.min_count,
        "threshold": found.threshold,
        "delimiter": found.delimiter,
    }
    settings["scoring"] = scorers.named(found.scoring) or scorers.original_scorer
    if found.vocab is None:
        rows = [
            Phrase(joined, score, 0, 0, 0, 0, words)
            for joined, score in found.phrasegrams.items()
            if len(words := tuple(joined.split(found.delimiter))) > 1
        ]
        return FrozenPhrases.of_passes([rows], {**settings, "mode": "greedy", "max_length": 2}, found.connector_words)
    made = Phrases(connector_words=found.connector_words, max_vocab_size=found.max_vocab_size, **settings)
    counts, numbers = made._new_counts().of_vocab(found.vocab, found.delimiter, found.corpus_word_count)
    made._counts, made._words = [counts], [numbers]
    return made


class _Continued:
    """The words of an earlier corpus and of the next one, under the numbers of the earlier one."""

    def __init__(self, known: Numbering, new: Numbering) -> None:
        spelt = known.words(np.arange(len(known)))
        self._ids = {word: number for number, word in enumerate(spelt)}
        self._new, self._table = new, np.zeros(0, np.int32)
        self.by_word = DictNumbering(self._ids)
        self.words, self.numbers = self.by_word.words, self.by_word.numbers

    def __len__(self) -> int:
        return len(self._ids)

    def renumbered(self, batches: Batches) -> Batches:
        ids = self._ids
        for tokens, ends in batches:
            words = self._new.words(np.arange(len(self._table), len(self._new)))
            if words:
                more = np.array([ids.setdefault(word, len(ids)) for word in words], np.int32)
                self._table = np.concatenate([self._table, more])
            yield self._table[tokens], ends


def _kept_in(kept: tuple[Spool, Spool], batches: Batches) -> Batches:
    for tokens, ends in batches:
        kept[0].append(tokens)
        kept[1].append(ends)
        yield tokens, ends
