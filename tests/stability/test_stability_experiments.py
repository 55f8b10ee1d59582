"""Stability experiments: variation, resumption after an interruption, the command line, the figures."""

import argparse
import contextlib
import csv
import json
import lzma
import os
import random
import stat
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from corpora import zipf_like

from w2v import FormatError, KeyedVectors, Word2Vec
from w2v.cli.program import TRAINING_OPTIONS
from w2v.stability import collect, command, draw_frequency, draw_groups, draw_neighbors, measure, report, retrain

TOPICS = [
    ["river", "lake", "sea", "boat", "water", "fish"],
    ["bread", "flour", "oven", "dough", "yeast", "baker"],
    ["king", "queen", "man", "woman", "palace", "crown"],
]
SETTINGS = {"vector_size": 8, "min_count": 1, "sg": 1, "epochs": 1}


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(report, "RESAMPLES", 100)


@pytest.fixture(scope="module")
def sentences():
    draw = random.Random(7)
    return [draw.choices(draw.choice(TOPICS), k=8) for _ in range(300)]


@pytest.fixture
def corpus(sentences, tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_text("".join(" ".join(words) + "\n" for words in sentences), encoding="utf-8")
    return path


def same(first, second):
    return first.index_to_key == second.index_to_key and np.array_equal(first.vectors, second.vectors)


# --- what varies --------------------------------------------------------------------------------------------------


def test_seeds_vary_and_nothing_else(corpus, sentences):
    groups = retrain(corpus, runs=3, seed=5, **SETTINGS)
    assert list(groups) == ["seed"]
    assert list(groups["seed"]) == ["seed-5", "seed-6", "seed-7"]
    for seed, run in zip((5, 6, 7), groups["seed"].values(), strict=True):
        assert same(run, Word2Vec(sentences, seed=seed, workers=1, **SETTINGS).wv)


def test_the_same_seed_gives_the_same_bytes(sentences):
    one, two = retrain(sentences, runs=2, vary="nothing", **SETTINGS)["nothing"].values()
    assert same(one, two)


def test_shuffles_and_bootstraps_draw_documents(corpus, sentences):
    counts = {}
    for vary in ("shuffle", "bootstrap"):
        runs = retrain(corpus, runs=2, vary=vary, **SETTINGS)[vary]
        assert list(runs) == [f"{vary}-1", f"{vary}-2"]
        one, two = runs.values()
        assert not same(one, two)
        again = retrain(sentences, runs=2, vary=vary, **SETTINGS)[vary]  # from lists as from a file
        assert same(one, again[f"{vary}-1"])
        assert same(two, again[f"{vary}-2"])
        counts[vary] = [{word: run.get_vecattr(word, "count") for word in run.index_to_key} for run in (one, two)]
        assert all(sum(count.values()) == 8 * 300 for count in counts[vary])
    assert counts["shuffle"][0] == counts["shuffle"][1]
    assert counts["bootstrap"][0] != counts["bootstrap"][1]


def test_a_bootstrap_repeats_documents_and_omits_a_third():
    documents = [[f"w{number}"] for number in range(3000)]
    run = retrain(documents, runs=1, vary="bootstrap", **SETTINGS)["bootstrap"]["bootstrap-1"]
    assert len(run) / 3000 == pytest.approx(1 - np.exp(-1), abs=0.02)
    assert run.expandos["count"].sum() == 3000
    assert run.expandos["count"].max() > 2


def test_sizes_are_beginnings_of_the_corpus_with_seeds_inside(corpus, sentences):
    groups = retrain(corpus, runs=2, vary="words", values=[100, 2400], **SETTINGS)
    assert list(groups) == [100, 2400]
    assert list(groups[100]) == ["words-100-seed-1", "words-100-seed-2"]
    assert same(groups[100]["words-100-seed-2"], Word2Vec(sentences[:13], seed=2, workers=1, **SETTINGS).wv)
    assert same(groups[2400]["words-2400-seed-1"], Word2Vec(sentences, seed=1, workers=1, **SETTINGS).wv)


def test_any_setting_can_vary(sentences):
    groups = retrain(sentences, runs=2, vary="window", values=[1, 3, 1], **SETTINGS)
    assert list(groups) == [1, 3]
    assert same(
        groups[3]["window-3-seed-2"], Word2Vec(sentences, window=3, seed=2, workers=1, **SETTINGS).wv
    )  # fmt: skip


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"vary": "weather"}, "vary='weather' must be one of 'nothing', 'seed'"),
        ({"vary": "window"}, "needs values"),
        ({"vary": "words"}, "needs values"),
        ({"vary": "seed", "values": [1]}, "takes no values"),
        ({"vary": "window", "values": [2], "window": 3}, "window=3 is what varies"),
        ({"vary": "words", "values": [2401]}, "words=2401: the corpus has 2400 words"),
        ({"vary": "words", "values": [0]}, "at least 1"),
        ({"runs": 0}, "runs=0"),
        ({"windows": 3}, "setting='windows' must be one of 'alpha'"),
        ({"callbacks": ()}, "setting='callbacks'"),
        ({"vector_size": 0}, "vector_size=0"),
    ],
)
def test_senseless_experiments_are_refused(sentences, tmp_path, options, error):
    with pytest.raises(ValueError, match=error):
        retrain(sentences, **{"runs": 2, "epochs": 1, "min_count": 1, **options})


