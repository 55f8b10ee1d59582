"""What live and frozen phrases share: how sentences are analyzed, indexed and shown in tables, under gensim's names."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from w2v.files.reading import Pathlike
from w2v.files.writing import packed_write
from w2v.terms.dividing import Chain, Level


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

    def each_joined(self, sentences: Iterable[Iterable[str]]) -> Iterator[list[str]]:
        return map(self.joined, sentences)

    def find_phrases(self, sentences: Iterable[Iterable[str]]) -> dict[str, float]:
        """The phrases that occur in sentences, and their scores."""
        analyzed = (self.analyze_sentence(sentence) for sentence in sentences)
        return {phrase: score for parts in analyzed for phrase, score in parts if score is not None}


class ScoredPhrases(PhrasesTransformation):
    """Phrases with their scores, in passes."""

    def passes(self) -> list[list[Phrase]]:
        """The phrases of each pass over a sentence, in a fixed order."""
        raise NotImplementedError

    def _key(self) -> tuple[Any, ...]:
        return self.threshold, self.mode

    @property
    def levels(self) -> list[Level]:
        return [
            Level(
                [phrase.words for phrase in found],
                [phrase.phrase for phrase in found],
                [phrase.score for phrase in found],
                self.mode == "best",
            )
            for found in self.passes()
        ]

    joined, each_joined = Chain.joined, Chain.each_joined

    def _rows(self) -> list[Phrase]:
        return self._kept("rows", lambda: [phrase for found in self.passes() for phrase in found])

    def analyze_sentence(self, sentence: Iterable[str]) -> Iterator[tuple[str, float | None]]:
        """Yield each word of a sentence with its phrases joined, and the score of a phrase, None for a word."""
        words, rows = list(sentence), self._rows()
        for term, begin, _ in self.joiner.parts(words):
            yield (words[begin], None) if term < 0 else (rows[term].phrase, rows[term].score)

    def score_candidate(
        self, word_a: str, word_b: str, in_between: Sequence[str]
    ) -> tuple[str, float] | tuple[None, None]:
        by_words = self._kept("by_words", lambda: {phrase.words: phrase for phrase in self._rows()})
        phrase = by_words.get((word_a, *in_between, word_b))
        return (None, None) if phrase is None else (phrase.phrase, phrase.score)

    def export_phrases(self) -> dict[str, float]:
        """All phrases and their scores."""
        return {phrase.phrase: phrase.score for phrase in self._rows()}

    def table(self) -> list[Phrase]:
        """All phrases with scores and counts, the best ones first; of equal scores the more frequent."""
        return sorted(self._rows(), key=lambda phrase: (-phrase.score, -phrase.pair_count, phrase.phrase))

    def write_table(self, path: Pathlike) -> None:
        """Write the `table` as lines of phrase, score, count and the counts of its two words, between tabs."""
        with packed_write(path) as file:
            file.write(b"phrase\tscore\tcount\tfirst_count\tlast_count\n")
            for row in self.table():
                line = f"{row.phrase}\t{row.score!r}\t{row.pair_count}\t{row.first_count}\t{row.last_count}\n"
                file.write(line.encode("utf-8", "surrogatepass"))


def word_set(words: Iterable[str]) -> frozenset[str]:
    """Words as a set; TypeError for a string, and for what is no word."""
    if isinstance(words, str | bytes):
        raise TypeError(f"connector_words={words!r:.60} is a string, not a set of words; split it")
    made = frozenset(words)
    if strange := [word for word in made if not isinstance(word, str)]:
        raise TypeError(f"connector_words must be str, not {type(strange[0]).__name__}: got {strange[0]!r:.60}")
    return made
