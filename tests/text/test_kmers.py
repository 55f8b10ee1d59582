"""K-mers of sequences: beside a slow twin, for any blocks and readers, and errors that say where."""

import bz2
import gzip
import io
import lzma
import re
from types import SimpleNamespace

import kmer_twins as twins
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from w2v import CallbackAny2Vec, Doc2Vec, FastText, FormatError, Kmers, TaggedKmers, Word2Vec
from w2v.text import sequences
from w2v.text.kmers import Scheme
from w2v.tokens import encode, stream

POLICY = st.sampled_from(["keep", "skip", "split"])


@st.composite
def schemes(draw):
    alphabet = draw(st.sampled_from(["dna", "rna", "protein"]))
    k = draw(st.integers(1, 3))
    frames = draw(st.sampled_from(["sliding", "shifted"]))
    return Scheme(
        k=k,
        k_max=k if frames == "shifted" else k + draw(st.integers(0, 2)),
        alphabet=alphabet,
        frames=frames,
        strand="forward" if alphabet == "protein" else draw(st.sampled_from(twins_strands)),
        masked=draw(POLICY),
        ambiguous=draw(POLICY),
        stops=draw(POLICY),
        gaps=draw(POLICY),
        max_sentence_length=draw(st.integers(1, 6)),
        seed=draw(st.integers(0, 2**64 - 1)),
    )


twins_strands = ["forward", "both", "canonical", "random"]


@st.composite
def corpora(draw):
    scheme = draw(schemes())
    plain = twins.LETTERS[scheme.alphabet]
    letters = plain * 3 + plain.lower() + twins.OTHERS[scheme.alphabet] + "*-.n"
    texts = draw(st.lists(st.text(alphabet=letters, min_size=1, max_size=40), min_size=1, max_size=6))
    texts = [text if re.search(r"[^-.]", text) else text + plain[0] for text in texts]
    return scheme, texts


def as_fasta(texts, width):
    lines = []
    for number, text in enumerate(texts):
        lines.append(f">r{number} and more")
        lines += [text[at : at + width] for at in range(0, len(text), width)]
    return ("\n".join(lines) + "\n").encode()


QUALITIES = ">@+I@@+!~"


