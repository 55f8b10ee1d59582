# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""The training loop: token ids in, two matrices changed in place. No string and no Python object inside.

Every model is one example shape: some input rows, and a list of (target row, label). Two functions say which input
rows (`skip_gram`, `cbow`), two say which targets (`add_path` for hierarchical softmax, `add_noise` for negative
sampling); the arithmetic is in `_simd_body.h`.

Every random choice is a function of (seed, epoch, position in the corpus): whether a token survives subsampling, how
wide its window is, which noise words it meets. So a worker can take any range of positions, look up by itself which
neighbours beyond the range survive, and one worker gives the same bits however the corpus is cut.

The loop checks no bounds: `Word2Vec` checks matrices and vocabulary, `trainer.checked` tokens and sentences, before
the first of them.
"""

import os

import numpy as np

cimport cython
from libc.stdint cimport int8_t, int32_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memmove, memset


cdef extern from "_simd.h" nogil:
    enum:
        TILE
        PATH_TILE
        N_LEVELS
    ctypedef struct Ahead:
        float **rows
        int n
    ctypedef struct Level:
        const char *name
        void learn(float **rows, int n_rows, float **targets, const float *labels, int n_targets,
                   int blocks, float rate, float *scratch, double *loss, const Ahead *ahead) noexcept nogil
        void learn_mean(float **rows, int n_rows, float forward, float backward, float **targets,
                        const float *labels, int n_targets, int blocks, float rate, float *scratch, double *loss,
                        const Ahead *ahead) noexcept nogil
        void blend(float *shared, float *own, long long n, float share) noexcept nogil
    const Level levels[]
    int level_runs(int i) noexcept
    void prefetch(const void *address) noexcept
    void prefetch_row(const float *row, int blocks) noexcept
    void add_part(float *row, const float *after, const float *before, long long n, float part) noexcept


cdef extern from "_rounds.h" nogil:
    enum:
        MOST_LANES
    ctypedef struct Copy:
        pass
    ctypedef struct Table:
        float *rows
        const float *locks
        long long n_rows
        uint64_t **marks
        uint32_t *slots
    ctypedef struct Lane:
        Rounds *all
        int number
        const uint32_t *noise
        uint64_t n_noise
        uint32_t before
        uint32_t n
        Copy *copies
        float **sources
        float *memory
        double loss
        double loss_after
    ctypedef struct Rounds:
        Table *tables
        Lane *lane
        int lanes
        long long stride
        long long most_copies
        const uint32_t *noise
        const long long *parts
        bint copies_all
        int over
        unsigned jitter
    ctypedef struct Turn:
        pass
    Turn turn_of(Rounds *all, int lane, long long round) noexcept
    void leave_mark(const Turn *turn, int matrix, long long row) noexcept
    bint in_this_round(const Turn *turn, int matrix, long long row) noexcept
    bint in_this_lane_alone(const Turn *turn, int matrix, long long row) noexcept
    void begin_lane(Lane *lane, uint64_t bits) noexcept
    float *copy_of(Lane *lane, int matrix, long long row) noexcept
    void make_copies(Lane *lane, uint32_t until) noexcept
    int merge(Rounds *all, const Level *level) noexcept
    int take_lane(Rounds *all, int work, int worker, int workers) noexcept
    int wait_for_all(Rounds *all, int workers, const int *given_up) noexcept
    void go_on(Rounds *all) noexcept
    void sleep_at_random(Rounds *all, unsigned long long position) noexcept


cdef extern from "_shared.h" nogil:
    long long take_chunk(long long *cursor, long long size) noexcept
    int stop_wanted(const int *stop) noexcept
    void publish(long long *counter, long long value) noexcept
    void publish_loss(double *counter, double value) noexcept
    uint64_t default_float_mode() noexcept
    void restore_float_mode(uint64_t saved) noexcept


cdef enum:  # the matrices of a round
    INPUTS, OUTPUTS, NODES

cdef enum:  # what is done to a lane
    TRAIN, MARK

cdef enum:  # what a stop flag asks for
    AFTER_A_ROUND = 1  # where nothing has to be done again; without rounds, after the word under way
    AT_ONCE = 2

cdef enum:
    BLEND_EVERY = 1024  # positions a worker trains between two looks at what the others made of the hot rows
    RING = 4  # three windows are under way: one draws, one looks up its targets, one learns; a power of two
    MOST_TARGETS = 100_000_000  # of one window
    LOOK_EVERY = 256  # rounds between two looks at whether rows are still finite
    LOOKED_AT = 256  # rows of each matrix, the most frequent words
    DIVERGED = 2  # why rounds end before the corpus does
    ABANDONED = 3
    LOOK_AT_STOP_EVERY = 1 << 16  # tokens that are searched for survivors: a tenth of a millisecond
    LONG_ROUND = 1 << 23  # blocks of 16 floats that a round updates at most: 10 ms, portable 200 ms
    CHUNK = 8192  # positions a worker takes at a time: milliseconds of work; any value gives the same bits


cdef uint32_t ANY_LANE = <uint32_t>1 << 31  # of a noise word: every lane draws it
cdef const int NEVER = 0  # the stop flag of work that must not be left half done


# --- the level, chosen once at import ---------------------------------------------------------------------------

AVAILABLE = [levels[i].name.decode() for i in range(N_LEVELS) if level_runs(i)]


def _chosen_level():
    forced = os.environ.get("W2V_ISA") or AVAILABLE[0]
    if forced not in AVAILABLE:
        raise ImportError(f"W2V_ISA={forced!r} cannot run here; this CPU and build offer {', '.join(AVAILABLE)}")
    return forced


ISA = _chosen_level()

MOST_ROUND = (MOST_LANES, CHUNK)  # lanes of a round, and words of a lane

cdef const Level *level = &levels[[levels[i].name.decode() for i in range(N_LEVELS)].index(ISA)]


# --- draws: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) as a counter-based generator -------------------------

cdef uint64_t GOLDEN = <uint64_t>0x9E3779B97F4A7C15


cdef inline uint64_t mix(uint64_t x) noexcept nogil:
    x = (x ^ (x >> 30)) * <uint64_t>0xBF58476D1CE4E5B9
    x = (x ^ (x >> 27)) * <uint64_t>0x94D049BB133111EB
    return x ^ (x >> 31)


cdef inline uint64_t stream_at(uint64_t key, long long position) noexcept nogil:
    """All draws of one token: the high half decides survival, the low half the window, `draw` gives the rest."""
    return mix(key + <uint64_t>position * GOLDEN)


cdef inline uint64_t draw(uint64_t stream, uint64_t index) noexcept nogil:
    return mix(stream + (index + 1) * GOLDEN)


cdef inline uint64_t scaled(uint64_t half, uint64_t n) noexcept nogil:
    """32 random bits as an integer in [0, n)."""
    return (half * n) >> 32


def fill_rows(float[:, ::1] rows, int vector_size, uint64_t key, long long first_row=0):
    """Fill rows with uniform values in [-1/vector_size, 1/vector_size), keyed by (key, number of the row).

    `first_row` is the number of the first one.
    Columns from `vector_size` on are padding and become zero.
    """
    cdef long long row
    cdef int d
    cdef uint64_t stream
    cdef uint64_t mode
    with nogil:
        mode = default_float_mode()
        for row in range(rows.shape[0]):
            stream = stream_at(key, first_row + row)
            for d in range(vector_size):
                rows[row, d] = (<float>(draw(stream, d) >> 40) * <float>(1.0 / 8388608) - 1) / <float>vector_size
            for d in range(vector_size, <int>rows.shape[1]):
                rows[row, d] = 0
        restore_float_mode(mode)


# --- one training run -------------------------------------------------------------------------------------------

cdef struct Plan:
    float *inputs
    float *outputs          # negative sampling, a row per word; NULL when off
    float *nodes            # hierarchical softmax, a row per inner node; NULL when off
    const float *locks      # how much of its gradient each input row takes; NULL when all take all of it
    long long stride
    int blocks
    uint64_t n_words
    const uint32_t *keep    # a token survives if its 32 random bits are not above; NULL keeps all
    const uint32_t *noise   # alias table: (coin, other word) per slot
    const long long *paths  # word w owns points and labels [paths[w], paths[w + 1])
    const int32_t *points
    const int8_t *labels
    int window
    int negative
    bint shrink
    int tile                # context words of skip-gram that learn together
    bint lists_per_pair     # noise words of their own for each pair of skip-gram
    bint cbow
    bint mean_forward
    bint mean_backward
    bint with_loss


cdef struct Window:
    # one centre word with its neighbours and all it will be trained against, drawn before it is needed
    int first
    int centre
    int last
    uint64_t stream
    float rate
    int n_targets           # targets of all its pairs, or of each pair in turn where they have their own
    uint64_t *draws         # one per noise word
    float **targets
    float *labels
    int *ends               # where the targets of each pair end
    uint32_t n_copies       # that the lane must have made before it learns


cdef struct Part:
    # an encoded part of the corpus, and what changes from epoch to epoch
    const int32_t *tokens
    long long n_tokens
    const long long *offsets
    long long n_sentences
    long long reach         # the window, but no more than the longest sentence
    long long origin        # the position of the first token
    uint64_t key
    double alpha
    double slope
    long long horizon
    const int *stop


cdef struct Worker:
    # what one worker owns
    int32_t *kept           # the surviving tokens of a stretch of one sentence, in order
    long long *positions    # of them in the part
    long long n_kept
    long long sentence      # the one they are of
    long long seen_from     # they are the survivors of [seen_from, seen_until)
    long long seen_until
    long long earliest      # no stretch to come begins before this position
    const int *stop         # AT_ONCE ends a lane that can be trained again; NEVER if it cannot
    Window windows[RING]
    Ahead ahead             # targets of a window to come that nobody has asked for yet
    float **rows
    float **taken           # the rows behind them, where they are copies
    int32_t *words_of_rows
    float *copies           # two of each locked row among them: one learns, one stays
    float *scratch
    void *copies_memory
    void *hot_memory
    long long n_hot         # rows of which it trains a copy of its own, the most frequent words; 0 when it is alone
    long long first_hot_node
    float *hot_inputs
    float *hot_outputs
    float *hot_nodes        # the nodes nearest to the root
    float share
    Lane *lane              # when training is deterministic: what it works on
    Turn turn               # which lane of which round that is
    bint marking            # it trains nothing, but marks what it would touch
    float **kept_rows       # those of the surviving tokens, or the lane's copies of them
    long long unblended     # positions since the copies were brought together
    long long words
    long long survivors
    long long examples
    double loss


cdef inline float *input_row(const Plan *plan, const Worker *own, long long word) noexcept nogil:
    return (own.hot_inputs if word < own.n_hot else plan.inputs) + word * plan.stride


cdef inline float *output_row(const Plan *plan, const Worker *own, long long word, bint noise) noexcept nogil:
    if own.lane and (own.lane.all.copies_all or not noise or in_this_round(&own.turn, INPUTS, word)):
        return copy_of(own.lane, OUTPUTS, word)
    return (own.hot_outputs if word < own.n_hot else plan.outputs) + word * plan.stride


cdef inline float *node_row(const Plan *plan, const Worker *own, long long node) noexcept nogil:
    if own.lane and (own.lane.all.copies_all or not in_this_lane_alone(&own.turn, NODES, node)):
        return copy_of(own.lane, NODES, node)
    if node >= own.first_hot_node:
        return own.hot_nodes + (node - own.first_hot_node) * plan.stride
    return plan.nodes + node * plan.stride


cdef void blend(const Plan *plan, Worker *own, float share) noexcept nogil:
    """Bring the worker's copies and the shared rows together; with a share of 0 the copies are made anew."""
    cdef long long size = own.n_hot * plan.stride
    level.blend(plan.inputs, own.hot_inputs, size, share)
    if plan.outputs:
        level.blend(plan.outputs, own.hot_outputs, size, share)
    if plan.nodes:
        level.blend(plan.nodes + own.first_hot_node * plan.stride, own.hot_nodes,
                    (<long long>plan.n_words - 1 - own.first_hot_node) * plan.stride, share)
    own.unblended = 0


