"""Packages that import gensim, run on w2v: the example each documents, on data whose right answer is known.

    python benchmarks/dependents.py [--plain] [PACKAGE ...]

Every example runs in a process of its own, in which `w2v.compat.gensim.install` has put w2v in gensim's place; it fails
unless the classes that the package got are ours and the result is as the data's two groups say it must be. ``--plain``
runs the same on gensim itself, to compare. A package that is not there gives a row that says so. The exit code is 0 if
none failed; tracebacks go to stderr.

Not all of these packages agree on what they need, and some of it they do not need. One environment for all of them, on
Python 3.11, with w2v installed:

    pip install --prefer-binary gensim==4.4.0 spec2vec==0.9.1 "matchms<0.33" scikit-learn statsmodels flashtext spacy \\
        six numba-progress "cachetools<5" attrs rdflib aiohttp nest-asyncio python-louvain pygsp
    pip install --no-deps node2vec==0.5.0 pecanpy==2.0.9 nptyping==2.5.0 scattertext==0.2.2 mol2vec==0.2.2 \\
        pyRDF2Vec==0.2.3 karateclub==1.3.3

and for Top2Vec, which needs umap-learn and hdbscan, ``pip install top2vec==1.0.36 Levenshtein``.

matchms 0.33 has no module `Spikes`, which spec2vec 0.9.1 imports. node2vec and nptyping, which pecanpy imports, ask for
numpy < 2; scattertext for scipy < 1.14; pyRDF2Vec for torch, which it does not import, and for older attrs and
networkx. karateclub asks for numpy < 1.23, of which there are no wheels for Python 3.11: only ``--no-deps`` installs
it there, and python-louvain, pygsp and Levenshtein beside it. mol2vec uses names of gensim 3, and so fails with
``--plain``.
"""

import argparse
import importlib.metadata
import importlib.util
import itertools
import json
import random
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import common
import numpy as np

# Nodes in each of the two cliques, and how many neighbours of each are looked at.
CLIQUE = 20
NEAREST = 10

# Of them in the right group, at least; half of them would be chance.
SENSIBLE = 0.9

# Names that numpy 2 dropped and nptyping 2.5 still asks for. With numpy 1 pecanpy runs as it is.
NUMPY_1 = {
    "bool8": "bool_",
    "object0": "object_",
    "int0": "intp",
    "uint0": "uintp",
    "float_": "float64",
    "longfloat": "longdouble",
    "singlecomplex": "complex64",
    "complex_": "complex128",
    "cfloat": "complex128",
    "clongfloat": "clongdouble",
    "longcomplex": "clongdouble",
    "void0": "void",
    "bytes0": "bytes_",
    "str0": "str_",
    "string_": "bytes_",
    "unicode_": "str_",
}


class Wrong(Exception):
    """The example ran, but on other classes, or its result is not what the data says."""


# What the examples share


def cliques() -> list[tuple[int, int]]:
    """The edges of two cliques, of nodes 0 to CLIQUE - 1 and the next CLIQUE, and one edge between them."""
    left, right = range(CLIQUE), range(CLIQUE, 2 * CLIQUE)
    return [*itertools.combinations(left, 2), *itertools.combinations(right, 2), (left[-1], right[0])]


def clique(node: Any) -> bool:
    return int(node) >= CLIQUE


def nearest(vectors: Mapping[Any, np.ndarray], count: int = NEAREST) -> dict[Any, list[Any]]:
    """The nearest others of each by cosine."""
    names = list(vectors)
    rows = np.array([vectors[name] for name in names], np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -np.inf)
    return {name: [names[i] for i in np.argsort(-row)[:count]] for name, row in zip(names, cosines, strict=True)}


