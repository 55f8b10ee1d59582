"""Terms before training, as a model has them: a dictionary, phrases, or several of them in order."""

import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from w2v.files.errors import FormatError
from w2v.files.reading import Pathlike
from w2v.terms import term_file
from w2v.terms.dividing import Chain, Several
from w2v.terms.phrases import KINDS, FrozenPhrases, Phrases
from w2v.terms.term_map import TermMap

logger = logging.getLogger(__name__)

Step = FrozenPhrases | Phrases | TermMap
Holder = TypeVar("Holder")


def steps_of(terms: Any, phrases: Any) -> list[FrozenPhrases | TermMap]:
    """What the parameters `terms` and `phrases` of a model ask for, in order; live phrases are frozen."""
    made: list[FrozenPhrases | TermMap] = []
    for name, given, kinds in (("terms", terms, (TermMap,)), ("phrases", phrases, (Phrases, FrozenPhrases))):
        for one in given if isinstance(given, list | tuple) else [] if given is None else [given]:
            if not isinstance(one, kinds):
                wanted = "TermMap" if name == "terms" else "Phrases or FrozenPhrases"
                raise TypeError(f"{name}={one!r:.80} must be a {wanted}, or a list of them; a file is read by load()")
            made.append(one.freeze() if isinstance(one, Phrases) else one)
    return made


def chain_of(steps: Sequence[Chain]) -> Chain | None:
    """Steps as one; None if there are none."""
    return Several(steps) if steps else None


def dumps(steps: Sequence[Step]) -> bytes:
    """Steps as bytes, the same for equal ones."""
    return term_file.dumps([step.step() for step in steps])


def loads(data: bytes, name: str) -> list[Any]:
    """The steps of `dumps`; FormatError, with the `name`, if they are none."""
    return [_made(step, name) for step in term_file.loads(data, name)]


def arrays_of(holder: Any) -> dict[str, NDArray[Any]]:
    """What a file of vectors or of a model holds of its ``steps``: nothing without them."""
    steps = getattr(holder, "steps", ())
    return {"terms": np.frombuffer(dumps(steps), np.uint8)} if steps else {}


def with_steps(holder: Holder, arrays: Mapping[str, NDArray[Any]], name: str) -> Holder:
    """The holder, with the ``steps`` that the arrays of a file have for it."""
    if "terms" in arrays:
        holder.__dict__["steps"] = loads(arrays["terms"].tobytes(), name)
    return holder


def taken_over(made: Holder, *sources: Any) -> Holder:
    """What is made of vectors, with the ``steps`` that all of these have; with none where they are not the same."""
    steps = [getattr(source, "steps", ()) for source in sources]
    if steps[0] and all(other is steps[0] or dumps(other) == dumps(steps[0]) for other in steps[1:]):
        made.__dict__["steps"] = steps[0]
    elif any(steps):
        logger.info(
            "these vectors come from models with different terms: the result has none, and several words no row"
        )
    return made


def load_terms(path: Pathlike) -> Step:
    """Read phrases or a dictionary, whichever a file holds.

    Raises
    ------
    FormatError
        It is no file of terms.
    """
    steps = term_file.read(path)
    if len(steps) != 1:
        raise FormatError(f"{os.fspath(path)}: {len(steps)} steps of terms, not one")
    found: Step = _made(steps[0], os.fspath(path))
    return found


def _made(step: dict[str, Any], name: str) -> Any:
    kinds: dict[str, Any] = {**KINDS, "term map": TermMap}
    if step["kind"] not in kinds:
        raise FormatError(f"{name}: a step of the unknown kind {step['kind']!r:.40}")
    return term_file.made(kinds[step["kind"]].of_step, step, name)
