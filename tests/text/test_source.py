"""Which corpus is known already, which is read again, and which can be read only once."""

import gc
import io
import os
import random
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest
from alone import alone
from corpora import two_topics, zipf_like

from w2v import LineSentence, PathLineSentences, Text8Corpus, Word2Vec
from w2v.callbacks import CallbackAny2Vec
from w2v.text import _text, corpus


def model_of(sentences=None, **options):
    return Word2Vec(sentences, **({"vector_size": 8, "min_count": 1, "workers": 1, "sample": 0} | options))


def text_of(model):
    """What the model was last trained on, as words."""
    encoded = model.tokens.held
    words = [model.wv.index_to_key[token] for token in encoded.tokens]
    return [words[a:b] for a, b in zip(encoded.offsets[:-1], encoded.offsets[1:], strict=True)]


def trained(model, corpus, **options):
    model.train(corpus, total_examples=1, epochs=1, **options)
    return text_of(model)


class Counted:
    """An iterable known only by the sentences it gives."""

    def __init__(self, sentences):
        self.sentences, self.passes = sentences, 0

    def __iter__(self):
        self.passes += 1
        return iter(self.sentences)


class AfterEpoch(CallbackAny2Vec):
    def __init__(self, number, act):
        self.left, self.act = number, act

    def on_epoch_end(self, model):
        self.left -= 1
        if self.left == 0:
            self.act()


# --- what has changed -----------------------------------------------------------------------------------------------


def shuffle(corpus):
    random.Random(3).shuffle(corpus)


def fill_anew(corpus):
    corpus[:] = [list(reversed(sentence)) for sentence in corpus]


def fill_the_sentences_anew(corpus):
    for sentence in corpus:
        sentence[:] = sentence[::-1]


def change_one_word(corpus):
    corpus[77][3] = "bread" if corpus[77][3] == "salt" else "salt"


def replace_one_sentence(corpus):
    corpus[77] = ["salt", "soup"]


@pytest.mark.parametrize("change", [shuffle, fill_anew, fill_the_sentences_anew, change_one_word, replace_one_sentence])
@pytest.mark.parametrize("when", ["before the first train", "before the second", "between epochs"])
def test_a_list_that_was_changed_is_encoded_again(change, when):
    corpus = two_topics(200)
    model = model_of()
    model.build_vocab(corpus)
    if when == "before the second":
        trained(model, corpus)
    if when == "between epochs":
        after = AfterEpoch(1, lambda: change(corpus))
        model.train(corpus, total_examples=1, epochs=2, callbacks=[after])
        assert model.runs[-1]["repeatable"] is False
    else:
        change(corpus)
        trained(model, corpus)
        assert model.runs[-1]["repeatable"] is True
    assert text_of(model) == corpus


def test_arrays_of_words_that_were_filled_anew_are_encoded_again():
    rows = [np.array(["a", "b", "c"]), np.array(["b", "c"])]
    nested = np.empty(2, object)
    nested[:] = [["a", "b", "c"], ["b", "c"]]
    for source in (rows, tuple(rows), nested, np.array([["a", "b"], ["c", "a"]])):
        model = model_of(source)
        source[0][0] = "c"
        assert trained(model, source)[0][0] == "c"


def test_lists_that_did_not_change_are_encoded_once():
    nested = np.empty(100, object)
    nested[:] = two_topics(100)
    for source in (two_topics(100), tuple(map(tuple, two_topics(100))), list(map(np.array, two_topics(100))), nested):
        model = model_of(source)
        encoded = model.tokens.held
        trained(model, source)
        assert model.tokens.held is encoded


def test_a_shuffle_of_a_large_list_is_seen(monkeypatch):
    """Also where only a few words are looked at, and where the sentences are the same objects."""
    corpus = [["a", "b"] for _ in range(1000)]
    before = _text.digest(corpus, 10)
    corpus[10], corpus[900] = corpus[900], corpus[10]
    assert _text.digest(corpus, 10) != before
    corpus[10], corpus[900] = corpus[900], corpus[10]
    assert _text.digest(corpus, 10) == before