def share(neighbours: Mapping[Any, Iterable[Any]], group: Callable[[Any], Any]) -> str:
    """Says how many of the neighbours are of one's own group; `Wrong` if too few."""
    same = [group(one) == group(other) for one, others in neighbours.items() for other in others]
    said = f"{100 * np.mean(same):.1f} % of {len(same)} neighbours in their own group"
    if not same or np.mean(same) < SENSIBLE:
        raise Wrong(said)
    return said


def check_ours(*classes: type) -> None:
    """Whether the classes a package works with are those under test."""
    wanted = "gensim" if "--plain" in sys.argv else "w2v"
    for one in classes:
        if one.__module__.partition(".")[0] != wanted:
            raise Wrong(f"{one.__module__}.{one.__qualname__} was under test")


# The packages


def run_node2vec() -> str:
    """Its README: embed nodes, ask for neighbours, save, embed edges."""
    import networkx
    from gensim.models import KeyedVectors
    from node2vec import Node2Vec
    from node2vec.edges import HadamardEmbedder

    walker = Node2Vec(
        networkx.Graph(cliques()), dimensions=64, walk_length=30, num_walks=50, workers=2, quiet=True, seed=1
    )
    model = walker.fit(window=10, min_count=1, batch_words=4)
    check_ours(type(model), type(model.wv))
    said = share({node: [key for key, _ in model.wv.most_similar(node)] for node in model.wv.index_to_key}, clique)

    model.wv.save_word2vec_format("nodes.txt")
    model.save("nodes.model")
    for again in (KeyedVectors.load_word2vec_format("nodes.txt"), type(model).load("nodes.model").wv):
        check_ours(type(again))
        if again.index_to_key != model.wv.index_to_key or not np.allclose(again["2"], model.wv["2"]):
            raise Wrong("what was saved is not what is read")

    embedder = HadamardEmbedder(keyed_vectors=model.wv, quiet=True)
    if not np.array_equal(embedder["1", "2"], model.wv["1"] * model.wv["2"]):
        raise Wrong("an edge is not the product of its nodes")
    edges = embedder.as_keyed_vectors()
    check_ours(type(edges))
    edges.most_similar(str(("1", "2")))
    edges.save_word2vec_format("edges.txt")
    return said


def run_pecanpy() -> str:
    """Its README's command line, and the example in the documentation of its classes."""
    for old, new in NUMPY_1.items():
        if not hasattr(np, old):
            setattr(np, old, getattr(np, new))
    from gensim.models import KeyedVectors
    from pecanpy import cli, pecanpy

    check_ours(pecanpy.Word2Vec, cli.Word2Vec, KeyedVectors)
    Path("cliques.edg").write_text("".join(f"{one}\t{other}\n" for one, other in cliques()), encoding="utf-8")
    arguments = ["--input", "cliques.edg", "--output", "cliques.emb", "--mode", "SparseOTF"]
    before, sys.argv = sys.argv, ["pecanpy", *arguments]
    try:
        cli.main()
    finally:
        sys.argv = before
    kv = KeyedVectors.load_word2vec_format("cliques.emb")
    share(nearest({node: kv[node] for node in kv.index_to_key}), clique)

    graph = pecanpy.PreComp(p=0.5, q=1, workers=4, verbose=False)
    graph.read_edg("cliques.edg", weighted=False, directed=False)
    graph.preprocess_transition_probs()
    return share(nearest(dict(zip(graph.nodes, graph.embed(), strict=True))), clique)