def test_an_iterator_is_refused(sentences):
    with pytest.raises(TypeError, match="only once"):
        retrain(iter(sentences))


# --- folders ------------------------------------------------------------------------------------------------------


class Interrupting:
    """Makes random vectors from a seed, and stops like Ctrl-C at a given call."""

    def __init__(self, stop_at=None):
        self.calls, self.stop_at = [], stop_at

    def __call__(self, seed):
        if len(self.calls) == self.stop_at:
            raise KeyboardInterrupt
        self.calls.append(seed)
        vectors = np.random.default_rng(seed).normal(size=(20, 4)).astype(np.float32)
        return KeyedVectors.from_arrays([f"w{n}" for n in range(20)], vectors, {"count": np.arange(100, 80, -1)})


PLAN = {f"seed-{seed}": {"seed": seed} for seed in range(4)}


def test_an_interrupted_experiment_goes_on_where_it_stopped(tmp_path):
    folder = tmp_path / "runs"
    with pytest.raises(KeyboardInterrupt):
        collect(Interrupting(stop_at=2), PLAN, folder)
    rest = Interrupting()
    runs = collect(rest, PLAN, folder)
    assert rest.calls == [2, 3]
    assert list(runs) == list(PLAN)
    for seed, run in enumerate(runs.values()):
        assert same(run, Interrupting()(seed))
        assert run.expandos["count"].tolist() == list(range(100, 80, -1))
    nothing = Interrupting()
    collect(nothing, PLAN, folder)
    collect(nothing, {"seed-9": {"seed": 9}, **PLAN}, folder)  # a longer plan adds runs
    assert nothing.calls == [9]


def test_the_records_say_what_each_run_is(tmp_path):
    collect(Interrupting(), PLAN, tmp_path, settings={"size": 4, "pair": (1, 2)})
    records = json.loads((tmp_path / "records.json").read_text(encoding="utf-8"))
    assert records["settings"] == {"size": 4, "pair": [1, 2]}
    assert list(records["runs"]) == list(PLAN)
    run = records["runs"]["seed-3"]
    assert (run["arguments"], run["words"], run["vector_size"]) == ({"seed": 3}, 20, 4)
    assert run["seconds"] >= 0
    assert len(run["sha256"]) == 64
    collect(Interrupting(stop_at=0), PLAN, tmp_path, settings={"size": 4, "pair": (1, 2)})


def test_a_changed_setting_is_refused_and_nothing_is_made(tmp_path):
    collect(Interrupting(), PLAN, tmp_path, settings={"window": 5})
    before = sorted((path.name, path.read_bytes()) for path in tmp_path.iterdir())
    for settings in ({"window": 6}, {"window": 5, "epochs": 1}, {}):
        with pytest.raises(ValueError, match="was begun with"):
            collect(Interrupting(stop_at=0), PLAN, tmp_path, settings)
    with pytest.raises(ValueError, match=r"has a run 'seed-3' with \{'seed': 3\}, not \{'seed': 5\}"):
        collect(Interrupting(stop_at=0), {"seed-8": {"seed": 8}, "seed-3": {"seed": 5}}, tmp_path, {"window": 5})
    assert sorted((path.name, path.read_bytes()) for path in tmp_path.iterdir()) == before


