"""Pickles as gensim writes them, made without gensim: every layout, and what an attacker would write."""

import pickle
import struct
import sys
import types
from collections import defaultdict
from pathlib import Path

import numpy as np

WORDS = ["the", "größe", "lake", "boat"]
COUNTS = [40, 21, 10, 4]
FAKES = {
    "gensim": [],
    "gensim.models": [],
    "gensim.utils": [],
    "gensim.models.word2vec": ["Word2Vec", "Vocab", "Word2VecVocab", "Word2VecTrainables"],
    "gensim.models.keyedvectors": [
        "KeyedVectors",
        "Word2VecKeyedVectors",
        "Vocab",
        "FastTextKeyedVectors",
        "Doc2VecKeyedVectors",
    ],
    "gensim.models.doc2vec": ["Doc2Vec", "DocvecsArray", "Doctag", "Doc2VecVocab", "Doc2VecTrainables"],
    "gensim.models.fasttext": ["FastText", "FastTextKeyedVectors", "FastTextVocab", "FastTextTrainables"],
    "gensim.models.phrases": ["Phrases"],
    "gensim.models.lsimodel": ["LsiModel"],
}


class Fakes:
    """Classes under gensim's names, with attributes and no behaviour."""

    def __init__(self, monkeypatch):
        for name, classes in FAKES.items():
            module = types.ModuleType(name)
            for cls in classes:
                setattr(module, cls, type(cls, (), {"__module__": name}))
            monkeypatch.setitem(sys.modules, name, module)

        def call_on_class_only():
            raise AttributeError

        call_on_class_only.__module__, call_on_class_only.__qualname__ = "gensim.utils", "call_on_class_only"
        sys.modules["gensim.utils"].call_on_class_only = call_on_class_only

    def make(self, module, name, **attributes):
        made = getattr(sys.modules[f"gensim.models.{module}"], name)()
        made.__dict__.update(attributes)
        return made


def matrix(rows=4, width=3, start=0.0, dtype=np.float32):
    return (start + np.arange(rows * width)).reshape(rows, width).astype(dtype) / 8


LISTS = {"__numpys": [], "__scipys": [], "__ignoreds": [], "__recursive_saveloads": []}
SETTINGS = {
    "vector_size": 3, "alpha": 0.05, "min_alpha": 0.001, "window": 4, "min_count": 2, "max_vocab_size": None,
    "sample": 0.01, "seed": 7, "workers": 2, "sg": 1, "hs": 0, "negative": 6, "ns_exponent": 0.5, "cbow_mean": 0,
    "epochs": 9, "sorted_vocab": 1, "max_final_vocab": None, "batch_words": 1000, "compute_loss": True,
}  # fmt: skip
STATE = {"corpus_count": 5, "train_count": 1, "min_alpha_yet_reached": 0.01, "total_train_time": 0.5}


def vectors_4(fakes, **changes):
    return fakes.make(
        "keyedvectors", "KeyedVectors",
        **({
            "vector_size": 3, "index_to_key": list(WORDS), "next_index": 4, "vectors": matrix(), "norms": None,
            "key_to_index": {word: i for i, word in enumerate(WORDS)}, "mapfile_path": None,
            "expandos": {"count": np.array(COUNTS), "sample_int": np.array([9, 9, 9, 9], np.uint32)},
            "vectors_lockf": np.ones(1, np.float32),
        } | LISTS | changes),
    )  # fmt: skip


def model_4(fakes, **changes):
    return fakes.make(
        "word2vec", "Word2Vec",
        **(SETTINGS | STATE | LISTS | {
            "wv": vectors_4(fakes), "syn1neg": matrix(start=50), "raw_vocab": defaultdict(int), "hashfxn": hash,
            "layer1_size": 3, "comment": "no", "shrink_windows": False, "random": np.random.RandomState(3),
            "load": sys.modules["gensim.utils"].call_on_class_only, "effective_min_count": 2,
            "lifecycle_events": [{"event": "created", "datetime": "today"}],
        } | changes),
    )  # fmt: skip


def old_vocab(fakes, module):
    entries = zip(WORDS, COUNTS, range(4), strict=True)
    return {w: fakes.make(module, "Vocab", count=c, index=i, sample_int=7) for w, c, i in reversed(list(entries))}


