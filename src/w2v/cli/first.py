"""The first minutes: what to do, and a first model of a text with settings that fit its size."""

import argparse
import shlex
from pathlib import Path
from typing import Any

from w2v.cli.arguments import training_settings
from w2v.cli.output import answers, print_answers, report
from w2v.cli.sources import check_output, is_in, is_raw, read_from
from w2v.common.terminal import printable

GUIDE = """\
w2v trains vectors of words on a text of yours, and answers questions about them.

  w2v demo                        see it work, in a minute, on Python's own documentation
  w2v train book.txt              a first model of a text, with settings that fit its size
  w2v explore book.safetensors    ask it for neighbours, analogies and reasons
  w2v map book.safetensors -o book.html    walk through it in a browser

  w2v --help                      all commands
  w2v COMMAND --help              a command's options, with examples
"""

TELLING, NEIGHBORS = 4, 5

WRAPPED = """\
Its lines are broken as on a page, and no word sees beyond its line. This gives a line to each paragraph:
  awk -v RS= '{{$1=$1}}1' {quoted} > paragraphs.txt
"""


def train(args: argparse.Namespace) -> None:
    """Train a first model: say which settings the text asks for, and show what it has learnt."""
    from w2v import Texts, Word2Vec
    from w2v.advice.rules import looks_wrapped, usual_settings
    from w2v.vectors.telling import telling_words

    stem = "model" if args.corpus == "-" else Path(args.corpus).name.split(".")[0] or "model"
    args.output = f"{stem}.safetensors"
    check_output(args.output)
    if is_in(args.output, args.corpus):
        raise ValueError(f"{args.output} is the corpus itself; name another file by -o")
    given = training_settings(args) | ({"sg": args.sg} if args.sg is not None else {})
    with read_from(args.corpus, args) as (sentences, corpus_file):
        raw = False
        if "tokenizer" not in given:
            raw = is_raw(sentences, corpus_file)
            given["tokenizer"] = "simple" if raw else None
            if raw and corpus_file is None and not isinstance(sentences, Texts):
                sentences = Texts(sentences.source)
        model = Word2Vec(**given)
        words, _ = model.scan_vocab(sentences, corpus_file)
        chosen = {name: value for name, value in usual_settings(words).items() if name not in given}
        for name, value in chosen.items():
            setattr(model, name, value)
        model.prepare_vocab()
        model.prepare_weights()
        if not args.json:
            _say_settings(words, raw, chosen)
            if raw and corpus_file is not None and looks_wrapped(corpus_file):
                print(WRAPPED.format(quoted=shlex.quote(corpus_file)), flush=True)
        model.train(sentences, corpus_file, total_words=words, epochs=model.epochs)
    model.save(args.output)
    shown = {word: answers(model.wv.most_similar(word, topn=NEIGHBORS)) for word in telling_words(model.wv, TELLING)}
    facts: dict[str, Any] = {"corpus_words": words, "vocabulary": len(model.wv), "epochs": model.epochs}
    if args.json:
        chosen = {"tokenizer": model.tokenizer, **chosen}
        return report(args, {**facts, "settings": chosen, "neighbors": shown, "file": args.output})
    report(args, {**facts, "file": args.output})
    for word, found in shown.items():
        print(f"\n{printable(word)}")
        print_answers(found)
    _say_next(args.output, next(iter(shown), None))


def _say_settings(words: int, raw: bool, chosen: dict[str, Any]) -> None:
    from w2v.cli.arguments import TRAINING_OPTIONS

    flags = {parameter: flag for flag, parameter, *_ in TRAINING_OPTIONS}
    options = ["--tokenizer simple"] * raw + ["--sg"] * ("sg" in chosen)
    options += [f"{flags[name]} {value:g}" for name, value in chosen.items() if name in flags]
    from w2v.advice.rules import FEW_WORDS

    print(
        f"{words:,} word{'s' * (words != 1)}. With settings that are usual for a text of this size: {' '.join(options)}"
    )
    if raw:
        print("The text has capitals and punctuation: --tokenizer simple takes the words without them.")
    if words < FEW_WORDS:
        print("So little text says next to nothing of its words: what follows is chance. Take a hundred times as much.")
    print("Any option that you give takes the place of these; w2v advise tries which are best.\n", flush=True)


def _say_next(path: str, word: str | None) -> None:
    file, word = shlex.quote(path), "WORD" if word is None else shlex.quote(word)
    print("\ntry next")
    print(f"  w2v explore {file}")
    print(f"  w2v neighbors {file} {printable(word)}")
    print(f"  w2v map {file} -o {shlex.quote(str(Path(path).with_suffix('.html')))}")
