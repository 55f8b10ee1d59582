"""The slow twin: word2vec in plain numpy, with the kernel's random draws and none of its cleverness.

It is much less error prone than the kernel and is therefore used to test it. Draws agree exactly; sums are numpy's
own, so vectors agree to float32 rounding.
"""

from itertools import groupby, pairwise

import numpy as np

GOLDEN = 0x9E3779B97F4A7C15
MASK = 2**64 - 1
TILE = 8
PATH_TILE = 4
TOGETHER = 4


def mix(x):
    """The finalizer of SplitMix64."""
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & MASK
    return x ^ (x >> 31)


def stream_at(key, position):
    return mix((key + position * GOLDEN) & MASK)


def draw(stream, index):
    return mix((stream + (index + 1) * GOLDEN) & MASK)


def first_vectors(rows, vector_size, key):
    matrix = np.empty((rows, vector_size), np.float32)
    for row in range(rows):
        for d in range(vector_size):
            unit = np.float32(draw(stream_at(key, row), d) >> 40) * np.float32(2**-23) - np.float32(1)
            matrix[row, d] = unit / np.float32(vector_size)
    return matrix


def noise_words(stream, pair, negative, table):
    words = []
    for k in range(negative):
        bits = draw(stream, pair * negative + k)
        slot = (bits >> 32) * len(table) >> 32
        coin, *words_of_slot = table[slot]
        one, other = words_of_slot if len(words_of_slot) == 2 else (slot, *words_of_slot)
        words.append(int(one if bits & 0xFFFFFFFF < coin else other))
    return words


def sigmoid(x):
    return 1 / (1 + np.exp(-np.clip(x, -80, 80)))


