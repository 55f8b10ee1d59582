"""What to do with a word that has no vector: an ordered list of policies, and an answer that says which one it was."""

import json
import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from w2v.common import checks
from w2v.files.errors import FormatError
from w2v.terms import steps
from w2v.terms.term_map import TermMap
from w2v.vectors.lookup import Array, Lookup, check_list
from w2v.vectors.spelling import UnknownKeyError, near_words

logger = logging.getLogger(__name__)

# Policies that may answer together, and all.
VOICES = ("dictionary", "subword", "phrase", "casefold", "nearest", "context")
POLICIES = (*VOICES, "zero", "error")

# What a word with a row is resolved by.
KNOWN = "known"

# What joins policies that answer together.
TOGETHER = "+"

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
        ``"known"``, or the policy that gave an answer; of policies together, those that did: ``"subword+context"``.
    sources : tuple of str
        The words, or n-grams, that the vector is made of, in the order of the policies; none for ``"zero"``.
    """

    vector: NDArray[np.float32]
    policy: str
    sources: tuple[str, ...]


class Resolving(Lookup):
    """Look-up with policies for unknown words, which the vectors keep, and files with them."""

    _policies: tuple[str, ...] | None = None
    _terms: Terms | None = None

    @property
    def oov(self) -> tuple[str, ...]:
        """The policies for words without a row, in their order; see `resolve`.

        They are kept in files, and every query follows them: ``kv[word]``, ``most_similar``, ``similarity``, batches.
        Assign a name or a list of names; None is the default, ``("error",)``.
        """
        return self._default_policies() if self._policies is None else self._policies

    @oov.setter
    def oov(self, policies: str | Sequence[str] | None) -> None:
        self._policies = None if policies is None else tuple(_checked(policies, self.oov_terms, "set oov_terms first"))

    @property
    def oov_terms(self) -> Terms | None:
        """Synonyms or parents for the policy ``"dictionary"``: a word or several for each term, or a `TermMap`."""
        return self._terms

    @oov_terms.setter
    def oov_terms(self, terms: Terms | TermMap | None) -> None:
        found = terms.concepts if isinstance(terms, TermMap) else terms
        if found is None and "dictionary" in parts_of(self.oov):
            raise ValueError("oov has 'dictionary', which needs oov_terms; change oov first")
        self._terms = None if found is None else {term: _words_of(term, words) for term, words in found.items()}

    def _default_policies(self) -> tuple[str, ...]:
        return ("error",)

    def vector_of_unknown(self, key: Any) -> Array:
        """Return what the policies of `oov` give for a key that has no row; KeyError if none gives anything."""
        return self._found(key, self.oov, self._terms or {}, [])[0]

    def has(self, key: Any, inferred: bool) -> bool:
        """Say whether a key has a row or, if `inferred` ones count, a vector by `oov`."""
        if not inferred or self.has_index_for(key):
            return self.has_index_for(key)
        try:
            self.vector_of_unknown(key)
        except KeyError:
            return False
        return True

    def __getitem__(self, key_or_keys: Any) -> Array:
        """Return one key's vector, a read-only view, or those of several keys, a copy [keys, vector_size]."""
        if isinstance(key_or_keys, str | int | np.integer):
            return self.get_vector(key_or_keys)
        return self.looked_up(check_list("keys", key_or_keys))[1]

    def looked_up(self, words: list[Any]) -> tuple[list[int], Array]:
        """Return the rows of several words, -1 for those without one, and the vectors that `oov` gives them.

        The log says how many each policy gave a vector.
        """
        rows = [self.get_index(word, -1) for word in words]
        if min(rows, default=0) >= 0:
            return rows, self.peek()[rows]
        counts = Counter({KNOWN: sum(row >= 0 for row in rows)})
        vectors = np.empty((len(words), self.vector_size), self.peek().dtype)
        for place, (word, row) in enumerate(zip(words, rows, strict=True)):
            if row >= 0:
                vectors[place] = self.peek()[row]
            else:
                vectors[place], answers = self._found(word, self.oov, self._terms or {}, [])
                counts[TOGETHER.join(answers)] += 1
        logger.info("%s words: %s", f"{len(words):,}", ", ".join(f"{n:,} {name}" for name, n in counts.items()))
        return rows, vectors

    def resolve(
        self,
        word: str,
        oov: str | Sequence[str] | None = None,
        *,
        terms: Terms | None = None,
        context: Iterable[str] = (),
    ) -> Resolution:
        """Find a vector for a word, and say how; there is never one by chance.

        Parameters
        ----------
        word : str
        oov : str or sequence of str, optional
            What to try for an unknown word, in this order; the first policy with an answer wins, and if none has one,
            it is an error. By default the policies of `oov`, the attribute.

            - ``"dictionary"``: the first known word that `terms` leads to, through any number of terms
            - ``"subword"``: the mean of the word's n-grams, where the vectors have any (`FastTextKeyedVectors`)
            - ``"phrase"``: the mean of the known parts of ``new_york``, ``new-york`` or ``new york``
            - ``"casefold"``: the same letters in another case
            - ``"nearest"``: the closest spelling among the frequent words, at most two edits away
            - ``"context"``: the mean of the known words of `context`
            - ``"zero"``: the zero vector
            - ``"error"``: KeyError

            Policies joined by ``+``, as in ``"subword+context"``, answer together: the mean direction of those that
            have an answer, and their mean length. Form and context know different things of a word (Schick and
            Schütze 2019, AAAI, "Learning Semantic Representations for Novel Words").
        terms : mapping of str to str or list of str, optional
            Synonyms or parents; by default `oov_terms`.
        context : iterable of str
            The word's neighbours.

        Raises
        ------
        KeyError
            The word is unknown, and no policy before ``"error"`` knows a vector.
        ValueError
            There is no policy of this name, or one lacks what it needs.
        """
        policies, terms = self._chosen(oov, terms)
        return self._resolution(word, policies, terms, check_list("context", context))

    def resolve_all(
        self,
        words: Iterable[str],
        oov: str | Sequence[str] | None = None,
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
        policies, terms = self._chosen(oov, terms)
        near = check_list("context", context)
        found = [self._resolution(word, policies, terms, near) for word in check_list("words", words)]
        vectors = np.array([one.vector for one in found], np.float32).reshape(len(found), self.vector_size)
        return vectors, Counter(one.policy for one in found)

    def _chosen(self, oov: str | Sequence[str] | None, terms: Terms | None) -> tuple[Sequence[str], Terms]:
        terms = self._terms if terms is None else terms
        policies = self.oov if oov is None else _checked(oov, terms, "terms={'term': 'synonym'}")
        return policies, terms or {}

    def _resolution(self, word: str, policies: Sequence[str], terms: Terms, context: list[str]) -> Resolution:
        if self.has_index_for(word):
            return Resolution(self.get_vector(word), KNOWN, (word,))
        vector, answers = self._found(word, policies, terms, context)
        named = (self.ngrams_of(word) if policy == "subword" else sources for policy, sources in answers.items())
        return Resolution(vector, TOGETHER.join(answers), tuple(chain.from_iterable(named)))

    def _found(
        self, word: Any, policies: Sequence[str], terms: Terms, context: list[str]
    ) -> tuple[Array, dict[str, Sequence[str]]]:
        """A vector for a word without a row, and the policies that gave it, with their sources but for n-grams."""
        for together in policies if isinstance(word, str) else ():
            if together == "error":
                break
            vectors, answers = [], {}
            for policy in together.split(TOGETHER):
                vector, sources = self._answer(policy, word, terms, context)
                if vector is not None:
                    vectors.append(vector)
                    answers[policy] = sources
            if answers:
                return _mixed(vectors), answers
        raise UnknownKeyError(word, self.index_to_key)

    def _answer(self, policy: str, word: str, terms: Terms, context: list[str]) -> tuple[Array | None, Sequence[str]]:
        """What one policy gives for an unknown word, if it gives anything, and its sources but for n-grams."""
        if policy == "zero":
            return np.zeros(self.vector_size, np.float32), ()
        if policy == "subword":
            return self.vector_of_ngrams(word), ()
        sources = self._sources(policy, word, terms, context)
        if not sources:
            return None, ()
        return np.array([self.get_vector(source) for source in sources], np.float32).mean(axis=0), sources

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

    # Files

    def attachments(self) -> dict[str, NDArray[Any]]:
        """What a file holds of these vectors besides words and numbers: terms, and policies for unknown words."""
        found = steps.arrays_of(self)
        if self._policies is not None or self._terms is not None:
            kept = {"policies": self._policies, "terms": self._terms}
            found["oov"] = np.frombuffer(json.dumps(kept, sort_keys=True).encode(), np.uint8)
        return found

    def with_attachments(self, arrays: Mapping[str, NDArray[Any]], name: str) -> Self:
        """These vectors, with the `attachments` that the arrays of a file have for them."""
        if "oov" in arrays:
            try:
                kept = json.loads(arrays["oov"].tobytes())
                self.oov_terms, self.oov = kept["terms"], kept["policies"]
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
                raise FormatError(f"{name}: its policies for unknown words are not readable ({error})") from error
        return steps.with_steps(self, arrays, name)


def parts_of(policies: Iterable[str]) -> list[str]:
    """All policies of a list, those that answer together one by one."""
    return [policy for together in policies for policy in together.split(TOGETHER)]


def _mixed(vectors: list[Array]) -> Array:
    """The mean direction of vectors, as long as they are in the mean; a single one as it is."""
    if len(vectors) == 1:
        return vectors[0]
    found = np.array(vectors, np.float32)
    lengths, least = np.linalg.norm(found, axis=1, keepdims=True), np.finfo(np.float32).tiny
    mean: Array = (found / np.maximum(lengths, least)).mean(axis=0)
    mean *= lengths.mean() / max(np.linalg.norm(mean), least)
    return mean


def _checked(oov: str | Sequence[str], terms: Terms | None, way_out: str) -> list[str]:
    policies = [oov] if isinstance(oov, str) else check_list("oov", oov)
    for together in policies:
        parts = together.split(TOGETHER) if isinstance(together, str) else [together]
        for policy in parts:
            checks.one_of("oov", policy, POLICIES if len(parts) == 1 else VOICES)
        if len(set(parts)) < len(parts):
            raise ValueError(f"oov={together!r} names a policy twice; each has one voice")
    if "dictionary" in parts_of(policies) and terms is None:
        raise ValueError(f"oov='dictionary' needs a map of terms: {way_out}")
    return policies


def _words_of(term: object, words: object) -> str | list[str]:
    """What a term stands for, checked; a list is copied."""
    found = [words] if isinstance(words, str) else check_list("oov_terms", words)
    if not isinstance(term, str) or not all(isinstance(word, str) for word in found):
        raise TypeError(f"oov_terms: {term!r:.80} stands for {words!r:.80}; a term is a str, and so are its words")
    return words if isinstance(words, str) else found
