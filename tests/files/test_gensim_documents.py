"""gensim's Doc2Vec files: layouts without gensim, real files where it is installed, and contradictory ones."""

import pickle
import warnings

import numpy as np
import pytest
from gensim_pickles import (
    DOCUMENT_LAYOUTS,
    LOCKS,
    ROWS,
    SETTINGS,
    TAGS,
    Fakes,
    as_documents,
    documents_3_8,
    documents_4,
    documents_old,
    dump,
    matrix,
    model_4,
    spread,
)

from w2v import Doc2Vec, FormatError, KeyedVectors, Word2Vec


@pytest.fixture
def fakes(monkeypatch):
    return Fakes(monkeypatch)


def assert_is_the_model(model):
    assert model.dv.index_to_key == TAGS
    assert model.dv.vectors.tobytes() == ROWS.tobytes()
    assert model.dv.vectors_lockf.tolist() == LOCKS.tolist()
    assert model.wv.vectors.tobytes() == matrix().tobytes()
    assert model.syn1neg.tobytes() == matrix(start=50).tobytes()
    assert (model.dm, model.dbow_words, model.window, model.epochs) == (False, 1, SETTINGS["window"], 9)


@pytest.mark.parametrize("layout", DOCUMENT_LAYOUTS)
@pytest.mark.parametrize("protocol", [2, 4])
def test_documents_are_the_same_in_every_layout(fakes, tmp_path, layout, protocol):
    model = Doc2Vec.load(dump(DOCUMENT_LAYOUTS[layout](fakes), tmp_path / "m", protocol), allow_pickle=True)
    assert_is_the_model(model)
    model.save(tmp_path / "ours.safetensors")
    assert Doc2Vec.load(tmp_path / "ours.safetensors").fingerprint() == model.fingerprint()
    assert model.infer_vector(["lake", "boat"], epochs=2).any()


@pytest.mark.parametrize("layout", DOCUMENT_LAYOUTS)
def test_arrays_of_documents_lie_beside_the_file(fakes, tmp_path, layout):
    path, made = tmp_path / "m", DOCUMENT_LAYOUTS[layout](fakes)
    for name in ("dv", "docvecs"):
        if name in made.__dict__:
            spread(made.__dict__[name], f"{path}.{name}", [n for n in ("vectors_docs", "doctag_syn0") if n in
                   made.__dict__[name].__dict__] or ["vectors"])  # fmt: skip
    assert_is_the_model(Doc2Vec.load(dump(made, path), allow_pickle=True))
    assert len(list(tmp_path.glob("m.d*v*.npy"))) == 1


def test_pickles_of_documents_are_read_on_demand_alone(fakes, tmp_path):
    path = dump(documents_4(fakes), tmp_path / "m")
    with pytest.raises(FormatError):
        Doc2Vec.load(path)
    with pytest.raises(FormatError, match="dbow_words"):
        Word2Vec.load(path, allow_pickle=True)
    with pytest.raises(FormatError, match="word2vec"):
        Doc2Vec.load(dump(model_4(fakes), tmp_path / "words"), allow_pickle=True)
    assert KeyedVectors.load(path, allow_pickle=True).vectors.tobytes() == matrix().tobytes()


@pytest.mark.parametrize(
    ("make", "changes", "message"),
    [
        (documents_3_8, {"vectors_docs": matrix(3)}, "max_rawint=1 and 2 texts for 3 vectors"),
        (documents_3_8, {"vectors_docs": matrix(1)}, "2 tags that are text, some twice or more than the 1 vectors"),
        (documents_3_8, {"offset2doctag": ["a", "a"]}, "some twice"),
        (documents_3_8, {"offset2doctag": [1, 2]}, "no list of the tags that are text"),
        (documents_3_8, {"offset2doctag": None}, "no list of the tags"),
        (documents_3_8, {"vectors_docs": None}, "no vectors of documents"),
        (documents_3_8, {"vectors_docs": matrix(width=2)}, "vectors of 2 numbers for documents, and 3 for words"),
        (documents_3_8, {"vectors_docs": np.full((4, 3), np.nan)}, "NaN"),
        (documents_old, {"doctag_syn0_lockf": LOCKS[:3]}, "locks of documents"),
        (documents_4, {"vectors": matrix(3)}, "matrix of vectors"),
        (documents_4, {"index_to_key": [0, 5, "first", "zweites"]}, "do not agree"),
        (documents_4, {"index_to_key": [0, -1, "first", "zweites"], "key_to_index": {-1: 1, "first": 2, "zweites": 3}},
         "the tag -1 is no number of a row"),
    ],
)  # fmt: skip
def test_documents_that_contradict_themselves_are_refused(fakes, tmp_path, make, changes, message):
    with pytest.raises(FormatError, match=message):
        Doc2Vec.load(dump(make(fakes, **changes), tmp_path / "m"), allow_pickle=True)


