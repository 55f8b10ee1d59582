"""Going on with new text: words come in, what was known is kept, and a thousand times over."""

import numpy as np
import pytest
from corpora import TOPICS, two_topics

from w2v import CallbackAny2Vec, Word2Vec, update
from w2v.models.update import Mixed

OPTIONS = {"vector_size": 16, "min_count": 1, "window": 3, "sample": 0, "workers": 1, "seed": 7, "sg": 1, "epochs": 10}
NEW = {"sun": "asteroid", "bread": "pancake"}


def new_text(sentences=600):
    """The same topics, with a new word in the place of one of each."""
    return [[NEW.get(word, word) for word in sentence] for sentence in two_topics(sentences, seed=5)]


@pytest.fixture
def model():
    return Word2Vec(two_topics(), **OPTIONS)


def test_new_words_find_their_topic_and_old_ones_keep_theirs(model):
    trained, raw = update(model, new_text(), epochs=20)
    assert trained == raw == 600 * 8 * 20
    for old, new in NEW.items():
        topic = next(words for words in TOPICS if old in words)
        near = {word for word, _ in model.wv.most_similar(new, topn=5)}
        assert near <= {*topic}
    assert model.wv.get_vecattr("moon", "count") > model.wv.get_vecattr("asteroid", "count")
    assert len(model.runs) == 2


def test_known_words_that_are_frozen_keep_their_bytes(model):
    before = model.wv.vectors.tobytes(), model.syn1neg.tobytes()
    known = len(model.wv)
    update(model, new_text(), freeze_known=True)
    after = np.ascontiguousarray(model.wv.vectors[:known]), np.ascontiguousarray(model.syn1neg[:known])
    assert (after[0].tobytes(), after[1].tobytes()) == before
    assert model.runs[-1]["freeze"] == f"rows 0-{known - 1}"
    near = [word for word, _ in model.wv.most_similar("asteroid", topn=5)]
    assert len(set(near) & set(TOPICS[0])) >= 4


def test_replay_is_trained_along_and_counts_stay_those_of_the_texts(model):
    counts = model.wv.get_vecattr("moon", "count")
    own = sum(sentence.count("moon") for sentence in new_text())
    _, raw = update(model, new_text(), replay=two_topics(), epochs=1)
    assert 1.8 * 600 * 8 < raw < 2.2 * 600 * 8
    assert model.wv.get_vecattr("moon", "count") == counts + own


def test_files_and_options_of_train_are_taken(model, tmp_path):
    seen = []

    class Listener(CallbackAny2Vec):
        def on_epoch_end(self, model):
            seen.append(model.alpha)

    for name, text in (("new.txt", new_text()), ("old.txt", two_topics())):
        (tmp_path / name).write_text("\n".join(map(" ".join, text)), encoding="utf-8")
    listed, filed = model, Word2Vec(two_topics(), **OPTIONS)
    options = {"start_alpha": 0.01, "epochs": 2, "callbacks": [Listener()]}
    update(listed, new_text(), replay=two_topics(), **options)
    update(filed, corpus_file=tmp_path / "new.txt", replay=tmp_path / "old.txt", **options)
    assert seen == [0.01] * 4
    assert listed.wv.vectors.tobytes() == filed.wv.vectors.tobytes()


def test_two_texts_are_mixed_evenly_and_in_order():
    first = [[f"a{n}"] * (n % 5 + 1) for n in range(1000)]
    second = [[f"b{n}"] * 3 for n in range(4000)]
    mixed = list(Mixed(first, second, seed=1))
    assert [sentence for sentence in mixed if sentence[0][0] == "a"] == first
    others = [int(sentence[0][1:]) for sentence in mixed if sentence[0][0] == "b"]
    assert others == sorted(set(others))
    assert others[-1] > 3900  # from all of it
    assert 0.9 * 3000 < 3 * len(others) < 1.1 * 3000
    for quarter in np.array_split([sentence[0][0] == "a" for sentence in mixed], 4):
        assert 0.4 < quarter.mean() < 0.6
    assert list(Mixed(first, second, seed=1)) == mixed != list(Mixed(first, second, seed=2))
    whole = list(Mixed(first, second[:10], seed=1))
    assert len(whole) == 1010


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"freeze_known": True, "replay": [["a"]]}, ValueError, "give one of the two"),
        ({"corpus_file": "no.txt"}, TypeError, "one of the two"),
        ({"epochs": 0}, ValueError, "epochs=0"),
    ],
    ids=["both", "two texts", "epochs"],
)
def test_bad_updates_are_errors_before_any_work(model, options, error, said):
    before = model.wv.vectors.tobytes(), len(model.wv)
    with pytest.raises(error, match=said):
        update(model, new_text(), **options)
    assert (model.wv.vectors.tobytes(), len(model.wv)) == before


def test_what_cannot_be_updated_is_an_error(model):
    with pytest.raises(RuntimeError, match="nothing to update"):
        update(Word2Vec(**OPTIONS), new_text())
    counts = model.wv.expandos["count"].tolist()
    with pytest.raises(ValueError, match="no new words"):
        update(model, two_topics(), freeze_known=True)
    assert model.wv.expandos["count"].tolist() == counts


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{"sg": 1}, {"sg": 0, "hs": 1}, {"sg": 1, "workers": 2}], ids=str)
def test_a_thousand_updates_with_new_words(settings):
    """gensim's update=True crashed there; run it with ``python tests/sanitized.py address -k thousand -m slow``."""
    model = Word2Vec(two_topics(40), **OPTIONS | {"epochs": 1} | settings)
    rng = np.random.default_rng(0)
    for cycle in range(1000):
        words = [f"new{cycle}", *rng.choice(model.wv.index_to_key, 9).tolist()]
        frozen = {"freeze_known": True} if cycle % 7 == 3 else {}
        update(model, [words, words[::-1]] * 3, epochs=1, **frozen)
        assert model.wv.index_to_key[-1] == f"new{cycle}"
    assert len(model.wv) == 12 + 1000
    assert len(model.runs) == 1001
    assert all(np.isfinite(matrix).all() for matrix in model.weights.named().values())
