"""Faults and w2v's answers: a test for each row of the tables in docs/faults.md, each in a process.

Elsewhere: numbers beyond 32 bits (test_big_numbers.py), and every failing call of a save (test_files.py).
"""

import bz2
import contextlib
import errno
import functools
import gzip
import itertools
import json
import logging
import lzma
import math
import os
import pickle
import re
import resource
import signal
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from alone import alone
from corpora import TOPICS, two_topics, zipf_like
from numbered import fault, rows_of, rows_shown
from places import ROOT

from w2v import FormatError, KeyedVectors, LineSentence, Word2Vec
from w2v.cli import program
from w2v.common import memory
from w2v.tokens import encode
from w2v.training import epoch
from w2v.training.workers import Workers

PAGE = ROOT / "docs" / "faults.md"
GIB = 2**30
FOREVER = 10**6  # epochs; a run that does not stop meets the time-out


def model_of(sentences=None, **options):
    return Word2Vec(sentences, **({"vector_size": 8, "min_count": 1, "workers": 1, "sample": 0} | options))


def finite_and_usable(model):
    """Nobody writes any more, all rows are numbers, queries and further training work."""
    for thread in set(threading.enumerate()) - {threading.current_thread()}:
        thread.join(10)  # one that nobody waits for, since an error came between, is at its end
        assert not thread.is_alive()
    vectors = model.wv.vectors.copy()
    time.sleep(0.1)
    assert np.array_equal(vectors, model.wv.vectors), "somebody goes on"
    assert np.isfinite(vectors).all()
    model.wv.most_similar(model.wv.index_to_key[0])
    model.train([model.wv.index_to_key] * 10, total_examples=1, epochs=1)
    assert np.isfinite(model.wv.vectors).all()


class Changing:
    """A corpus that gives other sentences once it is told to."""

    def __init__(self, first, later):
        self.sentences, self.later, self.begun = first, later, False

    def change(self):
        self.sentences = self.later

    def __iter__(self):
        self.begun = True
        return iter(self.sentences())


class Untouchable:
    def __iter__(self):
        raise AssertionError("the corpus was read before the parameters were checked")


@contextlib.contextmanager
def raises_this(error):
    """The very exception arrives, not another one in its place."""
    with pytest.raises(type(error)) as caught:
        yield
    assert caught.value is error


def test_every_row_of_the_tables_has_its_test():
    assert rows_shown(globals().values()) == rows_of(PAGE)


# --- training -------------------------------------------------------------------------------------------------------


@fault(1)
@alone
def test_corpus_errors_reach_the_caller(folder):
    error = LookupError("mine")

    def broken():
        yield from zipf_like(30_000)
        raise error

    for workers in (1, 4):
        with raises_this(error):
            model_of(broken(), workers=workers)
        corpus = Changing(lambda: zipf_like(30_000), broken)
        model = model_of(workers=workers, cache="none")
        model.build_vocab(corpus)
        corpus.change()
        with raises_this(error):
            model.train(corpus, total_examples=1, epochs=FOREVER)
        finite_and_usable(model)


@fault(2)
@alone
def test_worker_errors_reach_the_caller(folder):
    error = ArithmeticError("a worker's")

    class Failing(epoch.Kernel):
        calls = itertools.count()

        def train(self, *given):
            if next(self.calls) == 4:
                raise error
            super().train(*given)

    corpus = zipf_like(40_000)
    for options in ({}, {"cache": "none"}, {"deterministic": True}):
        model = model_of(workers=3, **options)
        model.build_vocab(corpus)
        epoch.Kernel, real = Failing, epoch.Kernel
        Failing.calls = itertools.count()
        with raises_this(error):
            model.train(corpus, total_examples=1, epochs=FOREVER)
        epoch.Kernel = real
        finite_and_usable(model)

    start = threading.Thread.start
    for wrong, has_begun in ((RuntimeError("can't start new thread"), False), (KeyboardInterrupt(), True)):
        starts = itertools.count()

        def unlucky(thread, wrong=wrong, has_begun=has_begun, starts=starts):
            fails = next(starts) == 2
            if has_begun or not fails:
                start(thread)
            if fails:
                raise wrong

        threading.Thread.start = unlucky
        with raises_this(wrong):
            model.train(corpus, total_examples=1, epochs=FOREVER)
        threading.Thread.start = start
        finite_and_usable(model)


