"""Training by several workers in one process: one is plain training, words are those of one machine, runs repeat."""

import logging

import numpy as np
import pytest
from distributed_twins import POLICY, digest, new_model, whole_text, write_corpus

from w2v import Doc2Vec, FastText, Word2Vec, distributed
from w2v.distributed import BlockError, LocalEngine, SyncPolicy, rates
from w2v.distributed.combine import Sent
from w2v.distributed.replica import Replica


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def text(corpus, tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "text.txt"
    path.write_bytes(whole_text(corpus))
    return path


def trained(model, corpus, workers=3, policy=POLICY, engine="local", **options):
    return distributed.train(model, corpus, engine=engine, num_workers=workers, sync=policy, **options)


MODELS = {
    "skip-gram": (Word2Vec, {"sg": 1}),
    "cbow": (Word2Vec, {"sg": 0}),
    "hs": (Word2Vec, {"sg": 1, "hs": 1, "negative": 0}),
    "both, by cbow": (Word2Vec, {"hs": 1}),
    "tied": (Word2Vec, {"sg": 1, "tied": True}),
    "own negatives": (Word2Vec, {"sg": 1, "shared_negatives": False}),
    "documents": (Doc2Vec, {}),
    "documents and words": (Doc2Vec, {"dbow_words": 1}),
}


@pytest.mark.parametrize("name", MODELS)
def test_one_worker_is_plain_training_bit_for_bit(name, corpus, text):
    family, options = MODELS[name]
    plain = new_model(family, **options)
    plain.build_vocab(corpus_file=text)
    plain.train(corpus_file=text, total_words=1, epochs=plain.epochs)
    result = trained(new_model(family, **options), corpus, workers=1)
    assert digest(result.model) == digest(plain)
    assert result.bytes_sent == 0
    assert [record.trained_words for record in result.model.history] == [one.trained_words for one in plain.history]
    assert result.model.history[-1].alpha == plain.history[-1].alpha
    if family is Doc2Vec:
        assert result.model.dv.expandos["word_count"].tolist() == plain.dv.expandos["word_count"].tolist()


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_vocabulary_is_that_of_one_machine(workers, corpus, text):
    plain = new_model(max_final_vocab=40)
    plain.build_vocab(corpus_file=text)
    model = trained(new_model(max_final_vocab=40), corpus, workers=workers).model
    assert model.wv.index_to_key == plain.wv.index_to_key
    assert model.wv.expandos["count"].tolist() == plain.wv.expandos["count"].tolist()
    for name in ("corpus_count", "corpus_total_words", "effective_min_count"):
        assert getattr(model, name) == getattr(plain, name), name


@pytest.mark.parametrize("combiner", ["touch", "mean", "sum", "adaptive", "saturating"])
def test_the_same_call_gives_the_same_bytes(combiner, corpus):
    policy = SyncPolicy(**{**vars(POLICY), "combiner": combiner})
    digests = {digest(trained(new_model(sg=1), corpus, policy=policy).model) for _ in range(2)}
    assert len(digests) == 1
    assert digests != {digest(trained(new_model(sg=1), corpus, workers=2, policy=policy).model)}


def test_threads_change_nothing_in_deterministic_training(corpus):
    models = [new_model(deterministic=True) for _ in range(2)]
    assert len({digest(trained(m, corpus, threads_per_worker=t).model) for t, m in enumerate(models, 1)}) == 1


def test_updates_since_a_row_s_last_sync_are_those_of_the_rounds(corpus, monkeypatch):
    rounds, last, seen = [], {}, set()  # alpha times words of each round; when rows were last synced
    train, reduce = Replica.train, Replica.reduce

    def training(replica, clock, number, key, pace):
        if number == 0:
            rounds.clear()
            last.clear()
        if len(rounds) == number:
            rounds.append(pace.schedule.at(pace.before) * pace.words)
        return train(replica, clock, number, key, pace)

    def reducing(replica, tag, sent, workers):
        found = reduce(replica, tag, sent, workers)
        for number, (rows, _) in enumerate(found[0].matrices):
            model, name = replica.model, replica.names[number]
            length = model.corpus_total_words / model.corpus_count
            steepness = rates.steepness(model.vocabulary, model.settings(), length)[name]
            steepness = steepness[::-1] if name == "outputs.hierarchical" else steepness  # the root comes first
            since = [sum(rounds[last.get(row, 0) :]) for row in rows.tolist()]
            np.testing.assert_allclose(replica._reach(number, rows), since * steepness[rows], rtol=1e-12)
            seen.update(len(rounds) - last.get(row, 0) for row in rows.tolist())
        return found

    def applied(replica, tag, high, *reduced, apply=Replica.apply):
        if replica.rank == 2:
            last.update(dict.fromkeys(range(high), len(rounds)))
        return apply(replica, tag, high, *reduced)

    for name, method in (("train", training), ("reduce", reducing), ("apply", applied)):
        monkeypatch.setattr(Replica, name, method)
    trained(new_model(sg=1, hs=1), corpus, policy=SyncPolicy(**{**vars(POLICY), "combiner": "saturating"}))
    assert seen >= {1, 2, 4, 5}


def test_a_vocabulary_of_one_word_has_no_nodes_and_is_trained(tmp_path):
    for name in "123":
        (tmp_path / f"{name}.txt").write_text("a a a a\n" * 200)
    result = trained(new_model(hs=1, negative=0), tmp_path)
    assert result.model.wv.index_to_key == ["a"]


def test_all_replicas_end_as_the_same_model(corpus):
    class Watching(LocalEngine):
        def close(self):
            self.kept = dict(self.replicas)

    engine = Watching()
    model = trained(new_model(sg=1, hs=1), corpus, engine=engine).model
    for replica in engine.kept.values():
        for rows in (replica.local, replica.base):
            found = dict(zip(replica.names, rows, strict=True))
            found["outputs.hierarchical"] = found["outputs.hierarchical"][::-1]
            for name, matrix in model.weights.named().items():
                assert np.array_equal(found[name], matrix), name


def test_the_order_of_arrival_never_matters(corpus, monkeypatch):
    undisturbed = digest(trained(new_model(sg=1), corpus).model)
    reduce, rng = Replica.reduce, np.random.default_rng(1)

    def shuffled(self, tag, sent, workers):
        old = Sent((tag[0] - 1, *tag[1:]), 0, sent[0].matrices)  # of a worker that was lost meanwhile
        sent = [*sent, old]
        return reduce(self, tag, [sent[place] for place in rng.permutation(len(sent))], workers)

    monkeypatch.setattr(Replica, "reduce", shuffled)
    assert digest(trained(new_model(sg=1), corpus).model) == undisturbed


def test_a_round_or_a_sync_twice_changes_nothing(corpus, monkeypatch):
    undisturbed = digest(trained(new_model(sg=1), corpus).model)
    train, apply = Replica.train, Replica.apply
    monkeypatch.setattr(Replica, "train", lambda self, *args: (train(self, *args), train(self, *args))[1])
    monkeypatch.setattr(Replica, "apply", lambda self, *args: (apply(self, *args), apply(self, *args))[1])
    assert digest(trained(new_model(sg=1), corpus).model) == undisturbed


def test_full_syncs_in_windows_are_the_same_as_at_once(corpus, monkeypatch):
    undisturbed = digest(trained(new_model(sg=1), corpus).model)
    monkeypatch.setattr("w2v.distributed.policy.WINDOW_BYTES", 4)
    monkeypatch.setattr("w2v.distributed.policy.LEAST_WINDOW", 7)
    assert digest(trained(new_model(sg=1), corpus).model) == undisturbed


def test_what_is_trained_goes_on_from_what_is_known(corpus, text):
    models = [new_model(sg=1), new_model(sg=1)]
    for model in models:
        model.build_vocab(corpus_file=text)
        model.train(corpus_file=text, total_words=1, epochs=1)
    models[0].train(corpus_file=text, total_words=1, epochs=2)
    models[1].epochs = 2
    assert digest(trained(models[1], corpus, workers=1).model) == digest(models[0])


def test_every_epoch_is_in_the_model_s_history(corpus):
    result = trained(new_model(compute_loss=True, epochs=3), corpus)
    model = result.model
    assert [run["trained"] for run in model.runs] == [3]
    assert [run["repeatable"] for run in model.runs] == [False]
    assert len(model.loss_history) == len(model.history) == 3
    assert model.loss_history[-1] < model.loss_history[0]
    assert result.rounds % 3 == 0
    assert result.bytes_sent > 0
    assert result.words_per_sec > 0
    assert result.worker_memory > 1 << 20


def test_documents_stay_with_the_worker_that_has_them(corpus, text):
    result = trained(new_model(Doc2Vec, dbow_words=1), corpus)
    plain = Doc2Vec(corpus_file=text, dm=0, min_count=2, epochs=1, vector_size=12)
    model = result.model
    assert model.dv.index_to_key == plain.dv.index_to_key
    assert model.dv.expandos["word_count"].tolist() == plain.dv.expandos["word_count"].tolist()
    assert np.isfinite(model.dv.vectors).all()
    words = trained(new_model(sg=1), corpus)
    assert result.bytes_sent < words.bytes_sent * 1.2  # rows of documents are not among them


def test_a_damaged_block_is_named_and_not_read_again(corpus, tmp_path):
    folder = write_corpus(tmp_path)
    cut = (folder / "1.txt.gz").read_bytes()
    (folder / "1.txt.gz").write_bytes(cut[: len(cut) // 2])
    engine = LocalEngine(lambda rank, method, args: calls.append(method) or False)
    calls = []
    with pytest.raises(BlockError, match=r"block 1 of the corpus, .*1\.txt\.gz"):
        trained(new_model(), folder, engine=engine)
    assert calls.count("count") <= 3
    (folder / "1.txt.gz").unlink()
    (folder / "2.txt").write_bytes(b"sound\n\xff\xfe\n")
    with pytest.raises(BlockError, match=r"2\.txt.*at byte 6 of"):
        trained(new_model(), folder)


class Spoiling(LocalEngine):
    """Puts a number that is none into a row of a worker, in a round."""

    def one(self, rank, method, *args):
        found = super().one(rank, method, *args)
        if method == "train" and rank == 1 and args[0] == 8:
            self.replicas[rank].local[0][1] = np.nan
        return found


def test_rows_that_are_no_numbers_end_it_with_the_last_good_ones(corpus):
    model = new_model(sg=1)
    with pytest.raises(FloatingPointError, match=r"after round 9; .* after round 5"):
        trained(model, corpus, engine=Spoiling())
    assert np.isfinite(model.wv.vectors).all()
    assert np.isfinite(model.syn1neg).all()
    assert np.abs(model.syn1neg).max() > 0


@pytest.mark.parametrize(
    ("model", "options", "match"),
    [
        (FastText, {}, "must be a Word2Vec or a Doc2Vec"),
        (lambda: Doc2Vec(dm=1), {}, "dm=0"),
        (lambda: Word2Vec(max_vocab_size=10), {}, "max_final_vocab"),
        (lambda: Word2Vec(cache="none"), {}, "cache='disk'"),
        (lambda: Word2Vec(device="cuda"), {}, "device='cpu'"),
        (lambda: Word2Vec(phrases=[["a_b"]]), {}, "w2v phrases|phrases"),
        (lambda: Word2Vec(negative=0), {}, "nothing to train"),
        (Word2Vec, {"engine": "spark"}, "engine='spark'"),
        (Word2Vec, {"num_workers": 0}, "num_workers=0"),
        (Word2Vec, {"num_workers": 100}, "num_workers=100 is more than the"),
        (Word2Vec, {"on_worker_loss": "retry"}, "on_worker_loss='retry'"),
        (Word2Vec, {"sync": {"gamma": 1}}, "must be a SyncPolicy"),
        (Word2Vec, {"checkpoint_every": "10m"}, "a number of rounds"),
        (Word2Vec, {"comm": object()}, "allreduce, barrier, rank, size"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_read(model, options, match, corpus):
    with pytest.raises((ValueError, TypeError), match=match):
        distributed.train(model(), corpus, **{"engine": "local", **options})


def test_an_engine_that_is_missing_names_its_extra(corpus, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(ModuleNotFoundError, match=r"w2v\[ray\]"):
        distributed.train(new_model(), corpus)


def test_a_corpus_without_known_words_is_refused(corpus, tmp_path):
    model = new_model()
    model.build_vocab([["other", "words"]] * 9)
    with pytest.raises(RuntimeError, match="no word of this corpus"):
        trained(model, corpus)


def test_words_without_neighbours_are_said(tmp_path, caplog):
    (tmp_path / "a.txt").write_text("one\n" * 50)
    with caplog.at_level(logging.WARNING):
        trained(new_model(sample=0), tmp_path, workers=1)
    assert "nothing was trained" in caplog.text
