"""Vectors of sequences, beside plain sums; the published files; presets; clusters, checks and controls."""

import gzip
import math
import os
from collections import Counter
from itertools import product
from types import SimpleNamespace

import kmer_twins as twins
import numpy as np
import pytest
from places import SHARED

from w2v import FormatError, KeyedVectors, Kmers, Word2Vec, bio
from w2v.bio.classifiers import PENALTIES, Ridge, nearest, standardised, turned
from w2v.bio.clusters import dealt
from w2v.bio.vectors import SIF_CONSTANT, first_component, scheme_of
from w2v.text import sequences
from w2v.text.kmers import Scheme

DATA = SHARED / "data" / "bio"
needs_data = pytest.mark.skipif(
    not DATA.exists() and os.environ.get("CI") != "true", reason=f"{DATA} is not there; it is not part of the project"
)


def random_sequences(letters, count, longest, seed=1):
    draw = np.random.default_rng(seed)
    return [(f"s{number}", "".join(draw.choice(list(letters), draw.integers(0, longest)))) for number in range(count)]


PROTEINS = random_sequences(twins.LETTERS["protein"] * 4 + "X", 30, 60)


@pytest.fixture(scope="module")
def proteins():
    return bio.ProtVec(PROTEINS[:20], vector_size=8, epochs=1, workers=1, seed=3)


def plain_kmers(text, k):
    return [text[at : at + k] for at in range(len(text) - k + 1)]


# --- counts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("block", [40, 1 << 20])
def test_counts_are_those_of_a_dictionary(k, block, monkeypatch):
    monkeypatch.setattr(sequences, "BLOCK", block)
    genes = random_sequences("ACGT" * 5 + "NNacgt-", 40, 90)
    ids, kmers, counts = bio.kmer_counts(genes, k)
    assert ids == [name for name, _ in genes]
    assert kmers == ["".join(letters) for letters in product("ACGT", repeat=k)]
    for row, (_, text) in zip(counts.toarray(), genes, strict=True):
        pieces = "".join(letter for letter in text.upper() if letter != "-").split("N")
        found = Counter(word for piece in pieces for word in plain_kmers(piece, k))
        assert {kmer: count for kmer, count in zip(kmers, row.tolist(), strict=True) if count} == found


def test_canonical_counts_join_the_strands():
    _, kmers, counts = bio.kmer_counts(["AACGTT", "AAC", "GTT"], 3, strand="canonical")
    found = [{kmer: n for kmer, n in zip(kmers, row, strict=True) if n} for row in counts.toarray().tolist()]
    assert found == [{"AAC": 2, "ACG": 2}, {"AAC": 1}, {"AAC": 1}]


def test_sequences_are_read_as_they_stand_and_shuffled():
    data = [("a", "ACgt-N*"), ("b", ""), ("c", "zz")]
    assert bio.read_sequences(data) == data
    mixed = bio.shuffled(PROTEINS, 5)
    assert [(name, sorted(text)) for name, text in mixed] == [(name, sorted(text)) for name, text in PROTEINS]
    assert mixed != PROTEINS
    assert mixed == bio.shuffled(PROTEINS, 5)


# --- vectors of sequences -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["sum", "mean", "sif", "frames"])
@pytest.mark.parametrize("unseen", ["skip", "zero", "mean"])
def test_vectors_of_sequences_are_plain_sums(how, unseen, proteins):
    wv, middle = proteins.wv, proteins.wv.vectors.mean(axis=0, dtype=np.float64)
    total = wv.expandos["count"].sum()
    expected, missing = [], 0
    for _, text in PROTEINS:
        frames = [plain_kmers(text, 3)[frame::3] for frame in range(3)] if how == "frames" else [plain_kmers(text, 3)]
        for words in frames:
            known = [word for word in words if word in wv]
            missing += len(words) - len(known)
            weight = {word: SIF_CONSTANT / (SIF_CONSTANT + wv.get_vecattr(word, "count") / total) for word in known}
            row = sum((wv[word].astype(float) * (weight[word] if how == "sif" else 1) for word in known), np.zeros(8))
            row = row + (len(words) - len(known)) * middle * (unseen == "mean")
            size = max(1, len(known) if unseen == "skip" else len(words))
            expected.append(row / size if how in ("mean", "sif") else row)
    expected = np.array(expected)
    if how == "sif":
        common = first_component(expected)
        expected -= np.outer(expected @ common, common)
    found = proteins.embed(PROTEINS, how, unseen=unseen)
    np.testing.assert_allclose(found.vectors.reshape(expected.shape), expected, atol=2e-6)
    assert missing > 0
    assert (found.unseen.sum(), found.kmers.sum()) == (missing, sum(max(0, len(text) - 2) for _, text in PROTEINS))
    assert found.ids == [name for name, _ in PROTEINS]


