"""What commands say: facts and answers, for people and as JSON, and a trained model in its file."""

import argparse
import json
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from w2v.cli.sources import is_in
from w2v.cli.vector_files import save_model
from w2v.common.terminal import printable

if TYPE_CHECKING:
    from w2v import KeyedVectors, Word2Vec


def answers(found: list[tuple[Any, float]], what: str = "word") -> list[dict[str, Any]]:
    return [{what: key, "similarity": float(similarity)} for key, similarity in found]


def print_found(args: argparse.Namespace, found: dict[str, list[dict[str, Any]]]) -> None:
    """Print what was found for each word."""
    if args.json:
        return report(args, found)
    for word, its_answers in found.items():
        print(printable(word))
        print_answers(its_answers)


def print_answers(answers: list[dict[str, Any]]) -> None:
    words = [printable(str(next(iter(answer.values())))) for answer in answers]
    width = max(map(len, words), default=0)
    for word, answer in zip(words, answers, strict=True):
        print(f"  {word:<{width}}  {answer['similarity']:.3f}")


def report(args: argparse.Namespace, facts: dict[str, Any]) -> None:
    """Print facts as one JSON object or as aligned lines; a dict gives a line for each of its items."""
    if args.json:
        print(json.dumps(facts, allow_nan=False))
        return
    lines: dict[str, str] = {}
    for name, value in facts.items():
        items = value.items() if isinstance(value, dict) else [("", value)]
        lines |= {
            printable(f"{name.replace('_', ' ')} {item}".rstrip()): printable(_text(part)) for item, part in items
        }
    width = max(map(len, lines), default=0)
    for name, text in lines.items():
        print(f"{name:<{width}}  {text}")


def _text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {_text(part)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return " ".join(map(_text, value))
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def save_trained(args: argparse.Namespace, model: "Word2Vec", more: dict[str, Any] | None = None) -> None:
    """Write a model and say how its training went, with `more` facts of it."""
    save_model(model, args.output, vectors_only=getattr(args, "vectors_only", False))
    tagged = getattr(model, "dv", None)
    counts = {"sentences": model.corpus_count}
    if tagged is not None:
        counts = {"documents": model.corpus_count, "tags": len(tagged)}
    counts |= more or {}
    report_trained(args, model, counts, model.wv if tagged is None else tagged)


def report_trained(
    args: argparse.Namespace, model: "Word2Vec", counts: dict[str, int], vectors: "KeyedVectors"
) -> None:
    """Say how a training went, with `counts` of what was read and the hash of the vectors."""
    from w2v.files.arrays import sha256_of

    seconds = sum(epoch.seconds for epoch in model.history)
    per_second = 1 / seconds if seconds else 0.0  # a callback may end a run before its first epoch, after no time
    facts = {
        "corpus_words": model.corpus_total_words,
        **counts,
        "vocabulary": len(model.wv),
        "vector_size": model.vector_size,
        "epochs": len(model.history),
        "seconds": seconds,
        "words_per_second": sum(epoch.raw_words for epoch in model.history) * per_second,
        "effective_words_per_second": sum(epoch.trained_words for epoch in model.history) * per_second,
        "loss": list(model.loss_history),
        "repeatable": (model.workers == 1 or model.deterministic) and not model.provenance.devices,
        "sha256": sha256_of(vectors.vectors),
        "file": args.output,
    }
    if not model.compute_loss:
        del facts["loss"]
    # Several workers are the default for their speed; they give up the promise of the same bytes.
    if not args.json and not facts["repeatable"]:
        facts["repeatable"] = (
            "no, trained by several workers or on a GPU; --workers 1 or --deterministic is, and w2v verify checks it"
        )
    report(args, facts)


@contextmanager
def how_to_resume(args: argparse.Namespace, again: Sequence[str] = ()) -> Iterator[None]:
    """After a Ctrl-C with a checkpoint, print the command that resumes, with the options to repeat."""
    try:
        yield
    except KeyboardInterrupt as stop:
        if not stop.args:
            raise
        line = ["w2v", "resume", args.checkpoint, "-o", args.output, *["--vectors-only"] * args.vectors_only, *again]
        raise KeyboardInterrupt(f"go on with: {shlex.join(line)}") from None


def check_not_of_the_run(args: argparse.Namespace) -> None:
    from w2v.training.checkpoint import files_of

    for path in [*files_of(args.checkpoint), args.corpus]:
        if path is not None and is_in(args.output, path):
            raise ValueError(f"{args.output} belongs to the run, which reads {path}; write to another file")
