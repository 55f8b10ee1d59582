"""Words that show what vectors have learnt: frequent ones with near neighbours of their own."""

from w2v.vectors import queries
from w2v.vectors.keyed import KeyedVectors

# Among so many of the most frequent words, and this share of all; the first of them say how sentences are built.
CANDIDATES, FREQUENT = 2000, 0.25
FEW = 50
GRAMMAR = 0.02
SHORTEST = 4
NEIGHBORS = 3


def telling_words(vectors: KeyedVectors, count: int = 4) -> list[str]:
    """Choose words whose third neighbour is nearest, and of which no two have a neighbour in common.

    Parameters
    ----------
    vectors : KeyedVectors, the most frequent words first
    count : int, default 4

    Returns
    -------
    list of str
        Fewer where there are no more.
    """
    most = min(CANDIDATES, max(FEW, int(FREQUENT * len(vectors))), len(vectors))
    if most <= NEIGHBORS:
        return []
    words = [str(word) for word in vectors.index_to_key[:most]]
    units = queries.unit_rows(vectors.peek()[:most], None)
    rows, cosines = queries.nearest_rows(units, units, None, NEIGHBORS + 1)
    telling = [row for row in range(int(GRAMMAR * most), most) if words[row].isalpha() and len(words[row]) >= SHORTEST]
    chosen: list[str] = []
    near: set[int] = set()
    for row in sorted(telling or range(most), key=lambda row: -float(cosines[row].min())):
        own = {row, *rows[row].tolist()}
        if not own & near and len(chosen) < count:
            chosen.append(words[row])
            near |= own
    return chosen
