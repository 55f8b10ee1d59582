"""The C programs' command lines: their output, to the byte where it is known by construction."""

import gzip
import io
import random
import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest

from w2v import FormatError, KeyedVectors, Word2Vec
from w2v.cli import c_tools, messages, program
from w2v.vectors import c_programs

TOPICS = ["river lake sea boat water fish", "bread flour oven dough yeast baker"]

QUIET = "-threads 1 -min-count 1 -size 8 -debug 0"

# Three words and two lines of text; equal counts stand as they first appeared.
TINY = "b a\n\na b c\n"


@pytest.fixture
def room(tmp_path, monkeypatch):
    """An empty folder to be in, with a text of two topics."""
    monkeypatch.chdir(tmp_path)
    draw = random.Random(7)
    lines = (" ".join(draw.choices(draw.choice(TOPICS).split(), k=8)) + "\n" for _ in range(400))
    (tmp_path / "corpus.txt").write_text("".join(lines))
    (tmp_path / "tiny.txt").write_text(TINY)
    return tmp_path


@pytest.fixture
def run(capsys, monkeypatch):
    """Run a command line on some standard input; gives what it prints."""

    def run(line, typed=b""):
        name, *arguments = shlex.split(line)
        typed = typed.encode() if isinstance(typed, str) else typed
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(typed), encoding="utf-8"))
        capsys.readouterr()
        c_tools.COMMANDS[name][0](arguments)
        return capsys.readouterr().out

    return run


def wrong_usage(run, capsys, line):
    with pytest.raises(SystemExit) as exit:
        run(line)
    assert exit.value.code == 2
    return capsys.readouterr().err


def write_binary(path, words, vectors):
    """A file as word2vec.c writes it."""
    rows = [word.encode() + b" " + row.tobytes() + b"\n" for word, row in zip(words, vectors, strict=True)]
    path.write_bytes(b"%d %d\n" % vectors.shape + b"".join(rows))


def loaded(*paths, **options):
    return KeyedVectors.load_word2vec_format(*paths, **options)


# --- word2vec ---------------------------------------------------------------------------------------------------


def test_the_vocabulary_is_the_c_programs_to_the_byte(room, run):
    assert run("word2vec -train tiny.txt -save-vocab vocab.txt -min-count 1 -debug 1") == (
        "Starting training using file tiny.txt\nVocab size: 4\nWords in train file: 8\n"
    )
    assert (room / "vocab.txt").read_bytes() == b"</s> 3\nb 2\na 2\nc 1\n"
    assert sorted(path.name for path in room.iterdir()) == ["corpus.txt", "tiny.txt", "vocab.txt"]


def test_the_end_of_a_sentence_survives_every_minimum(room, run):
    out = run("word2vec -train tiny.txt -save-vocab vocab.txt -min-count 2 -debug 1")
    assert (room / "vocab.txt").read_bytes() == b"</s> 3\nb 2\na 2\n"
    assert "Vocab size: 3\nWords in train file: 7\n" in out
    run("word2vec -train tiny.txt -save-vocab vocab.txt -min_count 2 -debug 0 -output vectors.txt -size 4 -sample 1")
    (room / "one-line.txt").write_text("a b a b a b\n")
    run("word2vec -train one-line.txt -save-vocab vocab.txt -min-count 3 -debug 0")
    assert (room / "vocab.txt").read_bytes() == b"</s> 1\na 3\nb 3\n"


def test_an_end_of_a_sentence_written_in_the_text_is_no_word(room, run):
    (room / "marked.txt").write_text("a b </s>\nb </s> a\n")
    run(f"word2vec -train marked.txt -save-vocab vocab.txt -output vectors.txt {QUIET} -sample 0")
    assert (room / "vocab.txt").read_bytes() == b"</s> 4\na 2\nb 2\n"
    assert loaded("vectors.txt").index_to_key == ["</s>", "a", "b"]