def test_a_model_without_its_documents_says_so(fakes, tmp_path):
    with pytest.raises(FormatError, match="no vectors of documents"):
        Doc2Vec.load(dump(as_documents(fakes, model_4(fakes)), tmp_path / "m"), allow_pickle=True)


# --- with gensim ----------------------------------------------------------------------------------------------------

WAYS = [
    {"dm": 0},
    {"dm": 0, "dbow_words": 1, "hs": 1, "negative": 0},
    {"dm": 1},
    {"dm": 1, "dm_mean": 0},
    {"dm": 1, "dm_concat": 1},
]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_gensim_models_of_documents_go_on_here(tmp_path, way):
    theirs = pytest.importorskip("gensim.models.doc2vec")
    documents = [theirs.TaggedDocument(["human", "system", "trees"] * 5, [i, f"t{i % 2}"][i % 2 :]) for i in range(6)]
    if "dm_concat" in way:
        documents = [document._replace(tags=document.tags[:1]) for document in documents]
    made = theirs.Doc2Vec(documents, vector_size=4, window=3, min_count=1, epochs=2, workers=1, **way)
    made.save(str(tmp_path / "m"))
    model = Doc2Vec.load(tmp_path / "m", allow_pickle=True)
    assert model.dv.index_to_key == made.dv.index_to_key
    assert model.dv.vectors.tobytes() == made.dv.vectors.tobytes()
    assert model.wv.index_to_key == made.wv.index_to_key
    assert str(model)[8:12] == str(made)[8:12]
    model.train(documents, total_examples=6, epochs=1)
    assert model.infer_vector(["human", "trees"]).any()


OLD = ["doc2vec_old", "doc2vec_old_sep", "d2v-lee-v0.13.0", *(
    f"old_d2v_models/d2v_{version}.mdl"
    for version in ["0.12.0", "0.12.3", "0.13.4", "1.0.0", "2.3.0", "3.2.0", "3.3.0", "3.4.0"]
)]  # fmt: skip


class Bare:
    """Stands for any class of gensim; gensim 4 cannot read these files itself."""

    def __new__(cls, *args):
        return super().__new__(cls)


class Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        return type(name, (Bare,), {}) if module.startswith("gensim") else super().find_class(module, name)


@pytest.mark.parametrize("name", OLD)
def test_old_documents_are_what_python_unpickles(name):
    pytest.importorskip("gensim")
    from gensim.test.utils import datapath

    model = Doc2Vec.load(datapath(name), allow_pickle=True)
    with open(datapath(name), "rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an old name of a part of NumPy
        theirs = Unpickler(file, encoding="latin1").load()
    held = vars(theirs.docvecs)
    texts = held["offset2doctag"] if "offset2doctag" in held else held["index2doctag"]
    rows = held["vectors_docs"] if "vectors_docs" in held else held["doctag_syn0"]
    assert model.dv.index_to_key == [*range(len(rows) - len(texts)), *texts]
    assert np.array_equal(model.dv.vectors, rows)
    assert (model.window, model.sg, model.cbow_mean) == (theirs.window, theirs.sg, theirs.cbow_mean)
    assert model.infer_vector(model.wv.index_to_key[:3], epochs=2).any()