def run_scattertext() -> str:
    """Its demo_gensim_similarity: the explorer of terms similar to one, with the default model and epochs."""
    import pandas
    import scattertext
    from gensim.models import word2vec

    def party(word: str) -> str:
        return word[:5]

    rng = random.Random(1)
    letters = "abcdefghijklmnopqrstuvwxyz"
    parties = {name: [name + letter for letter in letters] for name in ("bread", "river")}
    frame = pandas.DataFrame(
        {"party": name, "text": " ".join(rng.sample(words, 8)) + " ."}
        for name, words in parties.items()
        for _ in range(60)
    )
    frame["parsed"] = frame["text"].apply(scattertext.whitespace_nlp_with_sentences)
    corpus = scattertext.CorpusFromParsedDocuments(frame, category_col="party", parsed_col="parsed").build()
    corpus = corpus.get_unigram_corpus()
    model = scattertext.Word2VecFromParsedCorpus(corpus).train()
    check_ours(type(model), type(model.wv), word2vec.Word2Vec)
    said = share(nearest({word: model.wv[word] for word in itertools.chain(*parties.values())}), party)

    explored = scattertext.word_similarity_explorer_gensim(
        corpus, category="bread", category_name="Bread", not_category_name="River", target_term="breada",
        word2vec=model, minimum_term_frequency=1, pmi_threshold_coefficient=0, max_p_val=1.0, return_data=True,
    )  # fmt: skip
    scores = {term["term"]: term["os"] for term in explored["data"]}
    if "--plain" not in sys.argv:  # there all are 0: it asks for model.similarity, a name of gensim 3
        share({"breada": sorted(scores, key=lambda word: -scores[word])[1 : NEAREST + 1]}, party)
    return said


def run_spec2vec() -> str:
    """Its README: documents of spectra, a model saved on the way, scores of queries against references."""
    import gensim
    import matchms
    from spec2vec import Spec2Vec, SpectrumDocument
    from spec2vec.model_building import train_new_word2vec_model

    rng = np.random.default_rng(1)
    families = {"first": np.arange(20) * 10.0 + 50, "second": np.arange(20) * 10.0 + 355}

    def spectrum(family: str, number: int) -> Any:
        mz = np.sort(rng.choice(families[family], 10, replace=False))
        intensities = rng.uniform(0.1, 1, 10)
        metadata = {"spectrum_id": f"{family} {number}", "precursor_mz": 700.0}
        return matchms.Spectrum(mz=mz, intensities=intensities / intensities.max(), metadata=metadata)

    references = [
        SpectrumDocument(spectrum(family, number), n_decimals=2) for number in range(40) for family in families
    ]
    queries = [spectrum(family, number) for number in range(5) for family in families]
    train_new_word2vec_model(
        references, iterations=[10, 20, 30], filename="references.model", workers=2, progress_logger=True
    )
    for name in ("references_iter_10.model", "references_iter_20.model", "references.model"):
        model = gensim.models.Word2Vec.load(name)
        check_ours(type(model), type(model.wv))

    def family(one: Any) -> str:
        return one.get("spectrum_id").split()[0]

    similarity = Spec2Vec(model=model, intensity_weighting_power=0.5, allowed_missing_percentage=5.0)
    scores = matchms.calculate_scores(references, queries, similarity)
    best = {query: scores.scores_by_query(query, sort=True)[:NEAREST] for query in queries}
    return share({query: [reference for reference, _ in found] for query, found in best.items()}, family)


def run_mol2vec() -> str:
    """The three steps of its README: corpus, train, featurize."""
    import pandas
    from mol2vec import features

    chains = ["C" * length + end for length in range(4, 19) for end in ("", "O", "N", "Cl")]
    rings = [
        f"c1c{side}cccc1{end}"
        for side in ("", "(C)", "(O)", "(Cl)", "(N)")
        for end in ("-c2ccccc2", "-c2ccc(O)cc2", "-c2ccc(Cl)cc2", "-c2ccc(C)cc2", "-c2ccncc2", "C#N")
    ]
    rare = ["CCCCCCF", "CCCCCCS", "CCCCCCBr", "CCCCCCI", "CCCCCC=O", "CCCCCCN=O"]  # their ends become UNK
    molecules = [(smiles, smiles in rings) for smiles in chains + rare + rings]
    random.Random(1).shuffle(molecules)
    Path("molecules.smi").write_text(
        "".join(f"{smiles}\t{number}\n" for number, (smiles, _) in enumerate(molecules)), encoding="utf-8"
    )
    features.generate_corpus("molecules.smi", "molecules.cp", 1, n_jobs=2)
    features.insert_unk("molecules.cp", "molecules.cp_UNK", threshold=3, uncommon="UNK")
    model = features.train_word2vec_model(
        "molecules.cp_UNK", "model.pkl", vector_size=100, window=10, min_count=3, n_jobs=2, method="skip-gram"
    )
    check_ours(type(model), type(model.wv))
    features.featurize("molecules.smi", "molecules.csv", "model.pkl", 1, uncommon="UNK")
    table = pandas.read_csv("molecules.csv").set_index("ID").filter(like="mol2vec-")
    if len(table) != len(molecules):
        raise Wrong(f"{len(table)} of {len(molecules)} molecules came back")
    return share(nearest({number: row.to_numpy() for number, row in table.iterrows()}), lambda i: molecules[i][1])