@pytest.mark.parametrize("place", [c_tools.BLOCK - 2, c_tools.BLOCK - 4, c_tools.BLOCK])
def test_an_end_of_a_sentence_is_seen_across_blocks(room, place):
    (room / "long.txt").write_bytes(b"x" * (place // 2) + b"\n" + b"x" * (place - place // 2 - 2) + b" </s> a\n")
    assert c_tools._count_line_ends("long.txt") == (2, True)
    (room / "long.txt").write_bytes(b"ab\n" * 1000 + b"</s")
    assert c_tools._count_line_ends("long.txt") == (1000, False)


def test_binary_and_text_output_hold_the_same_vectors(room, run):
    run(f"word2vec -train corpus.txt -output vectors.txt {QUIET}")
    run(f"word2vec -train corpus.txt -output vectors.bin -binary 1 -save-vocab vocab.txt {QUIET}")
    text, binary = loaded("vectors.txt"), loaded("vectors.bin", binary=True)
    assert text.index_to_key == binary.index_to_key
    assert text.vectors.tobytes() == binary.vectors.tobytes()
    words = [line.split()[0] for line in (room / "vocab.txt").read_text().splitlines()]
    assert words == binary.index_to_key
    assert words[0] == "</s>"
    rows = b"".join(b"%b %b\n" % (word.encode(), binary[word].tobytes()) for word in words)
    assert (room / "vectors.bin").read_bytes() == b"13 8\n" + rows
    assert (room / "vectors.txt").read_bytes().startswith(b"13 8\n</s> ")
    again = loaded("vectors.bin", "vocab.txt", binary=True)
    assert again.get_vecattr("</s>", "count") == 400


def test_training_is_that_of_word2vec(room, run):
    run(f"word2vec -train corpus.txt -output vectors.bin -binary 1 -cbow 0 {QUIET}")
    model = Word2Vec(
        corpus_file="corpus.txt", sg=1, vector_size=8, min_count=1, workers=1, alpha=0.025, min_alpha=0.025e-4
    )
    found = loaded("vectors.bin", binary=True)
    assert {word: found[word].tobytes() for word in model.wv.index_to_key} == {
        word: model.wv[word].tobytes() for word in model.wv.index_to_key
    }


def test_the_defaults_are_those_of_the_c_program(room, run, monkeypatch):
    asked = {}

    def stop(model, *args, **kwargs):
        asked.update(vars(model))
        raise RuntimeError("enough")

    monkeypatch.setattr(Word2Vec, "build_vocab", stop)
    names = ["vector_size", "window", "sample", "hs", "negative", "workers", "epochs", "min_count", "sg", "seed"]
    names += ["alpha", "min_alpha", "progress"]
    for line, expected in [
        ("", [100, 5, 1e-3, 0, 5, 12, 5, 5, 0, 1, 0.05, 0.05e-4, None]),
        ("-cbow 0 -debug 1", [100, 5, 1e-3, 0, 5, 12, 5, 5, 1, 1, 0.025, 0.025e-4, False]),
        (
            "-size 7 -window 3 -sample 1e-4 -hs 1 -negative 25 -threads 20 -iter 15 -min-count 2 -cbow 1 -seed 9 "
            "-alpha 0.1 -debug 0",
            [7, 3, 1e-4, 1, 25, 20, 15, 2, 0, 9, 0.1, 0.1e-4, False],
        ),
    ]:
        with pytest.raises(RuntimeError, match="enough"):
            run(f"word2vec -train corpus.txt -output vectors.txt {line}")
        assert [asked[name] for name in names] == expected
    assert not (room / "vectors.txt").exists()


def test_a_sample_of_one_and_more_keeps_every_word(room, run):
    for sample in ("0", "1", "2.5"):
        run(f"word2vec -train corpus.txt -output {sample}.txt -sample {sample} {QUIET}")
    assert (room / "0").with_suffix(".txt").read_bytes() == (room / "1.txt").read_bytes()
    assert (room / "0.txt").read_bytes() == (room / "2.5.txt").read_bytes()


@pytest.mark.parametrize(
    "flags",
    [
        "-cbow 0",
        "-hs 1 -negative 0",
        "-hs 1",
        "-window 2",
        "-negative 2",
        "-iter 2",
        "-alpha 0.1",
        "-seed 2",
        "-sample 1",
    ],
)
def test_each_flag_changes_the_vectors(room, run, flags):
    run(f"word2vec -train corpus.txt -output plain.bin -binary 1 {QUIET}")
    run(f"word2vec -train corpus.txt -output other.bin -binary 1 {QUIET} {flags}")
    plain, other = loaded("plain.bin", binary=True), loaded("other.bin", binary=True)
    assert plain.vectors[1:].tobytes() != other.vectors[1:].tobytes()
    assert (plain["</s>"].tobytes() == other["</s>"].tobytes()) == (flags != "-seed 2")


def test_the_end_of_sentence_vector_is_untrained():
    vector = c_tools._untrained_vector(1, 1000)
    assert vector.dtype == np.float32
    assert -0.0005 <= vector.min() < -0.00045
    assert 0.00045 < vector.max() < 0.0005
    assert vector[:3].tolist() == np.float32([-7.2638395e-05, -9.6961085e-05, -0.00019261126]).tolist()


def test_many_threads_are_fine(room, run):
    run(f"word2vec -train corpus.txt -output vectors.bin -binary 1 {QUIET} -threads 40")
    assert len(loaded("vectors.bin", binary=True)) == 13


def test_a_vocabulary_is_read_instead_of_counted(room, run):
    (room / "vocab.txt").write_text("</s> 9\nb 7\nc 5\na 5\nrare 1\n")
    out = run("word2vec -train tiny.txt -read-vocab vocab.txt -save-vocab kept.txt -min-count 5 -debug 1")
    assert out.endswith("Vocab size: 4\nWords in train file: 26\n")
    assert (room / "kept.txt").read_bytes() == b"</s> 9\nb 7\nc 5\na 5\n"
    run("word2vec -train tiny.txt -read-vocab vocab.txt -output out.txt -debug 0 -size 4 -sample 0 -threads 1")
    assert loaded("out.txt").index_to_key == ["</s>", "b", "c", "a"]


def test_a_vocabulary_without_the_end_of_a_sentence_gets_it(room, run):
    (room / "vocab.txt").write_text("b 7\na 9\n")
    run("word2vec -train tiny.txt -read-vocab vocab.txt -save-vocab kept.txt -debug 0")
    assert (room / "kept.txt").read_bytes() == b"</s> 0\na 9\nb 7\n"


def test_reading_the_saved_vocabulary_changes_nothing(room, run):
    run(f"word2vec -train corpus.txt -save-vocab vocab.txt -output one.txt {QUIET}")
    run(f"word2vec -train corpus.txt -read-vocab vocab.txt -save-vocab again.txt {QUIET}")
    assert (room / "vocab.txt").read_bytes() == (room / "again.txt").read_bytes()


@pytest.mark.parametrize("line", ["word", "word 5 6", "word five", "word -5", "word ٣", "a 5\na 5"])
def test_a_bad_vocabulary_is_an_error(room, run, line):
    (room / "vocab.txt").write_text(f"</s> 9\nb 7\n{line}\n")
    with pytest.raises(
        FormatError, match=r"vocab\.txt, line [34]: (not a word and a count|the word 'a' occurs)|vocab\.txt: the word"
    ):
        run("word2vec -train tiny.txt -read-vocab vocab.txt -save-vocab kept.txt -debug 0")
    assert not (room / "kept.txt").exists()


def test_a_compressed_text_is_read(room, run):
    (room / "tiny.txt.gz").write_bytes(gzip.compress(TINY.encode()))
    run("word2vec -train tiny.txt.gz -save-vocab vocab.txt -min-count 1 -debug 0")
    assert (room / "vocab.txt").read_bytes() == b"</s> 3\nb 2\na 2\nc 1\n"


def test_quiet_is_quiet_and_a_summary_goes_to_stderr(room, run, capsys):
    assert run(f"word2vec -train corpus.txt -output vectors.txt {QUIET}") == ""
    assert run(f"word2vec -train corpus.txt -output vectors.txt {QUIET} -debug 1").count("\n") == 3
    c_tools.word2vec(shlex.split(f"-train corpus.txt -output vectors.txt {QUIET} -debug 2"))
    assert re.search(r"16,000 words in [0-9.]+ s, [0-9,]+k words/s\n$", capsys.readouterr().err)


def test_classes_are_lines_of_a_word_and_a_number(room, run):
    run(f"word2vec -train corpus.txt -output classes.txt -classes 2 -iter 20 -cbow 0 {QUIET} -sample 0")
    lines = [line.split(" ") for line in (room / "classes.txt").read_text().splitlines()]
    assert lines[0][0] == "</s>"
    assert len(lines) == 13
    class_of = {word: int(number) for word, number in lines}
    found = [{class_of[word] for word in topic.split()} for topic in TOPICS]
    assert sorted(map(sorted, found)) == [[0], [1]]
    once = (room / "classes.txt").read_bytes()
    run(f"word2vec -train corpus.txt -output classes.txt -classes 2 -iter 20 -cbow 0 {QUIET} -sample 0 -binary 1")
    assert (room / "classes.txt").read_bytes() == once


def test_classes_are_found_by_direction():
    directions = np.float32([[1, 0.1], [0, 1], [5, 0], [0.1, 7], [9, 1], [0, 0.01]])
    assert c_programs.classes(directions, 2).tolist() == [0, 1, 0, 1, 0, 1]
    assert c_programs.classes(directions, 1).tolist() == [0] * 6


@pytest.mark.parametrize("count", [6, 7, 40])
def test_more_classes_than_words_are_harmless(count):
    vectors = np.repeat(np.float32([[1, 0], [0, 1]]), 3, axis=0)
    labels = c_programs.classes(vectors, count)
    assert len(labels) == 6
    assert labels.max() < count
    assert set(labels[:3]) & set(labels[3:]) == set()


def test_late_failures_are_found_at_the_beginning(room, run, monkeypatch):
    monkeypatch.setattr(Word2Vec, "build_vocab", lambda *args, **kwargs: pytest.fail("work was done"))
    start = f"word2vec -train corpus.txt {QUIET}"
    for flags, error, message in [
        ("-output corpus.txt", ValueError, "is the text itself"),
        ("-save-vocab ./corpus.txt", ValueError, "is the text itself"),
        ("-output same -save-vocab same", ValueError, "choose two files"),
        ("-output out -negative 0", ValueError, "nothing to train"),
        ("-output out -negative -1", ValueError, "negative=-1"),
        ("-output out -threads 0", ValueError, "workers=0"),
        ("-output out -iter 0", ValueError, "epochs=0"),
        ("-output out -size 0", ValueError, "vector_size=0"),
        ("-output out -alpha nan", ValueError, "alpha=nan"),
        ("-output nowhere/out", FileNotFoundError, "nowhere"),
        (f"-output {room}", OSError, "not a regular file"),
    ]:
        with pytest.raises(error, match=message):
            run(f"{start} {flags}")
    assert sorted(path.name for path in room.iterdir()) == ["corpus.txt", "tiny.txt"]


def test_a_text_that_cannot_be_read_twice_is_refused(room, run):
    with pytest.raises(ValueError, match="not a regular file"):
        run("word2vec -train /dev/null -save-vocab vocab.txt")


@pytest.mark.parametrize("vocabulary", ["", "-read-vocab vocab.txt"])
def test_a_missing_text_is_an_error_and_leaves_nothing(room, run, vocabulary):
    (room / "vocab.txt").write_text("</s> 9\nb 7\n")
    with pytest.raises(FileNotFoundError):
        run(f"word2vec -train missing.txt -output vectors.txt -save-vocab saved.txt {vocabulary}")
    assert sorted(path.name for path in room.iterdir()) == ["corpus.txt", "tiny.txt", "vocab.txt"]


def test_no_word_left_is_an_error(room, run):
    with pytest.raises(RuntimeError, match="min_count=5"):
        run("word2vec -train tiny.txt -save-vocab vocab.txt")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("-output v", "required: -train"),
        ("-train corpus.txt -size 1e2", "is not a whole number"),
        ("-train corpus.txt -iter 5x", "is not a whole number"),
        ("-train corpus.txt -alpha 0,05", "is not a number"),
        ("-train corpus.txt -classes -1", "-1 is below 0"),
        ("-train corpus.txt -size", "expected one argument"),
        ("-train corpus.txt -epochs 3", "unknown option -epochs"),
        ("-train corpus.txt --size 3", "unknown option --size"),
        ("-train corpus.txt -outp v", "unknown option -outp"),
        ("-train corpus.txt -hx", "unknown option -hx"),
        ("-train corpus.txt vectors.bin", "unrecognized arguments"),
    ],
)
def test_wrong_usage_ends_with_2(room, run, capsys, flags, message):
    assert message in wrong_usage(run, capsys, f"word2vec {flags}")