class Twin:
    """The same arguments as the kernel, with matrices that are not padded."""

    def __init__(self, inputs, outputs, nodes, keep, noise, paths, points, labels, **options):
        self.inputs, self.outputs, self.nodes = inputs, outputs, nodes
        self.keep, self.noise, self.paths = keep, noise, (paths, points, labels)
        self.locks = self.documents = self.document_locks = self.frozen = self.subwords = None
        self.words = self.learn_words = self.learn_outputs = True
        self.side_tags = self.null_word = 0
        self.together = True  # if not, a document learns from one word after the other, as on a GPU
        self.gathers = False  # the mean of a word's rows is taken anew for each pair, as on a GPU
        self.__dict__.update(options)
        self.together = self.together and self.shared and not self.words and not self.cbow and self.learn_outputs
        self.together = self.together and self.nodes is None
        if self.frozen is not None:
            self.locks = np.where(self.frozen, 0, 1 if self.locks is None else self.locks)
        self.survivors = self.examples = 0
        self.loss = 0.0

    def targets(self, word, stream, pair):
        """[(matrix, row, label), ...]"""
        found = []
        if self.nodes is not None:
            offsets, points, labels = self.paths
            for j in range(offsets[word], offsets[word + 1]):
                found.append((self.nodes, points[j], labels[j]))
        if self.outputs is not None:
            found.append((self.outputs, word, 1))
            for other in noise_words(stream, pair, self.negative, self.noise):
                if other != word:
                    found.append((self.outputs, other, 0))
        return found

    def learns(self, matrix, row):
        """Whether a target is to change."""
        return self.learn_outputs and not (matrix is self.outputs and self.frozen is not None and self.frozen[row])

    def rows_of(self, word):
        """[(matrix, row), ...], the input rows of a word."""
        if self.subwords is None:
            return [(self.inputs, word)]
        offsets, rows = self.subwords
        return [(self.inputs, row) for row in rows[offsets[word] : offsets[word + 1]]]

    def pairs(self, words, stream):
        """For a centre word with subwords: the targets of each context word."""
        fresh = self.outputs is not None and not self.shared
        return [self.targets(word, stream, pair if fresh else 0) for pair, word in enumerate(words)]

    def learn(self, hidden, targets, rate):
        """The gradient of each row of `hidden`; all scores are taken before any target changes."""
        errors = []
        for matrix, row, label, *weight in targets:
            scores = hidden @ matrix[row]
            self.loss += float(np.logaddexp(0, -scores if label else scores).sum()) * sum(weight or [1])
            errors.append((label - sigmoid(scores)) * rate * np.float32(sum(weight or [1])))
        gradient = np.zeros_like(hidden)
        for (matrix, row, *_), error in zip(targets, errors, strict=True):
            gradient += np.outer(error, matrix[row])
            if self.learns(matrix, row):
                matrix[row] += error @ hidden
        self.examples += len(hidden)
        return gradient

    def touched(self, tokens, offsets, key, centres, tags=None):
        """How often each row of each matrix is asked for by a segment that trains the positions `centres`."""
        matrices = self.inputs, self.outputs, self.nodes, self.documents
        times = [None if matrix is None else np.zeros(len(matrix)) for matrix in matrices]
        if self.outputs is self.inputs:
            times[1] = times[0]
        reach = max(1, min(self.window, int(np.diff(offsets).max())))

        def kept(positions):
            streams = ((p, stream_at(key, p)) for p in positions)
            return [(p, stream) for p, stream in streams if self.keep is None or stream >> 32 <= self.keep[tokens[p]]]

        for sentence, (begin, end) in enumerate(pairwise(offsets)):
            first, last = max(begin, centres.start), min(end, centres.stop)
            if self.together:
                first, last = (min(end, begin - (begin - at) // TOGETHER * TOGETHER) for at in (first, last))
            if first >= last:
                continue
            own = kept(range(first, last))
            own_tags = tags[sentence] if tags is not None and own else []
            if self.side_tags and len(own_tags) != self.side_tags:
                continue
            around = [*kept(range(begin, first))[-reach:], *own, *kept(range(last, end))[:reach]]
            if len(around) < 2 and not own_tags:
                continue
            if own_tags:
                np.add.at(times[3], own_tags, 1)
            if self.words and self.subwords is None:
                np.add.at(times[0], [tokens[p] for p, _ in around], 1)
                times[0][self.null_word] += self.side_tags > 0
            if self.together:
                for _, block in groupby(own, lambda survivor, begin=begin: (survivor[0] - begin) // TOGETHER):
                    positions, streams = zip(*block, strict=True)
                    for _, row, *_ in self.targets_together([int(tokens[p]) for p in positions], streams[0]):
                        times[1][row] += self.learns(self.outputs, row)
                continue
            at = {p: i for i, (p, _) in enumerate(around)}
            for p, stream in own:
                width = 1 + ((stream & 0xFFFFFFFF) * self.window >> 32) if self.shrink else self.window
                near = [*around[max(0, at[p] - width) : at[p]], *around[at[p] + 1 : at[p] + width + 1]]
                words = [int(tokens[other]) for other, _ in near if self.words]
                fresh = not self.shared and not self.cbow and self.outputs is not None
                pairs = range(len(words) + len(own_tags) if fresh else 1)
                targets = []
                if self.subwords is not None:
                    for word in words if self.cbow else [int(tokens[p])] if words else []:
                        np.add.at(times[0], [row for _, row in self.rows_of(word)], 1)
                    if not self.cbow:
                        targets = [target for found in self.pairs(words, stream) for target in found]
                        pairs = pairs[len(words) :] if fresh else pairs[: len(own_tags)]
                for pair in pairs:
                    targets += self.targets(int(tokens[p]), stream, pair)
                for matrix, row, *_ in targets:
                    times[2 if matrix is self.nodes else 1][row] += self.learns(matrix, row)
        return times

    def add_to(self, units, gradients):
        """Let input rows, each a (matrix, row), learn what their locks let them."""
        for (matrix, row), gradient in zip(units, gradients, strict=True):
            locks = self.document_locks if matrix is self.documents else self.locks
            if matrix is self.documents or self.learn_words:
                matrix[row] += (1 if locks is None else locks[row]) * gradient

    def skip_gram_of_subwords(self, words, word, stream, rate):
        """The mean of a word's rows learns its context words one after the other, and each row what the mean does.

        The mean goes on by itself, but is taken anew where locks let rows learn less or more; which is another result
        also for a word that has a row twice.
        """
        units = self.rows_of(word)

        def mean():
            return np.array([matrix[row] for matrix, row in units]).mean(axis=0, keepdims=True)

        hidden, goes_on = mean(), self.locks is None and not self.gathers
        before = hidden
        for targets in self.pairs(words, stream):
            gradient = self.learn(hidden, targets, rate)
            if goes_on:
                hidden = hidden + gradient
            else:
                self.add_to(units, [gradient[0]] * len(units))
                hidden = mean()
        if goes_on:
            self.add_to(units, [(hidden - before)[0]] * len(units))

    def skip_gram(self, units, word, stream, rate, first=0):
        fresh = self.outputs is not None and not self.shared
        full = 1 if fresh else PATH_TILE if self.nodes is not None else TILE
        targets = self.targets(word, stream, 0)
        tile = []

        def learn():
            self.add_to(tile, self.learn(np.array([matrix[row] for matrix, row in tile]), targets, rate))
            tile.clear()

        for pair, (matrix, row) in enumerate(units, first):
            if len(tile) == full or any(other is matrix and number == row for other, number in tile):
                learn()
            if fresh:
                targets = self.targets(word, stream, pair)
            tile.append((matrix, row))
        learn()

    def cbow_window(self, units, word, stream, rate):
        hidden = np.array([matrix[row] for matrix, row in units]).sum(axis=0)
        if self.mean_forward:
            hidden /= len(units)
        gradient = self.learn(hidden[None], self.targets(word, stream, 0), rate)[0]
        if self.mean_backward:
            gradient /= len(units)
        self.add_to(units, [gradient] * len(units))

    def side_by_side(self, units, word, stream, rate):
        hidden = np.concatenate([matrix[row] for matrix, row in units])
        gradient = self.learn(hidden[None], self.targets(word, stream, 0), rate)[0]
        self.add_to(units, np.split(gradient, len(units)))

    def targets_together(self, words, stream):
        """Of several words: each of them, and noise words that stand for as many pairs as have another word."""
        found = [(self.outputs, word, 1) for word in words]
        for noise in noise_words(stream, 0, self.negative, self.noise):
            pairs = sum(word != noise for word in words)
            if pairs:
                found.append((self.outputs, noise, 0, pairs))
        return found

    def learn_blocks(self, kept, start, tags, rate, centres):
        """PV-DBOW: a document predicts the words of a block at once. `kept` has (word, position, stream)."""
        for number, block in groupby(kept, lambda survivor: (survivor[1] - start) // TOGETHER):
            words, positions, streams = zip(*block, strict=True)
            if centres is None or start + number * TOGETHER in centres:
                for tag in tags:
                    targets = self.targets_together(words, streams[0])
                    hidden = self.documents[tag][None].copy()
                    self.add_to([(self.documents, tag)], self.learn(hidden, targets, rate(positions[0])))
                    self.examples += len(words) - 1

    def infer(self, tokens, key, rate):
        """One epoch of the only document: it learns from up to four words at once, which share their noise words."""
        kept = [(int(token), stream_at(key, position)) for position, token in enumerate(tokens)]
        kept = [(w, stream) for w, stream in kept if self.keep is None or stream >> 32 <= self.keep[w]]
        row = self.documents[0]
        for begin in range(0, len(kept), TOGETHER):
            gradient = np.zeros_like(row)
            for centre, (word, stream) in enumerate(kept[begin : begin + TOGETHER], begin):
                width = 1 + ((stream & 0xFFFFFFFF) * self.window >> 32) if self.shrink else self.window
                near = [*kept[max(0, centre - width) : centre], *kept[centre + 1 : centre + width + 1]]
                rows = [row] + [self.inputs[other] for other, _ in near if self.words]
                hidden = np.sum(rows, axis=0) / (len(rows) if self.mean_forward else 1)
                pair = 0 if self.shared else centre - begin
                step = self.learn(hidden[None], self.targets(word, kept[begin][1], pair), rate)[0]
                gradient += step / (len(rows) if self.mean_backward else 1)
            row += gradient

    def run(self, tokens, offsets, origin, key, alpha, slope, horizon, centres=None, tags=None):
        """Train all tokens, or of them those at the positions `centres`; `tags` are lists, one for each sentence."""
        for sentence, (begin, end) in enumerate(pairwise(offsets)):
            kept = []
            for position in range(begin, end):
                stream = stream_at(key, origin + position)
                if self.keep is None or stream >> 32 <= self.keep[tokens[position]]:
                    kept.append((int(tokens[position]), origin + position, stream))
            self.survivors += len(kept)

            def rate_at(position):
                return np.float32(alpha - slope * min(position, horizon))

            if self.together:
                self.learn_blocks(kept, origin + begin, tags[sentence], rate_at, centres)
                continue
            for centre, (word, position, stream) in enumerate(kept):
                width = 1 + ((stream & 0xFFFFFFFF) * self.window >> 32) if self.shrink else self.window
                around = [*range(max(0, centre - width), centre), *range(centre + 1, centre + width + 1)]
                words = [kept[j][0] for j in around if j < len(kept) and self.words]
                documents = [(self.documents, tag) for tag in (tags[sentence] if tags is not None else [])]
                if not (words or documents) or not (centres is None or position in centres):
                    continue
                rate = rate_at(position)
                if self.side_tags:
                    if len(documents) == self.side_tags:
                        places = [j for j in range(centre - self.window, centre + self.window + 1) if j != centre]
                        rows = [kept[j][0] if 0 <= j < len(kept) else self.null_word for j in places]
                        self.side_by_side(documents + [(self.inputs, row) for row in rows], word, stream, rate)
                elif self.cbow:
                    rows = [row for other in words for row in self.rows_of(other)]
                    self.cbow_window(rows + documents, word, stream, rate)
                elif self.subwords is None:
                    self.skip_gram([(self.inputs, other) for other in words] + documents, word, stream, rate)
                else:
                    self.skip_gram_of_subwords(words, word, stream, rate)
                    if documents:
                        self.skip_gram(documents, word, stream, rate, len(words))
