"""Documents about known topics, and models of known vectors."""

import random

import numpy as np

from w2v import Doc2Vec

SUBJECTS = {
    "water": "river lake boat water fish shore wave harbour sail anchor",
    "baking": "bread flour oven dough yeast baker crust butter salt loaf",
    "court": "king queen palace crown throne prince duke guard castle knight",
}
FAST = {"vector_size": 24, "sample": 0, "window": 5, "epochs": 15, "workers": 2, "progress": False}


def planted(documents=90, words=12, seed=3):
    """Documents of the three subjects in turn, and the subject of each."""
    draw = random.Random(seed)
    names = list(SUBJECTS)
    labels = [names[number % len(names)] for number in range(documents)]
    return [draw.choices(SUBJECTS[label].split(), k=words) for label in labels], labels


def model_of(vectors):
    """A model whose documents have these vectors, and whose words are few."""
    vectors = np.asarray(vectors, np.float32)
    documents = [(["one", "two", "three"], [number]) for number in range(len(vectors))]
    from w2v import TaggedDocument

    made = Doc2Vec(
        [TaggedDocument(*document) for document in documents],
        vector_size=vectors.shape[1],
        dm=0,
        dbow_words=1,
        min_count=1,
        epochs=1,
        workers=1,
    )
    made.dv.vectors[:] = vectors
    return made


def blobs(*sizes, size=8, spread=0.15, seed=1):
    """Unit vectors around axes, so many around each."""
    draw = np.random.default_rng(seed)
    rows = np.concatenate([np.eye(size)[axis] + draw.normal(size=(n, size)) * spread for axis, n in enumerate(sizes)])
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