def as_fastq(texts, width=10**6):
    """FASTQ with lines of letters and of qualities, of which some begin as other lines do."""
    records = []
    for number, text in enumerate(texts):
        qualities = (QUALITIES[number:] + QUALITIES * len(text))[: len(text)]
        lines = [part[at : at + width] for part in (text, qualities) for at in range(0, len(part) or 1, width)]
        lines.insert(len(lines) // 2, f"+r{number}" if number % 2 else "+")
        records += [f"@r{number}", *lines]
    return "".join(line + "\n" for line in records).encode()


def kmers_of(source, scheme, kind=Kmers):
    return kind(source, **scheme._asdict())


def read_back(encoded, words):
    spans = zip(encoded.offsets[:-1], encoded.offsets[1:], strict=True)
    return [[words[int(token)] for token in encoded.tokens[a:b]] for a, b in spans]


@settings(max_examples=80, deadline=None)
@given(corpora(), st.integers(1, 50), st.integers(1, 60), st.sampled_from([1, 2, 3, 5]), st.booleans())
def test_kmers_are_those_of_the_slow_twin(corpus, width, block, readers, fastq):
    """Through blocks of any size, by any number of readers, from FASTA and FASTQ: words, counts, tokens, batches."""
    scheme, texts = corpus
    expected = [words for _, words in twins.sentences_of(texts, scheme)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sequences, "BLOCK", block)
        source = kmers_of(io.BytesIO(as_fastq(texts, width) if fastq else as_fasta(texts, width)), scheme)
        assert list(source) == expected
        assert list(kmers_of(texts, scheme)) == expected
        scan = encode.Scan(source, False, threads=readers)
        flat = [word for words in expected for word in words]
        assert scan.words() == list(dict.fromkeys(flat))
        assert dict(zip(scan.words(), scan.counts.tolist(), strict=True)) == {word: flat.count(word) for word in flat}
        assert (scan.text_words, scan.sentences) == (len(flat), len(expected))
        index = {word: number for number, word in enumerate(reversed(scan.words()))}
        assert read_back(scan.encode(index), list(index)) == expected
        batches = list(stream.whole_batches(source, False, index, 7, readers))
        assert [words for batch in batches for words in read_back(batch, list(index))] == expected


@pytest.fixture(scope="module")
def genome():
    draw = np.random.default_rng(5)
    texts = ["".join(draw.choice(list("ACGT" * 9 + "acgtN"), draw.integers(1, 30_000))) for _ in range(12)]
    return as_fasta(texts, 60)


PACKERS = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


def test_readers_and_compression_change_no_byte(genome, tmp_path, monkeypatch):
    monkeypatch.setattr(sequences, "BLOCK", 5000)
    hashes = set()
    for ending, pack in PACKERS.items():
        path = tmp_path / f"genome.fa{ending}"
        path.write_bytes(pack(genome))
        for readers in (1, 2, 3, 5) if ending in ("", ".gz") else (2,):
            scan = encode.Scan(Kmers(path, k=3, k_max=6, strand="random"), False, threads=readers)
            words = scan.words()
            hashes.add((scan.encode({word: at for at, word in enumerate(words)}).sha256(), tuple(words)))
    assert len(hashes) == 1


def test_a_line_of_any_length_is_read_in_bounded_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(sequences, "BLOCK", 100)
    path = tmp_path / "one.fa"
    path.write_bytes(b">chromosome\n" + b"ACGTT" * 4000)
    longest = 0

    class Watched(sequences.SequenceReader):
        def units(self, pool, most):
            nonlocal longest
            for unit in super().units(pool, most):
                longest = max(longest, len(unit.digits))
                yield unit

    monkeypatch.setattr("w2v.text.kmers.SequenceReader", Watched)
    scan = encode.Scan(Kmers(path, k=4, max_sentence_length=50), False)
    assert scan.text_words == 20_000 - 3
    assert longest <= 2 * 100 + 50 + 3


SMALL = {"vector_size": 8, "min_count": 1, "workers": 1, "epochs": 2, "seed": 3}


class Cut(CallbackAny2Vec):
    def on_epoch_end(self, model):
        raise KeyboardInterrupt


@pytest.mark.parametrize("family", [Word2Vec, FastText])
def test_models_train_on_kmers_as_on_their_strings(family, genome, tmp_path):
    path = tmp_path / "genome.fa"
    path.write_bytes(genome)
    corpus = Kmers(path, k=3, frames="shifted")
    options = SMALL | ({"bucket": 100} if family is FastText else {})
    assert family(corpus, **options).fingerprint() == family(list(corpus), **options).fingerprint()


def test_a_sequence_is_a_document_with_its_id_as_tag(genome, tmp_path):
    path = tmp_path / "genome.fa"
    path.write_bytes(genome)
    corpus = TaggedKmers(path, k=3, frames="shifted")
    model, slow = Doc2Vec(corpus, dm=0, **SMALL), Doc2Vec(list(corpus), dm=0, **SMALL)
    assert model.dv.index_to_key == [f"r{number}" for number in range(12)]
    assert model.fingerprint() == slow.fingerprint()
    assert np.array_equal(model.dv.vectors, slow.dv.vectors)
    streamed = Doc2Vec(corpus, dm=0, cache="none", **SMALL)
    assert np.array_equal(model.dv.vectors, streamed.dv.vectors)


def test_records_with_the_same_id_share_a_vector_with_a_warning(caplog):
    records = [("x", "ACGTACGT"), ("y", "ACGTTTGT"), ("x", "TTGTACGT")]
    model = Doc2Vec(TaggedKmers(records, k=3), dm=0, **SMALL)
    assert (model.dv.index_to_key, model.dv.get_vecattr("x", "doc_count")) == (["x", "y"], 2)
    assert "1 records have the id of an earlier one" in caplog.text


def test_deterministic_training_and_checkpoints_know_kmers(genome, tmp_path):
    path = tmp_path / "genome.fa"
    path.write_bytes(genome)
    corpus = Kmers(path, k=3, k_max=5, strand="both")
    one = Word2Vec(corpus, **SMALL | {"deterministic": True})
    two = Word2Vec(corpus, **SMALL | {"deterministic": True, "workers": 2})
    assert np.array_equal(one.wv.vectors, two.wv.vectors)
    with pytest.raises(KeyboardInterrupt):
        Word2Vec(corpus, checkpoint=tmp_path / "run", checkpoint_every=1, callbacks=[Cut()], **SMALL)
    resumed = Word2Vec.resume(tmp_path / "run")  # finds and reads the file by itself
    assert resumed.fingerprint() == Word2Vec(corpus, **SMALL).fingerprint()


def test_the_same_file_or_list_is_not_read_again(genome, tmp_path, monkeypatch):
    path = tmp_path / "genome.fa"
    path.write_bytes(genome)
    for source in (path, ["ACGTACGTAC" * 30]):
        model = Word2Vec(**SMALL)
        model.build_vocab(Kmers(source, k=3))
        with monkeypatch.context() as patch:
            patch.setattr(sequences, "_blocks", None)
            patch.setattr(sequences, "id_and_sequence", None)
            model.train(Kmers(source, k=3), total_examples=1, epochs=1)
        with pytest.raises(RuntimeError, match="no word"):
            model.train(Kmers(source, k=4), total_examples=1, epochs=1)  # other k-mers are another corpus


def test_what_can_be_read_once_is_read_once():
    corpus = Kmers(iter(["ACGTACGT"] * 5), k=3)
    Word2Vec(corpus, **SMALL)
    with pytest.raises(io.UnsupportedOperation, match="only once"):
        list(corpus)


def test_sequences_may_be_records_of_biopython_or_pairs():
    record = SimpleNamespace(id="x", seq=SimpleNamespace(__str__=lambda: ""))
    record.seq = type("Seq", (), {"__str__": lambda self: "ACGT"})()
    sentences = list(TaggedKmers([record, ("y", "CCCC"), "GGGG"], k=4))
    assert [(document.words, document.tags) for document in sentences] == [
        (["ACGT"], ["x"]),
        (["CCCC"], ["y"]),
        (["GGGG"], ["2"]),
    ]


# --- what is wrong with a file, and where ---------------------------------------------------------------------------

BROKEN = {
    b"ACGT\n": r"line 1 begins with 'ACGT",
    b"\n\nAC\n>x\nAC\n": r"line 3 begins with 'AC",
    b"": r"there is no record",
    b"\n\n": r"there is no record",
    b">x\n>y\nACGT\n": r"line 2, record 1 \('x'\): the record has no sequence",
    b">x\nACGT\n>y z\n\n": r"line 5, record 2 \('y'\): the record has no sequence",
    b">x\nAC\nA\0C\n": r"line 3, record 1 \('x'\): a NUL byte",
    b"\0": r"line 1 begins with a NUL byte",
    b">x\nAC\n>y\nACLT\n": r"line 4, record 2 \('y'\): 'L' is no letter of the alphabet 'dna'; alphabet='protein'",
    b">x\nACU\n": r"line 2, record 1 \('x'\): 'U' .*alphabet='rna' has it",
    b">x\nAC1\n": r"'1' is no letter of the alphabet 'dna'; is it a file of sequences",
    b">x\nA\xffC\n": r"the byte b'\\xff' is no letter",
    b">x\nAC>GT\n": r"'>' is no letter",
    b">" + b"x" * 3000: r"a header of more than 1,000 bytes",
    b"\xff\xfe>\0x\0": r"byte-order mark of UTF-16",
    b">x\rACGT\r": r"carriage return alone",
    b"\n\r\n>x\nACGT\nAC!\n": r"line 5, record 1 \('x'\): '!' is no letter",
    b"\n@x\nACGT\n+\nIII\n\n": r"line 5, record 1 \('x'\): there are not as many",
    b"@x\nACGT\n+\nIII\n": r"line 4, record 1 \('x'\): there are not as many qualities as letters",
    b"@x\nACGT\nACGT\nIIII\n": r"line 4, record 1 \('x'\): 'I' is no letter",
    b"@x\nACGT\nAC\n@y\nAC\n+\nII\n": r"line 4, record 1 \('x'\): the next record begins here, and no line with '\+'",
    b"@x\nAC\nGT\n+\nII\nI\n@y\nAC\n+\nII\n": r"line 5, record 1 \('x'\): there are not as many",
    b"@x\nAC\nGT\n+\n@I\n+II\n@y\nAC\n+\nII\n": r"line 5, record 1 \('x'\): there are not as many",
    b"@x\nAC\nGT\n+\n@I\n+I\n\n@y\nAC\n+\nII\n": r"line 7, record 1 \('x'\): .* begins with b'\\n', not",
    b"@x\nAC\n+\nII\n\n\r\n@y\nA!\n+\nII\n": r"line 5, record 1 \('x'\): .* begins with b'\\n', not",
    b"@x\nAC\nG!\n+\nIII\n": r"line 3, record 1 \('x'\): '!' is no letter",
    b"@x\nAC\nGT\n+\n": r"line 5, record 1 \('x'\): the file ends within the record",
    b"@x\nAC\n+\nII\nx\nAC\n+\nII\n": r"line 5, record 1 \('x'\): .* begins with b'x', not with '@'",
    b"@x\nAC\n+\nII\n@y\nACGT\n": r"record 2 \('y'\): the file ends within the record|record 1 .* file ends within",
    b"@x\nALC\n+\nIII\n": r"line 2, record 1 \('x'\): 'L' is no letter",
    b"@x\n\n+\n\n": r"record 1 \('x'\): the record has no sequence",
}


@pytest.mark.parametrize("data", BROKEN, ids=[str(data[:30]) for data in BROKEN])
@pytest.mark.parametrize("block", [7, 1 << 20])
def test_what_is_no_fasta_is_named_with_record_and_line(data, block, tmp_path, monkeypatch):
    monkeypatch.setattr(sequences, "BLOCK", block)
    monkeypatch.setattr(sequences, "LONGEST_HEADER", 1000)
    path = tmp_path / "broken.fa"
    path.write_bytes(data)
    with pytest.raises(FormatError, match=BROKEN[data]) as caught:
        encode.Scan(Kmers(path), False, threads=2)
    assert str(caught.value).startswith(f"{path}")


@pytest.mark.parametrize("ending", [".gz", ".xz", ".bz2"])
def test_a_file_cut_short_says_how_far_it_was_read(ending, genome, tmp_path):
    path = tmp_path / f"genome.fa{ending}"
    path.write_bytes(PACKERS[ending](genome)[:-20_000])
    with pytest.raises(FormatError, match=r"genome\.fa.*compressed data ends early, (after .*line|at its beginning)"):
        encode.Scan(Kmers(path), False, threads=2)


def test_lines_may_end_as_in_windows_and_hold_blanks(tmp_path):
    path = tmp_path / "x.fa"
    path.write_bytes(b"\xef\xbb\xbf\r\n>x y\r\nAC GT\r\n\r\nAC\tG\r\n")
    assert list(Kmers(path, k=3)) == [["ACG", "CGT", "GTA", "TAC", "ACG"]]


def test_a_folder_is_read_in_order_of_names(tmp_path):
    for name, sequence in (("b.fa", "CCCC"), ("a.fa.gz", "AAAA")):
        data = f">x\n{sequence}".encode()
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    assert list(Kmers(tmp_path, k=4)) == [["AAAA"], ["CCCC"]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 0}, "k=0"),
        ({"k": 4, "k_max": 3}, "k_max=3"),
        ({"k": 14}, "lower k"),
        ({"alphabet": "DNA"}, "alphabet='DNA'"),
        ({"frames": "shifted", "k_max": 5}, "needs one k"),
        ({"strand": "both", "alphabet": "protein"}, "no other strand"),
        ({"masked": "drop"}, "masked='drop'"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_wrong_parameters_are_refused_at_once(options, message):
    with pytest.raises(ValueError, match=message):
        Kmers(["ACGT"], **options)


def test_wrong_sources_are_refused_at_once(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        Kmers(tmp_path / "no.fa")
    with pytest.raises(TypeError, match="binary mode"):
        Kmers(io.StringIO(">x\nACGT"))
    with pytest.raises(TypeError, match="not from int"):
        Kmers(3)
    with pytest.raises(TypeError, match="sequence 1 is 5"):
        list(Kmers(["ACGT", 5]))


@settings(max_examples=30, deadline=None)
@given(schemes())
def test_numbers_and_words_of_kmers_are_inverse(scheme):
    numbers = np.arange(min(scheme.kmers, 2000))
    words = scheme.words(numbers)
    if scheme.strand == "canonical":
        own = np.array([word <= twins.other_strand(word, scheme.alphabet) for word in words])
        assert np.array_equal(scheme.numbers(words), np.where(own, numbers, -1))
    else:
        assert np.array_equal(scheme.numbers(words), numbers)
        assert len(set(words)) == len(words)
    assert scheme.numbers(["", "?" * scheme.k, "a" * scheme.k, "ß" * scheme.k]).tolist() == [-1] * 4