def test_threads_blocks_and_company_change_no_bit(proteins, tmp_path, monkeypatch):
    path = tmp_path / "some.fa.gz"
    path.write_bytes(gzip.compress("".join(f">{name}\n{text}\n" for name, text in PROTEINS).encode()))
    whole = proteins.embed(PROTEINS)
    for block in (7, 90, 1 << 20):
        monkeypatch.setattr(sequences, "BLOCK", block)
        for workers in (1, 2):
            assert proteins.embed(path, workers=workers).vectors.tobytes() == whole.vectors.tobytes()
    alone = np.concatenate([proteins.embed([record]).vectors for record in PROTEINS])
    assert alone.tobytes() == whole.vectors.tobytes()


def test_kmers_of_all_lengths_are_in_a_sum():
    model = bio.DNA2Vec(["ACGTACGTTGCA" * 8], k=2, k_max=4, vector_size=4, epochs=1, min_count=1, workers=1)
    text = "ACGTTGC"
    expected = sum(model.wv[word].astype(float) for k in (2, 3, 4) for word in plain_kmers(text, k) if word in model.wv)
    np.testing.assert_allclose(model.embed([text]).vectors[0], expected, rtol=1e-5)
    with pytest.raises(ValueError, match="one length"):
        model.embed([text], "frames")


def test_a_kmer_without_a_vector_is_an_error_or_by_policy(proteins):
    assert "WWW" not in proteins
    with pytest.raises(KeyError, match="'WWW' has no vector"):
        proteins.vector("WWW")
    assert not proteins.vector("WWW", unseen="zero").any()
    np.testing.assert_allclose(proteins.vector("WWW", unseen="mean"), proteins.wv.vectors.mean(axis=0), atol=1e-6)
    known = proteins.wv.index_to_key[0]
    assert np.array_equal(proteins[known.lower()], proteins.wv[known])
    assert proteins.cosine(known, known) == pytest.approx(1)


def test_a_canonical_kmer_stands_for_both_strands():
    model = bio.GeneVec(random_sequences("ACGT", 20, 80), strand="canonical", vector_size=4, workers=1, epochs=1)
    assert np.array_equal(model.vector("GTT"), model.vector("AAC"))
    forward, backward = "ACGTTGCAGG", twins.other_strand("ACGTTGCAGG", "dna")
    found = model.embed([forward, backward]).vectors
    assert np.array_equal(found[0], found[1])


def test_ids_name_vectors_and_must_differ(proteins):
    keyed = proteins.embed(PROTEINS).keyed()
    assert isinstance(keyed, KeyedVectors)
    assert keyed.index_to_key == [name for name, _ in PROTEINS]
    with pytest.raises(ValueError, match="1 ids occur more than once, such as 'x'"):
        proteins.embed([("x", "ACDE"), ("x", "ACDE")]).keyed()


def test_records_of_biopython_are_embedded(proteins):
    record = SimpleNamespace(id="name", seq="MKVLAAGIVG")
    found = proteins.embed(iter([record]))
    assert found.ids == ["name"]
    assert np.array_equal(found.vectors, proteins.embed(["MKVLAAGIVG"]).vectors)


# --- presets and files ----------------------------------------------------------------------------------------------


def test_a_preset_is_a_model_of_its_corpus():
    settings = {"k": 3, "alphabet": "protein", "frames": "shifted", "ambiguous": "keep", "seed": 4}
    texts = [record for record in PROTEINS if record[1]]
    slow = Word2Vec(
        list(Kmers(texts, **settings)), sg=1, vector_size=100, window=25, min_count=1, epochs=5, seed=4, workers=1
    )
    assert bio.ProtVec(texts, seed=4, workers=1).model.fingerprint() == slow.fingerprint()