@fault(3)
@alone
def test_callback_errors_reach_the_caller(folder):
    for hook in ("on_train_begin", "on_epoch_begin", "on_epoch_end", "on_train_end"):
        error = OSError("a callback's")

        class Callback:
            def __getattr__(self, name, hook=hook, error=error):
                def call(model):
                    if name == hook:
                        raise error

                if not name.startswith("on_"):
                    raise AttributeError(name)
                return call

        model = model_of(workers=3)
        model.build_vocab(zipf_like(40_000))
        with raises_this(error):
            epochs = 1 if hook == "on_train_end" else FOREVER
            model.train(zipf_like(40_000), total_examples=1, epochs=epochs, callbacks=[Callback()])
        finite_and_usable(model)


@fault(4)
@alone
def test_ctrl_c_stops_training_and_counting(folder):
    def interrupted(ready, work):
        def send():
            while not ready():
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGINT)

        thread = threading.Thread(target=send)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            work()
        thread.join()

    corpus = zipf_like(40_000)
    for options in ({"workers": 1}, {"workers": 3}, {"cache": "none"}, {"deterministic": True, "workers": 2}):
        model = model_of(**options)
        model.build_vocab(corpus)
        interrupted(
            lambda model=model: len(model.history) > 1,
            lambda model=model: model.train(corpus, total_examples=1, epochs=FOREVER),
        )
        finite_and_usable(model)

    # Ctrl-C comes twice, while the workers stop slowly.
    working, ended = threading.Event(), []

    def slow(*given):
        working.set()
        time.sleep(0.5)
        ended.append(True)

    def impatient():
        working.wait()
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.1)

    hand = threading.Thread(target=impatient)
    hand.start()
    with pytest.raises(KeyboardInterrupt):
        Workers(slow, 2).train([()], lambda: None)
    assert ended == [True, True]
    hand.join()

    endless = Changing(lambda: itertools.cycle(two_topics()), None)
    before = model.wv.index_to_key
    interrupted(lambda: endless.begun, lambda: model.build_vocab(endless))
    assert model.wv.index_to_key is before
    finite_and_usable(model)


@fault(5)
@alone(seconds=25)
def test_diverging_vectors_are_an_error(folder):
    model = model_of(zipf_like())
    for rate in (-0.5, math.nan, math.inf, -math.inf, 1e5, 1e300):
        for name in ("alpha", "min_alpha"):
            with pytest.raises(ValueError, match=name):
                model_of(Untouchable(), **{name: rate})
        for name in ("start_alpha", "end_alpha"):
            with pytest.raises(ValueError, match=name):
                model.train(Untouchable(), total_examples=1, epochs=1, **{name: rate})
    finite_and_usable(model)

    with pytest.raises(FloatingPointError, match="no longer finite in epoch 1; lower alpha=1000"):
        model_of(two_topics(), alpha=1000, min_alpha=1000)
    # long before an epoch is over, and it is not over at all
    for workers in (1, 3):
        diverging = model_of(alpha=1000, min_alpha=1000, cache="none", workers=workers)
        corpus = Changing(two_topics, lambda: itertools.cycle(two_topics()))
        diverging.build_vocab(corpus)
        corpus.change()
        with pytest.raises(FloatingPointError, match="no longer finite in epoch 1"):
            diverging.train(corpus, total_examples=1, epochs=1)
        with pytest.raises(ValueError, match="NaN"):
            diverging.save(folder / "never.safetensors")
    assert os.listdir(folder) == []
    diverging.init_weights()
    diverging.alpha = diverging.min_alpha = 0.025
    finite_and_usable(diverging)


def refused(name, values):
    model = model_of(zipf_like())
    good = getattr(model, name)
    for value in values:
        error = (ValueError, TypeError)
        with pytest.raises(error, match=name):
            model_of(Untouchable(), **{name: value})
        setattr(model, name, value)
        with pytest.raises(error, match=name):
            model.train(Untouchable(), total_examples=1, epochs=1)
    setattr(model, name, good)
    finite_and_usable(model)


@fault(6)
@alone(memory=4 * GIB)
def test_a_vector_size_is_at_least_1(folder):
    refused("vector_size", [0, -1, 2**31, 2**63, 2**64, 1.5, "8", None])


@fault(7)
@alone(memory=4 * GIB)
def test_a_window_is_at_least_1(folder):
    refused("window", [0, -2, 2**31, 2**63, 2**64, math.nan])
    assert model_of(two_topics(), window=100_000_000).history  # no word sees beyond its sentence
    with pytest.raises(ValueError, match="too many; use a smaller window"):
        model_of([["a", "b"] * 50_000], window=100_000, negative=100_000, sg=1, shared_negatives=False)