def test_a_missing_file_is_made_again_and_another_file_refused(tmp_path):
    collect(Interrupting(), PLAN, tmp_path)
    (tmp_path / "seed-1.safetensors").unlink()
    again = Interrupting()
    collect(again, PLAN, tmp_path)
    assert again.calls == [1]
    Interrupting()(77).save(tmp_path / "seed-1.safetensors")
    with pytest.raises(ValueError, match=r"seed-1\.safetensors is not the file"):
        collect(again, PLAN, tmp_path)


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", '{"settings": {}}', '{"settings": {}, "runs": {"a": 1}}', "[" * 100_000]
)
def test_damaged_records_are_refused(tmp_path, damage):
    (tmp_path / "records.json").write_text(damage)
    with pytest.raises(FormatError, match=r"records\.json is damaged"):
        collect(Interrupting(stop_at=0), PLAN, tmp_path)


@pytest.mark.parametrize("make", [os.symlink, os.link], ids=["symbolic", "hard"])
@pytest.mark.parametrize("name", ["a.safetensors", "records.json"])
def test_nothing_is_written_through_a_link_in_the_folder(name, make, tmp_path):
    """A stranger's folder, with records that lack the run, or without records."""
    folder, victim = tmp_path / "runs", tmp_path / "home" / "precious"
    victim.parent.mkdir()
    victim.write_bytes(b"precious")
    victim.chmod(0o604)
    folder.mkdir()
    make(victim, folder / name)
    if name == "records.json":
        with pytest.raises((OSError, FormatError), match=r"symbolic link, which is not followed|is damaged"):
            collect(made, {"a": {"x": 1}}, folder)
    else:
        assert list(collect(made, {"a": {"x": 1}}, folder)) == ["a"]
    (folder / "none").symlink_to(victim.parent / "new")
    (folder / "none").replace(folder / name)
    with contextlib.suppress(OSError):
        collect(made, {"a": {"x": 1}}, folder)
    assert os.listdir(victim.parent) == ["precious"]
    assert victim.read_bytes() == b"precious"
    assert stat.S_IMODE(victim.stat().st_mode) == 0o604


def test_a_run_is_not_read_through_a_link(tmp_path):
    collect(made, {"a": {"x": 1}}, tmp_path / "runs")
    run = tmp_path / "runs" / "a.safetensors"
    run.rename(tmp_path / "elsewhere")
    run.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match=r"symbolic link, which is not followed.*a\.safetensors"):
        collect(made, {"a": {"x": 1}}, tmp_path / "runs")


def test_a_folder_of_runs_that_becomes_a_link_leads_nowhere(tmp_path):
    folder, home = tmp_path / "runs", tmp_path / "home"
    home.mkdir()

    def make(x):
        if not folder.is_symlink():
            folder.rename(tmp_path / "moved")
            folder.symlink_to(home)
        return made(x)

    assert list(collect(make, {"a": {"x": 1}, "b": {"x": 2}}, folder)) == ["a", "b"]
    assert os.listdir(home) == []
    assert sorted(os.listdir(tmp_path / "moved")) == ["a.safetensors", "b.safetensors", "records.json"]


def made(x):
    return KeyedVectors.from_arrays(["a", "b"], np.full((2, 2), x, np.float32))


def test_names_and_arguments_that_files_cannot_hold_are_refused(tmp_path):
    for name in ("", "a/b", ".hidden", "a b", "é"):
        with pytest.raises(ValueError, match="cannot be the name of a run"):
            collect(Interrupting(stop_at=0), {name: {"seed": 1}}, tmp_path)
    with pytest.raises(TypeError, match=r"cannot be kept in records\.json"):
        collect(Interrupting(stop_at=0), {"a": {"seed": object()}}, tmp_path)
    assert not list(tmp_path.iterdir())


def test_runs_of_another_library_are_kept_as_native_files(tmp_path):
    foreign = SimpleNamespace(
        index_to_key=["a", "b"],
        key_to_index={"a": 0, "b": 1},
        vectors=np.eye(2),
        expandos={"count": np.array([9, 5]), "odd": np.array([object(), object()])},
    )
    run = collect(lambda: foreign, {"x": {}}, tmp_path)["x"]
    assert run.index_to_key == ["a", "b"]
    assert run.get_vecattr("b", "count") == 5
    assert run.vectors.dtype == np.float32
    assert KeyedVectors.load(tmp_path / "x.safetensors")["b"].tolist() == [0, 1]