cdef inline void add_target(Window *window, float *row, float label) noexcept nogil:
    window.targets[window.n_targets] = row
    window.labels[window.n_targets] = label
    window.n_targets += 1


cdef inline void add_path(const Plan *plan, Worker *own, Window *window, int32_t word) noexcept nogil:
    """Targets of hierarchical softmax: the inner nodes above `word`, labelled 1 - code."""
    cdef long long j
    for j in range(plan.paths[word], plan.paths[word + 1]):
        add_target(window, node_row(plan, own, plan.points[j]), plan.labels[j])


cdef inline uint32_t one_of(uint32_t first, uint32_t second, bint takes_first) noexcept nogil:
    """A choice without a branch: nothing could predict it."""
    cdef uint32_t every_bit = -<uint32_t>takes_first  # set, or none
    return (first & every_bit) | (second & ~every_bit)


cdef inline uint32_t noise_word(const Plan *plan, const Worker *own, uint64_t bits) noexcept nogil:
    cdef const uint32_t *slot
    cdef uint64_t number
    if own.lane:
        slot = own.lane.noise + 3 * scaled(bits >> 32, own.lane.n_noise)
        return one_of(slot[1], slot[2], <uint32_t>bits < slot[0])
    number = scaled(bits >> 32, plan.n_words)
    slot = plan.noise + 2 * number
    return one_of(<uint32_t>number, slot[1], <uint32_t>bits < slot[0])


