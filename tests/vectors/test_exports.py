"""Vectors in other tools: each opens what we write, and finds the same neighbours by the same cosines."""

import json
import subprocess
import sys

import numpy as np
import pytest

from w2v import KeyedVectors, SearchIndex, Word2Vec, tokenize
from w2v.vectors.embedder import mean_of_words

WORDS = [f"word{row}" for row in range(60)] + ["été", "new_york"]


def some_vectors(size=24):
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(len(WORDS), size)).astype(np.float32)
    return KeyedVectors.from_arrays(WORDS, vectors, {"count": np.arange(len(WORDS), 0, -1)})


def assert_same_cosines(vectors, matrix):
    """Rows of another tool, in our order: the same cosines to 1e-5, and ten words with the same neighbours."""
    units = np.asarray(matrix, np.float64)
    units = units / np.linalg.norm(units, axis=1, keepdims=True)
    for word in vectors.index_to_key[:10]:
        cosines = units @ units[vectors.key_to_index[word]]
        cosines[vectors.key_to_index[word]] = -2
        order = np.argsort(-cosines, kind="stable")[:5]
        found = vectors.most_similar(word, topn=5)
        assert [vectors.index_to_key[row] for row in order] == [name for name, _ in found]
        assert np.allclose(cosines[order], [cosine for _, cosine in found], atol=1e-5)


def test_a_model_card_says_corpus_settings_fingerprint_and_scores(tmp_path):
    model = Word2Vec([["a", "b|c"]] * 20, vector_size=4, min_count=1, workers=1, sample=0)
    model.save_model2vec(tmp_path / "m", {"scores": "WordSim-353 0.5"})
    card = (tmp_path / "m" / "README.md").read_text()
    for part in (
        "corpus | 40 words, 20 sentences, SHA-256",
        "vector_size=4",
        f"fingerprint | {model.fingerprint()}",
        "scores | WordSim-353 0.5",
        "library_name: model2vec",
    ):
        assert part in card


def test_model2vec_finds_the_same_neighbours(tmp_path):
    model2vec = pytest.importorskip("model2vec", reason="needs model2vec")
    vectors = some_vectors()
    vectors.save_model2vec(tmp_path / "m")
    static = model2vec.StaticModel.from_pretrained(str(tmp_path / "m"))
    assert_same_cosines(vectors, static.encode(WORDS))
    assert np.allclose(static.encode(["nothing known"]), 0)


def test_sentence_transformers_find_the_same_neighbours(tmp_path):
    library = pytest.importorskip("sentence_transformers", reason="needs sentence-transformers")
    vectors = some_vectors()
    vectors.save_model2vec(tmp_path / "m")
    assert_same_cosines(vectors, library.SentenceTransformer(str(tmp_path / "m"), device="cpu").encode(WORDS))


def test_finalfusion_finds_the_same_neighbours(tmp_path):
    finalfusion = pytest.importorskip("finalfusion", reason="needs finalfusion")
    vectors = some_vectors()
    vectors.save_finalfusion(tmp_path / "m.fifu")
    read = finalfusion.load_finalfusion(str(tmp_path / "m.fifu"))
    assert_same_cosines(vectors, np.stack([read[word] for word in WORDS]))


def test_spacy_finds_the_same_neighbours(tmp_path):
    spacy = pytest.importorskip("spacy", reason="needs spaCy")
    vectors = some_vectors()
    vectors.save_word2vec_format(tmp_path / "m.txt")
    command = [sys.executable, "-m", "spacy", "init", "vectors", "en", str(tmp_path / "m.txt"), str(tmp_path / "nlp")]
    subprocess.run(command, check=True, capture_output=True)
    vocabulary = spacy.load(tmp_path / "nlp").vocab
    assert_same_cosines(vectors, np.stack([vocabulary[word].vector for word in WORDS]))


def test_a_data_frame_has_the_vectors_by_their_words():
    pytest.importorskip("pandas", reason="needs pandas")
    vectors = some_vectors()
    frame = vectors.to_pandas()
    assert (frame.loc["été"].to_numpy() == vectors["été"]).all()
    assert frame.shape == vectors.vectors.shape
    assert_same_cosines(vectors, frame.to_numpy())
    frame.iloc[0] = 0
    assert vectors.vectors[0].any(), "a copy"


def test_a_table_of_parquet_holds_all_there_is(tmp_path):
    pytest.importorskip("pyarrow", reason="needs pyarrow")
    from pyarrow import parquet

    vectors = some_vectors()
    vectors.save_parquet(tmp_path / "m.parquet")
    table = parquet.read_table(tmp_path / "m.parquet")
    assert table.equals(vectors.to_arrow())
    assert table.column("word").to_pylist() == WORDS
    assert table.column("count").to_pylist() == list(range(len(WORDS), 0, -1))
    assert_same_cosines(vectors, np.stack(table.column("vector").to_numpy(zero_copy_only=False)))


@pytest.mark.parametrize(("name", "package"), [("to_pandas", "pandas"), ("to_arrow", "pyarrow")])
def test_a_missing_package_is_an_error_with_its_name(name, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModuleNotFoundError, match=f"needs {package}"):
        getattr(some_vectors(), name)()


def test_usearch_opens_an_index_and_finds_the_same_neighbours(tmp_path):
    usearch = pytest.importorskip("usearch.index", reason="needs usearch")
    vectors = some_vectors()
    SearchIndex(vectors, expansion=200).save(tmp_path / "m.usearch")
    index = usearch.Index.restore(str(tmp_path / "m.usearch"))
    words = [json.loads(line) for line in (tmp_path / "m.usearch.words.txt").read_text("utf-8").splitlines()]
    assert words == WORDS
    for word in WORDS[:10]:
        found = index.search(vectors.get_vector(word, norm=True), 6)
        expected = vectors.most_similar(word, topn=5)
        assert [words[key] for key in found.keys.tolist()[1:]] == [name for name, _ in expected]
        assert np.allclose(1 - found.distances[1:], [cosine for _, cosine in expected], atol=1e-5)


def test_a_document_is_the_mean_of_its_known_words():
    vectors = some_vectors()
    found = mean_of_words(vectors, [tokenize("Word1, word2 nothing WORD2"), []])
    expected = (vectors["word1"] + 2 * vectors["word2"].astype(np.float64)) / 3
    assert np.allclose(found[0], expected, atol=1e-6)
    assert not found[1].any()


def test_bertopic_takes_the_vectors_as_its_embedding_model():
    backend = pytest.importorskip("bertopic.backend", reason="needs BERTopic")
    from bertopic.backend._utils import select_backend

    vectors = some_vectors()
    embedder = vectors.to_bertopic()
    assert isinstance(embedder, backend.BaseEmbedder)
    assert select_backend(embedder) is embedder
    assert_same_cosines(vectors, embedder.embed_documents(WORDS))
    assert np.allclose(embedder.embed_words(["WORD3"])[0], vectors["word3"])