def model_3_8(fakes):
    own = {"vector_size", "alpha", "min_alpha", "window", "workers", "sg", "hs", "negative", "cbow_mean", "epochs"}
    rest = {"batch_words", "compute_loss"}
    wv = {"vocab": old_vocab(fakes, "keyedvectors"), "index2word": list(WORDS), "vectors": matrix(), "vector_size": 3}
    inner = {name: value for name, value in SETTINGS.items() if name not in own | rest | {"seed"}}
    return fakes.make(
        "word2vec", "Word2Vec",
        wv=fakes.make("keyedvectors", "Word2VecKeyedVectors", vectors_norm=None, **wv, **LISTS),
        vocabulary=fakes.make("word2vec", "Word2VecVocab", raw_vocab=None, cum_table=np.arange(4), **inner),
        trainables=fakes.make(
            "word2vec", "Word2VecTrainables", seed=7, hashfxn=hash, layer1_size=3, syn1neg=matrix(start=50),
            vectors_lockf=np.ones(4, np.float32),
        ),
        callbacks=(), **{name: SETTINGS[name] for name in own | rest}, **STATE, **LISTS,
    )  # fmt: skip


def model_1(fakes, inside=False):
    content = {"vocab": old_vocab(fakes, "word2vec"), "index2word": list(WORDS), "syn0": matrix(), "syn0norm": None}
    held = {"wv": fakes.make("keyedvectors", "KeyedVectors", **content)} if inside else content
    settings = {"iter" if name == "epochs" else name: value for name, value in SETTINGS.items()}
    return fakes.make(
        "word2vec", "Word2Vec", **held, **settings, **STATE, syn1neg=matrix(start=50), layer1_size=3,
        syn0_lockf=np.ones(4, np.float32), neg_labels=np.array([1.0, 0.0]), hashfxn=hash,
    )  # fmt: skip


LAYOUTS = {"4": model_4, "3.8": model_3_8, "1": lambda fakes: model_1(fakes, inside=True), "0.12": model_1}


# --- models of documents -------------------------------------------------------------------------------------------

TAGS = [0, 1, "first", "zweites"]
ROWS = matrix(start=90)
LOCKS = np.array([1, 1, 0, 1], np.float32)
MODEL = {"dbow_words": 1, "dm_concat": 0, "dm_tag_count": 1}


def as_documents(fakes, made, **attributes):
    state = {**made.__dict__, **MODEL, **attributes}
    return fakes.make("doc2vec", "Doc2Vec", **state)


def documents_4(fakes, **changes):
    dv = vectors_4(
        fakes,
        **{
            "index_to_key": list(TAGS),
            "key_to_index": {"first": 2, "zweites": 3},
            "vectors": ROWS,
            "vectors_lockf": LOCKS,
            "expandos": {"doc_count": np.array([1, 1, 2, 1]), "word_count": np.array([3, 4, 5, 6])},
        }
        | changes,
    )
    return as_documents(fakes, model_4(fakes), dv=dv)


def documents_3_8(fakes, **changes):
    made = model_3_8(fakes)
    own = {
        **{"vectors": [], "vocab": {}, "vectors_docs": ROWS, "offset2doctag": TAGS[2:], "max_rawint": 1, "count": 4},
        **{"doctags": {tag: fakes.make("doc2vec", "Doctag", offset=n) for n, tag in enumerate(TAGS[2:])}, **LISTS},
    }
    trainables = {**made.trainables.__dict__, "vectors_docs_lockf": LOCKS}
    return as_documents(
        fakes,
        made,
        docvecs=fakes.make("keyedvectors", "Doc2VecKeyedVectors", **own | changes),
        vocabulary=fakes.make("doc2vec", "Doc2VecVocab", **made.vocabulary.__dict__),
        trainables=fakes.make("doc2vec", "Doc2VecTrainables", **trainables),
    )


