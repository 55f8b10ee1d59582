"""Going on with a trained model when there is new text: its vocabulary grows, and what it knew is kept."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from w2v.common import checks
from w2v.files.reading import Pathlike
from w2v.models.word2vec import Word2Vec
from w2v.text.corpus import Corpus
from w2v.text.readers import LineSentence
from w2v.tokens.words import Sentences


def update(
    model: Word2Vec,
    corpus_iterable: Sentences | None = None,
    corpus_file: Pathlike | None = None,
    *,
    replay: Any = None,
    freeze_known: bool = False,
    epochs: int | None = None,
    **options: Any,
) -> tuple[int, int]:
    """Let a trained model learn new text, and the new words in it.

    It is ``build_vocab(corpus, update=True)`` and ``train``, with the choices that docs/combining.md measures: the
    learning rate begins where that of the first training did, counts add up, so that subsampling and noise are those of
    all text so far, and old words learn on.

    Parameters
    ----------
    model : Word2Vec
        It has been trained. What it learns goes into it.
    corpus_iterable, corpus_file
        The new text, as `Word2Vec.train` takes it.
    replay : path or iterable of token lists, optional
        The text that the model knows already, or a part of it. Of its sentences so many are drawn that they have as
        many words as the new text, and trained along with it: that keeps old words in their places among each other, as
        training on all text does, for the time of as much text again.
    freeze_known : bool, default False
        Leave the rows of all words that the model has as they are, to the bit, and fit new words in. Fast to trust, but
        new words then get less good vectors.
    epochs : int, optional
        By default those of the model.
    **options
        Further ones of `Word2Vec.train`, such as ``start_alpha``, ``callbacks`` or ``checkpoint``.

    Returns
    -------
    trained_words, raw_words : int
        As from `Word2Vec.train`.

    Raises
    ------
    RuntimeError
        The model has not been trained.
    ValueError, TypeError
        As from `Word2Vec.train`; and ``freeze_known`` with ``replay``, of which nothing could be learnt.
    """
    if not model.trained_epochs:
        raise RuntimeError("the model has not been trained, so there is nothing to update; give Word2Vec the corpus")
    if freeze_known and replay is not None:
        raise ValueError("replay trains the words that freeze_known=True leaves as they are; give one of the two")
    epochs = model.epochs if epochs is None else checks.integer("epochs", epochs, 1)
    corpus = Corpus.from_arguments(corpus_iterable, corpus_file, tokenizer=model.tokenizer)
    known = list(model.wv.index_to_key) if freeze_known else None
    with model._all_or_nothing():
        model.build_vocab(corpus_iterable, corpus_file, update=True)
        if known is not None and len(known) == len(model.wv):
            raise ValueError("the new text has no new words, and freeze_known=True leaves the others as they are")
    options = {"total_words": model.corpus_total_words, "epochs": epochs, "freeze": known, **options}
    if replay is None:
        return model.train(corpus_iterable, corpus_file, **options)
    is_file = isinstance(replay, str | bytes) or hasattr(replay, "__fspath__")
    earlier = Corpus.from_arguments(None if is_file else replay, replay if is_file else None, tokenizer=model.tokenizer)
    new, old = (LineSentence(text.source) if text.is_path else text.source for text in (corpus, earlier))
    return model.train(Mixed(new, old, model.seed), **options)


class Mixed:
    """Sentences of two texts, as many words of the second as of the first, in random order but each in its own.

    Parameters
    ----------
    first, second : iterables of token lists
        Can be read again.
    seed : int
    """

    def __init__(self, first: Any, second: Any, seed: int) -> None:
        self.first, self.second, self.seed = first, second, seed

    def __iter__(self) -> Iterator[Sequence[str]]:
        """The next sentence comes from where the larger share is left; of the second text, a random part is taken."""
        sizes = [_words(text) for text in (self.first, self.second)]
        rng = np.random.default_rng(self.seed)
        share = min(1.0, sizes[0] / max(1, sizes[1]))
        replayed = (sentence for sentence in self.second if rng.random() < share)
        yield from _interleaved(self.first, replayed, sizes[0], int(share * sizes[1]), rng)


def _words(text: Iterable[Sequence[str]]) -> int:
    return sum(map(len, text))


def _interleaved(
    first: Iterable[Sequence[str]], second: Iterable[Sequence[str]], left: int, other: int, rng: np.random.Generator
) -> Iterator[Sequence[str]]:
    """All sentences of both, drawn in proportion to the words that are left of each."""
    sides, words = [iter(first), iter(second)], [max(left, 1), max(other, 1)]
    while sides:
        turn = int(len(sides) > 1 and rng.random() * sum(words) >= words[0])
        sentence = next(sides[turn], None)
        if sentence is None:
            del sides[turn], words[turn]
            continue
        words[turn] = max(words[turn] - len(sentence), 1)
        yield sentence
