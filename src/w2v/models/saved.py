"""Files and pickles of models: what they hold of a model with its words in `wv`, and how it becomes one again."""

import os
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, BinaryIO, Self

import numpy as np

from w2v.common import checks, html
from w2v.files import native
from w2v.files.arrays import attributes_in
from w2v.files.reading import Pathlike
from w2v.models import model_file
from w2v.models.two_matrices import TwoMatrices
from w2v.terms.steps import arrays_of
from w2v.training import provenance as provenances
from w2v.training.provenance import MOST_WORDS
from w2v.training.provenance import NAMES as LEDGER_NAMES
from w2v.training.trainable import Contents, Trainable
from w2v.training.weights import Weights

if TYPE_CHECKING:
    class_only = classmethod
else:

    class class_only(classmethod):
        """A class method that an object does not have: ``model.load(path)`` would not change `model`."""

        def __get__(self, instance, owner=None):
            if instance is not None:
                raise AttributeError(f"load is called on the class: {type(instance).__name__}.load(path)")
            return super().__get__(instance, owner)


class Saved(TwoMatrices):
    """A model that a file or a pickle holds as a whole, without its encoded corpus."""

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        facts = {"words": len(self.wv), "vector size": self.vector_size, "epochs trained": self.trained_epochs}
        facts |= {"words of the corpus": self.corpus_total_words or 0, "sentences": self.corpus_count}
        return html.facts(type(self).__name__, facts)

    def save(
        self,
        fname_or_handle: Pathlike | BinaryIO,
        separately: object = None,
        sep_limit: int = 0,
        ignore: object = (),
        pickle_protocol: int = 0,
    ) -> str:
        """Write the whole model to one safetensors file, atomically; `load` gives it back, ready to train on.

        The other parameters are accepted for gensim's sake and ignored: there is one file, and no pickle.

        Returns
        -------
        str
            SHA-256 of the content; equal models give equal files.
        """
        if not isinstance(fname_or_handle, str | os.PathLike) and not hasattr(fname_or_handle, "write"):
            raise TypeError(f"fname_or_handle={fname_or_handle!r:.80} is neither a path nor a file open for writing")
        if not len(self.wv):
            raise RuntimeError("there is nothing to save yet; call build_vocab first")
        found = self.contents()
        found.meta["fingerprint"] = self.fingerprint()
        return native.write_native(fname_or_handle, *found)

    def save_model2vec(self, folder: Pathlike, facts: Mapping[str, object] | None = None) -> None:
        """Write the vectors of words as `KeyedVectors.save_model2vec` does, with a model card that says how they came.

        It names the corpus by its size and hash, the settings that are not the default, and the fingerprint.

        Parameters
        ----------
        folder : path-like
        facts : mapping, optional
            More rows of the table, such as the name of the corpus and scores.
        """
        self.wv.save_model2vec(folder, {**model_file.facts_of(self), **(facts or {})})

    def contents(self) -> Contents:
        """What a file of this model holds; see `Trainable.contents`."""
        self._check_matrices(self.settings())
        self._check_state()
        found = super().contents()
        found.arrays.update({f"attr.{name}": values for name, values in self.wv.expandos.items() if name != "count"})
        found.arrays.update(self.wv.attachments() | arrays_of(self))
        found.meta["state"] |= {name: getattr(self, name) for name in model_file.STATE}
        return found

    @class_only
    def load(
        cls,
        fname: Pathlike,
        mmap: bool | str | None = None,
        rethrow: bool = False,
        *,
        allow_pickle: bool | None = None,
    ) -> Self:
        """Read a model written by `save`.

        Parameters
        ----------
        fname : path
        mmap : bool or 'r', optional
            Map the matrices read-only instead of reading them; training copies them first.
        rethrow : ignored
        allow_pickle : bool, default False
            Read a model that gensim has pickled, too, with its .npy files; see `w2v.files.gensim_pickle`. No code in
            such a file is run, but one that was made to do harm can still fill the memory.

        Raises
        ------
        FormatError
            If the file is not a model of ours, or is damaged.
        AttributeError
            If it holds vectors alone; use `KeyedVectors.load`.
        """
        checks.one_of("mmap", mmap, (None, False, True, "r"))
        model: Self = cls.of_contents(os.fspath(fname), model_file.read(fname, mmap, allow_pickle))
        return model

    def take_contents(self, contents: Contents) -> None:
        """Become the model whose `contents` these are."""
        settings, state, arrays = contents.meta["settings"], contents.meta["state"], contents.arrays
        # Other parameters are no settings: with corpus_file, a file could have any other file read and trained on.
        for name in settings:
            checks.one_of("setting", name, [*self.settings_class.named(saved=True), "batch_words"])
        self._of_settings(settings)
        self.take_step_arrays(arrays)
        for name in [*model_file.STATE, *provenances.SAVED]:
            setattr(self, name, state[name])
        self.total_train_time = state.get("total_train_time", 0.0)
        attributes = attributes_in(arrays)
        self.wv.take_over(contents.words, arrays["vectors"], {**attributes, "count": arrays["vocab.counts"]})
        self.wv.with_attachments(arrays, self.kind)
        self._take_arrays(contents)
        self._check_state()
        self._check_matrices(self.settings())

    def _take_arrays(self, contents: Contents) -> None:
        """Take over the matrices of a file; its words are in `wv`."""
        self.weights, self._trained_words = Weights.of_named(contents.arrays, self.tied), self.wv.index_to_key

    def _of_settings(self, settings: dict[str, Any]) -> None:
        """Become an untrained model of these settings; the constructor of a user's subclass may want a corpus."""
        raise NotImplementedError

    def _check_state(self) -> None:
        """Check what is said of the corpus and of the training there was; what is saved can be loaded."""
        if self.corpus_total_words is not None:
            self.corpus_total_words = checks.integer("corpus_total_words", self.corpus_total_words, 0, MOST_WORDS)
        for name in ("corpus_count", "effective_min_count"):
            setattr(self, name, checks.integer(name, getattr(self, name), 0, MOST_WORDS))
        self.provenance.check()
        counts = self.wv.expandos["count"]
        if counts.sum(dtype=np.float64) >= 2.0**62:  # near enough to count exactly
            checks.integer("the sum of all counts", sum(counts.tolist()), 0, MOST_WORDS)

    def __getstate__(self) -> dict[str, Any]:
        """Pickles and copies hold the model without the encoded corpus."""
        _ = self.raw_vocab  # made from the scan while there is one
        self.record_digests()
        provenance = replace(self.provenance, runs=self.provenance.runs_as_of_now())
        left_out = {"_scan": None, "_vocabulary": None, "_former": None}
        return {**self.__dict__, **left_out, "provenance": provenance, "tokens": None, "activity": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over what `__getstate__` gave, also that of a model without a provenance."""
        past = {name: state.pop(name) for name in LEDGER_NAMES if name in state}
        Trainable.__init__(self)
        self.__dict__.update({name: part for name, part in state.items() if name not in ("tokens", "activity")})
        self._take_steps(self.steps)
        self.provenance.__dict__.update(past)
        for name in ("_encoded", "_streamed", "_tables", "_reached", "_stop_wanted"):
            self.__dict__.pop(name, None)
        younger = {f.name: f.default for f in fields(self.settings_class)}  # than the state may be
        self.__dict__.update({**younger, "_vocabulary": None, "_at_once": False, **self.__dict__})
