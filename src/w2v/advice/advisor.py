"""`w2v.advise`: look at a text, try models on nested parts of it, and say what to take and what to expect."""

import math
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from w2v.advice import probes
from w2v.advice.probes import Candidate, Lines, Passages
from w2v.advice.report import Advice, Point
from w2v.advice.rules import EPOCHS, FEW_WORDS, usual_epochs, usual_min_count
from w2v.common import checks
from w2v.common.progress import progress_bar
from w2v.files.reading import Pathlike
from w2v.text.readers import read_sentences
from w2v.text.texts import Texts
from w2v.vectors.keyed import KeyedVectors

PROBE_WORDS = 1_000_000  # of the largest part that is tried
LEAST_WORDS = 10_000  # of the smallest
STEP = 3  # each part has so many times the words of the one before
PARTS = 3
WINDOWS = {"SGNS": (5, 10), "PPMI": (2, 5, 10)}
NEAR = 0.005  # a difference of quality that is noise


def advise(
    corpus: Pathlike | Iterable[Sequence[str]],
    *,
    tokenizer: str | None = None,
    seconds: float = 120.0,
    workers: int = -1,
    seed: int = 1,
    progress: bool | None = None,
) -> Advice:
    """Say which model to take for a text, with which settings, and what to expect of it (docs/counts.md).

    Skip-gram with negative sampling, the SVD of mutual information and latent semantic analysis are tried on nested
    parts of the text, up to a million words, and measured on lines that none of them has seen. What larger text would
    bring is told from how quality rises with size.

    Parameters
    ----------
    corpus : path, or iterable of token lists
        A line, or a list, is what belongs together: a sentence or a document.
    tokenizer : {"whitespace", "simple", "simple_preprocess"}, optional
        What the words of raw text are; the lines of an iterable are then str.
    seconds : float, default 120
        When to begin no other probe. Those of the smallest part are always made.
    workers : int, default -1
        Threads; they change no number, but how many probes there is time for.
    seed : int, default 1
        Of what is held out, of the parts and of skip-gram.
    progress : bool, optional
        A bar on stderr; by default only if that is a terminal.

    Returns
    -------
    Advice
        Prints as a few lines.

    Raises
    ------
    ValueError
        The text is too short to try anything on.
    """
    checks.number("seconds", seconds, 0)
    checks.worker_number(workers)
    checks.integer("seed", seed, 0, 2**63 - 1)
    start = time.monotonic()
    text = _Text(corpus if tokenizer is None else Texts(corpus, tokenizer), seed)
    search = _Search(text, start + seconds, workers, seed)
    with progress_bar(progress, unit="probes", desc="probes", leave=False) as bar:
        search.run(bar)
    found = search.advice(time.monotonic() - start)
    return found if tokenizer is None else replace(found, settings={**found.settings, "tokenizer": tokenizer})