def run_pyrdf2vec() -> str:
    """Its README: a knowledge graph from scratch, random walks, Word2Vec; then new entities, and save and load."""
    from pyrdf2vec import RDF2VecTransformer
    from pyrdf2vec.embedders import Word2Vec
    from pyrdf2vec.graphs import KG, Vertex
    from pyrdf2vec.walkers import RandomWalker

    def name(node: int) -> str:
        return f"http://pyRDF2Vec#{node}"

    graph = KG()
    for one, other in cliques()[:-1]:  # without the edge between them: its walks cross it too readily
        for source, target in ((one, other), (other, one)):
            subject, thing = Vertex(name(source)), Vertex(name(target))
            knows = Vertex("http://pyRDF2Vec#knows", predicate=True, vprev=subject, vnext=thing)
            graph.add_walk(subject, knows, thing)
    entities = [name(node) for node in range(2 * CLIQUE)]
    first, later = entities[::2], entities[1::2]
    transformer = RDF2VecTransformer(
        Word2Vec(epochs=10), walkers=[RandomWalker(4, 100, with_reverse=False, n_jobs=2, random_state=1)]
    )
    check_ours(type(transformer.embedder._model))
    transformer.fit_transform(graph, first)
    transformer.save("transformer")
    transformer = RDF2VecTransformer.load("transformer")
    transformer.fit_transform(graph, later, is_update=True)
    vectors, _ = transformer.transform(graph, entities)
    return share(nearest(dict(zip(range(2 * CLIQUE), vectors, strict=True))), clique)


def run_karateclub() -> str:
    """A model, fit, get_embedding, for those that train Word2Vec, with both outputs and with one."""
    import karateclub
    import networkx

    models = {
        "DeepWalk": karateclub.DeepWalk(),
        "Node2Vec": karateclub.Node2Vec(),
        "Walklets": karateclub.Walklets(),
        "Diff2Vec": karateclub.Diff2Vec(diffusion_cover=CLIQUE),
    }
    found = {}
    for name, model in models.items():
        check_ours(sys.modules[type(model).__module__].Word2Vec)
        model.fit(networkx.Graph(cliques()))
        neighbours = nearest(dict(enumerate(model.get_embedding())))
        share(neighbours, clique)
        found |= {(name, node): [(name, other) for other in others] for node, others in neighbours.items()}
    return f"{', '.join(models)}: {share(found, lambda pair: clique(pair[1]))}"


def run_karateclub_calls() -> str:
    """The call its DeepWalk makes, on random walks of our own: hierarchical softmax and negative sampling together."""
    from gensim.models.word2vec import Word2Vec

    edges = cliques()
    around: dict[int, list[int]] = {node: [] for node in range(2 * CLIQUE)}
    for one, other in edges:
        around[one].append(other)
        around[other].append(one)
    rng = random.Random(1)
    walks = []
    for start in [*around] * 10:
        walk = [start]
        while len(walk) < 80:
            walk.append(rng.choice(around[walk[-1]]))
        walks.append([str(node) for node in walk])
    model = Word2Vec(
        walks, hs=1, negative=5, alpha=0.05, epochs=1, vector_size=128, window=5, min_count=1, workers=4, seed=42
    )
    check_ours(type(model), type(model.wv))
    if model.syn1.shape != model.syn1neg.shape or not (model.syn1.any() and model.syn1neg.any()):
        raise Wrong("one of the two outputs was not trained")
    return share(nearest({node: model.wv[str(node)] for node in around}), clique)