@pytest.mark.parametrize("length", [1, 10, 16])
def test_words_of_all_places_of_a_large_list_are_looked_at(length):
    """Of sentences of one length, not always the word at the same place."""
    corpus = [[f"{place}" for place in range(length)] for _ in range(16_000 // length)]
    before = _text.digest(corpus, 1600)
    for place in range(length):
        for sentence in corpus:
            sentence[place] = "other"
        assert _text.digest(corpus, 1600) != before, place
        for sentence in corpus:
            sentence[place] = f"{place}"
    assert _text.digest(corpus, 1600) == before


def test_how_many_words_are_looked_at_is_bounded():
    class Word(str):
        asked = 0

        def __hash__(self):
            Word.asked += 1
            return str.__hash__(self)

    for length in (3, 1000, 30_000):
        corpus = [[Word("a")] * length] * (30_000 // length)
        Word.asked = 0
        _text.digest(corpus, 100)
        assert 90 <= Word.asked <= 100
        _text.digest(corpus, 10**9)
        assert Word.asked - 30_000 in range(90, 101)


@pytest.mark.parametrize(
    "corpus", [[["a"], "a"], [{"a"}], [iter(["a"])], [[["a"]]], [np.array("a")], [None], [Counted([])]]
)
def test_a_corpus_known_only_by_reading_has_no_digest(corpus):
    assert _text.digest(corpus, 100) is None


def test_an_iterable_is_read_once_in_each_call():
    corpus = Counted([["a", "b"]] * 20)
    model = model_of(corpus, epochs=3)
    assert corpus.passes == 1, "by the constructor, which builds and trains"
    corpus.sentences = [["b", "a", "b"]] * 20
    model.train(corpus, total_examples=1, epochs=3)
    assert (text_of(model), corpus.passes) == (corpus.sentences, 2)
    model.build_vocab(corpus)
    corpus.sentences = [["a", "a", "b"]] * 20
    model.train(corpus, total_examples=1, epochs=3)
    assert (text_of(model), corpus.passes) == (corpus.sentences, 4)


def test_a_streamed_iterable_is_read_once_in_each_epoch():
    corpus = Counted([["a", "b"]] * 20)
    model = model_of(cache="none")
    model.build_vocab(corpus)
    model.train(corpus, total_examples=1, epochs=3)
    assert corpus.passes == 4


def test_one_buffer_for_open_files_is_read_again():
    buffer = io.StringIO("a b\n" * 20)
    corpus = LineSentence(buffer)
    model = model_of(corpus)
    buffer.seek(0)
    buffer.write("b a\n" * 20)
    assert trained(model, corpus) == [["b", "a"]] * 20


def test_a_reader_with_other_options_is_another_corpus(tmp_path):
    (tmp_path / "text").write_text("a b c d\n" * 20)
    corpus = LineSentence(tmp_path / "text")
    model = model_of(corpus)
    corpus.max_sentence_length = 2
    assert trained(model, corpus) == [["a", "b"], ["c", "d"]] * 20


def test_an_equal_reader_is_the_same_corpus(tmp_path, monkeypatch):
    (tmp_path / "text").write_text("a b c d\n" * 20)
    monkeypatch.chdir(tmp_path)
    model = model_of(LineSentence("text"))
    encoded = model.tokens.held
    trained(model, LineSentence(tmp_path / "text"))
    assert model.tokens.held is encoded
    trained(model, LineSentence(tmp_path / "text", limit=3))
    assert len(text_of(model)) == 3


# --- what the model holds -------------------------------------------------------------------------------------------


class Sentences(list):
    """A list that can be referred to weakly."""


def test_a_model_does_not_keep_the_corpus_alive():
    for make in (lambda: Counted([["a", "b"]]), lambda: Sentences([["a", "b"]]), lambda: (s for s in [["a", "b"]])):
        corpus = make()
        model = model_of(corpus)
        gone = weakref.ref(corpus)
        del corpus
        gc.collect()
        assert gone() is None
        assert len(model.wv) == 2


def test_a_model_does_not_keep_the_words_of_a_list_alive():
    class Word(str):
        pass

    word = Word("a")
    corpus = [[word, Word("b")]]
    model = model_of(corpus)
    gone = weakref.ref(word)
    del corpus, word
    gc.collect()
    assert gone() is None
    assert len(model.wv) == 2


def test_an_iterator_where_a_former_one_was_is_another_corpus():
    """CPython gives the memory, and so the id, of a map to the next one."""
    model = model_of(map(str.split, ["a b"] * 5))
    for text in ("b a", "b b a", "a a b"):
        assert trained(model, map(str.split, [text] * 5)) == [text.split()] * 5
        assert trained(model, (line.split() for line in [text] * 7)) == [text.split()] * 7
        assert trained(model, Counted([text.split()] * 3)) == [text.split()] * 3
        assert trained(model, [text.split()] * 4) == [text.split()] * 4


# --- files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reader", [None, LineSentence, PathLineSentences, Text8Corpus])
@pytest.mark.parametrize("when", ["after build_vocab", "between epochs"])
def test_a_file_that_is_gone_is_not_missed(tmp_path, reader, when):
    path = tmp_path / "text"
    path.write_text("a b a b\n" * 20)
    corpus = {"corpus_file": path} if reader is None else {"corpus_iterable": reader(path)}
    model = model_of()
    model.build_vocab(**corpus)

    if when == "after build_vocab":
        path.unlink()
    model.train(**corpus, total_examples=1, epochs=3, callbacks=[AfterEpoch(2, lambda: path.unlink(missing_ok=True))])
    assert model.runs[-1]["trained"] == 3
    with pytest.raises((TypeError, OSError), match=r"does not exist|No such file"):
        Word2Vec(sentences=corpus.get("corpus_iterable"), corpus_file=corpus.get("corpus_file"))
    other = {"corpus_file": tmp_path / "other"} if reader is None else {"corpus_iterable": LineSentence("other")}
    with pytest.raises((TypeError, OSError), match="other"):
        model.train(**other, total_examples=1, epochs=1)


def test_a_path_of_bytes_is_a_corpus_file(tmp_path):
    path = os.fsencode(tmp_path / "text")
    (tmp_path / "text").write_text("a b\n")
    assert len(model_of(corpus_file=path).wv) == 2
    assert corpus.Corpus.from_arguments(None, path).locator()["path"] == str(tmp_path / "text")
    assert corpus.Corpus(LineSentence(path), False).locator()["path"] == str(tmp_path / "text")


@pytest.mark.parametrize(
    ("path", "error", "message"),
    [
        ("", TypeError, r"corpus_file='.*' is a folder, not a file; PathLineSentences reads its files"),
        ("nothing", TypeError, r"corpus_file='.*nothing' does not exist"),
        ("a\ud800", ValueError, r"corpus_file='.*a\\ud800' cannot be the name of a file: .*surrogates"),
        ("a\0b", ValueError, r"corpus_file='.*a\\x00b' cannot be the name of a file: it has a NUL"),
    ],
)
def test_a_missing_corpus_file_is_named(tmp_path, path, error, message):
    with pytest.raises(error, match=message):
        Word2Vec(corpus_file=os.path.join(tmp_path, path))


# --- pipes ----------------------------------------------------------------------------------------------------------


def fed(path):
    """A FIFO into which somebody writes one text, once."""
    os.mkfifo(path)
    text = "\n".join(map(" ".join, zipf_like(30_000)))
    writer = threading.Thread(target=lambda: path.write_text(text), daemon=True)
    writer.start()
    return writer


@alone
def test_a_pipe_is_a_corpus_that_is_read_once(folder):
    (folder / "text").write_text("\n".join(map(" ".join, zipf_like(30_000))))
    expected = model_of(LineSentence(folder / "text"), epochs=3).wv.vectors
    for number, reader in enumerate((None, LineSentence, PathLineSentences)):
        path = folder / f"{number}"
        writer = fed(path)
        corpus = {"corpus_file": path} if reader is None else {"sentences": reader(path)}
        model = model_of(**corpus, epochs=3)
        writer.join()
        assert np.array_equal(model.wv.vectors, expected)
        model.train(corpus.get("sentences"), corpus.get("corpus_file"), total_examples=1, epochs=1)


@alone
def test_a_pipe_is_refused_where_it_had_to_be_read_again(folder):
    path = folder / "pipe"
    os.mkfifo(path)
    for source in ({"corpus_file": path}, {"sentences": LineSentence(path)}, {"sentences": Text8Corpus(path)}):
        for options in ({"cache": "none"}, {"checkpoint": folder / "run"}):
            with pytest.raises(TypeError, match=r"a pipe or the like, can be read only once; write its sentences to"):
                model_of(**source, **options)
    assert not (folder / "run").exists()


def test_standard_input_is_a_corpus_file():
    script = (
        "from w2v import LineSentence, Word2Vec; import sys\n"
        "options = {'vector_size': 8, 'min_count': 1, 'workers': 1, 'epochs': 2}\n"
        "path = sys.argv[1]\n"
        "corpus = {'corpus_file': path} if path else {'sentences': LineSentence(sys.stdin.buffer)}\n"
        "print(sorted(Word2Vec(**corpus, **options).wv.index_to_key))"
    )
    for path in ("/dev/stdin", ""):
        done = subprocess.run(
            [sys.executable, "-c", script, path],
            input="a b\nc a\n" * 50,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert done.stdout.strip() == "['a', 'b', 'c']"


# --- what cannot be repeated ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("cache", ["auto", "none"])
@pytest.mark.parametrize(
    "corpus",
    [
        [{"a", "b", "c"}] * 9,
        [["a", "b"], frozenset("abc")],
        {("a", "b", "c"), ("c", "b", "a")},
        frozenset([("a", "b")]),
    ],
)
def test_a_run_over_sets_is_not_called_repeatable(corpus, cache, caplog):
    model = model_of(corpus, cache=cache, epochs=2)
    assert model.runs[-1]["repeatable"] is False
    assert sum("sets have another order in every process; give lists" in message for message in caplog.messages) == 1
    with pytest.raises(ValueError, match="nothing to compare"):
        model.trained_again(corpus)


def test_a_run_over_keys_and_tuples_is_repeatable():
    for source in ([dict.fromkeys("abc")] * 9, {"x": 0, "y": 1}.fromkeys([("a", "b"), ("b", "a")]), [("a", "b")] * 3):
        assert model_of(source).runs[-1]["repeatable"] is True


@pytest.mark.parametrize("kind", ["another size", "the same size and time", "an iterable"])
def test_a_streamed_corpus_that_changes_between_epochs_is_noted(tmp_path, kind, caplog):
    path = tmp_path / "text"
    path.write_text("a b a b\n" * 20)
    corpus = Counted([["a", "b"]] * 20) if kind == "an iterable" else LineSentence(path)

    def change():
        if kind == "an iterable":
            corpus.sentences = [["b", "a"]] * 20
            return
        before = path.stat()
        path.write_text("b a b b\n" * (30 if kind == "another size" else 20))
        if kind == "the same size and time":
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    model = model_of(cache="none")
    model.build_vocab(corpus)
    model.train(corpus, total_examples=1, epochs=2, callbacks=[AfterEpoch(2, change)])
    model.train(corpus, total_examples=1, epochs=2)
    assert [run["repeatable"] for run in model.runs] == [True, True], "it changed between two calls"
    model.build_vocab([["a", "b"]] * 20)
    path.write_text("a b a b\n" * 20)
    corpus = Counted([["a", "b"]] * 20) if kind == "an iterable" else LineSentence(path)
    model.train(corpus, total_examples=1, epochs=3, callbacks=[AfterEpoch(2, change)])
    assert model.runs[-1]["repeatable"] is False
    assert sum("has changed between two epochs" in message for message in caplog.messages) == 1


def test_an_iterable_with_another_order_in_each_epoch_is_noted():
    class Shuffled(Counted):
        def __iter__(self):
            self.passes += 1
            return iter(random.Random(self.passes).sample(self.sentences, len(self.sentences)))

    model = model_of(Shuffled(two_topics(50)), cache="none", epochs=3)
    assert model.runs[-1]["repeatable"] is False
    assert model_of(Shuffled(two_topics(50)), epochs=3).runs[-1]["repeatable"] is True  # one order was trained


# --- nothing known --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cache", ["auto", "disk", "none"])
@pytest.mark.parametrize("corpus", [[["x", "y"]], [], [[], []], [["x"], []]])
def test_a_corpus_without_a_known_word_is_one_error(cache, corpus, tmp_path):
    model = model_of([["a", "b"]] * 9, cache=cache)
    runs = list(model.runs)
    before = model.wv.vectors.copy()
    (tmp_path / "text").write_text("\n".join(map(" ".join, corpus)))
    for given in ((corpus,), (LineSentence(tmp_path / "text"),), (None, tmp_path / "text")):
        with pytest.raises(
            RuntimeError, match=r"^no word of this corpus is in the vocabulary; nothing can be trained$"
        ):
            model.train(*given, total_examples=1, epochs=2)
    assert model.runs == runs
    assert np.array_equal(model.wv.vectors, before)
