"""Intelligent word embeddings on radiology reports: a dictionary, phrases, negation, word and document vectors.

    python benchmarks/clinical.py FOLDER [--seeds 1 2 3] [--folds 5] [--size 100] [--epochs 20]

FOLDER has ``openi/indiana_reports.csv.xz`` (chest X-ray reports, Demner-Fushman et al. 2016), CLEVER's
``clever/clever_base_terminology.txt`` and NegEx's ``negex/negex_triggers.txt`` with its labelled sentences. The recipe
is that of Banerjee et al. 2017 (AMIA) and 2018 (J. Biomed. Inform.), rebuilt: terms become concepts, phrases become
words, negations are found, and a report is a mean of word vectors beside an inferred document vector.

Questions: normal or not, and five findings; logistic regression; F1 in per cent, the mean of the six. Systems are
trained on the same reports: `tf-idf`, `word2vec` (the mean of all words), `iwe`. The test reports are read as they are,
and in another hospital's style: every term of the dictionary is swapped for another one of its concept. `iwe, half` has
only every second of the swapped spellings in its dictionary. Reports of equal text are on one side of every split.
"""

import argparse
import csv
import lzma
import random
import re
import statistics
from collections import Counter
from pathlib import Path

import numpy as np
from common import machine, table
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from w2v import Doc2Vec, Phrases, TaggedDocument, TermMap, Word2Vec

FINDINGS = ["Opacity", "Cardiomegaly", "Pulmonary Atelectasis", "Calcified Granuloma", "Pleural Effusion"]

# Concepts of chest reports and how they are written: our own list, of names and abbreviations in common use.
SYNONYMS = """
cardiomegaly: enlarged heart, heart is enlarged, cardiac enlargement, enlarged cardiac silhouette
heart: cardiac silhouette, heart silhouette, cor
heart_size: cardiac size, size of the heart
effusion: pleural effusion, pleural fluid, hydrothorax, pleural effusions, effusions
pneumothorax: ptx, pneumothoraces, collapsed lung
atelectasis: volume loss, atelectatic change, atelectatic changes, collapse of lung
opacity: opacities, opacification, density, haziness
airspace_disease: air space disease, airspace consolidation, consolidation, alveolar disease
infiltrate: infiltrates, infiltration, infiltrative change
granuloma: granulomas, granulomata, granulomatous nodule
calcified: calcific, calcification, calcifications
granulomatous_disease: healed granulomatous infection, prior granulomatous infection
normal: unremarkable, within normal limits, wnl
abnormality: abnormalities, abnormal finding, abnormal findings
acute: new onset, recent onset
edema: oedema, vascular congestion, fluid overload
emphysema: copd, chronic obstructive pulmonary disease, hyperinflation
scarring: scar, cicatrix, fibrotic change
degenerative_changes: degenerative change, spondylosis, djd, degenerative disease
osteophytes: osteophyte, bony spurs, bone spurs
fracture: fractures, fx, broken bone
nodule: nodules, nodular density, small mass
mass: masses, tumor, neoplasm
lungs: lung fields, both lungs, pulmonary parenchyma
clear: free of disease, without focal process
right: rt, right-sided
left: lt, left-sided
bilateral: both-sided, on both sides
mild: slight, minor
stable: unchanged, no interval change
mediastinum: mediastinal contour, mediastinal contours
diaphragm: hemidiaphragm, hemidiaphragms
aorta: thoracic aorta, aortic arch
spine: thoracic spine, vertebral column, t-spine
base: basilar region, lung base, bases
lower_lobe: inferior lobe, ll
upper_lobe: superior lobe, ul
pneumonia: pna, lung infection
"""


def dictionary():
    """{spelling: concept}, the name of a concept being one of its spellings."""
    found = {}
    for line in SYNONYMS.strip().splitlines():
        concept, _, spellings = line.partition(": ")
        for spelling in [concept.replace("_", " "), *spellings.split(", ")]:
            found[spelling] = f"{concept}"
    return found