def test_word2vec_alone_shows_its_options(run):
    out = run("word2vec")
    for flag in ["train", "output", "size", "window", "sample", "hs", "negative", "threads", "iter", "min-count"]:
        assert re.search(f"^  -{flag}[ ,]", out, re.MULTILINE)  # since Python 3.13 a comma parts names
    assert "w2v word2vec -train text.txt" in out


@pytest.mark.parametrize("name", c_tools.COMMANDS)
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_has_examples(run, capsys, name, flag):
    with pytest.raises(SystemExit) as exit:
        run(f"{name} {flag}")
    assert exit.value.code == 0
    assert f"examples:\n  w2v {name} " in capsys.readouterr().out


# --- distance, word-analogy -------------------------------------------------------------------------------------

WORDS = ["</s>", "east", "north", "northeast", "west", "far", "nil"]
VECTORS = np.float32([[0, -1], [2, 0], [0, 3], [1, 1], [-1, 0], [4, 2], [0, 0]])
HEAD = " " * 46 + "Word       Cosine distance\n" + "-" * 72 + "\n"
ANALOGY_HEAD = " " * 46 + "Word              Distance\n" + "-" * 72 + "\n"
PROMPT = "Enter word or sentence (EXIT to break): "
ANALOGY_PROMPT = "Enter three words (EXIT to break): "


