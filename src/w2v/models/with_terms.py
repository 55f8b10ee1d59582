"""The terms of a model: what made words of phrases and of a dictionary's entries, and does so in every corpus."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from numpy.typing import NDArray

from w2v.terms import steps
from w2v.terms.phrases import FrozenPhrases
from w2v.terms.term_map import TermMap
from w2v.tokens.cache import TokenCache
from w2v.vectors.keyed import KeyedVectors


class WithTerms:
    """A model whose corpora go through steps before their words are counted.

    Attributes
    ----------
    steps : list of TermMap and FrozenPhrases
        In the order in which they are applied. They belong to the vocabulary, and do not change.
    oov, oov_terms
        Those of `wv`: what to do with unknown words; see `w2v.KeyedVectors.oov`.
    """

    of_documents: ClassVar[bool]
    tokens: TokenCache
    wv: KeyedVectors
    steps: list[FrozenPhrases | TermMap] = []  # noqa: RUF012 - replaced as a whole, never changed

    @property
    def oov(self) -> tuple[str, ...]:
        """The policies of `wv` for unknown words; a file of the model keeps them."""
        return self.wv.oov

    @oov.setter
    def oov(self, policies: str | Sequence[str] | None) -> None:
        self.wv.oov = policies

    @property
    def oov_terms(self) -> Any:
        """Synonyms or parents for the policy ``"dictionary"``."""
        return self.wv.oov_terms

    @oov_terms.setter
    def oov_terms(self, terms: Any) -> None:
        self.wv.oov_terms = terms

    def _take_steps(self, found: list[FrozenPhrases | TermMap]) -> None:
        if found and self.of_documents:
            raise ValueError("phrases and terms are for models of words, not of documents")
        self.steps = found
        self.tokens.terms = steps.chain_of(found)

    def _terms_of(self, kind: type) -> list[Any]:
        """The steps of one class, as parameters take them."""
        return [step for step in self.steps if isinstance(step, kind)]

    def take_step_arrays(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over the steps that a file holds."""
        if "terms" in arrays:
            self._take_steps(steps.loads(arrays["terms"].tobytes(), "the model"))

    def terms_digest(self) -> str | None:
        """SHA-256 of the steps, for the fingerprint; None without them."""
        return hashlib.sha256(steps.dumps(self.steps)).hexdigest() if self.steps else None