cdef inline void prefetch_slot(const Plan *plan, const Worker *own, uint64_t bits) noexcept nogil:
    if own.lane:
        prefetch(own.lane.noise + 3 * scaled(bits >> 32, own.lane.n_noise))
    else:
        prefetch(plan.noise + 2 * scaled(bits >> 32, plan.n_words))


cdef inline void add_noise(const Plan *plan, Worker *own, Window *window, int32_t word, int pair) noexcept nogil:
    """Targets of negative sampling: `word` itself, and noise words; a draw of `word` is dropped, not repeated."""
    cdef int k
    cdef uint32_t drawn, other
    add_target(window, output_row(plan, own, word, False), 1)
    for k in range(plan.negative):
        drawn = noise_word(plan, own, window.draws[pair * plan.negative + k])
        other = drawn & ~ANY_LANE
        if other != <uint32_t>word:
            add_target(window, output_row(plan, own, other, other == drawn), 0)


cdef inline int lists(const Plan *plan, const Window *window) noexcept nogil:
    """How many lists of targets a window has."""
    return window.last - window.first - 1 if plan.lists_per_pair else 1


cdef void make_draws(const Plan *plan, const Worker *own, Window *window) noexcept nogil:
    """Draw for all noise words of a window, and ask for their slots in the table."""
    cdef int k
    if plan.outputs:
        for k in range(lists(plan, window) * plan.negative):
            window.draws[k] = draw(window.stream, <uint64_t>k)
            prefetch_slot(plan, own, window.draws[k])


cdef void look_up_targets(const Plan *plan, Worker *own, Window *window, int32_t word) noexcept nogil:
    cdef int pair
    window.n_targets = 0
    for pair in range(lists(plan, window)):
        if plan.nodes:
            add_path(plan, own, window, word)
        if plan.outputs:
            add_noise(plan, own, window, word, pair)
        window.ends[pair] = window.n_targets
    if own.lane:
        window.n_copies = own.lane.n


cdef inline bint listed(const int32_t *words, int n, int32_t word) noexcept nogil:
    cdef int j
    for j in range(n):
        if words[j] == word:
            return True
    return False


cdef inline void asked_for(Worker *own, int n) noexcept nogil:
    n = min(n, own.ahead.n)
    own.ahead.rows += n
    own.ahead.n -= n


cdef inline void take_row(const Plan *plan, Worker *own, int i, int j) noexcept nogil:
    """Make the row of the survivor at j the i-th to learn; or a copy, so that one whose lock is 0 is never written."""
    cdef float *copy
    cdef int32_t word = own.kept[j]
    own.rows[i] = own.kept_rows[j] if own.lane else input_row(plan, own, word)
    own.words_of_rows[i] = word
    own.taken[i] = own.rows[i]
    if plan.locks and plan.locks[word] != 1:
        copy = own.copies + 2 * i * plan.stride
        memcpy(copy, own.rows[i], <size_t>plan.stride * sizeof(float))
        memcpy(copy + plan.stride, own.rows[i], <size_t>plan.stride * sizeof(float))
        own.rows[i] = copy


cdef void hand_back(const Plan *plan, Worker *own, int n_rows) noexcept nogil:
    """Add to each locked row its share of what the copy has learnt."""
    cdef int i
    cdef float *copy
    for i in range(n_rows):
        copy = own.copies + 2 * i * plan.stride
        if own.rows[i] == copy:
            add_part(own.taken[i], copy, copy + plan.stride, plan.stride, plan.locks[own.words_of_rows[i]])


cdef inline void learn(const Plan *plan, Worker *own, const Window *window, int n_rows, int begin,
                       int end) noexcept nogil:
    level.learn(own.rows, n_rows, window.targets + begin, window.labels + begin, end - begin, plan.blocks,
                window.rate, own.scratch, &own.loss if plan.with_loss else NULL, &own.ahead)
    if plan.locks:
        hand_back(plan, own, n_rows)
    asked_for(own, end - begin)
    own.examples += n_rows