@pytest.mark.parametrize("ending", [".safetensors", ".txt", ".bin", ".txt.gz", ".csv"])
def test_files_of_vectors_are_read_whoever_wrote_them(ending, proteins, tmp_path):
    path = tmp_path / f"vectors{ending}"
    if ending == ".safetensors":
        proteins.save(path)
    elif ending == ".csv":
        lines = ["words\t" + "\t".join(f"d{number}" for number in range(8))]
        for word in ["<unk>", *proteins.wv.index_to_key]:
            row = proteins.wv[word] if word in proteins.wv else np.zeros(8)
            lines.append(f'"{word}\t' + "\t".join(map(repr, row.tolist())) + '"')
        path.write_text("\n".join(lines))
    else:
        proteins.wv.save_word2vec_format(path, binary=ending == ".bin")
    found = bio.BioVectors.load(path)
    assert found.scheme[:3] == (3, 3, "protein")
    np.testing.assert_allclose(found.embed(PROTEINS).vectors, proteins.embed(PROTEINS).vectors, atol=1e-5)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("AAA\t1\t2\nAAC\t1\n", "line 2: 1 numbers, and not 2"),
        ("AAA\t1\nAAC\tx\n", "line 2: could not convert"),
        ("AAA\tnan\n", "line 1: a number is not finite"),
        ("AAA\t1\nAAA\t2\n", "line 2: the word 'AAA' has come before"),
        ("words\td1\n", "no vector in it"),
        ("", "no vector in it"),
    ],
)
def test_a_broken_table_is_named_with_its_line(lines, message, tmp_path):
    path = tmp_path / "protVec.csv"
    path.write_text(lines)
    with pytest.raises(FormatError, match=message):
        bio.BioVectors.load(path)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["ACG", "CGT", "ACGT"], {"k": 3, "k_max": 4, "alphabet": "dna", "strand": "forward"}),
        (["AAC", "ACG"], {"alphabet": "dna", "strand": "canonical"}),
        (["ACU", "GUU"], {"alphabet": "rna"}),
        (["MKV", "XKV", "<unk>", "</s>"], {"alphabet": "protein", "ambiguous": "keep", "stops": "split"}),
        (["MK*"], {"alphabet": "protein", "stops": "keep"}),
    ],
)
def test_words_say_which_kmers_they_are(words, expected):
    found = scheme_of(words)._asdict()
    assert {name: found[name] for name in expected} == expected


def test_words_that_are_no_kmers_are_refused():
    with pytest.raises(ValueError, match="none of 2 words is a k-mer"):
        bio.BioVectors(KeyedVectors.from_arrays(["river", "lake"], np.ones((2, 3), np.float32)))


# --- checks of dna2vec ----------------------------------------------------------------------------------------------


def slow_lcs(one, other):
    best = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            best[i + 1][j + 1] = best[i][j] + 1 if a == b else max(best[i][j + 1], best[i + 1][j])
    return best[-1][-1]


def test_common_subsequences_are_as_long_as_the_slow_twin_says():
    draw = np.random.default_rng(3)
    one, other = (["".join(draw.choice(list("ACGT"), 6)) for _ in range(300)] for _ in range(2))
    assert bio.lcs_lengths(one, other).tolist() == list(map(slow_lcs, one, other))


def of_letters(k_max):
    """Vectors that are the mean of fixed vectors of letters: alike k-mers are near, and sums are concatenations."""
    rows = dict(zip("ACGT", np.random.default_rng(2).normal(size=(4, 6)), strict=True))
    words = ["".join(letters) for k in range(1, k_max + 1) for letters in product("ACGT", repeat=k)]
    vectors = np.array([np.sum([rows[letter] for letter in word], axis=0) for word in words], np.float32)
    return bio.BioVectors(KeyedVectors.from_arrays(words, vectors))


def test_checks_find_what_is_planted_and_no_more():
    planted = of_letters(4)
    found = bio.alignment_check(planted, 4, pairs=500)
    assert found.low > 0.3
    assert found.low < found.value < found.high
    sums = bio.arithmetic_check(planted, 1, 2, pairs=200, topn=6)
    assert sums.found > 0.9 > 5 * sums.chance
    wv = planted.wv
    mixed = np.random.default_rng(4).permutation(wv.vectors)
    noise = bio.BioVectors(KeyedVectors.from_arrays(wv.index_to_key, mixed))
    found = bio.alignment_check(noise, 4, pairs=500)
    assert found.low < 0 < found.high
    sums = bio.arithmetic_check(noise, 1, 2, pairs=200, topn=6)
    assert abs(sums.found - sums.chance) < 0.15
    with pytest.raises(ValueError, match="of 4, 4 and 8 letters"):
        bio.arithmetic_check(planted, 4)


