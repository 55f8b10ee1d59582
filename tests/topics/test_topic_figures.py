"""Figures of topics show each topic once, with its words."""

import pytest
from planted import FAST, blobs, model_of, planted

from w2v import Topics
from w2v.topics import draw_sizes, draw_stability, draw_tree, draw_words

pytest.importorskip("sklearn", reason="scikit-learn is not installed")
pytest.importorskip("matplotlib", reason="matplotlib is not installed")


@pytest.fixture(scope="module")
def topics():
    return Topics.fit(planted()[0], stability=2, **FAST)


def labels_of(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


def test_sizes_and_stability_name_every_topic(topics):
    expected = topics.names()
    for drawn in (draw_sizes(topics), draw_stability(topics)):
        assert labels_of(drawn.axes[0]) == expected
    bars = draw_sizes(topics).axes[0].patches
    assert sum(bar.get_width() for bar in bars) == 90
    assert labels_of(draw_sizes(topics, 2).axes[0]) == expected[:2]


def test_words_are_bars_of_their_cosines(topics):
    axes = draw_words(topics, [1], 4).axes[0]
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([cosine for _, cosine in topics.words(1, 4)])
    assert labels_of(axes) == [word for word, _ in topics.words(1, 4)]


def test_the_tree_has_a_leaf_for_each_topic_also_when_reduced(topics):
    for drawn in (draw_tree(topics), draw_tree(topics.reduce(2))):
        assert sorted(labels_of(drawn.axes[0])) == sorted(topics.names())
        assert len(drawn.axes[0].lines) == 2


def test_what_cannot_be_drawn_is_an_error(topics):
    none = Topics.fit(model_of(blobs(6)), min_size=10, stability=0)
    for draw in (draw_sizes, draw_words):
        with pytest.raises(ValueError, match="no topics to draw"):
            draw(none)
    with pytest.raises(ValueError, match="two topics"):
        draw_tree(none)
    with pytest.raises(ValueError, match="measure_stability"):
        draw_stability(none)