def table(*rows):
    return "".join(f"{word:>50}\t\t{number}\n" for word, number in rows)


EAST = (
    "\nWord: east  Position in vocabulary: 1\n\n"
    + HEAD
    + table(("far", "0.894427"), ("northeast", "0.707107"), ("</s>", "0.000000"), ("north", "0.000000"))
)
BOTH = (
    "\nWord: east  Position in vocabulary: 1\n\nWord: north  Position in vocabulary: 2\n\n"
    + HEAD
    + table(("northeast", "1.000000"), ("far", "0.948683"), ("</s>", "-0.707107"), ("west", "-0.707107"))
)
UNKNOWN = "\nWord: up  Position in vocabulary: -1\nOut of dictionary word!\n"
ANALOGY = (
    "\nWord: west  Position in vocabulary: 4\n\nWord: north  Position in vocabulary: 2\n"
    "\nWord: east  Position in vocabulary: 1\n\n" + ANALOGY_HEAD + table(("far", "1.000000"), ("northeast", "0.948683"))
)


@pytest.fixture
def compass(room):
    write_binary(room / "compass.bin", WORDS, VECTORS)
    return room


def test_distance_answers_once(compass, run):
    assert run("distance compass.bin east") == EAST
    assert run("distance compass.bin east north") == BOTH


