"""A family of models of its own: skip-gram in which each sentence has a row beside the rows of its words."""

import numpy as np

from w2v.text.corpus import Corpus
from w2v.tokens.encode import Scan
from w2v.tokens.tags import Tags
from w2v.training import session
from w2v.training.settings import Settings
from w2v.training.trainable import Trainable
from w2v.training.weights import Weights
from w2v.vocabulary.vocabulary import Vocabulary, choose


class SentenceRows(Trainable):
    kind = "sentence_rows"

    def __init__(self, sentences, callbacks=(), checkpoint=None, checkpoint_every=1, **given):
        super().__init__()
        Settings(**given).assign_to(self)
        settings, corpus = self.settings(), Corpus.from_arguments(sentences, None)
        scan = Scan(*corpus)
        choice = choose(
            scan.counts,
            scan.words,
            min_count=settings.min_count,
            sample=settings.sample,
            max_final_vocab=settings.max_final_vocab,
            by_frequency=True,
        )
        words = scan.words(choice.places)
        self.vocabulary = Vocabulary(words, {word: row for row, word in enumerate(words)}, choice.counts)
        self.weights = Weights.new(
            len(words),
            settings.vector_size,
            settings.seed,
            negative=settings.negative > 0,
            hs=settings.hs == 1,
            documents=scan.sentences,
        )
        with session.checkpoint_folder(checkpoint, checkpoint_every, corpus, settings.cache) as writer:
            session.train(self, corpus, callbacks, writer)

    def parts(self, corpus, settings):
        parts = super().parts(corpus, settings)
        [encoded] = parts.encoded
        if encoded.tags is None:
            sentences = len(encoded.offsets) - 1
            one_each = Tags(np.arange(sentences, dtype=np.int32), np.arange(sentences + 1, dtype=np.int64))
            encoded = self.tokens.held = encoded._replace(tags=one_each)
        return parts._replace(encoded=[encoded])