@fault(8)
@alone
def test_invalid_worker_counts_are_refused(folder):
    refused("workers", [0, -2, 2**31, 1.5])
    assert model_of(zipf_like(30_000), workers=2**31 - 1).history[0].raw_words == 30_000
    assert model_of(zipf_like(30_000), workers=-1).history[0].raw_words == 30_000


@fault(9)
@alone(memory=4 * GIB)
def test_negative_settings_are_refused(folder):
    refused("negative", [-1, 2**31, 2**64, 0.5])
    refused("sample", [-1e-3, math.nan, math.inf])
    refused("min_count", [-1, 2**63, 0.5])
    for name, value in (("max_vocab_size", 0), ("max_final_vocab", -1), ("ns_exponent", math.inf), ("seed", -1)):
        refused(name, [value])


@fault(10)
@alone(memory=2 * GIB)
def test_long_sentences_are_trained_whole_in_bounded_memory(folder):
    long = [TOPICS[0] * 10_000]
    for cache in ("auto", "none"):
        model = model_of(long, cache=cache)
        assert {epoch.trained_words for epoch in model.history} == {60_000}
        assert (model.corpus_total_words, model.corpus_count) == (60_000, 1)
    path = folder / "line"
    path.write_text(" ".join(long[0]))
    assert {epoch.trained_words for epoch in model_of(corpus_file=path).history} == {60_000}
    in_parts = model_of(LineSentence(path))
    assert (in_parts.corpus_total_words, in_parts.corpus_count) == (60_000, 6)

    with path.open("wb") as file:
        for _ in range(64):
            file.write(b"abc def " * 131_072)
    model = model_of(cache="disk")
    model.build_vocab(two_topics())  # tables that are made once exist from here on
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    model.build_vocab(corpus_file=path)
    assert (model.corpus_total_words, model.corpus_count) == (2**24, 1)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 48 * 1024  # KiB; the line has 64 MiB


@fault(11)
@alone
def test_bytes_that_are_not_utf8_are_named_or_replaced(folder):
    path = folder / "text"
    path.write_bytes(b"bread oven\nsun caf\xe9 moon\n" + b"bread oven\n" * 100 + b"moon\xff\n")
    for corpus in ({"corpus_file": path}, {"sentences": LineSentence(path)}):
        with pytest.raises(UnicodeDecodeError, match=rf"at byte 18 of {re.escape(str(path))}.*errors='replace'"):
            model_of(**corpus)
    said = []
    logging.getLogger("w2v.text.readers").addHandler(handler := logging.Handler())
    handler.emit = lambda record: said.append(record.getMessage())
    model = model_of(LineSentence(path, errors="replace"))
    assert model.corpus_total_words == 2 + 3 + 200 + 1
    assert {"caf\ufffd", "moon\ufffd"} <= set(model.wv.index_to_key)
    assert said == [f"{path}: 2 times U+FFFD, which stands for bytes that are not UTF-8"]
    with pytest.raises(ValueError, match="errors='ignore'"):
        LineSentence(path, errors="ignore")

    path.write_bytes(b"2 1\ncaf\xe9 1\nsun 2\n")
    with pytest.raises(UnicodeDecodeError, match="unicode_errors='replace'"):
        KeyedVectors.load_word2vec_format(path)
    assert KeyedVectors.load_word2vec_format(path, unicode_errors="replace").index_to_key == ["caf\ufffd", "sun"]


@fault(12)
@alone
def test_a_nul_is_a_character_of_its_word(folder):
    path = folder / "text"
    path.write_bytes(b"a\0b \0 c\n" * 50)
    model = model_of(corpus_file=path)
    assert set(model.wv.index_to_key) == {"a\0b", "\0", "c"}
    model.save(folder / "native")
    assert Word2Vec.load(folder / "native").wv.index_to_key == model.wv.index_to_key
    for binary in (False, True):
        model.wv.save_word2vec_format(folder / "foreign", binary=binary)
        again = KeyedVectors.load_word2vec_format(folder / "foreign", binary=binary)
        assert again.index_to_key == model.wv.index_to_key
        assert np.array_equal(again.vectors, model.wv.vectors)
    with pytest.raises(ValueError, match="null_word=0"):
        model_of(corpus_file=path, null_word=1)