def reports(folder):
    """Tokens with their punctuation, and problems, of the reports that have a text."""
    with lzma.open(folder / "openi" / "indiana_reports.csv.xz", "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        text = f"{row['findings']} . {row['impression']}".lower()
        tokens = [token for token in re.findall(r"[a-z]+(?:[-'/][a-z]+)*|[.;,:]", text) if "xxxx" not in token]
        if any(token.isalpha() for token in tokens):
            yield tokens, set(row["Problems"].split(";"))


def triggers(folder):
    """NegEx's triggers by their kind, and CLEVER's of the class NEGEX as those that come before what they negate."""
    entries = []
    for line in (folder / "negex" / "negex_triggers.txt").read_text(encoding="utf-8").splitlines():
        term, _, tag = (part.strip() for part in line.split("\t"))
        entries.append((term.lower(), tag))
    for line in (folder / "clever" / "clever_base_terminology.txt").read_text(encoding="utf-8").splitlines():
        _, term, kind = line.split("|")
        if kind == "NEGEX" and term.strip():
            entries.append((term.strip(), "[PREN]"))
    return TermMap(entries, ignore_case=True, conflicts="first")


REACH = 8  # words that a negation reaches; NegEx has 5, and reports have longer lists


def negated(tokens):
    """Which words of a text with triggers as `triggers` maps them are negated, and which are no words."""
    marks = [False] * len(tokens)
    for place, token in enumerate(tokens):
        step = {"[PREN]": 1, "[POST]": -1}.get(token, 0)
        for other in range(place + step, place + step * (REACH + 1), step or 1):
            if not 0 <= other < len(tokens) or tokens[other] in (".", ";", ":", "[CONJ]", "[PREN]", "[POST]"):
                break
            marks[other] = True
    return marks


def is_word(token):
    return token[0] not in "[.,;:"


def words_of(tokens):
    return [token for token in tokens if is_word(token)]


# The corpus is small: no word of it is thinned out.
OPTIONS = {"window": 5, "min_count": 2, "sample": 0, "workers": 1, "progress": False}


def means(wv, texts):
    """The mean vector of each text, float32 [texts, vector_size]; words without a vector are left out."""
    found = np.zeros((len(texts), wv.vector_size), np.float32)
    for row, text in enumerate(texts):
        if text:
            found[row] = wv.get_mean_vector(text, pre_normalize=False)
    return found


class Plain:
    """word2vec as it is: a report is the mean of its words."""

    def __init__(self, texts, seed, given):
        self.prepared = [words_of(text) for text in texts]
        self.model = Word2Vec(self.prepared, vector_size=given.size, sg=1, seed=seed, epochs=given.epochs, **OPTIONS)

    def features(self, texts):
        return means(self.model.wv, [words_of(text) for text in texts])


class Intelligent:
    """Terms, negation, phrases, word2vec of affirmed and of negated words, and vectors of documents."""

    def __init__(self, texts, seed, given, terms, negations):
        self.terms, self.negations = terms, negations
        mapped = [self.mapped(text) for text in texts]
        self.phrases = Phrases([words_of(text) for text in mapped], min_count=10, threshold=10).freeze()
        prepared = [self.phrases[words_of(text)] for text in mapped]
        options = OPTIONS | {"seed": seed, "epochs": given.epochs}
        self.model = Word2Vec(prepared, vector_size=given.size, sg=1, **options)
        self.model.oov = ["phrase", "error"]
        tagged = [TaggedDocument(words, [n]) for n, words in enumerate(prepared)]
        self.documents = Doc2Vec(tagged, dm=0, vector_size=given.size // 2, **options)

    def mapped(self, text):
        """The text with triggers and concepts; triggers first, since they have words of concepts in them."""
        return self.terms[self.negations[text]]

    def features(self, texts):
        mapped = [self.mapped(text) for text in texts]
        sides = [[], []]
        for text in mapped:
            marks = negated(text)
            for side, wanted in zip(sides, (False, True), strict=True):
                side.append(self.phrases[[w for w, m in zip(text, marks, strict=True) if m == wanted and is_word(w)]])
        whole = [TaggedDocument(self.phrases[words_of(text)], [0]) for text in mapped]
        of_words = [means(self.model.wv, side) for side in sides]
        return np.hstack([*of_words, self.documents.infer_vectors(whole).vectors])


class TfIdf:
    def __init__(self, texts, *_):
        self.vectorizer = TfidfVectorizer(analyzer=words_of, min_df=2, sublinear_tf=True).fit(texts)

    def features(self, texts):
        return self.vectorizer.transform(texts)


def swapped(text, terms, spellings, seed):
    """The text with every term of the dictionary replaced by another spelling of its concept."""
    rng, out, place = random.Random(seed), [], 0
    for span in terms.spans(text):
        if span.end - span.begin == 1 and span.word == text[span.begin] and span.word not in spellings:
            out.append(text[span.begin])
        else:
            own = " ".join(text[span.begin : span.end])
            out += rng.choice([other for other in spellings[span.word] if other != own]).split()
        place = span.end
    return out + text[place:]


def scores(system, train, test, shifted, labels, parts):
    """Mean F1 of the six questions, on the test reports as they are and shifted."""
    rows = system.features(train)
    found = {"as written": [], "shifted": []}
    sides = {"as written": system.features(test), "shifted": system.features(shifted)}
    scale = StandardScaler(with_mean=not hasattr(rows, "tocsr"))
    for question in labels:
        classifier = make_pipeline(scale, LogisticRegression(C=0.3, class_weight="balanced", max_iter=500))
        if hasattr(rows, "tocsr"):
            classifier = LogisticRegression(C=3, class_weight="balanced", max_iter=500)
        classifier.fit(rows, question[parts[0]])
        for name, side in sides.items():
            found[name].append(100 * f1_score(question[parts[1]], classifier.predict(side)))
    return {name: statistics.mean(values) for name, values in found.items()}


def of_negation(folder, negations):
    """Precision, recall and F1 for negated phrases on NegEx's own sentences."""
    with (folder / "negex" / "Annotations-1-120.txt").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))[1:]
    counts = Counter()
    for _, phrase, sentence, label in rows:
        split = [re.findall(r"[a-z]+(?:[-'/][a-z]+)*|[.;,:]", part.lower()) for part in (phrase, sentence)]
        text = negations[split[1]]
        marks, size = negated(text), len(split[0])
        places = [at for at in range(len(text)) if text[at : at + size] == split[0]]
        said = any(marks[at] for at in places)
        counts[said, label.strip() == "Negated"] += 1
    right = counts[True, True]
    precision, recall = right / (right + counts[True, False]), right / (right + counts[False, True])
    return precision, recall, 2 * precision * recall / (precision + recall)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--size", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=20)
    given = parser.parse_args()
    print(machine())
    negations = triggers(given.folder)
    print("negation, on NegEx's sentences: precision {:.3f}, recall {:.3f}, F1 {:.3f}".format(
        *of_negation(given.folder, negations)))  # fmt: skip
    texts, problems = zip(*reports(given.folder), strict=True)
    texts = list(texts)
    labels = [np.array([name in found for found in problems]) for name in ["normal", *FINDINGS]]
    number = {}
    groups = [number.setdefault(" ".join(text), len(number)) for text in texts]
    concepts = dictionary()
    spellings = {}
    for spelling, concept in concepts.items():
        spellings.setdefault(concept, []).append(spelling)
    half = {s: c for c, all_of_it in spellings.items() for s in all_of_it[::2]}
    terms, half_terms = (TermMap(entries, ignore_case=True) for entries in (concepts, half))
    shifted = [swapped(text, terms, spellings, n) for n, text in enumerate(texts)]
    moved = sum(" ".join(a) != " ".join(b) for a, b in zip(texts, shifted, strict=True))
    print(f"{len(texts):,} reports, {len(number):,} texts, {moved:,} changed by the shift; {len(concepts)} spellings")
    makers = {
        "tf-idf": TfIdf,
        "word2vec": Plain,
        "iwe": lambda *how: Intelligent(*how, terms, negations),
        "iwe, half": lambda *how: Intelligent(*how, half_terms, negations),
    }
    by_seed = {name: [] for name in makers}
    for seed in given.seeds:
        folds = StratifiedGroupKFold(given.folds, shuffle=True, random_state=seed).split(texts, labels[0], groups)
        of_seed = {name: [] for name in makers}
        for parts in folds:
            train, test, other = ([source[n] for n in part] for source, part in zip(
                (texts, texts, shifted), (parts[0], parts[1], parts[1]), strict=True))  # fmt: skip
            for name, make in makers.items():
                of_seed[name].append(scores(make(train, seed, given), train, test, other, labels, parts))
        for name, found in of_seed.items():
            by_seed[name].append({side: statistics.mean(one[side] for one in found) for side in found[0]})
        print(f"seed {seed}: " + "; ".join(f"{n} {by_seed[n][-1]}" for n in makers), flush=True)
    rows = [["system", "F1 as written", "F1 shifted", "lost"]]
    for name, found in by_seed.items():
        values = [[one["as written"], one["shifted"], one["as written"] - one["shifted"]] for one in found]
        rows.append(
            [name, *(f"{statistics.mean(v):.1f} ± {statistics.stdev(v):.1f}" for v in zip(*values, strict=True))]
        )
    print(table(rows))
    pairs = [(a["as written"] - b["as written"]) for a, b in zip(by_seed["iwe"], by_seed["word2vec"], strict=True)]
    print("iwe less word2vec, as written, by seed: " + ", ".join(f"{pair:+.1f}" for pair in pairs))


if __name__ == "__main__":
    main()