def test_distance_asks_until_exit(compass, run):
    typed = "east\neast north\nup\neast up north\nEXIT\nnorth\n"
    known = EAST.split("\n\n")[0].removeprefix("\n")
    assert run("distance compass.bin", typed) == (
        PROMPT + EAST + PROMPT + BOTH + PROMPT + UNKNOWN + PROMPT + f"\n{known}\n" + UNKNOWN + PROMPT
    )


def test_distance_asks_until_the_end_of_its_input(compass, run):
    assert run("distance compass.bin", "east") == PROMPT + EAST + PROMPT + "\n"
    assert run("distance compass.bin", "\n \r\nEXIT\r\n") == PROMPT * 3


def test_nothing_is_near_a_zero_vector(compass, run):
    assert run("distance compass.bin nil").endswith("-\n")
    assert run("distance compass.bin east nil").endswith("-\n")


def test_forty_words_are_listed(room, run):
    write_binary(room / "many.bin", [f"w{i}" for i in range(60)], np.ones((60, 3), np.float32))
    lines = run("distance many.bin w5").splitlines()[5:]
    assert [line.split()[0] for line in lines] == [f"w{i}" for i in range(41) if i != 5]


def test_word_analogy_answers_once(compass, run):
    assert run("word-analogy compass.bin west north east") == ANALOGY


def test_word_analogy_asks_until_exit(compass, run):
    typed = "west north east\nwest\nup north east\nwest north east far\nEXIT\n"
    few = "Only 1 words were entered.. three words are needed at the input to perform the calculation\n"
    # A fourth word is looked up, and is no answer.
    more = ANALOGY.replace("lary: 1\n", "lary: 1\n\nWord: far  Position in vocabulary: 5\n")
    more = more.replace(table(("far", "1.000000")), "")
    assert run("word-analogy compass.bin", typed) == (
        ANALOGY_PROMPT + ANALOGY + ANALOGY_PROMPT + few + ANALOGY_PROMPT + UNKNOWN.replace("-1", "0")
        + ANALOGY_PROMPT + more + ANALOGY_PROMPT
    )  # fmt: skip
    assert run("word-analogy compass.bin", "") == ANALOGY_PROMPT + "\n"