cdef void skip_gram(const Plan *plan, Worker *own, const Window *window) noexcept nogil:
    """Each context word alone predicts the centre word; up to `tile` different ones learn together."""
    cdef int j, n = 0, pair = 0, begin = 0
    for j in range(window.first, window.last):
        if j == window.centre:
            continue
        if plan.lists_per_pair:
            take_row(plan, own, 0, j)
            learn(plan, own, window, 1, begin, window.ends[pair])
            begin = window.ends[pair]
            pair += 1
            if stop_wanted(own.stop) == AT_ONCE:
                return
            continue
        if n == plan.tile or listed(own.words_of_rows, n, own.kept[j]):
            learn(plan, own, window, n, 0, window.n_targets)
            n = 0
            if stop_wanted(own.stop) == AT_ONCE:
                return
        take_row(plan, own, n, j)
        n += 1
    if n:
        learn(plan, own, window, n, 0, window.n_targets)


cdef void cbow(const Plan *plan, Worker *own, const Window *window) noexcept nogil:
    """The mean (or sum) of all context words predicts the centre word."""
    cdef int j, n = 0
    cdef float part
    for j in range(window.first, window.last):
        if j != window.centre:
            take_row(plan, own, n, j)
            n += 1
    if n == 0:
        return
    part = <float>1 / <float>n
    level.learn_mean(own.rows, n, part if plan.mean_forward else 1, part if plan.mean_backward else 1,
                     window.targets, window.labels, window.n_targets, plan.blocks, window.rate, own.scratch,
                     &own.loss if plan.with_loss else NULL, &own.ahead)
    if plan.locks:
        hand_back(plan, own, n)
    asked_for(own, window.n_targets)
    own.examples += 1


cdef inline bint survives(const Plan *plan, int32_t word, uint64_t stream) noexcept nogil:
    return plan.keep == NULL or <uint32_t>(stream >> 32) <= plan.keep[word]