def run_karateclub_documents() -> str:
    """Models that train Doc2Vec: of whole graphs, two kinds of them, and of nodes with attributes or roles."""
    import karateclub
    import networkx
    import scipy.sparse

    found = {}
    sizes = range(8, 8 + CLIQUE)
    graphs = [networkx.circulant_graph(size, offsets) for offsets in ([1], [1, 2]) for size in sizes]
    for name in ("Graph2Vec", "GL2Vec"):
        model = getattr(karateclub, name)(epochs=100, down_sampling=0)  # else their few words are thinned out
        check_ours(sys.modules[type(model).__module__].Doc2Vec)
        model.fit(graphs)
        neighbours = nearest(dict(enumerate(model.get_embedding())))
        share(neighbours, clique)
        found |= {(name, node): [(name, other) for other in others] for node, others in neighbours.items()}
    graph, features = networkx.Graph(cliques()), np.arange(2 * CLIQUE)[:, None] // CLIQUE * 10 + np.arange(10)
    rows = np.repeat(np.arange(2 * CLIQUE), 10)
    attributes = scipy.sparse.coo_matrix((np.ones(len(rows)), (rows, features.ravel())), shape=(2 * CLIQUE, 20))
    for name in ("MUSAE", "AE", "ASNE", "Role2Vec"):
        model = getattr(karateclub, name)()
        check_ours(sys.modules[type(model).__module__].Doc2Vec)
        model.fit(graph) if name == "Role2Vec" else model.fit(graph, attributes)
        rows_of_nodes = model.get_embedding()
        if rows_of_nodes.shape[0] != 2 * CLIQUE or not np.isfinite(rows_of_nodes).all():
            raise Wrong(f"{name} gave an array of {rows_of_nodes.shape}")
    return f"Graph2Vec, GL2Vec: {share(found, lambda pair: clique(pair[1]))}; MUSAE, AE, ASNE, Role2Vec run"


def run_top2vec() -> str:
    """Its README with doc2vec: topics, their words and documents, search, new documents, saved and loaded.

    It imports torch and transformers for other ways to embed documents. Where torch is missing, it gets empty modules.
    """
    from unittest.mock import MagicMock

    missing = (
        ("torch", "torch.utils", "torch.utils.data", "transformers") if not importlib.util.find_spec("torch") else ()
    )
    sys.modules |= {name: MagicMock() for name in missing}
    from top2vec import Top2Vec

    for name in missing:  # scipy looks at torch if it is there
        del sys.modules[name]

    check_ours(sys.modules["top2vec.top2vec"].Doc2Vec)
    rng = random.Random(1)
    kinds = (("river", "boat", "water", "bridge", "fish", "mill"), ("king", "queen", "court", "crown", "castle", "law"))
    texts = [" ".join(rng.choices(kinds[i % 2], k=30)) for i in range(400)]
    model = Top2Vec(texts, embedding_model="doc2vec", speed="learn", workers=2, min_count=5)
    sizes, topics = model.get_topic_sizes()
    words, _, _ = model.get_topics()
    for row in words:
        if len({next(i for i, kind in enumerate(kinds) if word in kind) for word in row[:5]}) > 1:
            raise Wrong(f"a topic of two kinds of words: {', '.join(row[:5])}")
    found = {}
    for topic, size in zip(topics, sizes, strict=True):
        _, _, documents = model.search_documents_by_topic(int(topic), num_docs=int(min(size, NEAREST)))
        found[int(documents[0])] = [int(document) for document in documents[1:]]
    model.search_documents_by_keywords(["river"], num_docs=5)
    model.search_documents_by_documents([0], num_docs=5)
    model.similar_words(["river"], num_words=3)
    model.add_documents(texts[:4])
    model.save("topics")
    if Top2Vec.load("topics").get_num_topics() != len(topics):
        raise Wrong("another number of topics was loaded")
    return f"{len(topics)} topics; {share(found, lambda document: document % 2)}"