@fault(13)
@alone
def test_an_empty_corpus_is_an_error(folder):
    (folder / "empty").touch()
    (folder / "blank").write_text(" \n\n\t\n")
    (folder / "empty.gz").write_bytes(gzip.compress(b""))
    given = [{"sentences": []}, {"sentences": [[], []]}, {"sentences": iter(())}]
    given += [{"corpus_file": folder / name} for name in ("empty", "blank", "empty.gz")]
    for corpus in given:
        with pytest.raises(RuntimeError, match=r"no word in this corpus \(0 words, 0 different\)"):
            model_of(**corpus)
    assert program.main(["train", str(folder / "empty"), "-o", str(folder / "out.safetensors")]) == 1
    assert not (folder / "out.safetensors").exists()


@fault(14)
@alone
def test_a_damaged_compressed_corpus_is_named(folder):
    text = "\n".join(" ".join(sentence) for sentence in zipf_like(60_000)).encode()
    for ending, compress in ((".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)):
        path, whole = folder / f"text{ending}", compress(text)
        middle = len(whole) // 2
        for damaged in (whole[:middle], whole[:-4], whole[:middle] + b"\0" * 40 + whole[middle + 40 :]):
            path.write_bytes(damaged)
            for corpus in ({"corpus_file": path}, {"sentences": LineSentence(path)}):
                with pytest.raises(OSError, match=f"cannot read {re.escape(str(path))}"):
                    model_of(**corpus) if "corpus_file" in corpus else list(corpus["sentences"])
        # it is damaged while training reads it
        path.write_bytes(whole)
        model = model_of(workers=3, cache="none")
        model.build_vocab(corpus_file=path)
        path.write_bytes(whole[:middle])
        with pytest.raises(OSError, match=r"cannot read .*damaged or cut short"):
            model.train(corpus_file=path, total_examples=1, epochs=FOREVER)
        finite_and_usable(model)


@fault(15)
@alone(memory=4 * GIB)
def test_a_vocabulary_beyond_memory_is_refused_with_its_size(folder):
    left = memory.available()
    words = 1000 + left // (2 * 1_000_000 * 4)  # each matrix alone would fit
    model = model_of([["a", "b"]], vector_size=1_000_000, epochs=1)
    with pytest.raises(MemoryError, match=r"words with vectors of 1,000,000 numbers need about [\d,.]+ GiB.*min_count"):
        model.build_vocab_from_freq({f"w{number}": 1 for number in range(words)})
    assert model.wv.index_to_key == ["b", "a"]  # all or nothing
    encode.MANY_WORDS, memory.available = 1000, lambda: 10**6
    for corpus in ({"sentences": [[f"w{number}"] for number in range(300_000)]}, {"corpus_file": folder / "text"}):
        (folder / "text").write_text(" ".join(f"w{number}" for number in range(300_000)))
        with pytest.raises(MemoryError, match=r"tables for the [\d,]+ different words.*max_vocab_size"):
            model_of(**corpus)


@fault(16)
@alone
def test_counts_do_not_end_at_32_bits(folder):
    model = model_of()
    model.build_vocab_from_freq({"a": 2**62, "b": 2**33, "c": 2**32, "d": 2**31})
    assert model.wv.expandos["count"].tolist() == [2**62, 2**33, 2**32, 2**31]
    model.save(folder / "model")
    assert Word2Vec.load(folder / "model").wv.get_vecattr("a", "count") == 2**62
    with pytest.raises(ValueError, match="sum of all counts"):
        model.build_vocab_from_freq({"a": 2**63 - 1, "b": 1})


@fault(17)
@alone
def test_a_full_disk_leaves_the_old_file(folder):
    old = model_of(two_topics())
    large = model_of(zipf_like(20_000), vector_size=100)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    for save in (
        lambda model: model.save(folder / "file"),
        lambda model: model.wv.save(folder / "file"),
        lambda model: model.wv.save_word2vec_format(folder / "file"),
        lambda model: model.wv.save_word2vec_format(folder / "file", binary=True),
    ):
        save(old)
        before = (folder / "file").read_bytes()
        with pytest.raises(OSError) as caught:  # noqa: PT011 - its number is looked at
            save(large)
        assert caught.value.errno == errno.EFBIG
        assert (folder / "file").read_bytes() == before
        assert os.listdir(folder) == ["file"]


@fault(18)
@alone
def test_unwritable_outputs_are_refused_before_training(folder):
    corpus = folder / "corpus"
    corpus.write_text("\n".join(" ".join(sentence) for sentence in two_topics(50)))
    (folder / "folder.safetensors").mkdir()
    outputs = [
        folder / "missing" / "x.bin",
        folder / "folder.safetensors",
        folder / f"{'x' * 300}.bin",
        corpus / "x.bin",
    ]
    outputs += ["/dev/full.safetensors/x.bin", "/proc/x.bin"] if Path("/proc/self").exists() else []

    def train(*given, **options):
        raise AssertionError("training began")

    Word2Vec.__init__ = train
    for output in outputs:
        assert program.main(["train", str(corpus), "-o", str(output), "--no-progress"]) == 1
        assert program.main(["demo", "-o", str(output).replace(".bin", ".safetensors"), "--no-progress"]) == 1
    assert sorted(os.listdir(folder)) == ["corpus", "folder.safetensors"]


@fault(19)
@alone
def test_several_workers_train_each_word_of_a_file_once(folder):
    path = folder / "text"
    path.write_text("\n".join(" ".join(sentence) for sentence in zipf_like(50_000)))
    for workers, cache in itertools.product((1, 4), ("auto", "none")):
        model = model_of(corpus_file=path, workers=workers, cache=cache, epochs=4)
        assert (
            {epoch.raw_words for epoch in model.history} == {epoch.trained_words for epoch in model.history} == {50_000}
        )
        rates = np.linspace(model.alpha, model.min_alpha, 5)[1:]
        assert [epoch.alpha for epoch in model.history] == pytest.approx(rates)


@fault(20)
@alone
def test_text_is_split_in_one_way(folder):
    path, blanks = folder / "text", " \t\v\f\r\x1c\x85\xa0\u2003\u3000"
    text = "".join(f"w{number % 7}{blanks[number % len(blanks)]}" for number in range(400))
    path.write_text(f"{text}\n" * 10, encoding="utf-8", newline="")
    model = model_of(corpus_file=path)
    assert {epoch.trained_words for epoch in model.history} == {4000}
    assert dict(zip(model.wv.index_to_key, model.wv.expandos["count"].tolist(), strict=True)) == {
        f"w{number}": 10 * len(range(number, 400, 7)) for number in range(7)
    }
    listed = model_of([text.split()] * 10)
    assert np.array_equal(listed.wv.vectors, model.wv.vectors)


@fault(21)
@alone
def test_a_new_vocabulary_starts_anew(folder):
    model, untrained = model_of(two_topics()), model_of()
    other = [[word.upper() for word in sentence] for sentence in two_topics()]
    model.build_vocab(other)
    untrained.build_vocab(other)
    assert len(model.wv) == len(TOPICS[0]) + len(TOPICS[1])
    assert np.array_equal(model.wv.vectors, untrained.wv.vectors)
    model.train(other, total_examples=1, epochs=1)
    model.init_weights()
    assert np.array_equal(model.wv.vectors, untrained.wv.vectors)
    assert not model.syn1neg.any()


@fault(22)
@alone
def test_zero_is_honoured(folder):
    model = model_of(min_count=5, sample=1e-3, alpha=0.025)
    model.build_vocab([["a", "b"], ["a"]], min_count=0, sample=0)
    assert (sorted(model.wv.index_to_key), model.sample, model.min_count) == (["a", "b"], 0, 0)
    before = model.wv.vectors.copy()
    model.train([["a", "b"]], total_examples=1, epochs=1, start_alpha=0, end_alpha=0)
    assert np.array_equal(model.wv.vectors, before)
    assert (model_of(negative=0, hs=1).negative, model_of(seed=0).seed) == (0, 0)


@fault(23)
@alone
def test_the_loss_is_summed_in_64_bits_by_each_worker(folder):
    one, four = (model_of(zipf_like(50_000), compute_loss=True, workers=workers) for workers in (1, 4))
    assert four.loss_history == pytest.approx(one.loss_history, rel=0.1)
    model = model_of(compute_loss=True, epochs=1)
    model.build_vocab(two_topics())
    # as after so many examples; in 32 bits nothing could be added
    epoch.Progress = functools.partial(epoch.Progress, losses=[2.0**40])
    model.train(two_topics(), total_examples=1, epochs=1)
    summed = model.get_latest_training_loss() - 2.0**40
    assert 0.1 < summed / model.history[0].examples < 10


@fault(24)
@alone
def test_unknown_words_in_any_number_do_no_harm(folder):
    model = model_of(batch_words=200_000)
    model.build_vocab(two_topics())
    unknown = [["nowhere"]] * 120_000
    assert model.train([*unknown, *two_topics()], total_examples=1, epochs=1) == (4800, 124_800)
    with pytest.raises(RuntimeError, match="no word of this corpus is in the vocabulary"):
        model.train(unknown, total_examples=1, epochs=1)
    finite_and_usable(model)


# --- files ----------------------------------------------------------------------------------------------------------


def load_error(folder, data, message=None, **options):
    """The FormatError of loading these bytes, which names the file."""
    path = folder / "vectors"
    path.write_bytes(data)
    with pytest.raises(FormatError, match=message) as caught:
        KeyedVectors.load_word2vec_format(path, **options)
    assert str(path) in str(caught.value)
    return caught.value


def loaded(folder, data, **options):
    (folder / "vectors").write_bytes(data)
    return KeyedVectors.load_word2vec_format(folder / "vectors", **options)


def binary_row(word, *values, end=b""):
    return word + b" " + struct.pack(f"<{len(values)}f", *values) + end


@fault(25)
@alone
def test_a_row_has_all_its_values_and_no_more(folder):
    for row in (b"b 0.5", b"b 1 2", b"b 1 2 3 4", b"b", b"b x y z", b"b 1  2 3"):
        load_error(folder, b"2 3\na 1.000 2.000 3.000\n" + row + b"\n", "line 3")
        skipped = []
        kept = loaded(folder, b"2 3\na 1.000 2.000 3.000\n" + row + b"\n", errors="skip", skipped=skipped)
        assert (kept.index_to_key, len(skipped)) == (["a"], 1)


@fault(26)
@alone
def test_a_word_occurs_once(folder):
    text = b"3 2\na 1 2\na 3 4\nb 5 6\n"
    binary = b"3 2\n" + binary_row(b"a", 1, 2) + binary_row(b"a", 3, 4) + binary_row(b"b", 5, 6)
    for data, is_binary in ((text, False), (binary, True)):
        load_error(folder, data, "'a' occurs a second time", binary=is_binary)
        kept = loaded(folder, data, binary=is_binary, errors="skip")
        assert (kept.index_to_key, kept.vectors.tolist()) == (["a", "b"], [[1, 2], [5, 6]])


@fault(27)
@alone(memory=GIB)
def test_a_header_that_lies_costs_no_memory(folder):
    for rows, size in ((30_000_000, 1), (10**12, 100), (2, 10**9), (10**17, 10**8), (2**62, 4), (2**64, 2**64)):
        for is_binary in (False, True):
            load_error(folder, b"%d %d\na 1\n" % (rows, size), binary=is_binary)
            (folder / "vectors.gz").write_bytes(gzip.compress(b"%d %d\na 1\n" % (rows, size)))
            with pytest.raises(FormatError):
                KeyedVectors.load_word2vec_format(folder / "vectors.gz", binary=is_binary)


@fault(28)
@alone
def test_vectors_are_finite_words_not_empty_and_files_end(folder):
    head, a = b"2 2\n", binary_row(b"a", 1, 2)
    for text in (b"b nan 2\n", b"b 1 inf\n", b"b 1 1e99\n", b" 1 2\n", b"b 3 4\nc 5 6\n", b"b 3 4\nrest\n"):
        load_error(folder, head + b"a 1 2\n" + text)
    for row in (binary_row(b"b", math.nan, 2), binary_row(b"b", 1, -math.inf), binary_row(b"", 1, 2)):
        load_error(folder, head + a + row, binary=True)
    load_error(folder, head + a + binary_row(b"b", 1, 2) + b"rest", "more data", binary=True)


@fault(29)
@alone
def test_saved_words_can_be_loaded(folder):
    for word in ("new york", "tab\tbed", "line\nend", "", "x" * (2**20 + 1)):
        vectors = KeyedVectors.from_arrays([word, "other"], np.ones((2, 2), np.float32))
        vectors.save(folder / "native")
        assert KeyedVectors.load(folder / "native").index_to_key == [word, "other"]
        with pytest.raises(ValueError, match=r"could not be read back|cannot be read back"):
            vectors.save_word2vec_format(folder / "vectors", binary=True)
        if word != "new york":  # which text files of gensim have, too; there is a warning
            with pytest.raises(ValueError, match=r"could not be read back|cannot be read back"):
                vectors.save_word2vec_format(folder / "vectors")
    assert os.listdir(folder) == ["native"]


@fault(30)
@alone
def test_both_dialects_are_read(folder):
    with_ends = b"2 2\n" + binary_row(b"a", 1, 2, end=b"\n") + binary_row(b"b", 3, 4, end=b"\n")
    without = b"2 2\n" + binary_row(b"a", 1, 2) + binary_row(b"b", 3, 4)
    for data, is_binary in (
        (with_ends, True),
        (without, True),
        (b"2 2\na 1 2 \nb 3 4 \n", False),
        (b"2 2\na 1 2\nb 3 4", False),
        (b"2 2\r\na 1 2\r\nb 3 4\r\n", False),
    ):
        vectors = loaded(folder, data, binary=is_binary)
        assert (vectors.index_to_key, vectors.vectors.tolist()) == (["a", "b"], [[1, 2], [3, 4]])


@fault(31)
@alone(memory=GIB)
def test_long_words_are_words_up_to_a_limit(folder):
    for length in (200, 2000, 2**20):
        word = b"x" * length
        assert len(loaded(folder, b"1 1\n" + binary_row(word, 1), binary=True).index_to_key[0]) == length
        assert len(loaded(folder, b"1 1\n%b 1\n" % word).index_to_key[0]) == length
    load_error(folder, b"1 1\n" + binary_row(b"x" * 2**21, 1), "1,048,576 bytes", binary=True)
    load_error(folder, b"1 1\n" + b"x" * (2**26 + 2), "longer than 67,108,864 bytes")
    (folder / "text").write_bytes(b"x" * 2**21)
    with pytest.raises(ValueError, match="a word of more than 1,048,576 bytes"):
        model_of(corpus_file=folder / "text")


@fault(32)
@alone(memory=GIB)
def test_sizes_have_a_sign_and_files_an_end(folder):
    for header in (b"-1 2", b"2 -1", b"0x2 2", b"2", b"2 2 2", b"", b"2 0", b"1e3 2"):
        for is_binary in (False, True):
            load_error(folder, header + b"\na 1 2\n", binary=is_binary)
    vectors = KeyedVectors.from_arrays(["a", "b"], np.ones((2, 2), np.float32))
    for is_binary in (False, True):
        vectors.save_word2vec_format(folder / "whole", binary=is_binary)
        data = (folder / "whole").read_bytes()
        for end in range(len(data) if is_binary else data.rindex(b" ") + 1):  # a text may lack its last line end
            load_error(folder, data[:end], binary=is_binary)


@fault(33)
@alone
def test_paths_of_any_length(folder):
    deep = folder.joinpath(*["x" * 100] * 5)
    deep.mkdir(parents=True)
    (deep / "text").write_text("\n".join(" ".join(sentence) for sentence in two_topics()))
    for name in ("model.safetensors", "vectors.bin", "vectors.txt"):
        arguments = ["train", str(deep / "text"), "-o", str(deep / name), "--no-progress", "--size", "8"]
        assert program.main(arguments) == 0
        assert program.main(["info", str(deep / name)]) == 0


def saved_model(folder):
    """A native file with everything in it, and its header and data."""
    path = folder / "model.safetensors"
    model_of(two_topics(30), hs=1, vector_size=4).save(path)
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    return path, json.loads(data[8 : 8 + length]), data[8 + length :]


def written(path, header, tensors):
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + tensors)


@fault(34)
@alone(memory=GIB)
def test_a_file_that_ends_early_ends_loading(folder):
    path, _, _ = saved_model(folder)
    counts = folder / "counts"
    counts.write_bytes(b"a 3\nb 2\n")
    text = b"2 2\na 1 2\nb 3 4\n"
    for data, name, load in (
        (path.read_bytes(), "cut", Word2Vec.load),
        (path.read_bytes(), "cut", lambda cut: KeyedVectors.load(cut, mmap="r")),
        (gzip.compress(text), "cut.gz", KeyedVectors.load_word2vec_format),
        (bz2.compress(text), "cut.bz2", KeyedVectors.load_word2vec_format),
        (lzma.compress(text), "cut.xz", KeyedVectors.load_word2vec_format),
        (pickle.dumps({"syn0": np.ones((2, 2))}, 2), "cut.model", lambda cut: Word2Vec.load(cut, allow_pickle=True)),
    ):
        for end in range(0, len(data) - 1, 1 + len(data) // 200):
            (folder / name).write_bytes(data[:end])
            with pytest.raises(FormatError):
                load(folder / name)


@fault(35)
@alone(memory=GIB)
def test_sizes_are_checked_before_memory_is_claimed(folder):
    path, header, tensors = saved_model(folder)
    for shape in ([2**40 - 1, 2**40 - 1], [2**32, 2**32], [2**31, 4], [10**12, 1], [-1, 4], [2**64, 1], [1.5, 4]):
        for name in ("vectors", "outputs.negative"):
            changed = json.loads(json.dumps(header))
            changed[name]["shape"] = shape
            written(path, changed, tensors)
            for mmap in (None, "r"):
                with pytest.raises(FormatError):
                    Word2Vec.load(path, mmap=mmap)


@fault(36)
@alone(memory=GIB)
def test_indices_are_checked_when_a_file_is_loaded(folder):
    path, header, tensors = saved_model(folder)
    begin, end = header["vocab.offsets"]["data_offsets"]
    good = np.frombuffer(tensors[begin:end], "<i8")
    for place, value in ((0, 1), (3, -1), (3, 2**62), (-1, 10**6), (5, int(good[4]) - 1)):
        offsets = good.copy()
        offsets[place] = value
        written(path, header, tensors[:begin] + offsets.tobytes() + tensors[end:])
        for load in (Word2Vec.load, KeyedVectors.load):
            for mmap in (None, "r"):  # mapped, the hash is not looked at
                with pytest.raises(FormatError):
                    load(path, mmap=mmap)


@fault(37)
@alone(memory=GIB)
def test_any_byte_may_be_wrong(folder):
    path, _, _ = saved_model(folder)
    whole = path.read_bytes()
    random = np.random.default_rng(0)
    for at in random.integers(0, len(whole), 300).tolist():
        damaged = bytearray(whole)
        damaged[at] ^= int(random.integers(1, 256))
        path.write_bytes(damaged)
        with pytest.raises(FormatError):
            Word2Vec.load(path)
        with contextlib.suppress(FormatError):  # mapped, numbers are taken as they are: queries must bear any
            mapped = KeyedVectors.load(path, mmap="r")
            with np.errstate(all="ignore"):
                mapped.most_similar(mapped.index_to_key[0])


class RunsCode:
    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (self.folder,)


@fault(38)
@alone
def test_no_pickle_is_ever_run(folder):
    harm = str(folder / "harm")
    pickle.loads(pickle.dumps(RunsCode(harm)))
    os.rmdir(harm)  # the pickle can do harm
    for protocol in range(2, 6):
        for content in (RunsCode(harm), {"syn0": RunsCode(harm)}, [np.ones(3), RunsCode(harm)]):
            path = folder / "gensim.model"
            path.write_bytes(pickle.dumps(content, protocol))
            for load in (Word2Vec.load, KeyedVectors.load):
                for options in ({}, {"mmap": "r"}, {"allow_pickle": True}):
                    with pytest.raises(FormatError):
                        load(path, **options)
            with pytest.raises(FormatError):
                KeyedVectors.load_word2vec_format(path)
    assert not os.path.exists(harm)


# --- long runs ------------------------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from w2v import CallbackAny2Vec, Word2Vec

class Kill(CallbackAny2Vec):
    def on_epoch_begin(self, model):
        if model.trained_epochs == 2:
            os.kill(os.getpid(), signal.SIGKILL)

model = Word2Vec(vector_size=8, min_count=1, workers=2, deterministic=True, epochs=4)
model.build_vocab(corpus_file="text")
run = {"checkpoint": "run", "checkpoint_every": 1, "callbacks": [Kill()] if sys.argv[1:] else []}
model.train(corpus_file="text", total_examples=1, epochs=4, **run)
model.save("whole")
"""


@fault(39)
@alone
def test_a_killed_run_goes_on_to_the_same_bytes(folder):
    (folder / "text").write_text("\n".join(" ".join(sentence) for sentence in zipf_like(30_000)))
    command = [sys.executable, "-c", KILLED]
    assert subprocess.run([*command, "kill"], cwd=folder, check=False).returncode == -signal.SIGKILL
    resumed = Word2Vec.resume(folder / "run", corpus_file=folder / "text")
    (folder / "run").rename(folder / "before")
    subprocess.run(command, cwd=folder, check=True)
    assert np.array_equal(resumed.wv.vectors, Word2Vec.load(folder / "whole").wv.vectors)
