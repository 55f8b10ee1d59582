"""Workers that die: with replay the bytes are those of an undisturbed run, wherever it happens."""

import numpy as np
import pytest
from distributed_twins import POLICY, Deaths, digest, new_model, write_corpus
from hypothesis import given, settings
from hypothesis import strategies as st

from w2v import Doc2Vec, Word2Vec, distributed
from w2v.distributed import LocalEngine, WorkerLost
from w2v.distributed.driver import MOST_LOSSES


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus"))


def run(corpus, dies=lambda *call: False, family=Word2Vec, workers=3, on_loss="replay", epochs=2, **options):
    model = new_model(family, epochs=epochs, sg=1) if family is Word2Vec else new_model(family, epochs=epochs)
    return distributed.train(
        model,
        corpus,
        engine=LocalEngine(dies),
        num_workers=workers,
        sync=POLICY,
        on_worker_loss=on_loss,
        **options,
    )


@pytest.fixture(scope="module")
def undisturbed(corpus):
    watching = Deaths({})
    return digest(run(corpus, watching, epochs=1).model), watching.calls


@given(data=st.data())
@settings(max_examples=8, deadline=None)
def test_killed_workers_change_no_bit(corpus, undisturbed, data):
    wanted, calls = undisturbed
    dies = Deaths(data.draw(st.dictionaries(st.integers(1, calls), st.integers(0, 2), min_size=1, max_size=3)))
    result = run(corpus, dies, epochs=1)
    assert digest(result.model) == wanted
    assert len(result.lost_workers) == len(dies.done)


@pytest.mark.parametrize("method", ["train", "shards", "reduce", "apply", "commit", "values"])
def test_a_loss_in_any_step_is_made_good(method, corpus, undisturbed):
    dies = Deaths({2: 1} if method == "values" else {4: 2, 9: 0}, method)
    if method == "values":
        dies = Deaths({1: 0}, method)
    result = run(corpus, dies, epochs=1)
    assert dies.done
    assert digest(result.model) == undisturbed[0]


def test_who_was_replaced_before_another_died_is_not_ready(corpus, undisturbed):
    """Worker 2 is lost while others go back for the sake of worker 0: what 0 has then is no state to go back from."""
    first, second = Deaths({19: 0}, "apply"), Deaths({2: 2}, "rewind")
    result = run(corpus, lambda *call: first(*call) or second(*call), epochs=1)
    assert (len(first.done), len(second.done), sorted(result.lost_workers)) == (1, 1, [0, 2])
    assert digest(result.model) == undisturbed[0]


@pytest.fixture(scope="module")
def documents(corpus):
    return digest(run(corpus, family=Doc2Vec, epochs=1).model)


@pytest.mark.parametrize(
    ("method", "at"), [("train", 22), ("keep", 1), ("keep", 5), ("document_rows", 4), ("commit", 5), ("apply", 30)]
)
def test_documents_of_a_lost_worker_come_back(method, at, corpus, documents):
    dies = Deaths({at: 1}, method)
    assert digest(run(corpus, dies, family=Doc2Vec, epochs=1).model) == documents
    assert dies.done


def test_without_a_survivor_all_begin_again(corpus, undisturbed):
    dies = Deaths({20: 0}, "train")
    everyone = lambda rank, method, args: method == "train" and dies(0, "train", args)  # noqa: E731
    result = run(corpus, everyone, workers=1, epochs=1)
    assert result.lost_workers == [0]
    assert result.replayed_rounds > 0
    assert digest(result.model) == digest(run(corpus, workers=1, epochs=1).model)


def test_no_more_is_done_again_than_the_policy_allows(corpus):
    result = run(corpus, Deaths({27: 2}, "train"), epochs=1)
    assert 0 < result.replayed_rounds <= POLICY.max_rounds_unsynced


def test_a_loss_that_comes_back_is_raised(corpus):
    met = []
    with pytest.raises(WorkerLost, match="worker 1 lost: in train"):
        run(corpus, lambda rank, method, args: rank == 1 and method == "train" and args[0] == 3 and not met.append(1))
    assert len(met) == MOST_LOSSES + 1