def test_a_training_goes_on_and_another_text_is_refused(corpus, tmp_path, monkeypatch):
    folder = tmp_path / "runs"
    first = retrain(corpus, runs=2, folder=folder, **SETTINGS)["seed"]
    packed = tmp_path / "moved.txt.xz"
    packed.write_bytes(lzma.compress(corpus.read_bytes()))
    longer = retrain(packed, runs=3, folder=folder, **SETTINGS)["seed"]  # the same text in another place
    assert [same(first[name], longer[name]) for name in first] == [True, True]
    assert same(longer["seed-3"], Word2Vec(corpus_file=corpus, seed=3, workers=1, **SETTINGS).wv)
    with pytest.raises(ValueError, match="begun with epochs=1, and this is epochs=2"):
        retrain(corpus, runs=2, folder=folder, **SETTINGS | {"epochs": 2})
    with pytest.raises(ValueError, match="begun with window=5"):
        retrain(corpus, runs=2, folder=folder, window=2, **SETTINGS)
    with monkeypatch.context() as patch:
        patch.setattr("w2v.stability.experiments.show_config", lambda: {"scheme": 0})
        with pytest.raises(ValueError, match="begun with scheme="):
            retrain(corpus, runs=2, folder=folder, **SETTINGS)
    corpus.write_text(corpus.read_text() + "one more line\n")
    with pytest.raises(ValueError, match="begun with corpus="):
        retrain(corpus, runs=2, folder=folder, **SETTINGS)


def test_lists_are_told_apart_by_their_words(sentences, tmp_path):
    retrain(sentences, runs=1, folder=tmp_path, **SETTINGS)
    with pytest.raises(ValueError, match="begun with corpus="):
        retrain(sentences[1:], runs=1, folder=tmp_path, **SETTINGS)


def test_progress_is_shown_when_asked_for_and_quiet_otherwise(sentences, capsys):
    runs = retrain(sentences, runs=2, **SETTINGS)["seed"]
    measure(runs, k=3)
    assert capsys.readouterr().err == ""
    measure(retrain(sentences, runs=2, progress=True, **SETTINGS)["seed"], k=3, progress=True)
    said = capsys.readouterr().err
    for label in ("runs", "neighbours", "pairs of runs"):
        assert label in said


# --- the seed question, small -------------------------------------------------------------------------------------


def test_the_answer_to_the_seed_question(sentences):
    settings = SETTINGS | {"epochs": 12, "vector_size": 16}
    again = measure(retrain(sentences, runs=3, vary="nothing", **settings)["nothing"], k=5)
    seeds = measure(retrain(sentences, runs=5, **settings)["seed"], k=5)
    assert again.total("joint") == again.total("raw_cosine") == 1
    assert abs(seeds.total("raw_cosine")) < 0.5 < 0.9 < seeds.total("aligned_cosine")
    assert 0.5 < seeds.total("overlap") < 1
    assert seeds.total("joint") < seeds.total("reliability") < seeds.total("jaccard") < seeds.total("overlap")


# --- the command line ---------------------------------------------------------------------------------------------


def run_command(*words):
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    command.add_arguments(parser.add_argument, TRAINING_OPTIONS)
    command.run(parser.parse_args([str(word) for word in words]))


SMALL = ["--size", 8, "--min-count", 1, "--sg", "--epochs", 1, "-k", 3]


def test_command_prints_a_table(corpus, capsys):
    run_command(corpus, "--runs", 2, *SMALL, "--neighbors", "river")
    said = capsys.readouterr().out
    for part in (
        "| overlap ",
        "| spearman ",
        "rotation, not meaning",
        "| 100-299 ",
        "neighbours of river",
        "| cosine ",
    ):
        assert part in said
    assert max(map(len, said.splitlines())) < 120