@needs_data
def test_the_published_correlation_is_recomputed():
    from scipy import stats

    rows = [line.split(",") for line in (DATA / "dna2vec" / "nw_cosine_scatter_v2.csv").read_text().split()]
    place = {name: at for at, name in enumerate(rows[0])}
    column = {name: [row[at] for row in rows[1:]] for name, at in place.items()}
    lengths = bio.lcs_lengths(column["kmer1"], column["kmer2"])
    assert np.array_equal(lengths, np.array(column["nw"], float))
    assert round(stats.spearmanr(lengths, np.array(column["cosine"], float))[0], 4) == 0.8306


@needs_data
def test_counts_of_the_contigs_equal_a_brute_force_count():
    folder = DATA / "dna2vec"
    files = sorted(folder.glob("*.fa"))
    for k in (3, 4, 5):
        expected, found = Counter(), Counter()
        for file in files:
            text = "".join(line for line in file.read_text().splitlines() if line[:1] != ">").upper()
            expected.update(word for word in plain_kmers(text, k) if "N" not in word)
            _, kmers, counts = bio.kmer_counts(file, k)
            found.update(dict(zip(kmers, counts.sum(axis=0).tolist(), strict=True)))
        assert found == expected
        assert len(expected) == 4**k


# --- clusters and controls ------------------------------------------------------------------------------------------


def families(draw, count, members, changed):
    """Families of sequences: each member is the founder with a share of its letters drawn anew."""
    letters, found, labels = list(twins.LETTERS["protein"]), [], []
    for family in range(count):
        founder = draw.choice(letters, 120)
        for member in range(members):
            text = np.where(draw.random(120) < changed, draw.choice(letters, 120), founder)
            found.append((f"{family}.{member}", "".join(text)))
            labels.append(f"family {family % 3}")
    return found, labels


