"""gensim's translation matrices: their names, and what they give."""

from types import SimpleNamespace

import numpy as np
import pytest
from spaces import named, rotated_pair

from w2v import BackMappingTranslationMatrix, FormatError, TranslationMatrix
from w2v.align.translation import Space

PAIRS = [(f"w{n}", f"w{n}") for n in range(60)]


def test_words_are_translated_and_the_matrix_is_kept(tmp_path):
    source, target, turn = rotated_pair()
    model = TranslationMatrix(source, target, PAIRS)
    np.testing.assert_allclose(model.translation_matrix, turn, atol=1e-4)
    for options in ({}, {"gc": 1, "sample_num": 100}):
        found = model.translate(["w100", "w7"], topn=3, **options)
        assert [(word, answers[0], len(answers)) for word, answers in found.items()] == [
            ("w100", "w100", 3),
            ("w7", "w7", 3),
        ]
    model.save(tmp_path / "matrix")
    loaded = TranslationMatrix.load(tmp_path / "matrix")
    assert loaded.translation_matrix.tobytes() == model.translation_matrix.tobytes()
    assert loaded.translate("w5", 1, source_lang_vec=source, target_lang_vec=target) == {"w5": ["w5"]}
    with pytest.raises(FormatError, match="not a saved BackMapping"):
        BackMappingTranslationMatrix.load(tmp_path / "matrix")


def test_the_corrected_rank_is_that_of_its_definition():
    rng = np.random.default_rng(1)
    source, target = (named(rng.normal(size=(40, 6))) for _ in range(2))
    model = TranslationMatrix(source, target, PAIRS[:30], random_state=3)
    found = model.translate(["w1", "w2", "w3"], topn=40, gc=1, sample_num=25)
    others = ["w0", *source.index_to_key[4:]]
    words = ["w1", "w2", "w3", *(others[n] for n in np.random.RandomState(3).permutation(37)[:25])]
    asked = model.apply_transmat(Space.build(source, words)).mat
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (asked, target.vectors)]
    for number, word in enumerate(words[:3]):
        scores = []
        for row in unit[1]:
            cosines = unit[0] @ row
            scores.append((int((cosines > cosines[number]).sum()), -cosines[number]))
        assert found[word] == [f"w{row}" for row in sorted(range(40), key=scores.__getitem__)]


def test_documents_are_mapped_back():
    rng = np.random.default_rng(2)
    rows, shear = rng.normal(size=(30, 5)), rng.normal(size=(5, 4))
    tags = [f"d{n}" for n in range(30)]
    first = SimpleNamespace(dv=dict(zip(tags, rows @ shear, strict=True)))
    second = SimpleNamespace(dv=dict(zip(tags, rows, strict=True)))
    documents = [SimpleNamespace(tags=tag) for tag in tags]
    model = BackMappingTranslationMatrix(first, second, documents[:20])
    np.testing.assert_allclose(model.translation_matrix, shear, atol=1e-5)
    np.testing.assert_allclose(model.infer_vector(second.dv["d25"]), first.dv["d25"], atol=1e-4)


def test_what_cannot_be_done_is_an_error(tmp_path):
    source, target, _ = rotated_pair()
    model = TranslationMatrix(source, target)
    with pytest.raises(RuntimeError, match="call train first"):
        model.translate("w1")
    with pytest.raises(RuntimeError, match="call train first"):
        model.save(tmp_path / "matrix")
    with pytest.raises(ValueError, match="must be pairs"):
        model.train(["ab"])
    with pytest.raises(KeyError, match="nobody"):
        model.train([("nobody", "w1")])
    model.train(PAIRS)
    with pytest.raises(RuntimeError, match="needs sample_num="):
        model.translate("w1", gc=1)
    with pytest.raises(RuntimeError, match="call train first"):
        BackMappingTranslationMatrix(None, None).infer_vector(np.zeros(3))
    with pytest.raises(ValueError, match="tagged_docs is empty"):
        BackMappingTranslationMatrix(None, None, [])