def test_words_given_as_arguments_must_be_known(compass, run, capsys):
    with pytest.raises(KeyError, match="'up' is not among the 7 words"):
        run("distance compass.bin east up")
    with pytest.raises(KeyError, match="'up'"):
        run("word-analogy compass.bin east up west")
    assert "three words are needed" in wrong_usage(run, capsys, "word-analogy compass.bin east north")


@pytest.mark.parametrize("name", ["compass.txt", "compass.vec", "compass.txt.gz", "compass.safetensors", "compass.out"])
def test_the_name_tells_the_format_and_else_it_is_binary(compass, run, name):
    vectors = loaded("compass.bin", binary=True)
    if name.endswith(".safetensors"):
        vectors.save(name)
    else:
        vectors.save_word2vec_format(name, binary=name.endswith(".out"), sort_attr="count")
    assert run(f"distance {name} east") == EAST


def test_a_cut_character_hinders_nobody(room, run):
    (room / "cut.bin").write_bytes(b"2 1\n\xc3 \0\0\x80?\na \0\0\0@\n")
    assert run("distance cut.bin a").endswith(table(("\\xc3", "1.000000")))


def test_a_file_of_another_kind_is_an_error(room, run):
    with pytest.raises(FormatError):
        run("distance corpus.txt bread")
    with pytest.raises(FileNotFoundError):
        run("word-analogy missing.bin")


# --- compute-accuracy -------------------------------------------------------------------------------------------

NAN = re.compile("-?nan")


def slow_accuracy(words, vectors, threshold, text):
    """The definition, word by word and question by question."""
    words, vectors = words[: threshold or None], vectors[: threshold or None].astype(np.float64)
    upper = [word.encode().upper() for word in words]
    units = [vector / np.sqrt(vector @ vector) for vector in vectors]
    lines, tokens, section = [], text.split(), 0
    right, seen, totals, asked = [0, 0], [0, 0], [0, 0], 0

    def percent(part, whole):
        return f"{float(np.float32(part) / np.float32(whole) * np.float32(100)):.2f}" if whole else "nan"

    def close():
        if section:
            lines.append(f"ACCURACY TOP1: {percent(totals[0], totals[1] or 1)} %  ({totals[0]} / {totals[1] or 1})")
            parts = percent(sum(right), sum(seen)), percent(right[0], seen[0]), percent(right[1], seen[1])
            lines.append("Total accuracy: {} %   Semantic accuracy: {} %   Syntactic accuracy: {} % ".format(*parts))
        totals[:] = [0, 0]

    while tokens:
        if tokens[0].upper() in (b":", b"EXIT"):
            close()
            section += 1
            lines.append(f"{tokens[1].decode()}:")
            tokens = tokens[2:]
            continue
        question, tokens = [token.upper() for token in tokens[:4]], tokens[4:]
        asked += 1
        if any(word not in upper for word in question):
            continue
        a, b, c = (upper.index(word) for word in question[:3])
        best, answer = 0.0, None
        for row, unit in enumerate(units):
            if row not in (a, b, c) and (score := (units[b] - units[a] + units[c]) @ unit) > best:
                best, answer = score, row
        kind = int(section > 5)
        good = answer is not None and upper[answer] == question[3]
        right[kind] += good
        seen[kind] += 1
        totals[0] += good
        totals[1] += 1
    close()
    lines.append(f"Questions seen / total: {sum(seen)} {asked}   {percent(sum(seen), asked)} % ")
    return "\n".join(lines) + "\n"


def random_case(seed):
    """Words that are equal but for case, their vectors, and questions of which about half are answered rightly."""
    draw = np.random.default_rng(seed)
    words = list(dict.fromkeys("".join(draw.choice(list("abABéß"), draw.integers(1, 5))) for _ in range(400)))
    vectors = draw.normal(size=(len(words), 6)).astype(np.float32)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    spelling = [word.encode().upper() for word in words]
    lines = ["a b A B"]
    for section in range(8):
        lines.append(": capital of" + " no question" * (section == 3) if section == 3 else f": Section-{section}")
        for _ in range(0 if section == 4 else 25):
            asked = draw.integers(0, len(words), 4)
            first = [spelling.index(spelling[row]) for row in asked[:3]]
            scores = units @ (units[first[1]] - units[first[0]] + units[first[2]])
            scores[first] = -9
            question = [words[row] for row in asked]
            if draw.random() < 0.6:
                question[3] = words[scores.argmax()].swapcase() if draw.random() < 0.3 else words[scores.argmax()]
            lines.append(" ".join("unknown" if draw.random() < 0.02 else word for word in question))
    return words, vectors, "\n".join(lines).replace("capital of no question", "capital a b aa bb").encode()


