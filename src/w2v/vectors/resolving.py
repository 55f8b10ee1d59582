"""What to do with a word that has no vector: an ordered list of policies, and an answer that says which one it was."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.common import checks
from w2v.vectors.lookup import Lookup, check_list
from w2v.vectors.spelling import UnknownKeyError, near_words

POLICIES = ("dictionary", "subword", "phrase", "casefold", "nearest", "context", "zero", "error")

# What joins the parts of a phrase.
JOINTS = "_- "

# What a term stands for: another term, or several, the best first.
Terms = Mapping[str, str | Sequence[str]]


class Resolution(NamedTuple):
    """The vector of a word, and how it was found.

    Attributes
    ----------
    vector : float32 [vector_size]
    policy : str
        ``"known"``, or the policy that gave an answer.
    sources : tuple of str
        The words, or n-grams, that the vector is the mean of; none for ``"zero"``.
    """

    vector: NDArray[np.float32]
    policy: str
    sources: tuple[str, ...]


class Resolving(Lookup):
    """Look-up with policies for unknown words."""

    def resolve(
        self, word: str, oov: str | Sequence[str] = "error", *, terms: Terms | None = None, context: Iterable[str] = ()
    ) -> Resolution:
        """Find a vector for a word, and say how; there is never one by chance.

        Parameters
        ----------
        word : str
        oov : str or sequence of str, default "error"
            What to try for an unknown word, in this order; the first policy with an answer wins, and if none has one,
            it is an error.

            - ``"dictionary"``: the first known word that `terms` leads to, through any number of terms
            - ``"subword"``: the mean of the word's n-grams, where the vectors have any (`FastTextKeyedVectors`)
            - ``"phrase"``: the mean of the known parts of ``new_york``, ``new-york`` or ``new york``
            - ``"casefold"``: the same letters in another case
            - ``"nearest"``: the closest spelling among the frequent words, at most two edits away
            - ``"context"``: the mean of the known words of `context`
            - ``"zero"``: the zero vector
            - ``"error"``: KeyError
        terms : mapping of str to str or list of str, optional
            Synonyms or parents.
        context : iterable of str
            The word's neighbours.

        Raises
        ------
        KeyError
            The word is unknown, and no policy before ``"error"`` knows a vector.
        ValueError
            There is no policy of this name, or one lacks what it needs.
        """
        return self._resolved(word, self._checked_policies(oov, terms), terms or {}, check_list("context", context))

    def resolve_all(
        self,
        words: Iterable[str],
        oov: str | Sequence[str] = "error",
        *,
        terms: Terms | None = None,
        context: Iterable[str] = (),
    ) -> tuple[NDArray[np.float32], Counter[str]]:
        """Find the vectors of several words; see `resolve`.

        Returns
        -------
        vectors : float32 [words, vector_size]
        counts : Counter
            How many words each policy gave a vector, ``"known"`` included.
        """
        policies, near = self._checked_policies(oov, terms), check_list("context", context)
        found = [self._resolved(word, policies, terms or {}, near) for word in check_list("words", words)]
        vectors = np.array([one.vector for one in found], np.float32).reshape(len(found), self.vector_size)
        return vectors, Counter(one.policy for one in found)

    def _checked_policies(self, oov: str | Sequence[str], terms: Terms | None) -> list[str]:
        policies = [oov] if isinstance(oov, str) else check_list("oov", oov)
        for policy in policies:
            checks.one_of("oov", policy, POLICIES)
        if "dictionary" in policies and terms is None:
            raise ValueError("oov='dictionary' needs a map of terms: terms={'term': 'synonym'}")
        return policies

    def _resolved(self, word: str, policies: list[str], terms: Terms, context: list[str]) -> Resolution:
        if self.has_index_for(word):
            return Resolution(self.get_vector(word), "known", (word,))
        for policy in policies:
            if policy == "zero":
                return Resolution(np.zeros(self.vector_size, np.float32), policy, ())
            if policy == "error":
                break
            if policy == "subword":
                vector = self.vector_of_ngrams(word)
                if vector is not None:
                    return Resolution(vector, policy, tuple(self.ngrams_of(word)))
            elif sources := self._sources(policy, word, terms, context):
                vectors = np.array([self.get_vector(source) for source in sources], np.float32)
                return Resolution(vectors.mean(axis=0), policy, tuple(sources))
        raise UnknownKeyError(word, self.index_to_key)

    def _sources(self, policy: str, word: str, terms: Terms, context: list[str]) -> list[str]:
        """The known words that stand in for an unknown one."""
        if policy == "dictionary":
            return self._terms_of(word, terms)
        if policy == "phrase":
            parts = word.translate(dict.fromkeys(map(ord, JOINTS), " ")).split()
            return [part for part in parts if self.has_index_for(part)] if len(parts) > 1 else []
        if policy == "casefold":
            spellings = (word.casefold(), word.lower(), word.capitalize(), word.title(), word.upper())
            return [spelling for spelling in spellings if self.has_index_for(spelling)][:1]
        if policy == "nearest":
            return near_words(word, self.index_to_key, 1)
        return [near for near in context if self.has_index_for(near)]

    def _terms_of(self, word: str, terms: Terms) -> list[str]:
        """The first known word that a term leads to, nearer ones first."""
        waiting, seen = [word], {word}
        for term in waiting:
            if self.has_index_for(term):
                return [term]
            found = terms.get(term, ())
            for other in [found] if isinstance(found, str) else found:
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
        return []

    # Vectors without n-grams have none for an unknown word.

    def vector_of_ngrams(self, text: str) -> NDArray[np.float32] | None:
        """Return the mean of a string's n-grams, or None where there are none."""
        return None

    def ngrams_of(self, text: Any) -> list[str]:
        """Return the n-grams of a string that its vector is made of."""
        return []
