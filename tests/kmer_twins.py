"""Sequences as k-mers, slowly: the twin of the compiled code, written from the definition in `w2v.text.kmers`."""

import re

LETTERS = {"dna": "ACGT", "rna": "ACGU", "protein": "ACDEFGHIKLMNPQRSTVWY"}
OTHERS = {"dna": "BDHKMNRSVWXY", "rna": "BDHKMNRSVWXY", "protein": "BJOUXZ"}
PAIRS = {"dna": "AT CG", "rna": "AU CG"}
CODES = "BV DH KM RY NN SS WW XX ** --"  # IUPAC codes and their complements
MASK = 2**64 - 1


def drawn(key, place):
    """SplitMix64."""
    x = (key + place * 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def other_strand(letters, alphabet):
    pairs = {}
    for pair in (PAIRS[alphabet] + " " + CODES).split():
        pairs[pair[0]], pairs[pair[1]] = pair[1], pair[0]
    return "".join("_" if letter == "_" else pairs[letter] for letter in reversed(letters))


def segments_of(sequence, scheme):
    """The letters between splits; a letter that is left out is an underscore."""
    found = [""]
    for letter in re.sub(r"\s", "", sequence):
        upper = "-" if letter in "-." else letter.upper()
        policies = [scheme.masked] if letter.islower() else []
        if upper == "-":
            if scheme.gaps == "skip":
                continue
            policies.append(scheme.gaps)
        elif upper == "*":
            policies.append(scheme.stops)
        elif upper in OTHERS[scheme.alphabet]:
            policies.append(scheme.ambiguous)
        else:
            assert upper in LETTERS[scheme.alphabet]
        if "split" in policies:
            found.append("")
        else:
            found[-1] += "_" if "skip" in policies else upper
    return found


def sentences_of(sequences, scheme):
    """(number of the sequence, words) of all sentences of all sequences."""
    place, found = 0, []
    size = scheme.max_sentence_length * (scheme.k if scheme.frames == "shifted" else 1)
    for number, sequence in enumerate(sequences):
        for segment in segments_of(sequence, scheme):
            for begin in range(0, len(segment), size):
                piece = segment[begin : begin + size + scheme.k_max - 1]
                found += [(number, words) for words in of_piece(piece, place + begin, scheme) if words]
            place += len(segment)
    return found


def of_piece(piece, place, scheme):
    if scheme.strand == "random":
        turned = [drawn(scheme.seed + 2, place) >= 2**63]
    else:
        turned = {"forward": [False], "canonical": [False], "both": [False, True]}[scheme.strand]
    for reverse in turned:
        letters = other_strand(piece, scheme.alphabet) if reverse else piece
        words = []
        for at in range(len(letters) - scheme.k_max + 1):
            chance = drawn(scheme.seed + reverse, place + at) >> 32
            k = scheme.k + (chance * (scheme.k_max - scheme.k + 1) >> 32)
            word = letters[at : at + k]
            if scheme.strand == "canonical":
                word = min(word, other_strand(word, scheme.alphabet))
            words.append(word)
        step = scheme.k if scheme.frames == "shifted" else 1
        for frame in range(step):
            yield [word for word in words[frame::step] if "_" not in word]
