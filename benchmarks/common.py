"""What the benchmarks share: the machine, the corpus, the settings, and one trained model in a process of its own."""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from w2v.text.readers import LineSentence

# The models compared: options both systems take. CBOW learns slower per word, so its learning rate is word2vec.c's.
MODELS: dict[str, dict[str, Any]] = {
    "sg-ns": {"sg": 1, "hs": 0, "negative": 5, "alpha": 0.025},
    "cbow-ns": {"sg": 0, "hs": 0, "negative": 5, "alpha": 0.05},
    "sg-hs": {"sg": 1, "hs": 1, "negative": 0, "alpha": 0.025},
    "cbow-hs": {"sg": 0, "hs": 1, "negative": 0, "alpha": 0.025},
}

DEFAULTS = {"vector_size": 100, "window": 5, "min_count": 5, "sample": 1e-3}


def machine() -> str:
    """CPU, cores and versions, for the head of a table."""
    import numpy

    import w2v

    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return (
        f"{name}, {os.cpu_count()} cores; Python {platform.python_version()}, numpy {numpy.__version__}, "
        f"w2v {w2v.__version__} ({w2v.show_config()['isa']})"
    )


def plain_slice(corpus: str, words: int | None, folder: Path) -> Path:
    """The first `words` words of a corpus as a plain text file, made once."""
    target = folder / f"{Path(corpus).name.split('.')[0]}-{words or 'all'}.txt"
    if not target.exists():
        write_sentences(_until(LineSentence(corpus), words), target)
    return target


def write_sentences(sentences: Iterable[list[str]], target: Path) -> None:
    """A text file with a sentence in each line, there at once or not at all."""
    partial = target.with_suffix(".partial")
    with partial.open("w", encoding="utf-8") as out:
        for sentence in sentences:
            out.write(" ".join(sentence) + "\n")
    partial.rename(target)


def _until(sentences: Any, words: int | None) -> Iterator[list[str]]:
    for sentence in sentences:
        yield sentence
        if words is not None:
            words -= len(sentence)
            if words <= 0:
                return


def table(rows: list[list[str]]) -> str:
    """Markdown, first row as head."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def measured(spec: dict[str, Any]) -> dict[str, Any]:
    """Run `one` in a fresh process, so that memory and caches are its own."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, __file__, json.dumps(spec)],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def one(spec: dict[str, Any]) -> dict[str, Any]:
    """Train one model and measure it.

    `spec`: system ("w2v" or "gensim"), corpus, mode ("file", "sentences" or "lists"), workers, epochs, seed, options,
    save (path of word2vec binary vectors, or None).
    """
    import resource

    options = DEFAULTS | spec["options"] | {"workers": spec["workers"], "seed": spec["seed"]}
    if spec["system"] == "gensim":
        from gensim.models.word2vec import LineSentence as Lines
        from gensim.models.word2vec import Word2Vec
    else:
        from w2v import LineSentence as Lines  # type: ignore[assignment]
        from w2v import Word2Vec  # type: ignore[assignment]

        options |= {"progress": False}
    corpus: dict[str, Any] = {"corpus_file": spec["corpus"]}
    if spec["mode"] == "sentences":
        corpus = {"corpus_iterable": Lines(spec["corpus"])}
    elif spec["mode"] == "lists":
        corpus = {"corpus_iterable": list(Lines(spec["corpus"]))}
    model = Word2Vec(epochs=spec["epochs"], **options)
    started = time.perf_counter()
    model.build_vocab(**corpus)
    counted = time.perf_counter()
    trained, _ = model.train(
        **corpus,
        total_examples=model.corpus_count,
        total_words=model.corpus_total_words,
        epochs=spec["epochs"],
    )
    ended = time.perf_counter()
    raw = sum(model.wv.get_vecattr(word, "count") for word in model.wv.index_to_key) * spec["epochs"]
    if spec.get("save"):
        model.wv.save_word2vec_format(spec["save"], binary=True)
    return {
        "vocabulary_seconds": counted - started,
        "train_seconds": ended - counted,
        "saved_seconds": time.perf_counter() - started,
        "raw_words": int(raw),
        "trained_words": int(trained),
        "vocabulary": len(model.wv),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def work_folder(given: str | None) -> Path:
    import tempfile

    folder = Path(given or os.path.join(tempfile.gettempdir(), "w2v-benchmarks"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    print(json.dumps(one(json.loads(sys.argv[1]))))
