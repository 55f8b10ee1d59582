"""What an advice says: the curve, the choice and what to expect, as a page, as records and as a figure."""

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from w2v.advice import plots
from w2v.common.public import public

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The classes of models.
_CLASSES = {"SGNS": "Word2Vec", "PPMI": "PPMI", "LSA": "LSA"}


@dataclass(frozen=True)
class Point:
    """A model of a part of the text.

    Attributes
    ----------
    model : str, "SGNS", "PPMI" or "LSA"
    words : int, of the part
    quality : float, see `w2v.advice.probes`
    stability : float or None
        The share of ten neighbours that stay when it is made again with another seed; 1 where nothing is drawn.
    """

    model: str
    words: int
    quality: float
    stability: float | None


@public
@dataclass(frozen=True)
class Advice:
    """The result of `w2v.advise`; prints as a few lines.

    Attributes
    ----------
    words, lines, vocabulary : int
    model : str, "SGNS", "PPMI" or "LSA"
    settings : dict, parameters of `w2v.Word2Vec` (with ``sg=1``), `w2v.PPMI` or `w2v.LSA`
    kept_words : int, words that have `min_count`
    kept_share : float, the share of the text that they are
    curve : tuple of Point, all models by size
    tried : tuple of (dict, float), settings that were tried on the largest part, and their quality
    crossing : float or None, words from which on skip-gram is expected to be ahead of the best counts
    expected : dict of model to float, quality expected of the whole text
    stability : float or None, see `Point`; of the model that is advised
    moved_by_text : float or None
        The share of ten neighbours that stay when the text is three times as long.
    gain : float, by how much the quality rises with three times the text
    passages : int, that quality was measured on
    seconds : float, that the probes took
    complete : bool, whether there was time for all probes
    """

    words: int
    lines: int
    vocabulary: int
    model: str
    settings: dict[str, Any]
    kept_words: int
    kept_share: float
    curve: tuple[Point, ...]
    tried: tuple[tuple[dict[str, Any], float], ...]
    crossing: float | None
    expected: dict[str, float]
    stability: float | None
    moved_by_text: float | None
    gain: float
    passages: int
    seconds: float
    complete: bool

    def to_dict(self) -> dict[str, Any]:
        """Return all attributes in types that JSON holds."""
        return asdict(self)

    def command(self, corpus: str = "CORPUS") -> str:
        """The command line that makes the model."""
        flags = {"vector_size": "size", "min_count": "min-count"}
        options = [f"--{flags.get(name, name)} {value}" for name, value in self.settings.items() if name != "sg"]
        start = {"SGNS": "train", "PPMI": "counts", "LSA": "counts"}[self.model]
        kind = {"SGNS": ["--sg"], "PPMI": [], "LSA": ["--lsa"]}[self.model]
        return " ".join(["w2v", start, corpus, "-o", "model.safetensors", *kind, *options])

    def __str__(self) -> str:
        largest = max(point.words for point in self.curve)
        at = {point.model: point.quality for point in self.curve if point.words == largest}
        settings = ", ".join(f"{name}={value}" for name, value in self.settings.items())
        least = self.settings["min_count"]
        lines = [
            f"{self.words:,} words in {self.lines:,} lines, {self.vocabulary:,} different",
            f"min_count={least} keeps {self.kept_words:,} of them, which are {self.kept_share:.1%} of the text",
            f"take {_CLASSES[self.model]}: {settings}",
            f"  {self.command()}",
            f"quality, 1 / rank at which halves of {self.passages:,} held-out passages find each other",
            f"  of {largest:,} words: {_listed(at)}",
        ]
        if self.words > largest * 1.5:
            lines.append(f"  expected of all {self.words:,} words: {_listed(self.expected)}")
        lines.append(self._on_crossing())
        if self.stability is not None:
            why = "nothing is drawn at random" if self.stability == 1 else "another seed"
            lines.append(f"stability: {10 * self.stability:.1f} of 10 neighbours stay when it is made again ({why})")
        if self.moved_by_text is not None:
            stay = f"{10 * self.moved_by_text:.1f} of 10 neighbours stay"
            lines.append(f"three times the text: quality {self.gain:+.3f}, and {stay}")
        if not self.complete:
            lines.append(
                f"there was time for a part of the probes alone ({self.seconds:.0f} s); seconds=... gives more"
            )
        return "\n".join(lines)

    def _on_crossing(self) -> str:
        if self.crossing is None:
            ahead = "skip-gram is ahead" if self.model == "SGNS" else "counting is ahead"
            return f"{ahead} at every size that was tried, and no crossing is in sight"
        where = "has been passed" if self.crossing <= self.words else "is ahead"
        return f"skip-gram overtakes counting at about {_rounded(self.crossing):,} words, a size that {where}"

    def plot(self) -> "Figure":
        """Draw quality and stability against the size of the text, and the crossing.

        Raises
        ------
        ImportError
            matplotlib is not installed: it comes with ``w2v[plot]``.
        """
        return plots.draw_curve(self)


def _listed(values: dict[str, float]) -> str:
    """Models and numbers, the best first."""
    return ", ".join(f"{model} {value:.3f}" for model, value in sorted(values.items(), key=lambda one: -one[1]))


def _rounded(words: float) -> int:
    """Two digits: more would claim too much."""
    digits = max(0, int(math.log10(max(words, 1))) - 1)
    return int(round(words, -digits))
