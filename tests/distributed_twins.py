"""What tests of distributed training share: a corpus in files, small models, hashes, workers that die."""

import gzip
import hashlib

import numpy as np
from corpora import zipf_like

from w2v import Doc2Vec, Word2Vec
from w2v.distributed import SyncPolicy

SMALL = {"vector_size": 12, "min_count": 2, "epochs": 2, "workers": 1, "seed": 5, "sample": 1e-2}

# Rounds that are short enough for many of them, with syncs of some rows, more and all.
POLICY = SyncPolicy(words_per_round=100, hot_rows=2, max_rounds_unsynced=5)


def write_corpus(folder, files=6, words=700):
    """Files of the same text, one of them compressed."""
    for number in range(files):
        text = "".join(" ".join(sentence) + "\n" for sentence in zipf_like(words, seed=number)).encode()
        if number == 1:
            (folder / f"{number}.txt.gz").write_bytes(gzip.compress(text))
        else:
            (folder / f"{number}.txt").write_bytes(text)
    return folder


def whole_text(folder):
    """The files of a folder as one, in order."""
    parts = []
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        parts.append(gzip.decompress(data) if path.suffix == ".gz" else data)
    return b"".join(parts)


def new_model(family=Word2Vec, **options):
    more = {"dm": 0} if family is Doc2Vec else {}
    return family(**{**SMALL, **more, **options})


def digest(model):
    """SHA-256 of words, counts and all matrices."""
    found = hashlib.sha256("\n".join(model.wv.index_to_key).encode())
    found.update(np.ascontiguousarray(model.wv.expandos["count"], "<i8").data)
    for matrix in model.weights.named().values():
        found.update(np.ascontiguousarray(matrix).data)
    return found.hexdigest()


class Deaths:
    """Ends workers: a mapping of a call's number to the rank that dies there; calls of `method` alone are counted."""

    def __init__(self, at, method=None):
        self.at, self.method, self.calls, self.done = dict(at), method, 0, []

    def __call__(self, rank, method, args):
        if self.method is not None and method != self.method:
            return False
        self.calls += 1
        if self.at.get(self.calls) == rank:
            self.done.append((self.calls, rank, method))
            return True
        if self.calls in self.at:  # not this one's turn: the next call of that worker it is
            self.at[self.calls + 1] = self.at.pop(self.calls)
        return False
