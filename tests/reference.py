"""The slow twin: word2vec in plain numpy, with the kernel's random draws and none of its cleverness.

It is much less error prone than the kernel and is therefore used to test it. Draws agree exactly; sums are numpy's
own, so vectors agree to float32 rounding.
"""

from itertools import pairwise

import numpy as np

GOLDEN = 0x9E3779B97F4A7C15
MASK = 2**64 - 1
TILE = 8
PATH_TILE = 4


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
        self.locks = None
        self.__dict__.update(options)
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

    def learn(self, hidden, targets, rate):
        """The gradient of each row of `hidden`; all scores are taken before any target changes."""
        errors = []
        for matrix, row, label in targets:
            scores = hidden @ matrix[row]
            self.loss += float(np.logaddexp(0, -scores if label else scores).sum())
            errors.append((label - sigmoid(scores)) * rate)
        gradient = np.zeros_like(hidden)
        for (matrix, row, _), error in zip(targets, errors, strict=True):
            gradient += np.outer(error, matrix[row])
            matrix[row] += error @ hidden
        self.examples += len(hidden)
        return gradient

    def touched(self, tokens, offsets, key, centres):
        """How often each row of each matrix is asked for by a segment that trains the positions `centres`."""
        times = [
            None if matrix is None else np.zeros(len(matrix)) for matrix in (self.inputs, self.outputs, self.nodes)
        ]
        reach = max(1, min(self.window, int(np.diff(offsets).max())))

        def kept(positions):
            streams = ((p, stream_at(key, p)) for p in positions)
            return [(p, stream) for p, stream in streams if self.keep is None or stream >> 32 <= self.keep[tokens[p]]]

        for begin, end in pairwise(offsets):
            first, last = max(begin, centres.start), min(end, centres.stop)
            if first >= last:
                continue
            own = kept(range(first, last))
            around = [*kept(range(begin, first))[-reach:], *own, *kept(range(last, end))[:reach]]
            if len(around) < 2:
                continue
            np.add.at(times[0], [tokens[p] for p, _ in around], 1)
            at = {p: i for i, (p, _) in enumerate(around)}
            for p, stream in own:
                width = 1 + ((stream & 0xFFFFFFFF) * self.window >> 32) if self.shrink else self.window
                pairs = min(len(around), at[p] + width + 1) - max(0, at[p] - width) - 1
                fresh = not self.shared and not self.cbow and self.outputs is not None
                for pair in range(pairs if fresh else 1):
                    for matrix, row, _ in self.targets(int(tokens[p]), stream, pair):
                        times[1 if matrix is self.outputs else 2][row] += 1
        return times

    def unlocked(self, rows):
        """The factor of each row's gradient."""
        return np.ones((len(rows), 1), np.float32) if self.locks is None else self.locks[rows][:, None]

    def skip_gram(self, context, word, stream, rate):
        fresh = self.outputs is not None and not self.shared
        full = 1 if fresh else PATH_TILE if self.nodes is not None else TILE
        shared_targets = self.targets(word, stream, 0)
        tile = []
        for pair, row in enumerate(context):
            if len(tile) == full or row in tile:
                self.inputs[tile] += self.unlocked(tile) * self.learn(self.inputs[tile], shared_targets, rate)
                tile = []
            if fresh:
                shared_targets = self.targets(word, stream, pair)
            tile.append(row)
        self.inputs[tile] += self.unlocked(tile) * self.learn(self.inputs[tile], shared_targets, rate)

    def cbow_window(self, context, word, stream, rate):
        hidden = self.inputs[context].sum(axis=0)
        if self.mean_forward:
            hidden /= len(context)
        gradient = self.learn(hidden[None], self.targets(word, stream, 0), rate)[0]
        if self.mean_backward:
            gradient /= len(context)
        np.add.at(self.inputs, context, self.unlocked(context) * gradient)

    def run(self, tokens, offsets, origin, key, alpha, slope, horizon, centres=None):
        """Train all tokens, or of them those at the positions `centres`."""
        for begin, end in pairwise(offsets):
            kept = []
            for position in range(begin, end):
                stream = stream_at(key, origin + position)
                if self.keep is None or stream >> 32 <= self.keep[tokens[position]]:
                    kept.append((int(tokens[position]), origin + position, stream))
            self.survivors += len(kept)
            for centre, (word, position, stream) in enumerate(kept):
                width = 1 + ((stream & 0xFFFFFFFF) * self.window >> 32) if self.shrink else self.window
                around = [*range(max(0, centre - width), centre), *range(centre + 1, centre + width + 1)]
                context = [kept[j][0] for j in around if j < len(kept)]
                if context and (centres is None or position in centres):
                    step = self.cbow_window if self.cbow else self.skip_gram
                    step(context, word, stream, np.float32(alpha - slope * min(position, horizon)))