def documents_old(fakes, texts="offset2doctag", **changes):
    own = {"doctag_syn0": ROWS, "doctag_syn0_lockf": LOCKS, texts: TAGS[2:], "doctags": {}, "count": 4, **LISTS}
    if texts == "offset2doctag":
        own["max_rawint"] = 1
    docvecs = fakes.make("doc2vec", "DocvecsArray", **own | changes)
    return as_documents(fakes, model_1(fakes, inside=texts == "offset2doctag"), docvecs=docvecs)


DOCUMENT_LAYOUTS = {
    "4": documents_4,
    "3.8": documents_3_8,
    "1": documents_old,
    "0.12": lambda fakes: documents_old(fakes, "index2doctag"),
}


def dump(value, path, protocol=4):
    Path(path).write_bytes(pickle.dumps(value, protocol))
    return path


def spread(made, path, names=("vectors", "syn1neg", "syn1", "vectors_lockf"), write=np.save, ending="npy"):
    """Move arrays out of an object into files beside it, as gensim does with large ones."""
    attributes = made.__dict__
    attributes["__recursive_saveloads"] = [name for name in ("wv", "trainables") if name in attributes]
    for name in attributes["__recursive_saveloads"]:
        spread(attributes[name], f"{path}.{name}", names, write, ending)
    attributes["__numpys"] = [name for name in names if name in attributes]
    for name in attributes["__numpys"]:
        write(f"{path}.{name}.{ending}", attributes.pop(name))
    return made


# --- layouts --------------------------------------------------------------------------------------------------------


W2V = b"cgensim.models.word2vec\nWord2Vec\n"
NUMBER = b"\x80\x02cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nU\x02f4K\x00K\x01\x87R(K\x03U\x01<tb"
HOSTILE = {
    "old opcodes that call": b"\x80\x02(U\x01xios\nsystem\n.",
    "an object from the stack": b"\x80\x02(cos\nsystem\nU\x01xo.",
    "a persistent id": b"\x80\x02U\x01xQ.",
    "the extension registry": b"\x80\x02\x82\x01.",
    "a state for a class": b"\x80\x02" + W2V + b"}b.",
    "a state for a list": b"\x80\x02]}b.",
    "a call of a string": b"\x80\x02U\x01x)R.",
    "a call with no tuple": b"\x80\x02" + W2V + b"]R.",
    "items for an object": b"\x80\x02" + W2V + b")\x81(K\x01e.",
    "keys for an object": b"\x80\x02" + W2V + b")\x81K\x01K\x01s.",
    "an odd number of keys and values": b"\x80\x02}(K\x01u.",
    "a list for a key": b"\x80\x02}]K\x01s.",
    "a tuple and a number for keys": b"\x80\x02}(K\x01N)Nu.",
    "a key of 520 bits": b"\x80\x02}\x8a\x40" + b"\x7f" * 64 + b"Ns.",
    "a million nested objects": b"\x80\x02" + W2V + b"q\x00" + b"h\x00)\x81" * 1_000_000 + b"b" * 999_999 + b".",
    "a million nested calls": b"\x80\x02" + W2V + b"q\x000)" + b"q\x01h\x00h\x01R\x85" * 1_000_000 + b".",
    "a million nested tuples for a type": (
        b"\x80\x02cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\n)" + b"\x85" * 1_000_000
        + b"\x85R(K\x03U\x01<tbU\x01x\x86R."
    ),
    "a million nested tuples for an encoding": (
        b"\x80\x02c_codecs\nencode\nX\x01\0\0\0x)" + b"\x85" * 1_000_000 + b"\x86R."
    ),
    "a million nested tuples for a key": b"\x80\x02})" + b"\x85" * 1_000_000 + b"Ns.",
    "a million nested tuples for a word": b"\x80\x02" + W2V + b")\x81}X\x02\0\0\0wv)" + b"\x85" * 1_000_000 + b"sb.",
    "a million nested lists": b"\x80\x02" + b"]" * 1_000_000 + b"a" * 999_999 + b".",
    "a list in itself": b"\x80\x02]q\x00h\x00a.",
    "an object that is its own state": b"\x80\x02" + W2V + b")\x81q\x00h\x00b.",
    "a model that holds itself": b"\x80\x02" + W2V + b")\x81q\x00}X\x02\0\0\0wvh\x00sb.",
    "a memo place far away": b"\x80\x02Nr\xff\xff\xff\x7f.",
    "a memo place that is empty": b"\x80\x02h\x05.",
    "a string of many bytes that are not there": b"\x80\x04\x8d" + b"\xff" * 7 + b"\x7fx.",
    "bytes that are not there": b"\x80\x04\x8e" + b"\xff" * 8 + b".",
    "a frame that is not there": b"\x80\x04\x95" + b"\xff" * 8 + b"N.",
    "an integer of a million bytes": b"\x80\x02\x8b\x40\x42\x0f\x00" + b"\x7f" * 1_000_000 + b".",
    "an integer of negative length": b"\x80\x02\x8b\xff\xff\xff\xff.",
    "an integer of a million digits": b"\x80\x02I" + b"9" * 1_000_000 + b"\n.",
    "an integer that is not there": b"\x80\x02\x8a\x05\x01",
    "an integer of a hundred digits": b"\x80\x02I" + b"9" * 100 + b"\n.",
    "an object made with keywords": b"\x80\x04" + W2V + b")}\x92.",
    "a number of too few bytes": NUMBER + b"U\x01x\x86R.",
    "a number of no bytes": NUMBER + b"K\x01\x86R.",
    "an integer of no digits": b"\x80\x02Ix\n.",
    "a string that is no UTF-8": b"\x80\x02X\x01\0\0\0\xff.",
    "an empty stack": b"\x80\x02.",
    "a pop too much": b"\x80\x020.",
    "no mark": b"\x80\x02t.",
    "an unknown protocol": b"\x80\x06N.",
    "protocol 0": b"\x80\x00N.",
    "more behind the end": b"\x80\x02N.N",
    "nothing": b"",
    "only a protocol": b"\x80\x02",
    "a large string encoded often": (
        b"\x80\x02X" + struct.pack("<i", 1 << 20) + b"x" * (1 << 20) + b"X\x06\0\0\0latin1\x86q\x000"
        + b"c_codecs\nencode\nq\x010" + b"h\x01h\x00R0" * 50_000 + b"N."
    ),
    "another encoding": b"\x80\x02c_codecs\nencode\nX\x01\0\0\0xX\x05\0\0\0rot13\x86R.",
}  # fmt: skip


