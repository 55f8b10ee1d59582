"""The figure of a word's way."""

import numpy as np
import pytest
from spaces import rotated_pair

from w2v import align
from w2v.align import plots


def test_a_way_leads_from_the_old_neighbours_to_the_new_ones(tmp_path):
    pytest.importorskip("matplotlib")
    source, target, _ = rotated_pair(noise=0.01)
    target.vectors[5] = target.vectors[9] + 0.01
    found = align.fit(source, target, robust=True)
    figure = align.draw_way(found, "w5", 4, ("in 1900", "in 2000"))
    figure.savefig(tmp_path / "way.png")
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert {"w5, in 1900", "w5, in 2000", "w9"} <= set(texts)
    boxes = [text.get_window_extent() for text in figure.axes[0].texts if text.get_text()]
    assert not any(box.overlaps(other) for i, box in enumerate(boxes) for other in boxes[:i])
    with pytest.raises(KeyError, match="nobody"):
        align.draw_way(found, "nobody")


def test_the_two_directions_are_those_of_most_variance():
    rows = np.random.default_rng(0).normal(size=(9, 6))
    flat = plots._flat(rows)
    values = np.linalg.svd(rows - rows.mean(axis=0))[1]
    np.testing.assert_allclose((flat**2).sum(axis=0), values[:2] ** 2)
    assert (flat[0] >= 0).all()
