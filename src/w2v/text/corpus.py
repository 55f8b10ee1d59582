"""Which corpus a call names, where it can be found again, and whether it is one that is known already."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from w2v import source
from w2v.corpus import Pathlike

same = source.same


class Corpus(NamedTuple):
    source: Any
    is_path: bool

    @classmethod
    def given(cls, corpus_iterable: Any, corpus_file: Any, known: Any = None) -> "Corpus":
        return cls(*source.given(corpus_iterable, corpus_file, known))

    def check_repeatable(self, why: str) -> None:
        source.check_repeatable(*self, why)

    def identity(self, call: int = 0) -> tuple[Any, ...]:
        return source.identity(*self, call)

    def locator(self) -> dict[str, Any] | None:
        return source.whereabouts(*self)

    @classmethod
    def reopen(cls, place: Mapping[str, Any] | None, run: Pathlike) -> "Corpus":
        return cls.given(*source.found_again(place, run))
