"""What live and frozen phrases share: how sentences are analyzed, indexed and shown in tables, under gensim's names."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from w2v.files.reading import Pathlike
from w2v.files.writing import packed_write
from w2v.terms.dividing import Chain, Joined, Level


class Phrase(NamedTuple):
    """A phrase and what its score comes from.

    Attributes
    ----------
    phrase : str, the word that it becomes
    score : float
    pair_count : int, of the phrase
    first_count, last_count : int, of its first and its last word
    error : int, the most occurrences that `pair_count` may lack
    words : tuple of str, the words that are joined; in a later pass they may be phrases themselves
    """

    phrase: str
    score: float
    pair_count: int
    first_count: int
    last_count: int
    error: int
    words: tuple[str, ...]


class PhrasesTransformation(Chain):
    """What live and frozen phrases have in common; gensim's ``_PhrasesTransformation``.

    A subclass may override `score_candidate` alone. Then sentences are analyzed with it, from left to right.
    """

    delimiter = "_"
    threshold = float("-inf")
    mode = "greedy"

    def __init__(self, connector_words: Iterable[str]) -> None:
        self.connector_words = word_set(connector_words)

    def score_candidate(
        self, word_a: str, word_b: str, in_between: Sequence[str]
    ) -> tuple[str, float] | tuple[None, None]:
        """The phrase of two words with connectors in between, and its score; ``(None, None)`` if it is none."""
        raise NotImplementedError(
            "a subclass says which phrases there are: score_candidate(word_a, word_b, in_between)"
        )

    def analyze_sentence(self, sentence: Iterable[str]) -> Iterator[tuple[str, float | None]]:
        """Yield each word of a sentence with its phrases joined, and the score of a phrase, None for a word."""
        start: str | None = None
        between: list[str] = []
        for word in sentence:
            if word in self.connector_words:
                if start is None:
                    yield word, None
                else:
                    between.append(word)
                continue
            if start is not None:
                phrase, score = self.score_candidate(start, word, between)
                if phrase is not None:
                    yield phrase, score
                    start, between = None, []
                    continue
                yield start, None
                yield from ((connector, None) for connector in between)
            start, between = word, []
        if start is not None:
            yield start, None
            yield from ((connector, None) for connector in between)

    def joined(self, sentence: Iterable[str]) -> list[str]:
        return [word for word, _ in self.analyze_sentence(sentence)]

    def __getitem__(self, sentence: Iterable[Any]) -> Any:
        """The words of a sentence with phrases joined, or of a corpus: then an iterable over its sentences.

        An iterable whose first item is a str is a sentence, and so is an empty one.
        """
        if isinstance(sentence, str | bytes):
            raise TypeError(f"{sentence!r:.60} is a string, not a list of words; pass a list, such as text.split()")
        if isinstance(sentence, Iterator):
            first = next(sentence, None)
            if first is None:
                return []
            rest = _Rest(first, sentence)
            return self.joined(rest) if isinstance(first, str) else Joined(self, rest)
        first = next(iter(sentence), "")
        return self.joined(sentence) if isinstance(first, str) else Joined(self, sentence)

    def find_phrases(self, sentences: Iterable[Iterable[str]]) -> dict[str, float]:
        """The phrases that occur in sentences, and their scores."""
        analyzed = (self.analyze_sentence(sentence) for sentence in sentences)
        return {phrase: score for parts in analyzed for phrase, score in parts if score is not None}


class _Rest:
    """An iterator and its first item, which was taken already."""

    def __init__(self, first: Any, rest: Iterator[Any]) -> None:
        self._first, self._rest = first, rest

    def __iter__(self) -> Iterator[Any]:
        yield self._first
        yield from self._rest


class ScoredPhrases(PhrasesTransformation):
    """Phrases with their scores, in passes."""

    def passes(self) -> list[list[Phrase]]:
        """The phrases of each pass over a sentence, in a fixed order."""
        raise NotImplementedError

    def _key(self) -> tuple[Any, ...]:
        """What the levels depend on besides the counts."""
        return self.threshold, self.mode

    @property
    def levels(self) -> list[Level]:
        known = self.__dict__.get("_levels")
        if known is None or known[0] != self._key():
            made = []
            for found in self.passes():
                scores = [phrase.score for phrase in found]
                terms = [phrase.words for phrase in found]
                made.append(Level(terms, [phrase.phrase for phrase in found], scores, self.mode == "best"))
            known = self.__dict__["_levels"] = self._key(), made
        levels: list[Level] = known[1]
        return levels

    def joined(self, sentence: Iterable[str]) -> list[str]:
        return Chain.joined(self, sentence)

    def analyze_sentence(self, sentence: Iterable[str]) -> Iterator[tuple[str, float | None]]:
        """Yield each word of a sentence with its phrases joined, and the score of a phrase, None for a word."""
        parts: list[tuple[str, float | None]] = [(word, None) for word in sentence]
        for level, found in zip(self.levels, self.passes(), strict=True):
            after, at = [], 0
            for term, length in level.parts([word for word, _ in parts]):
                after.append(parts[at] if term < 0 else (found[term].phrase, found[term].score))
                at += length
            parts = after
        yield from parts

    def score_candidate(
        self, word_a: str, word_b: str, in_between: Sequence[str]
    ) -> tuple[str, float] | tuple[None, None]:
        known = self.__dict__.get("_by_words")
        if known is None or known[0] != self._key():
            by_words = {phrase.words: phrase for found in self.passes() for phrase in found}
            known = self.__dict__["_by_words"] = self._key(), by_words
        phrase = known[1].get((word_a, *in_between, word_b))
        return (None, None) if phrase is None else (phrase.phrase, phrase.score)

    def export_phrases(self) -> dict[str, float]:
        """All phrases and their scores."""
        return {phrase.phrase: phrase.score for found in self.passes() for phrase in found}

    def table(self) -> list[Phrase]:
        """All phrases with scores and counts, the best ones first; of equal scores the more frequent."""
        rows = [phrase for found in self.passes() for phrase in found]
        return sorted(rows, key=lambda phrase: (-phrase.score, -phrase.pair_count, phrase.phrase))

    def write_table(self, path: Pathlike) -> None:
        """Write the `table` as lines of phrase, score, count and the counts of its two words, between tabs."""
        with packed_write(path) as file:
            file.write(b"phrase\tscore\tcount\tfirst_count\tlast_count\n")
            for row in self.table():
                line = f"{row.phrase}\t{row.score!r}\t{row.pair_count}\t{row.first_count}\t{row.last_count}\n"
                file.write(line.encode("utf-8", "surrogatepass"))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_levels", "_by_words")}


def word_set(words: Iterable[str]) -> frozenset[str]:
    """Words as a set; TypeError for a string, and for what is no word."""
    if isinstance(words, str | bytes):
        raise TypeError(f"connector_words={words!r:.60} is a string, not a set of words; split it")
    made = frozenset(words)
    if strange := [word for word in made if not isinstance(word, str)]:
        raise TypeError(f"connector_words must be str, not {type(strange[0]).__name__}: got {strange[0]!r:.60}")
    return made