# name: (its distribution, the example, how)
EXAMPLES: dict[str, tuple[str, str, Callable[[], str]]] = {
    "node2vec": ("node2vec", "README: nodes, edges, saved and loaded", run_node2vec),
    "pecanpy": ("pecanpy", "README: command line; PreComp.embed", run_pecanpy),
    "scattertext": ("scattertext", "demo: word_similarity_explorer_gensim", run_scattertext),
    "spec2vec": ("spec2vec", "README: train, load, score", run_spec2vec),
    "mol2vec": ("mol2vec", "README: corpus, train, featurize", run_mol2vec),
    "pyRDF2Vec": ("pyRDF2Vec", "README: own graph; update; saved and loaded", run_pyrdf2vec),
    "karateclub": ("karateclub", "fit, get_embedding", run_karateclub),
    "karateclub-documents": ("karateclub", "those that train Doc2Vec", run_karateclub_documents),
    "Top2Vec": ("top2vec", "README with doc2vec; add, save, load", run_top2vec),
    "karateclub-calls": ("gensim", "Word2Vec(walks, hs=1, negative=5, ...)", run_karateclub_calls),
}


def version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def one(name: str, plain: bool) -> dict[str, str]:
    """Run one example, in this process."""
    if not plain:
        from w2v.compat import gensim

        gensim.install()
    try:
        return {"outcome": "passes", "figure": EXAMPLES[name][2]()}
    except Exception as error:
        traceback.print_exc()
        outcome = "wrong" if isinstance(error, Wrong) else "fails"
        return {"outcome": outcome, "figure": f"{type(error).__name__}: {error}".splitlines()[0][:150]}


def isolated(name: str, plain: bool) -> dict[str, str]:
    """Run one example in a process and a folder of its own."""
    command = [sys.executable, str(Path(__file__).resolve()), "--one", name] + ["--plain"] * plain
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        sys.stderr.write(done.stderr)
        return {"outcome": "fails", "figure": f"the process ended with {done.returncode}"}
    result = json.loads(lines[-1])
    if result["outcome"] != "passes":
        sys.stderr.write(done.stderr)
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", nargs="*", metavar="PACKAGE", help=f"of {', '.join(EXAMPLES)}; default: all")
    parser.add_argument("--plain", action="store_true", help="run on gensim itself")
    parser.add_argument("--one", choices=EXAMPLES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print("\n" + json.dumps(one(options.one, options.plain)))
        return 0
    unknown = [name for name in options.packages if name not in EXAMPLES]
    if unknown:
        parser.error(f"{unknown[0]!r} is not one of {', '.join(EXAMPLES)}")
    rows = [["package", "version", "example", "outcome", "figure"]]
    for name in options.packages or EXAMPLES:
        distribution, example, _ = EXAMPLES[name]
        found = version(distribution)
        if found is None:
            rows.append([name, "-", example, "not installed", ""])
            continue
        result = isolated(name, options.plain)
        rows.append([name, found, example, result["outcome"], result["figure"]])
    system = "gensim itself" if options.plain else "w2v in gensim's place"
    print(f"{common.machine()}; gensim {version('gensim') or 'not installed'}; on {system}\n")
    print(common.table(rows))
    return 1 if any(row[3] in ("fails", "wrong") for row in rows[1:]) else 0


if __name__ == "__main__":
    sys.exit(main())