class _Text:
    """The text in memory: its numbers, what is held out, and parts of the rest."""

    def __init__(self, corpus: Pathlike | Iterable[Sequence[str]], seed: int) -> None:
        given: Iterable[Any] = read_sentences(corpus) if isinstance(corpus, str | os.PathLike) else corpus
        self.counts: dict[str, int] = {}
        lines: Lines = []
        self.words = self.lines = held = 0
        # Of a text longer than can be tried, lines are drawn as they come (Vitter 1985, algorithm R), to a bound.
        draw, room = np.random.default_rng([seed, 1]), 2 * PROBE_WORDS
        for line in given:
            if isinstance(line, str):
                raise TypeError(f"a line must be a list of words, not the string {line[:40]!r}; split it")
            for word in line:
                self.counts[word] = self.counts.get(word, 0) + 1
            self.lines += 1
            self.words += len(line)
            if held + len(line) <= room:
                lines.append(list(line))
                held += len(line)
            elif lines and (place := int(draw.integers(0, self.lines))) < len(lines):
                held += len(line) - len(lines[place])
                lines[place] = list(line)
        order = np.random.default_rng([seed, 2]).permutation(len(lines))
        out = max(1, int(len(lines) * probes.HELD_OUT))
        long_enough = [place for place in order.tolist() if len(lines[place]) >= probes.SHORTEST]
        chosen = set(long_enough[: min(out, probes.PASSAGES)])
        self.passages: Passages = probes.held_out([lines[place] for place in sorted(chosen)], seed)
        self._order = [place for place in order.tolist() if place not in chosen]
        self._lines = lines
        self.most = sum(len(lines[place]) for place in self._order)
        if self.most < FEW_WORDS or len(self.passages.halves) < 10:
            raise ValueError(
                f"{self.words:,} words in {self.lines:,} lines are too few to try anything on: it takes "
                f"{FEW_WORDS:,}, and a hundred lines of {probes.SHORTEST} words. Take PPMI with min_count=2, or more "
                "text"
            )

    def part(self, words: int) -> Lines:
        """Lines of so many words; a larger part has all those of a smaller one. In the order of the text."""
        chosen, held = [], 0
        for place in self._order:
            if held >= words:
                break
            chosen.append(place)
            held += len(self._lines[place])
        return [self._lines[place] for place in sorted(chosen)]

    def sizes(self) -> list[int]:
        largest = min(self.most, PROBE_WORDS)
        sizes = [largest // STEP**power for power in range(PARTS)]
        return sorted(size for size in sizes if size >= min(LEAST_WORDS, largest))


class _Search:
    """The probes: each model on each part, then the settings of the best on the largest."""

    def __init__(self, text: _Text, until: float, workers: int, seed: int) -> None:
        self.text, self.until, self.workers, self.seed = text, until, workers, seed
        self.curve: list[Point] = []
        self.made: dict[tuple[str, int], KeyedVectors] = {}
        self.tried: dict[Candidate, float] = {}
        self.complete = True

    def run(self, bar: Any) -> None:
        for words in self.text.sizes():
            lines = self.text.part(words)
            if self.curve and self._late():
                break
            for model in probes.MODELS:
                self.curve.append(self._probe(model, words, lines))
                bar.update()
        self.largest = max(point.words for point in self.curve)
        lines = self.text.part(self.largest)
        self.expected = {model: self._expected(model) for model in probes.MODELS}
        for model in sorted(self.expected, key=lambda model: -self.expected[model])[:2]:
            for candidate in self._variations(model):
                if self._late():
                    return
                self._keep(candidate, self._vectors(candidate, lines))
                bar.update()

    def _late(self) -> bool:
        self.complete = self.complete and time.monotonic() < self.until
        return not self.complete

    def _default(self, model: str) -> Candidate:
        """A decomposition is made with all dimensions, of which the first are those of a smaller one."""
        if model == "SGNS":
            return Candidate(model, 100, 5, usual_epochs(self.text.words))
        return Candidate(model, probes.SIZES[-1], 5 if model == "PPMI" else None)

    def _vectors(self, candidate: Candidate, lines: Lines, seed: int | None = None) -> KeyedVectors:
        words = sum(map(len, lines))
        seed = self.seed if seed is None else seed
        return probes.vectors_of(candidate, lines, usual_min_count(words), self.workers, seed)

    def _probe(self, model: str, words: int, lines: Lines) -> Point:
        candidate = self._default(model)
        vectors = self._vectors(candidate, lines)
        self.tried = {tried: found for tried, found in self.tried.items() if tried.model != model}
        best = self._keep(candidate, vectors)
        self.made[model, words] = vectors if model == "SGNS" else probes.shorter(vectors, 100)
        stable: float | None = 1.0
        if model == "SGNS":
            stable = probes.stability(vectors, self._vectors(candidate, lines, self.seed + 1))
        return Point(model, words, best, stable)

    def _keep(self, candidate: Candidate, vectors: KeyedVectors) -> float:
        """Note the quality, of a decomposition for each number of dimensions; and return the best."""
        if candidate.model == "SGNS":
            self.tried[candidate] = probes.quality(vectors, self.text.passages)
            return self.tried[candidate]
        best = 0.0
        for size in sorted({min(size, vectors.vector_size) for size in probes.SIZES}):
            found = probes.quality(probes.shorter(vectors, size), self.text.passages)
            self.tried[candidate._replace(vector_size=size)] = found
            best = max(best, found)
        return best

    def _variations(self, model: str) -> Iterator[Candidate]:
        """One setting after the other, from the best there is."""
        default = self._default(model)
        for window in WINDOWS.get(model, ()):
            if window != default.window:
                yield default._replace(window=window)
        if model == "SGNS":
            best = self._best(model)
            for epochs in EPOCHS:
                if epochs != best.epochs:
                    yield best._replace(epochs=epochs)
            best = self._best(model)
            for size in probes.SIZES:
                if size != best.vector_size:
                    yield best._replace(vector_size=size)

    def _best(self, model: str) -> Candidate:
        return max((one for one in self.tried if one.model == model), key=self.tried.__getitem__)

    def _points(self, model: str) -> list[Point]:
        return [point for point in self.curve if point.model == model]

    def _slope(self, model: str) -> float:
        """By how much quality rises when the text is e times as long: of the two largest parts."""
        points = self._points(model)[-2:]
        if len(points) < 2:
            return 0.0
        return (points[1].quality - points[0].quality) / math.log(points[1].words / points[0].words)

    def _expected(self, model: str) -> float:
        """The quality of the whole text: on the line through the last two points."""
        last = self._points(model)[-1]
        return min(1.0, last.quality + self._slope(model) * max(0.0, math.log(self.text.words / last.words)))

    def _crossing(self) -> float | None:
        """Where skip-gram overtakes the better of the counts, between two parts or beyond the last one."""
        trained = {point.words: point.quality for point in self._points("SGNS")}
        counted = {
            words: max(point.quality for point in self.curve if point.words == words and point.model != "SGNS")
            for words in trained
        }
        places = sorted(trained)
        ahead = [trained[words] - counted[words] for words in places]
        for number in range(len(places) - 1, 0, -1):
            if ahead[number - 1] < 0 <= ahead[number]:
                share = -ahead[number - 1] / (ahead[number] - ahead[number - 1])
                return math.exp(math.log(places[number - 1]) * (1 - share) + math.log(places[number]) * share)
        if len(places) < 2 or ahead[-1] >= 0 or ahead[-1] <= ahead[-2]:
            return None
        rise = (ahead[-1] - ahead[-2]) / math.log(places[-1] / places[-2])
        further = -ahead[-1] / rise
        return places[-1] * math.exp(further) if further < math.log(1000) else None

    def _moved(self, model: str) -> float | None:
        points = self._points(model)[-2:]
        if len(points) < 2:
            return None
        return probes.stability(*(self.made[model, point.words] for point in points))

    def advice(self, seconds: float) -> Advice:
        text = self.text
        reach = max(0.0, math.log(text.words / self.largest))
        expected = {
            model: min(1.0, self.tried[self._best(model)] + self._slope(model) * reach) for model in probes.MODELS
        }
        model = max(expected, key=expected.__getitem__)
        best = self.tried[self._best(model)]
        # The most dimensions, and the fewest passes, that are as good: they lose nothing here, and serve others better.
        near = [one for one, found in self.tried.items() if one.model == model and found >= best - NEAR]
        chosen = max(near, key=lambda one: (one.vector_size, -(one.epochs or 0), self.tried[one]))
        settings: dict[str, Any] = {"sg": 1} if model == "SGNS" else {}
        settings["vector_size"] = chosen.vector_size
        settings |= {} if chosen.window is None else {"window": chosen.window}
        settings |= {} if chosen.epochs is None else {"epochs": self._epochs(chosen.epochs)}
        least = settings["min_count"] = usual_min_count(text.words)
        kept = [count for count in text.counts.values() if count >= least]
        return Advice(
            words=text.words,
            lines=text.lines,
            vocabulary=len(text.counts),
            model=model,
            settings=settings,
            kept_words=len(kept),
            kept_share=sum(kept) / max(1, text.words),
            curve=tuple(self.curve),
            tried=tuple((one._asdict(), found) for one, found in self.tried.items()),
            crossing=self._crossing(),
            expected=expected,
            stability=self._points(model)[-1].stability,
            moved_by_text=self._moved(model),
            gain=self._slope(model) * math.log(STEP),
            passages=len(text.passages.halves),
            seconds=seconds,
            complete=self.complete,
        )

    def _epochs(self, best: int) -> int:
        """Longer text needs fewer passes than a part of it: by the root of how much longer it is, and at least 5."""
        return max(min(best, EPOCHS[0]), round(best * math.sqrt(self.largest / max(self.largest, self.text.words))))
