"""How a model of documents grows and shrinks after its training."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from w2v import callbacks as hooks
from w2v.files.reading import Pathlike
from w2v.models import documents as tagged
from w2v.models import inference
from w2v.models.tagged import Tagged
from w2v.text.corpus import Corpus
from w2v.training import matrices, session
from w2v.vectors.lookup import check_list


class Growing(Tagged):
    """A model of documents that takes in new ones, and forgets tags, without moving any other vector."""

    def add_documents(
        self,
        documents: Iterable[Any] | None = None,
        corpus_file: Pathlike | None = None,
        *,
        epochs: int | None = None,
        start_alpha: float | None = None,
        end_alpha: float | None = None,
        learn_old_tags: bool = False,
        callbacks: Iterable[Any] = (),
    ) -> tuple[int, int]:
        """Give the new tags of documents their vectors, and train these alone: words, and other tags, stay as they are.

        ``build_vocab(documents, update=True)`` and `train` would learn new words, too, and move the old vectors.

        Parameters
        ----------
        documents, corpus_file
            As in the constructor. Words that the model does not know are left out.
        epochs, start_alpha, end_alpha : optional
            By default those of the model, which keeps its own.
        learn_old_tags : bool, default False
            Also train the tags of these documents that had a vector before.
        callbacks : iterable

        Returns
        -------
        trained_words, raw_words : int
            As of `train`.
        """
        corpus = Corpus.from_arguments(documents, corpus_file, tokenizer=self.tokenizer)
        self._check_something_to_train()
        self._check_update(True)
        plan = inference.Plan.of(self, epochs, start_alpha, end_alpha, None)
        callbacks, known = hooks.checked(callbacks), len(self.dv)
        own = self.corpus_count, self.corpus_total_words, self.epochs, self.alpha, self.min_alpha
        with self.activity.only("build_vocab"), self._all_or_nothing():
            self._at_once = True
            self.scan_vocab(documents, corpus_file)
            assert self._scan is not None
            (identity, scan), self._scan, self._at_once = self._scan, None, False
            self.record_digests()
            self.tokens.drop()
            self._take_tags(scan, True)
            self._grow_documents()
            if self.cache != "none":
                index = self.wv.key_to_index
                self.tokens.hold(identity, index, scan.encode(index, self.tag_rows()))
        try:
            self.epochs, self.alpha, self.min_alpha = plan.epochs, plan.alpha, plan.min_alpha
            self._learns_tags_from = 0 if learn_old_tags else known
            with self.activity.only("train"):
                return session.train(self, corpus, callbacks)
        finally:
            self._learns_tags_from = None
            self.corpus_count, self.corpus_total_words, self.epochs, self.alpha, self.min_alpha = own
            if self.runs:
                self.runs[-1]["repeatable"] = False  # by the settings alone

    def delete_documents(self, tags: Iterable[str | int]) -> None:
        """Forget tags and their vectors; all others keep theirs.

        Rows move up, so that an integer tag behind a deleted one is no longer the number of its row; it is found all
        the same.

        Raises
        ------
        KeyError
            A tag that is not known. Nothing is deleted then.
        """
        rows = self.dv.rows_of(check_list("tags", tags))
        left = np.ones(len(self.dv), bool)
        left[rows] = False
        kept = np.flatnonzero(left)
        keys = [self.dv.index_to_key[row] for row in kept.tolist()]
        vectors = matrices.new_matrix(len(kept), self.vector_size)
        if self.dv_mapfile is not None:
            vectors = matrices.mapped_matrix(self.dv_mapfile, len(kept), self.vector_size)
        np.take(self.dv.vectors, kept, axis=0, out=vectors)
        self.dv.allocate_vecattrs()
        counts = {name: values[kept] for name, values in self.dv.expandos.items()}
        locks = self.dv.vectors_lockf
        self.record_digests()
        self.tokens.drop()  # its tags are rows
        self.dv.take_over(keys, vectors, counts)
        self.dv.key_to_index = tagged.index_of(keys)
        self.dv.vectors_lockf = locks if len(locks) == 1 else locks[kept]