cdef class Kernel:
    """Everything one training run needs that does not change while it runs.

    Parameters
    ----------
    inputs : float32 [V, stride], padded with zeros; changed in place
    outputs : float32 [V, stride] or None, negative sampling; changed in place
    nodes : float32 [V - 1, stride] or None, hierarchical softmax; changed in place
    keep : uint32 [V] or None, largest 32-bit draw with which a token survives subsampling
    noise : uint32 [V, 2] or None, alias table of the noise distribution
    paths, points, labels : int64 [V + 1], int32 [P], int8 [P] or None, Huffman paths with label 1 - code
    locks : float32 [V] or None, the factor of each input row's gradient
    window, negative, shrink, shared, cbow, mean_forward, mean_backward, with_loss : the model's options
    """

    cdef Plan plan
    cdef int max_targets
    cdef readonly object noise
    cdef object arrays  # keeps the memory behind the pointers alive

    def __init__(self, float[:, ::1] inputs, float[:, ::1] outputs, float[:, ::1] nodes, const uint32_t[::1] keep,
                 const uint32_t[:, ::1] noise, const long long[::1] paths, const int32_t[::1] points,
                 const int8_t[::1] labels, *, const float[::1] locks=None, int window, int negative,
                 bint shrink, bint shared, bint cbow,
                 bint mean_forward, bint mean_backward, bint with_loss):
        cdef long long longest = 0
        self.arrays = (inputs, outputs, nodes, locks, keep, paths, points, labels)
        self.noise = noise
        self.plan = Plan(
            inputs=&inputs[0, 0], outputs=NULL, nodes=NULL, locks=NULL, stride=inputs.shape[1],
            blocks=<int>(inputs.shape[1] // 16), n_words=<uint64_t>inputs.shape[0], keep=NULL, noise=NULL,
            paths=NULL, points=NULL, labels=NULL, window=window, negative=negative, shrink=shrink,
            tile=PATH_TILE if nodes is not None else TILE, lists_per_pair=not shared and not cbow and negative > 0,
            cbow=cbow, mean_forward=mean_forward, mean_backward=mean_backward, with_loss=with_loss)
        if locks is not None:
            if <uint64_t>locks.shape[0] != self.plan.n_words:
                raise ValueError(f"{locks.shape[0]:,} locks for {self.plan.n_words:,} rows")
            self.plan.locks = &locks[0]
        if keep is not None:
            self.plan.keep = &keep[0]
        if outputs is not None:
            self.plan.outputs = &outputs[0, 0]
            self.plan.noise = &noise[0, 0]
            longest = 1 + negative
        if nodes is not None and points.shape[0]:
            self.plan.nodes = &nodes[0, 0]
            self.plan.paths = &paths[0]
            self.plan.points = &points[0]
            self.plan.labels = &labels[0]
            longest += int(np.diff(paths).max())
        self.max_targets = <int>longest

    @property
    def negative(self):
        return self.plan.negative

    def check_tokens(self, const int32_t[::1] tokens):
        """Check what `run` will not: every token has a row."""
        cdef long long i
        cdef uint32_t largest = 0
        with nogil:
            for i in range(tokens.shape[0]):
                largest = max(largest, <uint32_t>tokens[i])  # a negative one becomes large
        if tokens.shape[0] and largest >= self.plan.n_words:
            raise ValueError(f"a token has no row among the {self.plan.n_words:,} words")

    def longest_sentence(self, const long long[::1] offsets, long long n_tokens):
        """Check that sentences are a partition of the tokens, and return the number of tokens in the longest one."""
        cdef long long n_sentences = offsets.shape[0] - 1, i, longest = 0, length
        cdef bint rising = n_sentences >= 0 and offsets[0] == 0 and offsets[n_sentences] == n_tokens
        with nogil:
            for i in range(n_sentences if rising else 0):
                length = offsets[i + 1] - offsets[i]
                rising = rising and length >= 0
                longest = max(longest, length)
        if not rising:
            raise ValueError(f"the offsets of sentences must rise from 0 to {n_tokens:,}, the number of tokens")
        return longest

    def run(self, const int32_t[::1] tokens, const long long[::1] offsets, long long longest, long long origin,
            uint64_t key, double alpha, double slope, long long horizon, long long[::1] cursor, int workers,
            long long n_hot, const int[::1] stop, long long[::1] counts, double[::1] loss):
        """Train on chunks of `tokens` until the cursor has passed their end or `stop[0]` is set.

        The learning rate at position p is ``alpha - slope * min(p, horizon)``; `origin` is the position of
        ``tokens[0]``, and `longest` what `longest_sentence` says of them.
        `cursor` is shared by all workers on these tokens and holds where the next chunk begins; `counts` (words,
        survivors, examples) and `loss` (their summed loss) belong to this worker and grow as it goes. One worker that
        was stopped has trained exactly the words it counts, and can go on behind them.
        """
        cdef Worker own
        cdef const Plan *plan = &self.plan
        cdef Part part
        cdef long long begin
        cdef uint64_t mode
        if tokens.shape[0] == 0:
            return
        part = self.part_of(tokens, offsets, longest, origin, key, alpha, slope, horizon, stop)
        try:
            n_hot = min(n_hot, <long long>plan.n_words - 1) if workers > 1 else 0
            equip(plan, &own, part.reach, self.max_targets, n_hot, CHUNK)
            own.share = <float>1 / <float>workers
            own.words, own.survivors, own.examples, own.loss = counts[0], counts[1], counts[2], loss[0]
            with nogil:
                mode = default_float_mode()
                if own.n_hot:
                    blend(plan, &own, 0)
                while not stop_wanted(part.stop):
                    begin = take_chunk(&cursor[0], CHUNK)
                    if begin >= part.n_tokens:
                        break
                    train_chunk(plan, &own, &part, begin, min(begin + CHUNK, part.n_tokens))
                    publish_all(&own, &counts[0])
                    publish_loss(&loss[0], own.loss)
                if own.n_hot and own.unblended:
                    blend(plan, &own, own.share)
                restore_float_mode(mode)
        finally:
            disband(&own)

    def run_rounds(self, const int32_t[::1] tokens, const long long[::1] offsets, long long longest, long long origin,
                   uint64_t key, double alpha, double slope, long long horizon, Lanes lanes, int worker,
                   int workers, const int[::1] stop, long long[::1] counts, double[::1] loss):
        """Train as `run` does, but so that the result does not depend on the number of workers; see _rounds.h.

        All `workers` call this, each with its number `worker` and `counts` of its own; `lanes` has the losses, whose
        sum so far worker 0 writes to its `loss`.
        Training begins at the position `lanes.begin`, where a round does. ``stop[0] = 1`` ends it after a round, as do
        rows that are no longer finite, with a FloatingPointError. ``stop[0] = 2`` also abandons a round that takes
        long, as if it had not begun. ``stop[1]`` is for when a worker is missing: no one waits for it then.
        """
        cdef Worker own
        cdef const Plan *plan = &self.plan
        cdef Rounds *all = &lanes.all
        cdef Part part
        cdef long long size = lanes.lane_words * all.lanes, first = lanes.begin // size, n_rounds, number
        cdef long long words, survivors, examples
        cdef uint64_t mode
        cdef int lane, last
        if lanes.kernel is not self:
            raise ValueError("these lanes were made for another kernel")
        if tokens.shape[0] == 0:
            return
        part = self.part_of(tokens, offsets, longest, origin, key, alpha, slope, horizon, stop)
        n_rounds = (part.n_tokens + size - 1) // size
        try:
            equip(plan, &own, part.reach, self.max_targets, 0, size)
            own.words, own.survivors, own.examples = counts[0], counts[1], counts[2]
            with nogil:
                mode = default_float_mode()
                for number in range(first - 1, n_rounds):  # before the first round its words are marked
                    words, survivors, examples = own.words, own.survivors, own.examples
                    lane = take_lane(all, TRAIN, worker, workers) if number >= first else -1
                    while lane >= 0:
                        train_lane(plan, &own, &part, &all.lane[lane], number, lanes.lane_words)
                        publish_all(&own, &counts[0])
                        lane = take_lane(all, TRAIN, worker, workers)
                    own.marking = True
                    lane = take_lane(all, MARK, worker, workers) if number + 1 < n_rounds else -1
                    while lane >= 0:
                        train_lane(plan, &own, &part, &all.lane[lane], number + 1, lanes.lane_words)
                        lane = take_lane(all, MARK, worker, workers)
                    own.marking = False
                    last = wait_for_all(all, workers, &stop[1])
                    if last < 0:
                        break
                    if last:  # one decides for all
                        all.over = 0
                        if stop_wanted(part.stop) == AT_ONCE and (all.copies_all or number < first):
                            all.over = ABANDONED
                        elif number >= first:
                            keep_losses(all)
                        go_on(all)
                    if all.over:
                        own.words, own.survivors, own.examples = words, survivors, examples
                        publish_all(&own, &counts[0])
                        break
                    if worker == 0:
                        publish_loss(&loss[0], loss_of_lanes(all))
                    while number >= first and merge(all, level):
                        pass
                    last = wait_for_all(all, workers, &stop[1])
                    if last < 0:
                        break
                    if last:  # one decides for all, and looks at rows that nobody writes now
                        all.over = number >= first and stop_wanted(part.stop) != 0  # never without a round of progress
                        if number % LOOK_EVERY == 0 and not first_rows_are_finite(plan):
                            all.over = DIVERGED
                        go_on(all)
                    if all.over:
                        break
                restore_float_mode(mode)
        finally:
            disband(&own)
        if all.over == DIVERGED:
            raise FloatingPointError("the vectors are no longer finite")

    cdef Part part_of(self, const int32_t[::1] tokens, const long long[::1] offsets, long long longest,
                      long long origin, uint64_t key, double alpha, double slope, long long horizon,
                      const int[::1] stop) except *:
        cdef Part part
        part.tokens, part.n_tokens = &tokens[0], tokens.shape[0]
        part.offsets, part.n_sentences = &offsets[0], offsets.shape[0] - 1
        part.reach = max(1, min(<long long>self.plan.window, longest))  # no word sees beyond its sentence
        part.origin, part.key, part.stop = origin, key, &stop[0]
        part.alpha, part.slope, part.horizon = alpha, slope, horizon
        if targets_of_a_window(&self.plan, part.reach, self.max_targets) > MOST_TARGETS:
            raise ValueError(f"negative={self.plan.negative} noise words for each of the {2 * part.reach:,} pairs of a "
                             "window are too many; use a smaller window, or shared_negatives=True")
        return part


@cython.no_gc_clear
cdef class Lanes:
    """What the workers of deterministic training share: marks on words and nodes, and the lanes' copies.

    Parameters
    ----------
    kernel : Kernel
    longest : int, from `Kernel.longest_sentence`
    lanes, lane_words : int, the lanes of a round, and the positions of each
    noise : uint32 [N, 3]
    parts : int64 [lanes + 1]
        The noise words of the lanes, from `noise.lane_tables`; empty where there is no negative sampling.
    begin : int, the position where training begins: where a round does, a multiple of lanes * lane_words
    jitter : int, threads sleep up to so many microseconds before each lane; for tests
    copies_before : int, the number of the first copy; for tests
    """

    cdef Rounds all
    cdef long long lane_words
    cdef readonly long long begin
    cdef object kernel, noise
    cdef list held

    def __init__(self, Kernel kernel, long long longest, int lanes, long long lane_words,
                 const uint32_t[:, ::1] noise, const long long[::1] parts, long long begin=0, unsigned jitter=0,
                 uint32_t copies_before=1):
        cdef const Plan *plan = &kernel.plan
        cdef long long reach = max(1, min(<long long>plan.window, longest)), most
        cdef Lane *lane
        cdef int number
        if not 1 <= lanes <= MOST_LANES or not 1 <= lane_words <= CHUNK:
            raise ValueError(f"{lanes} lanes of {lane_words} words: at most {MOST_LANES} of {CHUNK}")
        most = lane_words + 2 * reach + lane_words * targets_of_a_window(plan, reach, kernel.max_targets)
        if begin < 0 or begin % (lanes * lane_words):
            raise ValueError(f"no round of {lanes} x {lane_words} words begins at position {begin:,}")
        self.kernel, self.lane_words, self.begin, self.held = kernel, lane_words, begin, []
        self.all.lanes, self.all.stride, self.all.jitter = lanes, plan.stride, jitter
        most = min(most, 3 * <long long>plan.n_words)
        if lanes * most > MOST_TARGETS:
            raise ValueError(f"a lane of {lane_words} words would touch {most:,} rows, which is too many; use a "
                             "smaller window, or deterministic=False")
        self.noise = (noise, parts)
        if parts.shape[0] != lanes + 1 or parts[lanes] != noise.shape[0]:
            raise ValueError(f"the noise words are not those of {lanes} lanes")
        self.all.noise, self.all.parts = &noise[0, 0] if noise.shape[0] else NULL, &parts[0]
        self.lay(INPUTS, plan.inputs, <long long>plan.n_words)
        self.all.tables[INPUTS].locks = plan.locks
        if plan.outputs:
            self.lay(OUTPUTS, plan.outputs, <long long>plan.n_words)
        if plan.nodes:
            self.lay(NODES, plan.nodes, <long long>plan.n_words - 1)
        self.all.most_copies = most
        self.all.copies_all = lanes * lane_words * updates_of_a_window(plan, reach, kernel.max_targets) > LONG_ROUND
        for number in range(lanes):
            lane = &self.all.lane[number]
            lane.all, lane.number, lane.before = &self.all, number, copies_before
            lane.copies = <Copy *>self.claimed(self.all.most_copies, sizeof(Copy))
            lane.sources = <float **>self.claimed(self.all.most_copies, sizeof(float *))
            lane.memory = at_a_line(self.claimed(self.all.most_copies * plan.stride + 16, sizeof(float)))

    def __dealloc__(self):
        cdef size_t address
        for address in self.held or ():
            free(<void *>address)

    cdef void *claimed(self, long long n, size_t size) except NULL:
        cdef void *memory = claim(n, size)
        self.held.append(<size_t>memory)
        return memory

    cdef int lay(self, int matrix, float *rows, long long n_rows) except -1:
        cdef Table *table = &self.all.tables[matrix]
        cdef int parity
        table.rows, table.n_rows = rows, n_rows
        for parity in range(2 if matrix != OUTPUTS else 0):  # these go by the marks of their words
            table.marks[parity] = <uint64_t *>self.claimed(n_rows, sizeof(uint64_t))
        table.slots = <uint32_t *>self.claimed(n_rows * self.all.lanes, sizeof(uint32_t))
        return 0

    @property
    def losses(self):
        """The summed loss of each lane; to go on where a run was stopped, give it those it had."""
        return [self.all.lane[number].loss for number in range(self.all.lanes)]

    @losses.setter
    def losses(self, values):
        for number in range(self.all.lanes):
            self.all.lane[number].loss = values[number]


cdef long long targets_of_a_window(const Plan *plan, long long reach, long long max_targets) noexcept nogil:
    return max_targets * (2 * reach if plan.lists_per_pair else 1)


cdef long long updates_of_a_window(const Plan *plan, long long reach, long long max_targets) noexcept nogil:
    """How many blocks of 16 floats a window updates at most."""
    return plan.blocks * (2 * reach + max_targets if plan.cbow else 2 * reach * max_targets)


cdef int equip(const Plan *plan, Worker *own, long long reach, long long max_targets, long long n_hot,
               long long span) except -1:
    """Claim all that a worker needs, before anything is trained; `disband` frees it.

    The stretches it is given begin less than `span` positions behind the earliest that is still to come.
    """
    cdef long long most_rows = max(TILE, 2 * reach if plan.cbow else 1)
    cdef long long n_pairs = 2 * reach if plan.lists_per_pair else 1
    cdef int i
    memset(own, 0, sizeof(Worker))
    own.sentence, own.stop = -1, &NEVER
    own.kept = <int32_t *>claim(span + 2 * reach, sizeof(int32_t))
    own.positions = <long long *>claim(span + 2 * reach, sizeof(long long))
    own.kept_rows = <float **>claim(span + 2 * reach, sizeof(float *))
    for i in range(RING):
        own.windows[i].draws = <uint64_t *>claim(n_pairs * plan.negative, sizeof(uint64_t))
        own.windows[i].targets = <float **>claim(n_pairs * max_targets, sizeof(float *))
        own.windows[i].labels = <float *>claim(n_pairs * max_targets + 16, sizeof(float))
        own.windows[i].ends = <int *>claim(n_pairs, sizeof(int))
    own.rows = <float **>claim(most_rows, sizeof(float *))
    own.taken = <float **>claim(most_rows, sizeof(float *))
    own.words_of_rows = <int32_t *>claim(most_rows, sizeof(int32_t))
    own.scratch = <float *>claim(2 * (plan.stride + TILE * max_targets + 32), sizeof(float))
    if plan.locks:
        own.copies_memory = claim(2 * most_rows * plan.stride + 16, sizeof(float))
        own.copies = at_a_line(own.copies_memory)
    own.n_hot = n_hot
    own.first_hot_node = <long long>plan.n_words - 1 - n_hot
    own.hot_memory = claim(3 * n_hot * plan.stride + 16, sizeof(float))
    own.hot_inputs = at_a_line(own.hot_memory)
    own.hot_outputs = own.hot_inputs + n_hot * plan.stride
    own.hot_nodes = own.hot_outputs + n_hot * plan.stride
    return 0


cdef void disband(Worker *own) noexcept:
    cdef int i
    free(own.kept)
    free(own.positions)
    for i in range(RING):
        free(own.windows[i].draws)
        free(own.windows[i].targets)
        free(own.windows[i].labels)
        free(own.windows[i].ends)
    free(own.rows)
    free(own.taken)
    free(own.words_of_rows)
    free(own.kept_rows)
    free(own.scratch)
    free(own.copies_memory)
    free(own.hot_memory)


cdef inline float *at_a_line(void *memory) noexcept nogil:
    """The first float that begins a cache line; there is room for it."""
    return <float *>(<char *>memory + 64 - <size_t>memory % 64)


cdef inline void publish_all(const Worker *own, long long *counts) noexcept nogil:
    publish(&counts[0], own.words)
    publish(&counts[1], own.survivors)
    publish(&counts[2], own.examples)


cdef void *claim(long long n, size_t size) except NULL:
    cdef void *memory = calloc(<size_t>max(n, 1), size)
    if memory == NULL:
        raise MemoryError(f"no memory for a worker's scratch space ({n:,} x {size} bytes)")
    return memory


cdef long long sentence_of(const long long *offsets, long long n_sentences, long long position) noexcept nogil:
    """The last sentence that starts at or before `position`."""
    cdef long long low = 0, high = n_sentences, middle
    while high - low > 1:
        middle = (low + high) // 2
        if offsets[middle] <= position:
            low = middle
        else:
            high = middle
    return low


cdef double loss_of_lanes(const Rounds *all) noexcept nogil:
    cdef double loss = 0
    cdef int number
    for number in range(all.lanes):
        loss += all.lane[number].loss
    return loss


cdef void keep_losses(Rounds *all) noexcept nogil:
    cdef int number
    for number in range(all.lanes):
        all.lane[number].loss = all.lane[number].loss_after


cdef bint first_rows_are_finite(const Plan *plan) noexcept nogil:
    cdef const float *matrices[2]
    cdef long long i, m
    cdef float sum = 0
    matrices[0], matrices[1] = plan.inputs, plan.outputs
    for m in range(2):
        if matrices[m]:
            for i in range(min(<long long>LOOKED_AT, <long long>plan.n_words) * plan.stride):
                sum += matrices[m][i] - matrices[m][i]  # 0, or no number
    return sum == 0


cdef void train_lane(const Plan *plan, Worker *own, const Part *part, Lane *lane, long long number,
                     long long lane_words) noexcept nogil:
    """Train the positions of one lane of round `number`, if there are any; or leave its marks."""
    cdef long long begin = (number * lane.all.lanes + lane.number) * lane_words, end
    end = min(begin + lane_words, part.n_tokens)
    own.lane, own.turn = lane, turn_of(lane.all, lane.number, number)
    own.earliest = number * lane.all.lanes * lane_words
    own.stop = part.stop if own.marking or lane.all.copies_all else &NEVER
    sleep_at_random(lane.all, <unsigned long long>begin)
    if own.marking:
        train_chunk(plan, own, part, begin, end)
        return
    begin_lane(lane, stream_at(part.key, number) >> 32)
    own.loss = lane.loss
    train_chunk(plan, own, part, begin, end)
    make_copies(lane, lane.n)  # also of rows that no window asked for in the end: all are merged
    lane.loss_after = own.loss


cdef void train_chunk(const Plan *plan, Worker *own, const Part *part, long long begin, long long end) noexcept nogil:
    """Train the centre words at positions [begin, end), sentence by sentence."""
    cdef long long sentence, position = begin, until, reached
    if begin >= end:
        return
    sentence = sentence_of(part.offsets, part.n_sentences, begin)
    while position < end and (own.lane or not stop_wanted(part.stop)):
        while part.offsets[sentence + 1] <= position:
            sentence += 1
        until = min(end, part.offsets[sentence + 1])
        if own.n_hot:
            until = min(until, position + BLEND_EVERY)
        if not own.lane:
            own.earliest = position
        reached = train_stretch(plan, own, part, sentence, position, until)
        if not own.marking:
            own.words += reached - position
        own.unblended += reached - position
        if own.n_hot and own.unblended >= BLEND_EVERY:
            blend(plan, own, own.share)
        if reached < until:
            return
        position = until


cdef long long position_before(const Plan *plan, const Part *part, long long position, long long bound,
                               long long survivors, const int *stop) noexcept nogil:
    """Where so many survivors before `position` begin; `bound` if there are fewer behind it; -1 if a stop is wanted."""
    while position > bound and survivors > 0:
        if position % LOOK_AT_STOP_EVERY == 0 and stop_wanted(stop) == AT_ONCE:
            return -1
        position -= 1
        if survives(plan, part.tokens[position], stream_at(part.key, part.origin + position)):
            survivors -= 1
    return position


cdef long long kept_before(const Worker *own, long long position) noexcept nogil:
    """How many of the survivors that a worker knows come before `position`."""
    cdef long long low = 0, high = own.n_kept, middle
    while low < high:
        middle = (low + high) // 2
        if own.positions[middle] < position:
            low = middle + 1
        else:
            high = middle
    return low


cdef bint find_survivors(const Plan *plan, Worker *own, const Part *part, long long sentence, long long begin,
                         long long end) noexcept nogil:
    """Find the survivors of [begin, end), and `reach` of the same sentence on both sides; False if a stop is wanted.

    What was found before is kept as long as it may be wanted. So a worker looks at most twice at a token for the sake
    of neighbours, however long a sentence is and however few of its tokens survive.
    """
    cdef long long position, dropped, wanted
    cdef const int *stop = own.stop if own.lane else part.stop
    if sentence != own.sentence or begin < own.seen_from:
        own.sentence, own.n_kept = sentence, 0
        own.seen_from = own.seen_until = part.offsets[sentence]
    if begin > own.seen_until:
        position = position_before(plan, part, begin, own.seen_until, part.reach, stop)
        if position < 0:
            return False
        if position > own.seen_until:  # all that is wanted lies behind what was found before
            own.n_kept = 0
            own.seen_from = own.seen_until = position
    dropped = kept_before(own, own.earliest) - part.reach
    if dropped > 0:
        own.seen_from = own.positions[dropped]
        own.n_kept -= dropped
        memmove(own.kept, own.kept + dropped, <size_t>own.n_kept * sizeof(int32_t))
        memmove(own.positions, own.positions + dropped, <size_t>own.n_kept * sizeof(long long))
    wanted = part.reach + kept_before(own, end)
    for position in range(own.seen_until, part.offsets[sentence + 1]):
        if position >= end and own.n_kept >= wanted:
            break
        if position % LOOK_AT_STOP_EVERY == 0 and stop_wanted(stop) == AT_ONCE:
            return False
        if survives(plan, part.tokens[position], stream_at(part.key, part.origin + position)):
            own.kept[own.n_kept] = part.tokens[position]
            own.positions[own.n_kept] = position
            own.n_kept += 1
            wanted += position < end
        own.seen_until = position + 1
    return True


cdef void open_window(const Plan *plan, Worker *own, const Part *part, int step, int first, int last) noexcept nogil:
    """The window around the survivor at index `step`, when `first` to `last` are known, and its draws."""
    cdef Window *window = &own.windows[step % RING]
    cdef long long width = plan.window, position = part.origin + own.positions[step]
    window.stream = stream_at(part.key, position)
    if plan.shrink:
        width = 1 + <long long>scaled(<uint32_t>window.stream, <uint64_t>plan.window)
    window.first = <int>max(first, step - width)
    window.centre = step
    window.last = <int>min(last, step + width + 1)
    window.rate = <float>(part.alpha - part.slope * <double>min(position, part.horizon))
    make_draws(plan, own, window)


cdef long long train_stretch(const Plan *plan, Worker *own, const Part *part, long long sentence, long long begin,
                             long long end) noexcept nogil:
    """Train the centre words at [begin, end), a part of one sentence; neighbours may lie beyond it on both sides.

    Returns `end`, or the position of the first word that is not trained because a stop is wanted.
    """
    cdef long long j
    cdef int i, first, begins, ends, last, step
    cdef Window *ahead
    if not find_survivors(plan, own, part, sentence, begin, end):
        return begin
    begins, ends = <int>kept_before(own, begin), <int>kept_before(own, end)  # of those that are trained
    first, last = <int>max(0, begins - part.reach), <int>min(own.n_kept, ends + part.reach)
    if not own.marking:
        own.survivors += ends - begins
    if last - first < 2:
        return end
    if own.marking:
        for step in range(first, last):
            leave_mark(&own.turn, INPUTS, own.kept[step])
            if stop_wanted(own.stop) == AT_ONCE:
                return begin
        if plan.nodes:
            for step in range(begins, ends):
                for j in range(plan.paths[own.kept[step]], plan.paths[own.kept[step] + 1]):
                    leave_mark(&own.turn, NODES, plan.points[j])
        return end
    if own.lane:
        for step in range(first, last):
            if not own.lane.all.copies_all and in_this_lane_alone(&own.turn, INPUTS, own.kept[step]):
                own.kept_rows[step] = plan.inputs + own.kept[step] * plan.stride
            else:
                own.kept_rows[step] = copy_of(own.lane, INPUTS, own.kept[step])
    # A pipeline of three stages, so that nothing waits for memory: a window makes its draws, then looks up its targets,
    # then learns, while the rows of the next one are on their way.
    for step in range(begins, ends + 2):
        if step < ends:
            open_window(plan, own, part, step, first, last)
            i = <int>min(last - 1, step + part.reach)
            prefetch_row(own.kept_rows[i] if own.lane else input_row(plan, own, own.kept[i]), plan.blocks)
        if begins < step <= ends:
            look_up_targets(plan, own, &own.windows[(step - 1) % RING], own.kept[step - 1])
        if step >= begins + 2:
            if stop_wanted(own.stop) == AT_ONCE or (not own.lane and stop_wanted(part.stop)):
                own.survivors -= ends - (step - 2)
                return own.positions[step - 2]
            if own.lane:
                make_copies(own.lane, own.windows[(step - 2) % RING].n_copies)
            ahead = &own.windows[(step - 1) % RING]
            own.ahead.rows = ahead.targets
            own.ahead.n = ahead.n_targets if step <= ends else 0
            if own.windows[(step - 2) % RING].n_targets == 0:  # a vocabulary of one word has no path
                continue
            if plan.cbow:
                cbow(plan, own, &own.windows[(step - 2) % RING])
            else:
                skip_gram(plan, own, &own.windows[(step - 2) % RING])
            for i in range(own.ahead.n):
                prefetch_row(own.ahead.rows[i], plan.blocks)
    return end