def test_command_prints_json_and_writes_records(corpus, tmp_path, capsys):
    options = ["--vary", "window", "--values", 1, 3, "--runs", 2, "--folder", tmp_path / "runs", *SMALL]
    run_command(corpus, *options, "-o", tmp_path / "s.csv", "--word-records", tmp_path / "w.json", "--json")
    facts = json.loads(capsys.readouterr().out)
    assert {record["window"] for record in facts["summary"]} == {1, 3}
    assert facts["neighbors"] == {}
    with open(tmp_path / "s.csv", encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == len(facts["summary"])
    words = json.loads((tmp_path / "w.json").read_text(encoding="utf-8"))
    assert len(words) == 36
    assert {record["group"] for record in words} == {1, 3}
    assert len(list((tmp_path / "runs").glob("*.safetensors"))) == 4
    run_command(corpus, "--vary", "words", "--values", 200, 2400, "--runs", 2, *SMALL, "--json")
    facts = json.loads(capsys.readouterr().out)
    totals = [record for record in facts["summary"] if (record["measure"], record["band"]) == ("joint", "all")]
    assert [(record["words"], record["measured"]) for record in totals] == [(200, 18), (2400, 18)]
    # As Python gives it.
    groups = retrain(corpus, runs=2, vary="window", values=[1, 3], **SETTINGS)
    assert measure(groups[3], k=3).total("overlap") in [record["mean"] for record in facts["summary"]]


def test_command_options_have_the_values_of_word2vec(corpus, tmp_path, capsys):
    folder = tmp_path / "runs"
    run_command(corpus, "--runs", 2, "--folder", folder, *SMALL, "--hs", "--negative", 0, "--alpha", 0.05)
    settings = json.loads((folder / "records.json").read_text(encoding="utf-8"))["settings"]
    expected = {"sg": 1, "hs": 1, "negative": 0, "alpha": 0.05, "workers": 1, "seed": 1, "vector_size": 8}
    assert settings | expected == settings


def test_command_refuses_too_small_numbers(corpus, capsys):
    for option, number, said in (("--runs", 1, "below 2"), ("-k", 0, "below 1")):
        with pytest.raises(SystemExit):
            run_command(corpus, option, number)
        assert said in capsys.readouterr().err


@pytest.mark.parametrize("output", [("-o", "s.txt"), ("--word-records", "no/w.csv"), ("--plot", "p.xyz")], ids=str)
def test_command_trains_nothing_if_it_could_not_write(corpus, tmp_path, output):
    pytest.importorskip("matplotlib")
    with pytest.raises((ValueError, OSError), match=r"must end in|not a folder"):
        run_command(corpus, "--folder", tmp_path / "runs", output[0], tmp_path / output[1])
    assert not (tmp_path / "runs").exists()


def test_command_writes_its_results_though_a_word_is_missing(corpus, tmp_path, capsys):
    run_command(corpus, "--runs", 2, *SMALL, "--neighbors", "nobody", "-o", tmp_path / "s.csv")
    assert "not a word of all runs" in capsys.readouterr().out
    assert (tmp_path / "s.csv").exists()


def test_a_folder_is_of_all_settings_and_of_the_very_words(tmp_path):
    whole, cut = [["new york", "is", "big"]] * 9, [["new", "york", "is", "big"]] * 9
    settings = {"runs": 1, "folder": tmp_path / "runs", "vector_size": 4, "min_count": 1, "epochs": 1}
    retrain(whole, **settings)
    retrain(whole, **settings, window=5)  # which it was
    with pytest.raises(ValueError, match="begun with window=5"):
        retrain(whole, **settings, window=4)
    with pytest.raises(ValueError, match="begun with corpus="):
        retrain(cut, **settings)


@pytest.mark.parametrize("vary", ["bootstrap", "shuffle"])
def test_a_string_is_no_document(vary):
    with pytest.raises(TypeError, match="not the string"):
        retrain(["one two"] * 9, runs=1, vary=vary, min_count=1)


def test_command_examples_parse():
    parser = argparse.ArgumentParser()
    command.add_arguments(parser.add_argument, TRAINING_OPTIONS)
    for line in command.EXAMPLES.strip().splitlines():
        words = line.split()
        assert words[:2] == ["w2v", "stability"]
        parser.parse_args(words[2:])


def test_declaring_the_command_loads_no_numpy():
    import subprocess

    script = "import sys; from w2v.stability import command; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# --- figures ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def groups(sentences):
    return retrain(sentences, runs=3, vary="words", values=[200, 2400], **SETTINGS)


def test_figures_are_drawn(groups, tmp_path, corpus, capsys):
    pytest.importorskip("matplotlib")
    reports = {size: measure(runs, k=5) for size, runs in groups.items()}
    by_frequency = draw_frequency({"small": reports[200], "large": reports[2400]})
    axes = by_frequency.axes[0]
    assert axes.get_xscale() == "log"
    assert axes.get_ylabel() == "neighbour overlap at 5"
    assert [text.get_text() for text in by_frequency.legends[0].get_texts()] == ["small", "large"]
    assert draw_frequency(reports[2400], "aligned_cosine").legends == []
    by_size = draw_groups(reports).axes[0]
    assert [label.get_text() for label in by_size.get_xticklabels()] == ["200", "2,400"]
    assert len(by_size.figure.legends[0].get_texts()) == 3
    table = draw_neighbors(groups[2400], "river", k=4).axes[0]
    shown = [text.get_text() for text in table.texts]
    assert len(shown) == 3 * 4
    assert [label.get_text() for label in table.get_xticklabels()] == ["seed-1", "seed-2", "seed-3"]
    nearest = groups[2400]["words-2400-seed-1"].most_similar("river", topn=4)
    assert {word for word, _ in nearest} <= set(shown)
    for number, figure in enumerate((by_frequency, by_size.figure, table.figure)):
        figure.savefig(tmp_path / f"{number}.png")
        assert (tmp_path / f"{number}.png").read_bytes()[:4] == b"\x89PNG"
    run_command(corpus, "--runs", 2, *SMALL, "--plot", tmp_path / "frequency.png")
    run_command(corpus, "--runs", 2, *SMALL, "--vary", "words", "--values", 200, 2400, "--plot", tmp_path / "size.svg")
    assert (tmp_path / "frequency.png").exists()
    assert (tmp_path / "size.svg").exists()


def test_undrawable_figures_are_refused(groups):
    pytest.importorskip("matplotlib")
    found = measure(groups[2400], k=5)
    with pytest.raises(ValueError, match="not all numbers"):
        draw_groups({"few": found, "many": found})
    with pytest.raises(ValueError, match="no measure 'oberlap'"):
        draw_groups({1: found}, ["oberlap"])
    with pytest.raises(ValueError, match="no measure 'pip_loss' of words"):
        draw_frequency(found, "pip_loss")
    with pytest.raises(ValueError, match="how often"):
        draw_frequency(found._replace(counts=None))
    with pytest.raises(KeyError, match="nobody"):
        draw_neighbors(groups[2400], "nobody", 3)


def test_without_matplotlib_the_error_names_the_extra(groups, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    found = measure(groups[2400], k=5)
    for draw in (
        lambda: draw_frequency(found),
        lambda: draw_groups({1: found}),
        lambda: draw_neighbors(groups[2400], "river", 3),
    ):
        with pytest.raises(ImportError, match=r"w2v\[plot\]"):
            draw()


def test_counts_repeat_with_any_seed_and_move_with_the_text(tmp_path):
    settings = {"model": "PPMI", "vector_size": 6, "min_count": 1, "sample": 0}
    runs = retrain(zipf_like(3000), runs=3, vary="seed", **settings)["seed"]
    assert list(runs) == ["seed-1", "seed-2", "seed-3"]
    words = runs["seed-1"].index_to_key[:30]
    assert measure(runs, words=words).total("reliability") == pytest.approx(1, abs=1e-12)
    moved = retrain(zipf_like(3000), runs=3, vary="bootstrap", folder=tmp_path, **settings)["bootstrap"]
    assert (
        measure(moved, words=[word for word in words if all(word in run for run in moved.values())]).total(
            "reliability"
        )
        < 0.9
    )
    with pytest.raises(ValueError, match=r"model='PPMI'|another folder"):
        retrain(zipf_like(3000), runs=3, vary="bootstrap", folder=tmp_path, **settings | {"model": "Word2Vec"})
    with pytest.raises(ValueError, match="epochs"):
        retrain(zipf_like(3000), model="PPMI", epochs=3)
    with pytest.raises(ValueError, match="model='GloVe'"):
        retrain(zipf_like(3000), model="GloVe")


@pytest.mark.parametrize(("vary", "values"), [("seed", ()), ("shuffle", ()), ("words", (300,))])
def test_raw_text_is_divided_by_the_tokenizer_in_every_sample(tmp_path, vary, values):
    (tmp_path / "book.txt").write_text("The end.\nA NEW end, the end!\n" * 60)
    found = retrain(
        tmp_path / "book.txt", runs=1, vary=vary, values=values, tokenizer="simple", vector_size=4, min_count=1
    )
    for runs in found.values():
        for vectors in runs.values() if isinstance(runs, dict) else [runs]:
            assert set(vectors.index_to_key) == {"the", "end", "a", "new"}