def test_a_loss_before_the_first_round_begins_again(corpus, undisturbed):
    for at in (2, 5, 22):
        result = run(corpus, Deaths({at: at % 3}), epochs=1)
        assert digest(result.model) == undisturbed[0]
        assert len(result.lost_workers) == 1


def test_losses_are_raised_if_that_is_wanted(corpus, tmp_path):
    with pytest.raises(WorkerLost) as caught:
        run(corpus, Deaths({30: 1}, "train"), on_loss="fail", checkpoint=tmp_path / "run", checkpoint_every=1)
    assert caught.value.ranks == [1]
    resumed = distributed.resume(tmp_path / "run", engine="local")
    assert digest(resumed.model) == digest(run(corpus).model)


@pytest.mark.parametrize("method", ["train", "shards", "reduce", "apply", "commit", "values", "adopt", "applied"])
def test_skipped_workers_leave_the_others_alike(method, corpus):
    class Watching(LocalEngine):
        def close(self):
            self.kept = list(self.replicas.values())

    first = Deaths({{"commit": 7}.get(method, 20): 1}, "apply" if method in ("adopt", "applied") else method)
    second = Deaths({1: 2}, method)
    dies = first if method not in ("adopt", "applied") else lambda *call: first(*call) or second(*call)
    engine = Watching(Deaths({3: 0}, method) if method == "values" else dies)
    model = new_model(sg=1, epochs=1)
    result = distributed.train(
        model, corpus, engine=engine, num_workers=4, sync=POLICY, on_worker_loss="skip", checkpoint_every=1
    )
    assert len(result.lost_workers) in ((0, 1) if method == "values" else (1, 2))
    assert bool(result.skipped_blocks) == bool(result.lost_workers)
    for replica in engine.kept[1:]:
        for one, other in zip(replica.base, engine.kept[0].base, strict=True):
            assert np.array_equal(one, other)
    assert np.isfinite(model.wv.vectors).all()


def test_the_driver_s_death_is_survived_by_the_checkpoint(corpus, tmp_path):
    class Killed(BaseException):
        pass

    def dies(rank, method, args):
        if method == "train" and args[0] == 23:
            raise Killed
        return False

    family, folder = Doc2Vec, tmp_path / "run"
    with pytest.raises(Killed):
        run(corpus, dies, family=family, checkpoint=folder, checkpoint_every=3)
    with pytest.raises(FileExistsError, match=r"w2v\.distributed\.resume"):
        run(corpus, family=family, checkpoint=folder)
    resumed = distributed.resume(folder, engine=LocalEngine(Deaths({4: 0}, "train")))
    assert resumed.lost_workers == [0]
    plain = run(corpus, family=family)
    assert digest(resumed.model) == digest(plain.model)
    assert [one.trained_words for one in resumed.model.history] == [one.trained_words for one in plain.model.history]
    again = distributed.resume(folder, engine="local")  # it has ended
    assert digest(again.model) == digest(plain.model)
    assert again.rounds == 0


def test_a_run_goes_on_where_its_corpus_has_moved_to(corpus, tmp_path):
    (tmp_path / "moved").mkdir()
    folder = write_corpus(tmp_path / "moved")
    with pytest.raises(WorkerLost):
        run(corpus, Deaths({30: 1}, "train"), on_loss="fail", checkpoint=tmp_path / "run", checkpoint_every=1)
    assert digest(distributed.resume(tmp_path / "run", folder, engine="local").model) == digest(run(corpus).model)


def test_another_corpus_is_not_gone_on_with(corpus, tmp_path):
    with pytest.raises(WorkerLost):
        run(corpus, Deaths({30: 1}, "train"), on_loss="fail", checkpoint=tmp_path / "run", checkpoint_every=1)
    (tmp_path / "other.txt").write_text("one two\n" * 500)
    with pytest.raises(ValueError, match="other names or sizes"):
        distributed.resume(tmp_path / "run", tmp_path / "other.txt", engine="local")


def test_a_run_of_one_machine_is_not_a_distributed_one(corpus, tmp_path):
    new_model().build_vocab(corpus_file=corpus / "0.txt")
    Word2Vec(corpus_file=corpus / "0.txt", min_count=1, checkpoint=tmp_path / "run", vector_size=4)
    with pytest.raises(ValueError, match="on one machine"):
        distributed.resume(tmp_path / "run", engine="local")