@pytest.mark.parametrize("threshold", [0, 200, 5000])
@pytest.mark.parametrize("seed", [1, 2])
def test_accuracy_is_what_the_definition_says(room, run, monkeypatch, seed, threshold):
    words, vectors, text = random_case(seed)
    write_binary(room / "vectors.bin", words, vectors)
    expected = slow_accuracy(words, vectors, threshold, text)
    monkeypatch.setattr("w2v.vectors.c_programs.WORDS_AT_ONCE", 37)
    monkeypatch.setattr("w2v.vectors.c_programs.QUESTIONS_AT_ONCE", 11)
    out = run(f"compute-accuracy vectors.bin {threshold}", text)
    assert NAN.sub("nan", out) == expected
    assert re.search(r"TOP1: [1-9]", out)
    (room / "questions").write_bytes(text)
    assert run(f"compute-accuracy vectors.bin -questions questions {threshold}") == out
    loaded("vectors.bin", binary=True).save("vectors.safetensors")
    assert run(f"compute-accuracy vectors.safetensors {threshold} --questions questions") == out


PLANE_WORDS = ["man", "KING", "woman", "queen", "Queen", "king", "low"]
PLANE = np.float32([[1, 0, 0], [1, 0, 1], [0, 1, 0], [0, 1, 1], [0, 1, 1], [1, 0, 0], [-1, -1, -1]])


@pytest.fixture
def plane(room):
    write_binary(room / "plane.bin", PLANE_WORDS, PLANE)
    return room


def test_accuracy_prints_the_lines_of_the_c_program(plane, run):
    out = run("compute-accuracy plane.bin", ": one\nman king woman queen\nMAN King Woman KING\nman x woman queen\n")
    assert NAN.sub("nan", out) == (
        "one:\n"
        "ACCURACY TOP1: 50.00 %  (1 / 2)\n"
        "Total accuracy: 50.00 %   Semantic accuracy: 50.00 %   Syntactic accuracy: nan % \n"
        "Questions seen / total: 2 3   66.67 % \n"
    )


def test_the_sixth_section_is_the_first_syntactic_one(plane, run):
    text = "".join(f": s{i}\n" for i in range(1, 6)) + "man king woman queen\n: s6\nman king woman king\n"
    assert run("compute-accuracy plane.bin", text).endswith(
        "s5:\nACCURACY TOP1: 100.00 %  (1 / 1)\n"
        "Total accuracy: 100.00 %   Semantic accuracy: 100.00 %   Syntactic accuracy: nan % \n"
        "s6:\nACCURACY TOP1: 0.00 %  (0 / 1)\n"
        "Total accuracy: 50.00 %   Semantic accuracy: 100.00 %   Syntactic accuracy: 0.00 % \n"
        "Questions seen / total: 2 2   100.00 % \n".replace("nan", NAN.search(c_programs._percent(0, 0))[0])
    )


def test_an_empty_section_counts_as_one_question(plane, run):
    out = run("compute-accuracy plane.bin", ": empty")
    assert "ACCURACY TOP1: 0.00 %  (0 / 1)\n" in out
    assert NAN.sub("nan", out).endswith("Questions seen / total: 0 0   nan % \n")
    assert NAN.sub("nan", run("compute-accuracy plane.bin")) == "Questions seen / total: 0 0   nan % \n"


def test_questions_before_a_section_count_in_the_totals_alone(plane, run):
    assert run("compute-accuracy plane.bin", "man king woman queen") == "Questions seen / total: 1 1   100.00 % \n"


def test_the_threshold_hides_words(plane, run):
    text = ": one\nman king woman queen\n"
    assert "(1 / 1)" in run("compute-accuracy plane.bin 4", text)
    assert "Questions seen / total: 0 1   0.00 % " in run("compute-accuracy plane.bin 3", text)


def test_an_answer_must_be_nearer_than_a_right_angle(room, run):
    write_binary(room / "v.bin", ["a", "b", "c", "d"], np.float32([[0, 1], [1, 0], [1, 1], [-1, 0]]))
    assert "(0 / 1)" in run("compute-accuracy v.bin", ": one\na b c d\n")