# --- models of subwords -------------------------------------------------------------------------------------------

BUCKET = 10
NGRAMS = matrix(BUCKET, start=200)
LENGTHS = {"min_n": 3, "max_n": 5, "bucket": BUCKET, "compatible_hash": True}


def subwords_4(fakes, **changes):
    """Vectors of words with n-grams; the means are not kept."""
    held = vectors_4(fakes).__dict__ | LENGTHS | {"__ignoreds": ["vectors", "buckets_word"]}
    del held["vectors"]
    locks = {"vectors_vocab_lockf": np.ones(1, np.float32), "vectors_ngrams_lockf": np.ones(1, np.float32)}
    rows = {"vectors_vocab": matrix(), "vectors_ngrams": NGRAMS}
    return fakes.make("fasttext", "FastTextKeyedVectors", **(held | rows | locks | changes))


def fasttext_4(fakes, **changes):
    return fakes.make("fasttext", "FastText", **(model_4(fakes).__dict__ | {"wv": subwords_4(fakes, **changes)}))


def fasttext_3_8(fakes):
    """n-grams have rows in the order in which they were met; here those of odd numbers."""
    made = model_3_8(fakes).__dict__
    kept = {7: 0, 1: 1, 3: 2, 9: 3, 5: 4}
    wv = made["wv"].__dict__ | LENGTHS | {"hash2index": kept, "vectors_vocab": matrix()}
    wv["vectors_ngrams"] = NGRAMS[list(kept)]
    for name in ("vocabulary", "trainables"):
        made[name] = fakes.make("fasttext", f"FastText{name[:5].capitalize()}" if name == "vocabulary" else
                                "FastTextTrainables", **made[name].__dict__)  # fmt: skip
    made["trainables"].vectors_vocab_lockf = np.ones((4, 3), np.float32)
    return fakes.make("fasttext", "FastText", **made | {"wv": fakes.make("keyedvectors", "FastTextKeyedVectors", **wv)})