def test_relatives_are_one_cluster_and_strangers_are_not():
    records, _ = families(np.random.default_rng(1), 8, 5, 0.2)
    found = bio.clusters_of(records, 0.5, alphabet="protein")
    assert found.tolist() == [number // 5 for number in range(40)]
    assert len(set(bio.clusters_of(records, 1.0, alphabet="protein"))) == 40
    # A short stranger has much in common with a long one, by chance alone, and is no relative of it.
    long = ("long", "".join(text for _, text in families(np.random.default_rng(2), 60, 1, 0)[0]))
    short = ("short", families(np.random.default_rng(3), 1, 1, 0)[0][0][1][:25])
    assert len(set(bio.clusters_of([long, short, *records], 0.3, alphabet="protein").tolist())) == 10


def test_the_estimate_of_identity_is_what_it_says():
    records, _ = families(np.random.default_rng(4), 2, 2, 0.3)
    sets = [set(plain_kmers(text, 3)) for _, text in records]
    often = Counter(text[at] for _, text in records for at in range(len(text) - 2))
    share = {letter: count / sum(often.values()) for letter, count in often.items()}
    small, large = sorted(sets[:2], key=len)
    chance = sum(math.prod(share.get(letter, 0) for letter in kmer) for kmer in large)
    estimate = ((len(small & large) / len(small) - chance) / (1 - chance)) ** (1 / 3)
    for threshold, groups in ((estimate - 1e-6, 1), (estimate + 1e-6, 2)):
        assert len(set(bio.clusters_of(records, threshold, alphabet="protein").tolist()[:2])) == groups
    assert len(set(bio.clusters_of(["ACD", "ACD", "ACE"], alphabet="protein").tolist())) == 2


def test_folds_keep_clusters_whole_and_labels_even():
    draw = np.random.default_rng(5)
    clusters, labels = draw.integers(0, 60, 300), draw.integers(0, 3, 300)
    clusters = np.unique(clusters, return_inverse=True)[1]
    folds = dealt(clusters, labels, 5, draw)
    assert all(len(set(folds[clusters == cluster])) == 1 for cluster in set(clusters))
    assert max(Counter(folds.tolist()).values()) - min(Counter(folds.tolist()).values()) < 15


def left_out_error(rows, labels, penalty):
    """The squared error of least squares with a penalty, fitted anew without each row; the bias is not penalised."""
    wanted, error = np.eye(3)[labels], 0.0
    for out in range(len(rows)):
        kept = np.arange(len(rows)) != out
        both = np.column_stack([rows[kept], np.ones(kept.sum())])
        most = np.diag([penalty] * rows.shape[1] + [0.0])
        weights = np.linalg.solve(both.T @ both + most, both.T @ wanted[kept])
        error += ((np.append(rows[out], 1) @ weights - wanted[out]) ** 2).sum()
    return error


@pytest.mark.parametrize("width", [4, 60])
def test_ridge_chooses_the_penalty_that_refitting_chooses(width):
    draw = np.random.default_rng(6)
    labels = np.repeat(np.arange(3), 8)
    rows = standardised(draw.normal(size=(24, width)) + 2 * labels[:, None] * (np.arange(width) < 2))
    model, again = Ridge(rows, labels, 3), turned(rows)
    penalties = PENALTIES * ((rows - rows.mean(axis=0)) ** 2).sum()
    errors = [left_out_error(rows, labels, penalty) for penalty in penalties]
    assert model.penalty == pytest.approx(penalties[np.argmin(errors)])
    np.testing.assert_allclose(again @ again.T, rows @ rows.T, atol=1e-9)
    assert np.array_equal(Ridge(again, labels, 3).predict(again), model.predict(rows))
    assert (model.predict(rows) == labels).mean() > 0.6


def test_the_nearest_is_that_of_the_highest_cosine():
    assert nearest(np.eye(3), np.array([5, 6, 7]), np.array([[0, 2.0, 1], [9, 0, 8]])).tolist() == [6, 5]


def test_a_verdict_is_given_against_the_strongest_control():
    records, labels = families(np.random.default_rng(2), 12, 6, 0.6)
    report = bio.evaluate(
        lambda some: bio.ProtVec(some, vector_size=16, epochs=2, workers=1), records, labels, repeats=2, threshold=0.5
    )
    names = {found.name for found in report.results}
    assert names == {
        "vectors", "length", "1-mer composition", "2-mer composition", "3-mer composition", "3-mer counts",
        "random projection of 3-mers", "vectors of shuffled sequences",
    }  # fmt: skip
    controls = [found for found in report.results if found.control]
    strongest = max(controls, key=lambda found: found.accuracy)
    assert report.claim.control == f"{strongest.name} ({strongest.classifier})"
    assert report.verdict() in str(report)
    assert report.result("length").accuracy < 0.4 < strongest.accuracy  # all are equally long
    own = max((found for found in report.results if not found.control), key=lambda found: found.accuracy)
    assert report.claim.difference == pytest.approx(own.accuracy - strongest.accuracy)
    assert report.claim.low <= report.claim.difference <= report.claim.high
    assert report.to_dict()["sequences"] == 72
    assert str(report) == str(
        bio.evaluate(
            lambda some: bio.ProtVec(some, vector_size=16, epochs=2, workers=1),
            records, labels, repeats=2, threshold=0.5,
        )
    )  # fmt: skip


def test_equal_sequences_are_kept_once_and_contradictions_not(proteins):
    records = [*PROTEINS[:12], PROTEINS[0], PROTEINS[1]]
    labels = ["a", "b"] * 6 + ["a", "a"]
    report = bio.evaluate(proteins, records, labels, folds=2, repeats=1)
    different = Counter(text for _, text in PROTEINS[:12])
    assert report.sequences == len(different) - 1
    with pytest.raises(ValueError, match="labels for"):
        bio.evaluate(proteins, records, labels[:-1])
    with pytest.raises(ValueError, match="of 1 classes"):
        bio.evaluate(proteins, PROTEINS[:12], ["a"] * 12)
    relatives, names = families(np.random.default_rng(1), 3, 4, 0.1)
    with pytest.raises(ValueError, match=r"threshold=0.4 leaves 3 groups for 5 folds"):
        bio.evaluate(proteins, relatives, names, threshold=0.4)
    assert not math.isnan(report.claim.p)


def test_a_scheme_is_of_the_words_of_its_training(proteins):
    assert proteins.scheme == Scheme(k=3, k_max=3, alphabet="protein", frames="shifted", ambiguous="keep", seed=3)
    assert repr(proteins).startswith("ProtVec<")