def test_a_zero_vector_answers_nothing_and_is_no_answer(room, run):
    words = ["a", "b", "c", "d", "zero"]
    write_binary(room / "v.bin", words, np.float32([[1, 0], [0, 1], [0, 1], [0, 1], [0, 0]]))
    assert "(1 / 1)" in run("compute-accuracy v.bin", ": one\na b c d\n")
    assert "(0 / 2)" in run("compute-accuracy v.bin", ": one\nzero b c d\na b c zero\n")


def test_of_equal_answers_the_first_counts(room, run):
    vectors = np.float32([[1, 0], [0, 1], [0, 1], [0, 1], [0, 1]])
    write_binary(room / "v.bin", ["a", "b", "c", "d", "e"], vectors)
    assert "(1 / 2)" in run("compute-accuracy v.bin", ": one\na b c d\na b c e\n")


def test_only_ascii_letters_are_folded(room, run):
    write_binary(room / "v.bin", ["a", "b", "c", "é", "É"], np.float32([[1, 0], [0, 1], [0, 1], [0, 1], [0.1, 1]]))
    out = run("compute-accuracy v.bin", ": one\nA b C é\nA b C É\n")
    assert "(1 / 2)" in out


def test_a_question_cut_short_is_an_error(plane, run):
    with pytest.raises(ValueError, match="end with 'man king'; a question has four words"):
        run("compute-accuracy plane.bin", ": one\nman king woman queen\nman king\n")


@pytest.mark.parametrize("line", ["plane.bin -1", "plane.bin 3e4", "plane.bin 5 6", "plane.bin -quest q", ""])
def test_wrong_usage_of_compute_accuracy_ends_with_2(plane, run, capsys, line):
    wrong_usage(run, capsys, f"compute-accuracy {line}")


def test_shares_are_rounded_as_in_c():
    assert c_programs._percent(1, 3) == "33.33"
    assert c_programs._percent(3956, 19544) == "20.24"
    assert c_programs._percent(7, 7) == "100.00"


def test_the_command_line_knows_the_four_programs(room, capsys):
    assert {name: purpose for name, (_, purpose) in c_tools.COMMANDS.items()} == program.C_TOOLS
    assert program.main(["word2vec", "-train", "nowhere.txt", "-output", "vectors.bin"]) == 1
    assert "nowhere.txt" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stopped:
        program.main(["word2vec", "-tra", "nowhere.txt"])
    assert stopped.value.code == 2


def test_words_are_shown_without_control_characters(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    vectors = KeyedVectors(2)
    vectors.add_vectors(["red\x1b[31m", "a\nb", "plain"], np.array([[1, 0], [1, 0.1], [1, 0.2]], np.float32))
    vectors.save("odd.safetensors")
    Path("questions.txt").write_text(": \x1b[2J\nplain plain plain plain\n")
    for line in [
        "distance odd.safetensors 'red\x1b[31m'",
        "word-analogy odd.safetensors plain 'a\nb' 'red\x1b[31m'",
        "compute-accuracy odd.safetensors -questions questions.txt",
    ]:
        printed = run(line)
        assert "\x1b" not in printed
        assert r"\x1b" in printed
        assert "a\nb" not in printed


def test_a_word_that_is_misspelt_is_told_the_nearest(compass):
    with pytest.raises(KeyError) as error:
        c_tools.distance(["compass.bin", "eastt"])
    assert messages.message_of(error.value, c_tools.FLAGS).endswith("; close to it: 'east'")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("-size 0", "w2v: error: -size 0 must be at least 1\n"),
        ("-threads 0", "w2v: error: -threads 0 would train nothing; use 1 or more, or -1 for all cores\n"),
        ("-min-count 9999", "; lower -min-count or add text\n"),
    ],
)
def test_errors_speak_of_the_options(room, capsys, flags, said):
    assert program.main(shlex.split(f"word2vec -train corpus.txt -output v.bin -debug 0 {flags}")) == 1
    printed = capsys.readouterr().err
    assert printed.endswith(said)
    assert "=" not in printed


@pytest.mark.parametrize("command", ["distance", "word-analogy", "compute-accuracy"])
def test_a_closed_standard_input_is_an_error(compass, capsys, monkeypatch, command):
    monkeypatch.setattr(sys, "stdin", None)
    assert program.main([command, "compass.bin"]) == 1
    assert capsys.readouterr() == ("", "w2v: error: standard input is closed; give it a text, or name a file\n")
