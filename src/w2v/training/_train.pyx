# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""The training loop: token ids in, two matrices changed in place. No string and no Python object inside.

Every model is one example shape: some input rows, and a list of (target row, label). An input row is that of a word, of
a part of a word, or of a document that the sentence is tagged with. `skip_gram`, `skip_gram_of_subwords`, `cbow`, and
`side_by_side`, whose targets are as long as all its rows together, say which input rows, two say which targets
(`add_path` for hierarchical softmax, `add_noise` for negative sampling); the arithmetic is in `_simd_body.h`.

Every random choice is a function of (seed, epoch, position in the corpus): whether a token survives subsampling, how
wide its window is, which noise words it meets. So a worker can take any range of positions, look up by itself which
neighbours beyond the range survive, and one worker gives the same bits however the corpus is cut.

The loop checks no bounds: `Word2Vec` checks matrices and vocabulary, `epoch.check_parts` tokens and sentences, before
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
        TOGETHER
        N_LEVELS
    ctypedef struct Ahead:
        float **rows
        int n
    ctypedef struct Level:
        const char *name
        void learn(float **rows, int n_rows, float **targets, const float *labels, int n_targets,
                   int blocks, float rate, float *scratch, double *loss, const Ahead *ahead) noexcept nogil
        void learn_mean(float **rows, int n_rows, float forward, float backward, float **targets,
                        const float *labels, const float *weights, int n_targets, int blocks, float rate,
                        float *scratch, double *loss, const Ahead *ahead) noexcept nogil
        void learn_still(float **rows, int n_rows, int n_still, float forward, float backward, float **targets,
                         const float *labels, const float *weights, int n_targets, int blocks, float rate,
                         float *scratch, double *loss, const Ahead *ahead) noexcept nogil
        void mean(float **rows, int n_rows, float forward, int blocks, float *mean) noexcept nogil
        void spread(float **rows, int n_rows, const float *before, const float *after, int blocks) noexcept nogil
        void run_sums(float **rows, int n, int blocks, float *sums) noexcept nogil
        void learn_together(float *row, const float **parts, const float *forward, float **targets, const float *labels,
                            const float *weights, int n_targets, int blocks, float rate, float *scratch,
                            const Ahead *ahead) noexcept nogil
        void blend(float *shared, float *own, long long n, float share) noexcept nogil
    const Level levels[]
    int level_runs(int i) noexcept
    void prefetch(const void *address) noexcept
    void prefetch_still(const float *row, int blocks) noexcept
    void prefetch_row(const float *row, int blocks) noexcept
    void add_part(float *row, const float *after, const float *before, long long n, float part) noexcept


cdef extern from "_rounds.h" nogil:
    enum:
        MOST_SEGMENTS
    ctypedef struct Copy:
        pass
    ctypedef struct Table:
        float *rows
        const float *locks
        long long n_rows
        long long stride
        uint64_t **marks
        uint32_t *slots
    ctypedef struct Segment:
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
        Segment *segment
        int n_segments
        long long stride
        long long most_copies
        const uint32_t *noise
        const long long *parts
        bint copies_all
        int over
        unsigned jitter
    ctypedef struct SegmentMark:
        pass
    SegmentMark mark_of(Rounds *all, int segment, long long round) noexcept
    void leave_mark(const SegmentMark *here, int matrix, long long row) noexcept
    bint in_this_round(const SegmentMark *here, int matrix, long long row) noexcept
    bint in_this_segment_alone(const SegmentMark *here, int matrix, long long row) noexcept
    void begin_segment(Segment *segment, uint64_t bits) noexcept
    float *copy_of(Segment *segment, int matrix, long long row) noexcept
    void make_copies(Segment *segment, uint32_t until) noexcept
    int merge(Rounds *all, const Level *level) noexcept
    int take_segment(Rounds *all, int work, int worker, int workers) noexcept
    int wait_for_all(Rounds *all, int workers, const int *given_up) noexcept
    void open_barrier(Rounds *all) noexcept
    void sleep_at_random(Rounds *all, unsigned long long position) noexcept


cdef extern from "_atomics.h" nogil:
    long long take_chunk(long long *cursor, long long size) noexcept
    int stop_wanted(const int *stop) noexcept
    void publish(long long *counter, long long value) noexcept
    void publish_loss(double *counter, double value) noexcept
    uint64_t default_float_mode() noexcept
    void restore_float_mode(uint64_t saved) noexcept


cdef enum:  # the matrices of a round
    INPUTS, OUTPUTS, NODES, DOCUMENTS

cdef enum:  # what is done to a segment
    TRAIN, MARK

cdef enum:  # what a stop flag asks for
    AFTER_A_ROUND = 1  # where nothing has to be done again; without rounds, after the word under way
    AT_ONCE = 2

cdef enum:
    STRETCH = 1024  # positions a worker trains in one go; then it looks at what the others made of the hot rows
    RING = 4  # three windows are under way: one draws, one looks up its targets, one learns; a power of two
    MOST_TARGETS = 100_000_000  # of one window
    LOOK_EVERY = 256  # rounds between two looks at whether rows are still finite
    LOOKED_AT = 256  # rows of each matrix, the most frequent words
    DIVERGED = 2  # why rounds end before the corpus does
    ABANDONED = 3
    LOOK_AT_STOP_EVERY = 1 << 16  # tokens that are searched for survivors: a tenth of a millisecond
    RUN = 16 * TOGETHER  # words of a document whose neighbours are summed up in one run; another value is another result
    WIDEST_RUN = 1000  # the widest window that is summed up in runs
    DOCUMENTS_AT_A_TIME = 4  # that a worker infers between two looks at the cursor
    LONG_ROUND = 1 << 23  # blocks of 16 floats that a round updates at most: 10 ms, portable 200 ms
    CHUNK = 8192  # positions a worker takes at a time: milliseconds of work; any value gives the same bits


cdef uint32_t ANY_SEGMENT = <uint32_t>1 << 31  # of a noise word: every segment draws it
cdef const int NEVER = 0  # the stop flag of work that must not be left half done


# --- the level, chosen once at import ---------------------------------------------------------------------------

AVAILABLE = [levels[i].name.decode() for i in range(N_LEVELS) if level_runs(i)]


def _chosen_level():
    forced = os.environ.get("W2V_ISA") or AVAILABLE[0]
    if forced not in AVAILABLE:
        raise ImportError(f"W2V_ISA={forced!r} cannot run here; this CPU and build offer {', '.join(AVAILABLE)}")
    return forced


ISA = _chosen_level()

MOST_ROUND = (MOST_SEGMENTS, CHUNK)  # segments of a round, and words of a segment

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
    float *documents        # a row per tag; NULL when there are none
    const float *locks      # how much of its gradient each input row takes; NULL when all take all of it
    const float *document_locks
    long long stride
    int blocks
    long long output_stride # of outputs and nodes
    int output_blocks
    uint64_t n_words
    long long n_rows        # of inputs: as many as words, or more where words have subwords
    const long long *subword_offsets  # word w has the rows [subword_offsets[w], subword_offsets[w + 1]) of these
    const int32_t *subword_rows       # NULL, both, where a word has the row of its number alone
    long long most_subwords  # of a word
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
    bint together           # a document that is inferred learns from several of its words at once
    bint blocks_of_words    # a document learns from the words of a block at once, against noise words that they share
    bint cbow
    bint mean_forward
    bint mean_backward
    bint with_loss
    bint learns_outputs     # else targets stay as they are
    bint tied               # inputs and outputs are one matrix
    const uint8_t *frozen   # words whose output rows stay as they are, where it is not 0; NULL when there are none
    bint pairs_words        # else only tags are input rows
    bint still_words        # they are input rows, but nothing is learnt of words, neither here nor in the targets
    uint64_t n_documents
    long long columns       # floats of an input row before its padding
    int side_tags           # rows side by side: so many tags, and the window on both sides; 0 adds them up instead
    long long null_word     # the row of places beyond the sentence


cdef struct Window:
    # one centre word with its neighbours and all it will be trained against, drawn before it is needed
    int first
    int centre
    int last
    uint64_t stream
    float rate
    int n_targets           # targets of all its pairs, or of each pair in turn where they have their own
    uint64_t *draws         # one per noise word
    float **rows            # with subwords: the input rows; the targets stand right behind them
    int n_rows
    float **targets
    float *labels
    int *ends               # where the targets of each pair end
    float *weights          # of several words at once: for how many pairs a target stands
    uint32_t n_copies       # that the segment must have made before it learns


cdef struct Job:
    # an encoded part of the corpus, and what changes from epoch to epoch
    const int32_t *tokens
    long long n_tokens
    const long long *offsets
    long long n_sentences
    long long reach         # the window, but no more than the longest sentence
    const int32_t *tags     # of the sentences, one after the other; NULL when there are none
    const long long *tag_offsets
    long long most_tags     # of one sentence
    long long origin        # the position of the first token
    uint64_t key
    double alpha
    double slope
    long long horizon
    const int *stop


cdef struct Place:
    # where a survivor stands among those that a worker knows
    int first               # those of its sentence are [first, last)
    int last
    int twin                # skip-gram: the last one before it of the same word, if it is less than a tile away; or -1


cdef struct Worker:
    # what one worker owns
    int32_t *kept           # the surviving tokens of a stretch, in order
    long long *positions    # of them in the part
    Place *places
    long long n_kept
    long long seen_from     # they are the survivors of [seen_from, seen_until)
    long long seen_until
    long long earliest      # no stretch to come begins before this position
    const int *stop         # AT_ONCE ends a segment that can be trained again; NEVER if it cannot
    Window windows[RING]
    Ahead ahead             # targets of a window to come that nobody has asked for yet
    float **rows
    float **true_rows       # the rows behind them, where they are copies
    float *factors          # how much of what is learnt each of them takes
    float *copies           # two of each row that does not take all: one learns, one stays
    float *mean             # of the rows of a word with subwords, which learns; and as it was
    float *mean_before
    void *mean_memory
    float *side             # rows side by side, which learn; and as they were
    float *side_before
    void *side_memory
    float *null_row
    float *still            # copies of targets that are frozen
    float **still_targets
    void *still_memory
    const int32_t *tags     # of the sentence
    int n_tags
    float **tag_rows        # those of the tags, or the segment's copies of them
    float *scratch
    float *pair_labels      # of several words that are learnt together, side by side
    float *pair_weights
    float **run_rows        # of the words around those, from the survivor `run` on; and what they sum up to
    float *sums
    long long run
    void *copies_memory
    void *hot_memory
    long long n_hot         # rows of which it trains a copy of its own, the most frequent words; 0 when it is alone
    long long first_hot_node
    float *hot_inputs
    float *hot_outputs
    float *hot_nodes        # the nodes nearest to the root
    float share
    Segment *segment              # when training is deterministic: what it works on
    SegmentMark mark                # which segment of which round that is
    bint marking            # it trains nothing, but marks what it would touch
    float **kept_rows       # the input rows of the surviving tokens, or the segment's copies of them
    long long unblended     # positions since the copies were brought together
    long long words
    long long survivors
    long long examples
    double loss


cdef inline float *input_row(const Plan *plan, const Worker *own, long long word) noexcept nogil:
    return (own.hot_inputs if word < own.n_hot else plan.inputs) + word * plan.stride


cdef inline float *output_row(const Plan *plan, const Worker *own, long long word, bint noise) noexcept nogil:
    if plan.frozen and plan.frozen[word]:  # by its address `copies_of_targets` knows it
        return plan.outputs + word * plan.output_stride
    if own.segment and plan.learns_outputs and (
            own.segment.all.copies_all or not noise or in_this_round(&own.mark, INPUTS, word)):
        return copy_of(own.segment, INPUTS if plan.tied else OUTPUTS, word)
    return (own.hot_outputs if word < own.n_hot else plan.outputs) + word * plan.output_stride


cdef inline float *node_row(const Plan *plan, const Worker *own, long long node) noexcept nogil:
    if own.segment and plan.learns_outputs and (
            own.segment.all.copies_all or not in_this_segment_alone(&own.mark, NODES, node)):
        return copy_of(own.segment, NODES, node)
    if node >= own.first_hot_node:
        return own.hot_nodes + (node - own.first_hot_node) * plan.output_stride
    return plan.nodes + node * plan.output_stride


cdef inline bint is_frozen(const Plan *plan, int matrix, long long row) noexcept nogil:
    """Whether nobody writes to a row of INPUTS, OUTPUTS or NODES."""
    if matrix == INPUTS:
        return plan.locks != NULL and plan.locks[row] == 0
    return not plan.learns_outputs or (matrix == OUTPUTS and plan.frozen != NULL and plan.frozen[row] != 0)


cdef void blend_rows(const Plan *plan, int matrix, float *shared, float *own, long long n, long long stride,
                     float share) noexcept nogil:
    cdef long long i
    for i in range(n):
        if not is_frozen(plan, matrix, i):
            level.blend(shared + i * stride, own + i * stride, stride, share)
        elif share == 0:
            memcpy(own + i * stride, shared + i * stride, <size_t>stride * sizeof(float))


cdef void blend(const Plan *plan, Worker *own, float share) noexcept nogil:
    """Bring the worker's copies and the shared rows together; with a share of 0 the copies are made anew."""
    if plan.pairs_words or plan.tied:
        blend_rows(plan, INPUTS, plan.inputs, own.hot_inputs, own.n_hot, plan.stride, share)
    if plan.outputs and not plan.tied:
        blend_rows(plan, OUTPUTS, plan.outputs, own.hot_outputs, own.n_hot, plan.output_stride, share)
    if plan.nodes:
        blend_rows(plan, NODES, plan.nodes + own.first_hot_node * plan.output_stride, own.hot_nodes,
                   <long long>plan.n_words - 1 - own.first_hot_node, plan.output_stride, share)
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


cdef inline uint32_t select(uint32_t first, uint32_t second, bint takes_first) noexcept nogil:
    """A choice without a branch: nothing could predict it."""
    cdef uint32_t every_bit = -<uint32_t>takes_first  # set, or none
    return (first & every_bit) | (second & ~every_bit)


cdef inline uint32_t noise_word(const uint32_t *noise, uint64_t n_words, uint64_t bits) noexcept nogil:
    cdef uint64_t number = scaled(bits >> 32, n_words)
    cdef const uint32_t *slot = noise + 2 * number
    return select(<uint32_t>number, slot[1], <uint32_t>bits < slot[0])


cdef inline uint32_t drawn_word(const Plan *plan, const Worker *own, uint64_t bits) noexcept nogil:
    """The noise word of these bits; in a segment, with what its own table says of it."""
    cdef const uint32_t *slot
    if own.segment:
        slot = own.segment.noise + 3 * scaled(bits >> 32, own.segment.n_noise)
        return select(slot[1], slot[2], <uint32_t>bits < slot[0])
    return noise_word(plan.noise, plan.n_words, bits)


cdef inline void add_noise(const Plan *plan, Worker *own, Window *window, int32_t word, int pair) noexcept nogil:
    """Targets of negative sampling: `word` itself, and noise words; a draw of `word` is dropped, not repeated."""
    # What the loops read stands in variables, since they write through pointers that might lead anywhere.
    cdef int k, n = window.n_targets + 1, negative = plan.negative
    cdef float **targets = window.targets
    cdef float *labels = window.labels
    cdef float *outputs = plan.outputs
    cdef float *hot = own.hot_outputs
    cdef long long stride = plan.output_stride, n_hot = own.n_hot
    cdef uint64_t n_words = plan.n_words
    cdef const uint32_t *noise = plan.noise
    cdef const uint64_t *draws = window.draws + pair * negative
    cdef uint32_t drawn, other
    targets[n - 1], labels[n - 1] = output_row(plan, own, word, False), 1
    if own.segment == NULL and plan.frozen == NULL:
        for k in range(negative):
            other = noise_word(noise, n_words, draws[k])
            targets[n], labels[n] = (hot if other < n_hot else outputs) + other * stride, 0
            n += other != <uint32_t>word
    else:
        for k in range(negative):
            drawn = drawn_word(plan, own, draws[k])
            other = drawn & ~ANY_SEGMENT
            if other != <uint32_t>word:
                targets[n], labels[n] = output_row(plan, own, other, other == drawn), 0
                n += 1
    window.n_targets = n


cdef inline int lists(const Plan *plan, const Worker *own, const Window *window) noexcept nogil:
    """How many lists of targets a window has."""
    return window.last - window.first - 1 + own.n_tags if plan.lists_per_pair else 1


cdef void make_draws(const Plan *plan, const Worker *own, Window *window) noexcept nogil:
    """Draw for all noise words of a window, and ask for their slots in the table."""
    cdef int k, n = lists(plan, own, window) * plan.negative
    cdef uint64_t *draws = window.draws
    cdef uint64_t stream = window.stream, slots = own.segment.n_noise if own.segment else plan.n_words
    cdef const uint32_t *table = own.segment.noise if own.segment else plan.noise
    cdef int width = 3 if own.segment else 2
    if plan.outputs:
        for k in range(n):
            draws[k] = draw(stream, <uint64_t>k)
            prefetch(table + width * scaled(draws[k] >> 32, slots))


cdef void look_up_targets(const Plan *plan, Worker *own, Window *window, int32_t word) noexcept nogil:
    cdef int number
    window.n_targets = window.n_rows = 0
    if plan.subword_offsets:
        look_up_subwords(plan, own, window)
    if plan.subword_offsets and not plan.cbow:
        add_neighbors(plan, own, window)
    else:
        for number in range(lists(plan, own, window)):
            add_list(plan, own, window, word, number)


cdef inline void add_list(const Plan *plan, Worker *own, Window *window, int32_t word, int number) noexcept nogil:
    """All targets of `word`, as the list of this number, with the noise words of that pair or of all."""
    if plan.nodes:
        add_path(plan, own, window, word)
    if plan.outputs:
        add_noise(plan, own, window, word, number if plan.lists_per_pair else 0)
    window.ends[number] = window.n_targets


cdef void add_shared_noise(const Plan *plan, Worker *own, Window *window) noexcept nogil:
    """Noise words that the words of a window share, as targets: each stands for those whose word it is not."""
    cdef int j, k, t, pairs
    cdef uint32_t drawn, other
    for t in range(window.n_targets):
        window.weights[t] = 1
    for k in range(plan.negative):
        drawn = drawn_word(plan, own, window.draws[k])
        other = drawn & ~ANY_SEGMENT
        pairs = 0
        for j in range(window.first, window.last):
            pairs += <uint32_t>own.kept[j] != other
        if pairs:
            window.weights[window.n_targets] = <float>pairs
            add_target(window, output_row(plan, own, other, other == drawn), 0)


cdef void add_neighbors(const Plan *plan, Worker *own, Window *window) noexcept nogil:
    """Targets of a centre word with subwords: a list for each of its context words; then what tags learn."""
    cdef int j, number = 0
    for j in range(window.first, window.last):
        if j != window.centre:
            add_list(plan, own, window, own.kept[j], number)
            number += 1
    for j in range(own.n_tags if plan.lists_per_pair else own.n_tags > 0):
        add_list(plan, own, window, own.kept[window.centre], number + j)


cdef inline float *subword_row(const Plan *plan, const Worker *own, long long row) noexcept nogil:
    if own.segment and not plan.still_words and (
            own.segment.all.copies_all or not in_this_segment_alone(&own.mark, INPUTS, row)):
        return copy_of(own.segment, INPUTS, row)
    return input_row(plan, own, row)


cdef void look_up_subwords(const Plan *plan, Worker *own, Window *window) noexcept nogil:
    """The input rows of a window: those of the centre word in skip-gram, of all context words in CBOW."""
    cdef long long i
    cdef int j
    for j in range(window.first, window.last if window.last - window.first > 1 else window.first):
        if (j == window.centre) != plan.cbow:
            for i in range(plan.subword_offsets[own.kept[j]], plan.subword_offsets[own.kept[j] + 1]):
                window.rows[window.n_rows] = subword_row(plan, own, plan.subword_rows[i])
                window.n_rows += 1
    window.targets = window.rows + window.n_rows


cdef inline void skip_prefetched(Worker *own, int n) noexcept nogil:
    n = min(n, own.ahead.n)
    own.ahead.rows += n
    own.ahead.n -= n


cdef inline void prefetch_some(const Plan *plan, Worker *own, int n) noexcept nogil:
    """Ask for so many more rows of the next window."""
    cdef int i
    for i in range(n):
        prefetch_row(own.ahead.rows[i], plan.output_blocks)
    skip_prefetched(own, n)


cdef inline bint stands_alone(const Worker *own, int j) noexcept nogil:
    """Whether no other survivor of its sentence is known, nor a tag: there is nothing to learn."""
    return own.places[j].last - own.places[j].first + own.n_tags < 2


cdef inline bint is_taken(const Worker *own, const Window *window, int since, int j) noexcept nogil:
    """Whether the row of the j-th survivor is that of one of [since, j) as well; behind the window come the tags."""
    cdef int k
    if j < window.last:
        k = own.places[j].twin
        return (own.places[k].twin if k == window.centre else k) >= since
    for k in range(max(since, window.last), j):
        if own.tags[k - window.last] == own.tags[j - window.last]:
            return True
    return False


cdef inline bint is_target(const Window *window, const float *row) noexcept nogil:
    cdef int t
    for t in range(window.n_targets):
        if window.targets[t] == row:
            return True
    return False


cdef inline void take(const Plan *plan, Worker *own, const Window *window, int i, float *row, int32_t number,
                      const float *locks) noexcept nogil:
    """Make an input row the i-th to learn; or a copy, so that one whose lock is 0 is never written.

    Under one matrix for inputs and outputs, a row that is a target as well learns as both: a copy of it as an input.
    """
    cdef float *copy
    own.rows[i] = row
    if own.copies and ((locks and locks[number] != 1) or (plan.tied and is_target(window, row))):
        own.true_rows[i] = row
        copy = own.copies + 2 * i * plan.stride
        memcpy(copy, row, <size_t>plan.stride * sizeof(float))
        memcpy(copy + plan.stride, row, <size_t>plan.stride * sizeof(float))
        own.rows[i], own.factors[i] = copy, locks[number] if locks else 1


cdef inline void take_row(const Plan *plan, Worker *own, const Window *window, int i, int j) noexcept nogil:
    """Make the row of the j-th survivor the i-th to learn, if it is in the window; behind the window come the tags."""
    if j < window.last:
        take(plan, own, window, i, own.kept_rows[j], own.kept[j], plan.locks)
    else:
        take(plan, own, window, i, own.tag_rows[j - window.last], own.tags[j - window.last], plan.document_locks)


cdef inline int take_subwords(const Plan *plan, Worker *own, const Window *window, int n, int32_t word) noexcept nogil:
    """Make the input rows of a word the n-th and following; returns how many there are then."""
    cdef long long i
    for i in range(plan.subword_offsets[word], plan.subword_offsets[word + 1]):
        take(plan, own, window, n, window.rows[n], plan.subword_rows[i], plan.locks)
        n += 1
    return n


cdef void hand_back(const Plan *plan, Worker *own, int n_rows) noexcept nogil:
    """Add to each locked row its share of what the copy has learnt."""
    cdef int i
    cdef float *copy
    for i in range(n_rows):
        copy = own.copies + 2 * i * plan.stride
        if own.rows[i] == copy:
            add_part(own.true_rows[i], copy, copy + plan.stride, plan.stride, own.factors[i])


cdef float **copies_of_targets(const Plan *plan, Worker *own, float **targets, int n) noexcept nogil:
    """The targets, but copies of those that are frozen: such a row is asked for in its own place."""
    cdef int t
    cdef size_t place, row = <size_t>plan.output_stride * sizeof(float)
    for t in range(n):
        place = <size_t>targets[t] - <size_t>plan.outputs  # of another matrix it is beyond the last row
        if place >= plan.n_words * row or plan.frozen[place // row] == 0:
            own.still_targets[t] = targets[t]
        else:
            own.still_targets[t] = own.still + t * plan.output_stride
            memcpy(own.still_targets[t], targets[t], row)
    return own.still_targets


cdef inline float **targets_of(const Plan *plan, Worker *own, const Window *window, int begin, int end) noexcept nogil:
    """Targets of a window; or copies, which learn in place of those that are frozen."""
    if plan.frozen == NULL:
        return window.targets + begin
    return copies_of_targets(plan, own, window.targets + begin, end - begin)


cdef inline void learn(const Plan *plan, Worker *own, const Window *window, float **rows, int n_rows, int begin,
                       int end) noexcept nogil:
    """Each of the rows learns the targets [begin, end) of a window."""
    cdef int i
    cdef double *loss = &own.loss if plan.with_loss else NULL
    if plan.learns_outputs:
        level.learn(rows, n_rows, targets_of(plan, own, window, begin, end), window.labels + begin, end - begin,
                    plan.blocks, window.rate, own.scratch, loss, &own.ahead)
    else:  # rows have nothing to do with each other
        for i in range(n_rows):
            level.learn_still(rows + i, 1, 0, 1, 1, window.targets + begin, window.labels + begin, NULL, end - begin,
                              plan.blocks, window.rate, own.scratch, loss, &own.ahead)
    if own.copies and rows == own.rows:
        hand_back(plan, own, n_rows)
    skip_prefetched(own, end - begin)
    own.examples += n_rows


cdef inline void learn_mean(const Plan *plan, Worker *own, const Window *window, float **rows, int n_rows, int n_still,
                            float forward, float backward, const float *weights, int begin, int end,
                            int blocks) noexcept nogil:
    """The mean of the rows, or what `forward` makes of their sum, learns the targets [begin, end) of a window.

    Where targets are to stay as they are, the first `n_still` rows are, too.
    """
    cdef double *loss = &own.loss if plan.with_loss else NULL
    if plan.learns_outputs:
        level.learn_mean(rows, n_rows, forward, backward, targets_of(plan, own, window, begin, end),
                         window.labels + begin, weights, end - begin, blocks, window.rate, own.scratch, loss,
                         &own.ahead)
    else:
        level.learn_still(rows, n_rows, n_still, forward, backward, window.targets + begin, window.labels + begin, weights,
                          end - begin, blocks, window.rate, own.scratch, loss, &own.ahead)
    if own.copies and rows == own.rows:
        hand_back(plan, own, n_rows)
    skip_prefetched(own, end - begin)


cdef void skip_gram(const Plan *plan, Worker *own, const Window *window) noexcept nogil:
    """Each context word, and then each tag, alone predicts the centre word; up to `tile` different ones together."""
    learn_one_by_one(plan, own, window, window.first, 0)


cdef void skip_gram_of_subwords(const Plan *plan, Worker *own, const Window *window) noexcept nogil:
    """The mean of the centre word's rows predicts its context words, one after the other; then each tag its centre word.

    So says fastText, and word2vec's paper; word2vec.c lets context words predict the centre, which makes the same pairs.
    Each row learns all that the mean learns. So rows are gathered once for a window, and the mean goes on by itself; but
    with locks, which let a row learn less or more than the mean, for each pair.
    """
    cdef int n = 0, pair, pairs = window.last - window.first - 1, begin = 0
    for pair in range(pairs):
        if pair == 0 or plan.locks:
            n = take_subwords(plan, own, window, 0, own.kept[window.centre])
            level.mean(own.rows, n, <float>1 / <float>n, plan.blocks, own.mean)
            memcpy(own.mean_before, own.mean, <size_t>plan.stride * sizeof(float))
        learn(plan, own, window, &own.mean, 1, begin, window.ends[pair])
        begin = window.ends[pair]
        prefetch_some(plan, own, own.ahead.n // (pairs - pair))  # all in one go would be waited for
        if stop_wanted(own.stop) == AT_ONCE:
            return
        if pair == pairs - 1 or plan.locks:
            level.spread(own.rows, n, own.mean_before, own.mean, plan.blocks)
            if own.copies:
                hand_back(plan, own, n)
    if own.n_tags:
        learn_one_by_one(plan, own, window, window.last, max(pairs, 0))


cdef inline void learn_one_by_one(const Plan *plan, Worker *own, const Window *window, int first,
                                  int pair) noexcept nogil:
    """Each survivor from `first` on, and each tag, predicts the centre word, with the lists of targets from `pair` on."""
    cdef int j = first, since, n, begin = window.ends[pair - 1] if pair else 0, end = window.last + own.n_tags
    cdef int most = 1 if plan.lists_per_pair else plan.tile
    while True:
        since, n = j, 0
        while j < end and n < most:
            if j != window.centre:
                if is_taken(own, window, since, j):
                    break
                take_row(plan, own, window, n, j)
                n += 1
            j += 1
        if n == 0:
            return
        learn(plan, own, window, own.rows, n, begin, window.ends[pair])
        if plan.lists_per_pair:
            begin, pair = window.ends[pair], pair + 1
        if stop_wanted(own.stop) == AT_ONCE:
            return


cdef void cbow(const Plan *plan, Worker *own, const Window *window) noexcept nogil:
    """The mean (or sum) of all context words and tags predicts the centre word; of subwords, where words have them."""
    cdef int j, n = 0
    cdef float part
    for j in range(window.first, window.last + own.n_tags):
        if j == window.centre:
            continue
        if plan.subword_offsets and j < window.last:
            n = take_subwords(plan, own, window, n, own.kept[j])
        else:
            take_row(plan, own, window, n, j)
            n += 1
    if n == 0:
        return
    part = <float>1 / <float>n
    learn_mean(plan, own, window, own.rows, n, n - own.n_tags if plan.still_words else 0,
               part if plan.mean_forward else 1, part if plan.mean_backward else 1, NULL, 0, window.n_targets, plan.blocks)
    own.examples += 1


cdef inline float *row_at_place(const Plan *plan, Worker *own, const Window *window, int i, float *factor) noexcept nogil:
    """The i-th of the rows side by side, tags first, then words from left to right, and how much it takes of a step."""
    cdef int j
    cdef int32_t word
    factor[0] = 1
    if i < plan.side_tags:
        if plan.document_locks:
            factor[0] = plan.document_locks[own.tags[i]]
        return own.tag_rows[i]
    j = window.centre - plan.window + i - plan.side_tags
    if j >= window.centre:
        j += 1
    word = own.kept[j] if window.first <= j < window.last else <int32_t>plan.null_word
    if plan.still_words:
        factor[0] = 0
    elif plan.locks:
        factor[0] = plan.locks[word]
    if not window.first <= j < window.last:
        return own.null_row
    return own.kept_rows[j]


cdef void side_by_side(const Plan *plan, Worker *own, const Window *window) noexcept nogil:
    """The rows of all tags and of all places of the window, one after the other, predict the centre word."""
    cdef int i, n = plan.side_tags + 2 * plan.window
    cdef long long size = plan.columns
    cdef float factor
    for i in range(n):
        memcpy(own.side + i * size, row_at_place(plan, own, window, i, &factor), <size_t>size * sizeof(float))
    memcpy(own.side_before, own.side, <size_t>(n * size) * sizeof(float))
    learn_mean(plan, own, window, &own.side, 1, 0, 1, 1, NULL, 0, window.n_targets, plan.output_blocks)
    own.examples += 1
    for i in range(n):
        own.rows[0] = row_at_place(plan, own, window, i, &factor)
        add_part(own.rows[0], own.side + i * size, own.side_before + i * size, size, factor)


cdef inline bint survives(const Plan *plan, int32_t word, uint64_t stream) noexcept nogil:
    return plan.keep == NULL or <uint32_t>(stream >> 32) <= plan.keep[word]


cdef class Segments


cdef class Part:
    """Consecutive sentences of the corpus.

    Parameters
    ----------
    tokens : int32 [N], as `Kernel.check_tokens` wants them
    offsets : int64 [S + 1]
    longest : int, from `Kernel.longest_sentence`
    origin : int, the position of the first token in the corpus
    tags : int32 [T] or None, the rows of `documents` that sentences are tagged with
    tag_offsets : int64 [S + 1] or None, sentence s has ``tags[tag_offsets[s]:tag_offsets[s + 1]]``
    most_tags : int, from `Kernel.most_tags`
    """

    cdef const int32_t[::1] tokens
    cdef const long long[::1] offsets
    cdef long long longest, origin, most_tags
    cdef const int32_t[::1] tags
    cdef const long long[::1] tag_offsets

    def __init__(self, const int32_t[::1] tokens, const long long[::1] offsets, long long longest, long long origin=0,
                 const int32_t[::1] tags=None, const long long[::1] tag_offsets=None, long long most_tags=0):
        self.tokens, self.offsets, self.longest, self.origin = tokens, offsets, longest, origin
        self.tags, self.tag_offsets, self.most_tags = tags, tag_offsets, most_tags


cdef class Epoch:
    """What changes from epoch to epoch.

    Parameters
    ----------
    key : int, of every random choice
    schedule : Schedule, of the learning rate
    stop : int32 [2]
        Others may set ``stop[0]`` while training goes on: 1 ends it where nothing has to be done again, in rounds after
        the one under way; 2 abandons a round that takes long, as if it had not begun. ``stop[1]`` is for when a member
        is missing: no one waits for it then.
    """

    cdef uint64_t key
    cdef double alpha, slope
    cdef long long horizon
    cdef const int[::1] stop

    def __init__(self, uint64_t key, schedule, const int[::1] stop):
        self.key, self.stop = key, stop
        self.alpha, self.slope, self.horizon = schedule


cdef class Racer:
    """A worker that updates the matrices whenever it comes to it, without locks (Hogwild).

    One worker alone that was stopped has trained exactly the words it counts, and can go on behind them.

    Parameters
    ----------
    cursor : int64 [1], where the next chunk of the part begins; shared by all workers
    workers : int, how many there are
    n_hot : int, of so many of the first rows each of several workers trains a copy of its own
    counts : int64 [3], words, survivors and examples; this worker's own, and grows as it goes
    loss : float64 [1], the summed loss; likewise
    """

    cdef long long[::1] cursor, counts
    cdef double[::1] loss
    cdef int workers
    cdef long long n_hot

    def __init__(self, long long[::1] cursor, int workers, long long n_hot, long long[::1] counts, double[::1] loss):
        self.cursor, self.workers, self.n_hot, self.counts, self.loss = cursor, workers, n_hot, counts, loss


cdef class Member:
    """A worker of deterministic training.

    It ends with a FloatingPointError after a round that leaves rows which are no longer finite.

    Parameters
    ----------
    segments : Segments, shared by all workers; it has the losses, and says where to begin
    number : int, of this worker, from 0
    workers : int, how many there are
    counts : int64 [3], words, survivors and examples; this worker's own, and grows as it goes
    loss : float64 [1], the summed loss of all workers, written by worker 0
    """

    cdef Segments segments
    cdef int number, workers
    cdef long long[::1] counts
    cdef double[::1] loss

    def __init__(self, Segments segments, int number, int workers, long long[::1] counts, double[::1] loss):
        self.segments, self.number, self.workers, self.counts, self.loss = segments, number, workers, counts, loss


cdef class Kernel:
    """Everything one training run needs that does not change while it runs.

    Parameters
    ----------
    inputs : float32 [V, stride], or [R, stride] with subwords, padded with zeros; changed in place
    outputs : float32 [V, stride] or None, negative sampling; changed in place; may be `inputs` themselves
    nodes : float32 [V - 1, stride] or None, hierarchical softmax; changed in place
    keep : uint32 [V] or None, largest 32-bit draw with which a token survives subsampling
    noise : uint32 [V, 2] or None, alias table of the noise distribution
    paths, points, labels : int64 [V + 1], int32 [P], int8 [P] or None, Huffman paths with label 1 - code
    locks : float32 [V], or [R], or None, the factor of each input row's gradient
    subwords : (int64 [V + 1], int32 [S]) or None
        Word w has the input rows ``rows[offsets[w]:offsets[w + 1]]`` instead of row w. The mean of the centre word's
        rows then predicts its context words; in CBOW the mean of all rows of all context words predicts the centre.
    documents : float32 [T, stride] or None, a row per tag; changed in place
    document_locks : float32 [T] or None, the factor of each of their gradients
    learn_words, learn_outputs : bool, whether the matrices of words change; if not, new documents are inferred
    frozen : uint8 [V] or None, words of which neither row changes, where it is not 0; `nodes` are not theirs
    words : bool, whether context words are input rows; if not, tags alone
    columns : int, floats of an input row before its padding; by default all
    side_tags, null_word : int
        The rows of so many tags and of the whole window stand side by side, without their padding, and `outputs` and
        `nodes` are as long as all of them; `null_word` is the row of places beyond the sentence. 0, by default, adds
        rows up instead.
    window, negative, shrink, shared, cbow, mean_forward, mean_backward, with_loss : the model's options
    """

    cdef Plan plan
    cdef int max_targets
    cdef readonly object noise
    cdef object arrays  # keeps the memory behind the pointers alive

    def __init__(self, float[:, ::1] inputs, float[:, ::1] outputs, float[:, ::1] nodes, const uint32_t[::1] keep,
                 const uint32_t[:, ::1] noise, const long long[::1] paths, const int32_t[::1] points,
                 const int8_t[::1] labels, *, const float[::1] locks=None, subwords=None, float[:, ::1] documents=None,
                 const float[::1] document_locks=None, bint learn_words=True, bint learn_outputs=True,
                 const uint8_t[::1] frozen=None, bint words=True, long long columns=0, int side_tags=0,
                 long long null_word=0, int window, int negative, bint shrink, bint shared, bint cbow,
                 bint mean_forward, bint mean_backward, bint with_loss):
        cdef long long longest = 0
        cdef long long output_stride = inputs.shape[1]
        cdef bint still_words = not learn_words and not learn_outputs and cbow
        if frozen is not None:
            if subwords is not None:
                raise ValueError("a word shares its subwords with others, so that it cannot be frozen by itself")
            if frozen.shape[0] != inputs.shape[0]:
                raise ValueError(f"{frozen.shape[0]:,} marks of frozen words for {inputs.shape[0]:,} rows")
            locks = np.where(frozen, 0, np.ones(1) if locks is None else np.asarray(locks)).astype(np.float32)
        if not learn_words and not still_words:
            locks = np.zeros(inputs.shape[0], np.float32)
        columns = columns or inputs.shape[1]
        if not 0 < columns <= inputs.shape[1]:
            raise ValueError(f"{columns} columns of rows of {inputs.shape[1]} floats")
        if side_tags:
            output_stride = ((side_tags + 2 * <long long>window) * columns + 15) // 16 * 16
            if not 0 <= null_word < inputs.shape[0] or not cbow or shrink:
                raise ValueError(f"null_word={null_word}, cbow={cbow}, shrink={shrink}: rows side by side need whole "
                                 "windows, and a row for places beyond the sentence")
        if (outputs is not None and outputs.shape[1] != output_stride) or (
                nodes is not None and nodes.shape[1] != output_stride):
            raise ValueError(f"output rows must have {output_stride} floats")
        self.arrays = (inputs, outputs, nodes, locks, documents, document_locks, frozen, keep, paths, points, labels)
        self.noise = noise
        self.plan = Plan(
            inputs=&inputs[0, 0], outputs=NULL, nodes=NULL, documents=NULL, locks=NULL, document_locks=NULL, stride=inputs.shape[1],
            blocks=<int>(inputs.shape[1] // 16), output_stride=output_stride, tied=False,
            output_blocks=<int>(output_stride // 16), n_words=<uint64_t>inputs.shape[0], n_rows=inputs.shape[0],
            subword_offsets=NULL, subword_rows=NULL, most_subwords=1, keep=NULL, noise=NULL,
            paths=NULL, points=NULL, labels=NULL, window=window, negative=negative, shrink=shrink,
            tile=PATH_TILE if nodes is not None else TILE, lists_per_pair=not shared and not cbow and negative > 0,
            together=False, blocks_of_words=False,
            cbow=cbow, mean_forward=mean_forward, mean_backward=mean_backward, with_loss=with_loss,
            learns_outputs=learn_outputs, frozen=NULL, pairs_words=words, still_words=still_words, n_documents=0,
            columns=columns, side_tags=side_tags, null_word=null_word)
        if subwords is not None:
            if side_tags:
                raise ValueError("words that stand side by side have no subwords")
            self.set_subwords(*subwords)
        if documents is not None:
            if documents.shape[1] != self.plan.stride:
                raise ValueError(f"rows of documents have {documents.shape[1]} floats, those of words "
                                 f"{self.plan.stride}")
            self.plan.documents, self.plan.n_documents = &documents[0, 0], <uint64_t>documents.shape[0]
            if document_locks is not None:
                if <uint64_t>document_locks.shape[0] != self.plan.n_documents:
                    raise ValueError(f"{document_locks.shape[0]:,} locks for {self.plan.n_documents:,} documents")
                self.plan.document_locks = &document_locks[0]
        elif not words:
            raise ValueError("without words and without documents there is no input row; use words=True")
        if locks is not None:
            if locks.shape[0] != self.plan.n_rows:
                raise ValueError(f"{locks.shape[0]:,} locks for {self.plan.n_rows:,} rows")
            self.plan.locks = &locks[0]
        if keep is not None:
            self.plan.keep = &keep[0]
        if outputs is not None:
            self.plan.outputs = &outputs[0, 0]
            self.plan.tied = self.plan.outputs == self.plan.inputs
            if self.plan.tied and (self.plan.locks or not learn_outputs):
                raise ValueError("inputs and outputs are one matrix; a lock would hold but half of what a row learns")
            self.plan.noise = &noise[0, 0]
            longest = 1 + negative
            if frozen is not None:
                self.plan.frozen = &frozen[0]
        if nodes is not None and points.shape[0]:
            self.plan.nodes = &nodes[0, 0]
            self.plan.paths = &paths[0]
            self.plan.points = &points[0]
            self.plan.labels = &labels[0]
            longest += int(np.diff(paths).max())
        self.max_targets = <int>longest
        if not words:
            self.plan.together = not learn_outputs
            self.plan.blocks_of_words = learn_outputs and shared and not cbow and outputs is not None and nodes is None
        else:
            self.plan.together = (still_words and shared and outputs is not None and nodes is None and subwords is None
                                  and not side_tags and window <= WIDEST_RUN)

    def set_subwords(self, const long long[::1] offsets, const int32_t[::1] rows):
        """Give each word its input rows, after a check that each has one at least and all are there."""
        cdef long long n_words = offsets.shape[0] - 1, i, most = 0
        cdef uint32_t largest = 0
        cdef bint rising = n_words > 0 and offsets[0] == 0 and offsets[n_words] == rows.shape[0]
        with nogil:
            for i in range(n_words if rising else 0):
                rising = rising and offsets[i + 1] > offsets[i]
                most = max(most, offsets[i + 1] - offsets[i])
            for i in range(rows.shape[0]):
                largest = max(largest, <uint32_t>rows[i])  # a negative one becomes large
        if not rising:
            raise ValueError(f"the offsets of subwords must rise from 0 to {rows.shape[0]:,}, the number of subwords, with "
                             "one at least for each word")
        if n_words > self.plan.n_rows or largest >= self.plan.n_rows:
            raise ValueError(f"a word or subword has no row among the {self.plan.n_rows:,} of the input matrix")
        self.arrays += (offsets, rows)
        self.plan.n_words, self.plan.most_subwords = <uint64_t>n_words, most
        self.plan.subword_offsets, self.plan.subword_rows = &offsets[0], &rows[0]

    @property
    def negative(self):
        return self.plan.negative

    def check_tokens(self, const int32_t[::1] tokens):
        """Check what `train` will not: every token has a row."""
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

    def most_tags(self, const int32_t[::1] tags, const long long[::1] tag_offsets, long long n_sentences):
        """Check that each sentence has tags, each tag a row, and return the number of tags of one sentence at most."""
        cdef long long i, most = 0, length
        cdef uint32_t largest = 0
        cdef bint rising = tag_offsets.shape[0] == n_sentences + 1 and tag_offsets[0] == 0
        rising = rising and tag_offsets[n_sentences] == tags.shape[0]
        with nogil:
            for i in range(n_sentences if rising else 0):
                length = tag_offsets[i + 1] - tag_offsets[i]
                rising = rising and length >= 0
                most = max(most, length)
            for i in range(tags.shape[0]):
                largest = max(largest, <uint32_t>tags[i])
        if not rising:
            raise ValueError(f"the offsets of tags must rise from 0 to {tags.shape[0]:,}, the number of tags, one for each "
                             f"of {n_sentences:,} sentences and one more")
        if tags.shape[0] and largest >= self.plan.n_documents:
            raise ValueError(f"a tag has no row among the {self.plan.n_documents:,} documents")
        return most

    def train(self, Part part, Epoch epoch, worker):
        """Train a part of the corpus together with other workers, who call this with the same part and epoch.

        `worker` is a `Racer`, who takes chunks of the part until all are taken; or a `Member`, who trains segments of
        rounds, so that the result does not depend on the number of workers (see _rounds.h).
        """
        cdef Job job
        if part.tokens.shape[0] == 0:
            return
        job.tokens, job.n_tokens = &part.tokens[0], part.tokens.shape[0]
        job.offsets, job.n_sentences = &part.offsets[0], part.offsets.shape[0] - 1
        job.reach = max(1, min(<long long>self.plan.window, part.longest))  # no word sees beyond its sentence
        job.origin, job.key, job.stop = part.origin, epoch.key, &epoch.stop[0]
        job.alpha, job.slope, job.horizon = epoch.alpha, epoch.slope, epoch.horizon
        job.tags, job.tag_offsets, job.most_tags = NULL, NULL, part.most_tags
        if part.most_tags:
            job.tags, job.tag_offsets = &part.tags[0], &part.tag_offsets[0]
        if targets_of_a_window(&self.plan, job.reach, part.most_tags, self.max_targets) > MOST_TARGETS:
            raise ValueError(f"negative={self.plan.negative} noise words for each of the {2 * job.reach:,} pairs of a "
                             "window are too many; use a smaller window, fewer noise words, or, where words have no "
                             "n-grams, shared_negatives=True")
        if isinstance(worker, Racer):
            self.race(&job, worker)
        else:
            self.train_rounds(&job, worker)

    def infer(self, const int32_t[::1] tokens, const long long[::1] offsets, float[:, ::1] rows, int[::1] epochs_used,
              long long[::1] cursor, const int[::1] stop, *, uint64_t key, int epochs, double alpha, double min_alpha,
              double tol=0):
        """Infer the rows of documents together with other workers, who call this with the same arguments.

        A document's row begins with draws, and is trained with draws, that depend on `key` and the document's words
        alone: on which positions it has in `tokens`, or who else is there, it does not. All else must stay as it is:
        the kernel is one with ``learn_words=False`` and ``learn_outputs=False``.

        Parameters
        ----------
        tokens : int32 [N], as `check_tokens` wants them
        offsets : int64 [D + 1], as `longest_sentence` wants them
        rows : float32 [D, stride], for the result; that of a document without a word is zero
        epochs_used : int32 [D], for how many epochs each was trained
        cursor : int64 [1], where the next documents begin; shared by all workers
        stop : int32 [1], others may set it to end the work
        epochs : int
        alpha, min_alpha : float, learning rates of the first and the last epoch
        tol : float, a document ends with an epoch that moves its row by less than this share of its length
        """
        cdef Worker own
        cdef Job job
        cdef Plan plan = self.plan
        cdef long long begin, n_documents = rows.shape[0], most = 0, i, document
        cdef long long max_targets = TOGETHER * (self.max_targets + TOGETHER)  # a target beside each of several words
        cdef long long ends[2]
        cdef long long tag_ends[2]
        cdef int32_t tag
        cdef float *before = NULL
        cdef uint64_t mode
        if plan.learns_outputs or (plan.pairs_words and not plan.still_words and not plan.locks):
            raise ValueError("this kernel would change the words")
        if rows.shape[1] != plan.stride or offsets.shape[0] != n_documents + 1 or epochs_used.shape[0] != n_documents:
            raise ValueError(f"rows of {rows.shape[1]} floats for {offsets.shape[0] - 1:,} documents do not fit")
        if n_documents == 0:
            return
        for i in range(n_documents):
            most = max(most, offsets[i + 1] - offsets[i])
        memset(&job, 0, sizeof(Job))
        plan.documents, plan.document_locks, plan.n_documents = &rows[0, 0], NULL, <uint64_t>n_documents
        job.reach, job.most_tags = max(1, min(<long long>plan.window, most)), TOGETHER
        if targets_of_a_window(&plan, job.reach, TOGETHER, max_targets) > MOST_TARGETS:
            raise ValueError(f"negative={plan.negative} noise words for each pair of a window are too many")
        job.n_sentences, job.offsets, job.stop = 1, ends, &stop[0]
        job.tags, job.tag_offsets = &tag, tag_ends
        tag_ends[0], tag_ends[1] = 0, 1
        try:
            equip(&plan, &own, &job, max_targets, 0, CHUNK)
            before = <float *>claim(plan.stride, sizeof(float))
            with nogil:
                mode = default_float_mode()
                while not stop_wanted(job.stop):
                    begin = take_chunk(&cursor[0], DOCUMENTS_AT_A_TIME)
                    if begin >= n_documents:
                        break
                    for document in range(begin, min(begin + DOCUMENTS_AT_A_TIME, n_documents)):
                        ends[0], ends[1] = 0, offsets[document + 1] - offsets[document]
                        if ends[1] == 0:
                            continue
                        tag, job.tokens, job.n_tokens = <int32_t>document, &tokens[offsets[document]], ends[1]
                        epochs_used[document] = infer_document(&plan, &own, &job, &rows[document, 0], before, key,
                                                               epochs, alpha, min_alpha, tol)
                restore_float_mode(mode)
        finally:
            disband(&own)
            free(before)

    cdef int race(self, const Job *job, Racer racer) except -1:
        cdef Worker own
        cdef const Plan *plan = &self.plan
        cdef long long n_hot = min(racer.n_hot, <long long>plan.n_words - 1), begin
        cdef uint64_t mode
        if racer.workers == 1 or not plan.learns_outputs:  # to blend what has not changed could still change a -0
            n_hot = 0
        try:
            equip(plan, &own, job, self.max_targets, n_hot, CHUNK)
            resume_counts(&own, &racer.counts[0])
            own.share, own.loss = <float>1 / <float>racer.workers, racer.loss[0]
            with nogil:
                mode = default_float_mode()
                if own.n_hot:
                    blend(plan, &own, 0)
                while not stop_wanted(job.stop):
                    begin = take_chunk(&racer.cursor[0], CHUNK)
                    if begin >= job.n_tokens:
                        break
                    train_chunk(plan, &own, job, begin, min(begin + CHUNK, job.n_tokens))
                    publish_all(&own, &racer.counts[0])
                    publish_loss(&racer.loss[0], own.loss)
                if own.n_hot and own.unblended:
                    blend(plan, &own, own.share)
                restore_float_mode(mode)
        finally:
            disband(&own)
        return 0

    cdef int train_rounds(self, const Job *job, Member member) except -1:
        cdef Worker own
        cdef const Plan *plan = &self.plan
        cdef Segments segments = member.segments
        cdef Rounds *all = &segments.all
        cdef long long words = segments.segment_words, size = words * all.n_segments, n_rounds, number
        cdef long long first = segments.begin // size
        cdef long long before[3]
        cdef uint64_t mode
        cdef int segment, last, workers = member.workers
        if segments.kernel is not self:
            raise ValueError("these segments were made for another kernel")
        n_rounds = (job.n_tokens + size - 1) // size
        try:
            equip(plan, &own, job, self.max_targets, 0, size)
            resume_counts(&own, &member.counts[0])
            with nogil:
                mode = default_float_mode()
                for number in range(first - 1, n_rounds):  # before the first round its words are marked
                    publish_all(&own, before)
                    segment = take_segment(all, TRAIN, member.number, workers) if number >= first else -1
                    while segment >= 0:
                        train_segment(plan, &own, job, &all.segment[segment], number, words)
                        publish_all(&own, &member.counts[0])
                        segment = take_segment(all, TRAIN, member.number, workers)
                    own.marking = True
                    segment = take_segment(all, MARK, member.number, workers) if number + 1 < n_rounds else -1
                    while segment >= 0:
                        train_segment(plan, &own, job, &all.segment[segment], number + 1, words)
                        segment = take_segment(all, MARK, member.number, workers)
                    own.marking = False
                    last = wait_for_all(all, workers, &job.stop[1])
                    if last < 0:
                        break
                    if last:  # one decides for all
                        all.over = 0
                        if stop_wanted(job.stop) == AT_ONCE and (all.copies_all or number < first):
                            all.over = ABANDONED
                        elif number >= first:
                            keep_losses(all)
                        open_barrier(all)
                    if all.over:
                        resume_counts(&own, before)
                        publish_all(&own, &member.counts[0])
                        break
                    if member.number == 0:
                        publish_loss(&member.loss[0], loss_of_segments(all))
                    while number >= first and merge(all, level):
                        pass
                    last = wait_for_all(all, workers, &job.stop[1])
                    if last < 0:
                        break
                    if last:  # one decides for all, and looks at rows that nobody writes now
                        all.over = number >= first and stop_wanted(job.stop) != 0  # never without a round of progress
                        if number % LOOK_EVERY == 0 and not first_rows_are_finite(plan):
                            all.over = DIVERGED
                        open_barrier(all)
                    if all.over:
                        break
                restore_float_mode(mode)
        finally:
            disband(&own)
        if all.over == DIVERGED:
            raise FloatingPointError("the vectors are no longer finite")
        return 0


@cython.no_gc_clear
cdef class Segments:
    """What the workers of deterministic training share: marks on words and nodes, and the segments' copies.

    Parameters
    ----------
    kernel : Kernel
    longest : int, from `Kernel.longest_sentence`
    segments, segment_words : int, the segments of a round, and the positions of each
    noise : uint32 [N, 3]
    parts : int64 [segments + 1]
        The noise words of the segments, from `noise.segment_tables`; empty where there is no negative sampling.
    most_tags : int, from `Kernel.most_tags`
    begin : int, the position where training begins: where a round does, a multiple of segments * segment_words
    """

    cdef Rounds all
    cdef long long segment_words
    cdef readonly long long begin
    cdef object kernel, noise
    cdef list held

    def __init__(self, Kernel kernel, long long longest, int segments, long long segment_words,
                 const uint32_t[:, ::1] noise, const long long[::1] parts, long long begin=0,
                 long long most_tags=0):
        cdef const Plan *plan = &kernel.plan
        cdef long long reach = max(1, min(<long long>plan.window, longest)), most, updates
        cdef Segment *segment
        cdef int number
        if not 1 <= segments <= MOST_SEGMENTS or not 1 <= segment_words <= CHUNK:
            raise ValueError(f"{segments} segments of {segment_words} words: at most {MOST_SEGMENTS} of {CHUNK}")
        most = (segment_words + TOGETHER + 2 * reach) * plan.most_subwords + (segment_words + TOGETHER) * most_tags
        most += (segment_words + TOGETHER) * targets_of_a_window(plan, reach, most_tags, kernel.max_targets)
        if begin < 0 or begin % (segments * segment_words):
            raise ValueError(f"no round of {segments} x {segment_words} words begins at position {begin:,}")
        self.kernel, self.segment_words, self.begin, self.held = kernel, segment_words, begin, []
        self.all.n_segments, self.all.stride = segments, max(plan.stride, plan.output_stride)
        most += 1  # the null word
        most = min(most, plan.n_rows + 2 * <long long>plan.n_words + <long long>plan.n_documents)
        if segments * most > MOST_TARGETS:
            raise ValueError(f"a segment of {segment_words} words would touch {most:,} rows, which is too many; use a "
                             "smaller window, or deterministic=False")
        self.noise = (noise, parts)
        if parts.shape[0] != segments + 1 or parts[segments] != noise.shape[0]:
            raise ValueError(f"the noise words are not those of {segments} segments")
        self.all.noise, self.all.parts = &noise[0, 0] if noise.shape[0] else NULL, &parts[0]
        self.lay(INPUTS, plan.inputs, plan.n_rows, plan.stride)
        self.all.tables[INPUTS].locks = plan.locks
        if plan.outputs and not plan.tied:
            self.lay(OUTPUTS, plan.outputs, <long long>plan.n_words, plan.output_stride)
        if plan.nodes:
            self.lay(NODES, plan.nodes, <long long>plan.n_words - 1, plan.output_stride)
        if plan.documents:
            self.lay(DOCUMENTS, plan.documents, <long long>plan.n_documents, plan.stride)
            self.all.tables[DOCUMENTS].locks = plan.document_locks
        self.all.most_copies = most
        updates = updates_of_a_window(plan, reach, most_tags, kernel.max_targets)
        self.all.copies_all = segments * segment_words * updates > LONG_ROUND
        for number in range(segments):
            segment = &self.all.segment[number]
            segment.all, segment.number, segment.before = &self.all, number, 1
            segment.copies = <Copy *>self.claimed(self.all.most_copies, sizeof(Copy))
            segment.sources = <float **>self.claimed(self.all.most_copies, sizeof(float *))
            segment.memory = at_a_line(self.claimed(self.all.most_copies * self.all.stride + 16, sizeof(float)))

    def __dealloc__(self):
        cdef size_t address
        for address in self.held or ():
            free(<void *>address)

    cdef void *claimed(self, long long n, size_t size) except NULL:
        cdef void *memory = claim(n, size)
        self.held.append(<size_t>memory)
        return memory

    cdef int lay(self, int matrix, float *rows, long long n_rows, long long stride) except -1:
        cdef Table *table = &self.all.tables[matrix]
        cdef int parity
        table.rows, table.n_rows, table.stride = rows, n_rows, stride
        for parity in range(2 if matrix != OUTPUTS else 0):  # these go by the marks of their words
            table.marks[parity] = <uint64_t *>self.claimed(n_rows, sizeof(uint64_t))
        table.slots = <uint32_t *>self.claimed(n_rows * self.all.n_segments, sizeof(uint32_t))
        return 0

    def _for_tests(self, unsigned jitter=0, uint32_t copies_before=1):
        """Let threads sleep up to `jitter` microseconds before each segment; number copies from `copies_before`."""
        self.all.jitter = jitter
        for number in range(self.all.n_segments):
            self.all.segment[number].before = copies_before

    @property
    def losses(self):
        """The summed loss of each segment; to go on where a run was stopped, give it those it had."""
        return [self.all.segment[number].loss for number in range(self.all.n_segments)]

    @losses.setter
    def losses(self, values):
        for number in range(self.all.n_segments):
            self.all.segment[number].loss = values[number]


cdef long long targets_of_a_window(const Plan *plan, long long reach, long long tags,
                                   long long max_targets) noexcept nogil:
    if plan.subword_offsets and not plan.cbow and not plan.lists_per_pair:
        return max_targets * (2 * reach + (tags > 0))
    return max_targets * (2 * reach + tags if plan.lists_per_pair else 1)


cdef long long rows_of_a_window(const Plan *plan, long long reach) noexcept nogil:
    """How many rows of subwords a window has at most."""
    if plan.subword_offsets == NULL:
        return 0
    return plan.most_subwords * (2 * reach if plan.cbow else 1)


cdef long long updates_of_a_window(const Plan *plan, long long reach, long long tags,
                                   long long max_targets) noexcept nogil:
    """How many blocks of 16 floats a window updates at most."""
    cdef long long n_words = 2 * reach if plan.pairs_words else 0
    if plan.side_tags:
        return plan.output_blocks * (1 + max_targets)
    if plan.cbow:
        return plan.blocks * (tags + n_words * plan.most_subwords + max_targets)
    return plan.blocks * ((tags + n_words) * max_targets + (plan.most_subwords if plan.subword_offsets else 0))


cdef int equip(const Plan *plan, Worker *own, const Job *job, long long max_targets, long long n_hot,
               long long span) except -1:
    """Claim all that a worker needs, before anything is trained; `disband` frees it.

    The stretches it is given begin less than `span` positions behind the earliest that is still to come.
    """
    cdef long long reach = job.reach, subwords = rows_of_a_window(plan, reach)
    cdef long long most_rows = max(max(TILE, subwords), max(2 * reach, subwords) + job.most_tags if plan.cbow else 1)
    cdef long long n_pairs = 2 * reach + job.most_tags if plan.lists_per_pair or subwords else 1
    cdef long long most_targets = targets_of_a_window(plan, reach, job.most_tags, max_targets)
    cdef int i
    memset(own, 0, sizeof(Worker))
    own.stop = &NEVER
    span += TOGETHER  # a stretch ends where a block does
    if plan.blocks_of_words:
        max_targets += TOGETHER - 1
        most_targets += TOGETHER - 1
    own.kept = <int32_t *>claim(span + 2 * reach, sizeof(int32_t))
    own.positions = <long long *>claim(span + 2 * reach, sizeof(long long))
    own.places = <Place *>claim(span + 2 * reach, sizeof(Place))
    own.kept_rows = <float **>claim(span + 2 * reach, sizeof(float *))
    for i in range(RING):
        own.windows[i].draws = <uint64_t *>claim(n_pairs * plan.negative, sizeof(uint64_t))
        own.windows[i].rows = own.windows[i].targets = <float **>claim(subwords + most_targets, sizeof(float *))
        own.windows[i].labels = <float *>claim(most_targets + 16, sizeof(float))
        own.windows[i].weights = <float *>claim(
            most_targets + 16 if plan.together or plan.blocks_of_words else 0, sizeof(float))
        own.windows[i].ends = <int *>claim(n_pairs, sizeof(int))
    own.rows = <float **>claim(most_rows, sizeof(float *))
    own.true_rows = <float **>claim(most_rows, sizeof(float *))
    own.factors = <float *>claim(most_rows, sizeof(float))
    own.tag_rows = <float **>claim(job.most_tags, sizeof(float *))
    own.scratch = <float *>claim(TOGETHER * plan.output_stride + 2 * TILE * max_targets + 64, sizeof(float))
    if plan.together:
        own.pair_labels = <float *>claim(TOGETHER * max_targets + 16, sizeof(float))
        own.pair_weights = <float *>claim(TOGETHER * max_targets + 16, sizeof(float))
    if plan.together and plan.pairs_words:
        own.run_rows = <float **>claim(RUN + 2 * reach, sizeof(float *))
        own.sums = <float *>claim((RUN + 2 * reach + 1) * plan.stride, sizeof(float))
    if subwords and not plan.cbow:
        own.mean_memory = claim(2 * plan.stride + 16, sizeof(float))
        own.mean = at_a_line(own.mean_memory)
        own.mean_before = own.mean + plan.stride
    if plan.side_tags:
        own.side_memory = claim(2 * plan.output_stride + 16, sizeof(float))
        own.side = at_a_line(own.side_memory)
        own.side_before = own.side + plan.output_stride
    if plan.frozen:
        own.still_targets = <float **>claim(max_targets, sizeof(float *))
        own.still_memory = claim(max_targets * plan.output_stride + 16, sizeof(float))
        own.still = at_a_line(own.still_memory)
    if plan.locks or plan.document_locks or plan.tied:
        own.copies_memory = claim(2 * most_rows * plan.stride + 16, sizeof(float))
        own.copies = at_a_line(own.copies_memory)
    own.n_hot = n_hot
    own.first_hot_node = <long long>plan.n_words - 1 - n_hot
    own.hot_memory = claim(n_hot * (plan.stride + 2 * plan.output_stride) + 16, sizeof(float))
    own.hot_inputs = at_a_line(own.hot_memory)
    own.hot_outputs = own.hot_inputs if plan.tied else own.hot_inputs + n_hot * plan.stride
    own.hot_nodes = own.hot_inputs + n_hot * (plan.stride + plan.output_stride)
    return 0


cdef void disband(Worker *own) noexcept:
    cdef int i
    free(own.pair_labels)
    free(own.pair_weights)
    free(own.run_rows)
    free(own.sums)
    free(own.kept)
    free(own.positions)
    free(own.places)
    for i in range(RING):
        free(own.windows[i].draws)
        free(own.windows[i].rows)
        free(own.windows[i].labels)
        free(own.windows[i].weights)
        free(own.windows[i].ends)
    free(own.rows)
    free(own.true_rows)
    free(own.kept_rows)
    free(own.scratch)
    free(own.factors)
    free(own.tag_rows)
    free(own.mean_memory)
    free(own.side_memory)
    free(own.still_targets)
    free(own.still_memory)
    free(own.copies_memory)
    free(own.hot_memory)


cdef inline float *at_a_line(void *memory) noexcept nogil:
    """The first float that begins a cache line; there is room for it."""
    return <float *>(<char *>memory + 64 - <size_t>memory % 64)


cdef inline void publish_all(const Worker *own, long long *counts) noexcept nogil:
    publish(&counts[0], own.words)
    publish(&counts[1], own.survivors)
    publish(&counts[2], own.examples)


cdef inline void resume_counts(Worker *own, const long long *counts) noexcept nogil:
    own.words, own.survivors, own.examples = counts[0], counts[1], counts[2]


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


cdef double loss_of_segments(const Rounds *all) noexcept nogil:
    cdef double loss = 0
    cdef int number
    for number in range(all.n_segments):
        loss += all.segment[number].loss
    return loss


cdef void keep_losses(Rounds *all) noexcept nogil:
    cdef int number
    for number in range(all.n_segments):
        all.segment[number].loss = all.segment[number].loss_after


cdef bint first_rows_are_finite(const Plan *plan) noexcept nogil:
    cdef const float *matrices[2]
    cdef long long i, m
    cdef float sum = 0
    matrices[0], matrices[1] = plan.inputs, plan.outputs
    for m in range(2):
        if matrices[m]:
            for i in range(min(<long long>LOOKED_AT, <long long>plan.n_words) * (plan.output_stride if m else plan.stride)):
                sum += matrices[m][i] - matrices[m][i]  # 0, or no number
    return sum == 0


cdef void train_segment(const Plan *plan, Worker *own, const Job *job, Segment *segment, long long number,
                     long long segment_words) noexcept nogil:
    """Train the positions of one segment of round `number`, if there are any; or leave its marks."""
    cdef long long begin = (number * segment.all.n_segments + segment.number) * segment_words, end
    end = min(begin + segment_words, job.n_tokens)
    own.segment, own.mark = segment, mark_of(segment.all, segment.number, number)
    own.earliest = number * segment.all.n_segments * segment_words
    own.stop = job.stop if own.marking or segment.all.copies_all else &NEVER
    sleep_at_random(segment.all, <unsigned long long>begin)
    if own.marking:
        train_chunk(plan, own, job, begin, end)
        return
    begin_segment(segment, stream_at(job.key, number) >> 32)
    own.loss = segment.loss
    train_chunk(plan, own, job, begin, end)
    make_copies(segment, segment.n)  # also of rows that no window asked for in the end: all are merged
    segment.loss_after = own.loss


cdef void train_chunk(const Plan *plan, Worker *own, const Job *job, long long begin, long long end) noexcept nogil:
    """Train the centre words at positions [begin, end), a segment at once, all else stretch by stretch."""
    cdef long long sentence, position = begin, until, reached
    if begin >= end:
        return
    sentence = sentence_of(job.offsets, job.n_sentences, begin)
    while position < end and (own.segment or not stop_wanted(job.stop)):
        while job.offsets[sentence + 1] <= position:
            sentence += 1
        until = end
        if job.tags:  # a sentence has tags of its own
            until = min(until, job.offsets[sentence + 1])
        if not own.segment:
            own.earliest, until = position, min(until, position + STRETCH)
        reached = min(until, train_stretch(plan, own, job, sentence, position, until))
        if not own.marking:
            own.words += reached - position
        own.unblended += reached - position
        if own.n_hot and own.unblended >= STRETCH:
            blend(plan, own, own.share)
        if reached < until:
            return
        position = until


cdef void look_up_words(const Plan *plan, Worker *own, Window *window) noexcept nogil:
    """The targets of several words together: those of each, and noise words that all have, unless each has its own."""
    cdef int j
    window.n_targets = window.n_rows = 0
    for j in range(window.first, window.last):
        if plan.nodes:
            add_path(plan, own, window, own.kept[j])
        if plan.lists_per_pair:
            add_noise(plan, own, window, own.kept[j], j - window.first)
        elif plan.outputs:
            add_target(window, output_row(plan, own, own.kept[j], False), 1)
    for j in range(window.last, window.first + TOGETHER if plan.pairs_words else 0):  # in PV-DM each has a place
        add_target(window, output_row(plan, own, own.kept[window.last - 1], False), 1)
    if plan.outputs and not plan.lists_per_pair:
        add_shared_noise(plan, own, window)


cdef void learn_words_together(const Plan *plan, Worker *own, const Window *window, float *row) noexcept nogil:
    """The row of a document predicts several words: PV-DBOW."""
    own.rows[0] = row
    learn_mean(plan, own, window, own.rows, 1, 0, 1, 1, NULL if plan.lists_per_pair or not plan.outputs else window.weights,
               0, window.n_targets, plan.blocks)


cdef void sum_up_a_run(const Plan *plan, Worker *own, long long first, long long last) noexcept nogil:
    """Sum up the rows of the survivors [first, last), so that those of any window are the difference of two sums."""
    cdef long long j
    for j in range(first, last):
        own.run_rows[j - first] = plan.inputs + own.kept[j] * plan.stride
    own.run = first
    level.run_sums(own.run_rows, <int>(last - first), plan.blocks, own.sums)


cdef void learn_places_together(const Plan *plan, Worker *own, const Job *job, const Window *window, float *row,
                                long long first, long long last) noexcept nogil:
    """The row of a document and the neighbours of each of several words predict it: PV-DM. `first` to `last` are known.

    Where there are fewer words than there can be, the last one stands in for the others, and learns nothing.
    """
    cdef int e, i, t, n_words = window.last - window.first
    cdef long long width = plan.window, centre, begin, end
    cdef const float *parts[3 * TOGETHER]
    cdef float forward[TOGETHER]
    cdef float backward[TOGETHER]
    cdef float part
    for e in range(TOGETHER):
        centre = min(window.first + e, window.last - 1)
        if plan.shrink:
            width = 1 + <long long>scaled(<uint32_t>stream_at(job.key, job.origin + own.positions[centre]),
                                          <uint64_t>plan.window)
        begin, end = max(first, centre - width), min(last, centre + width + 1)
        parts[3 * e] = own.sums + (end - own.run) * plan.stride
        parts[3 * e + 1] = own.sums + (begin - own.run) * plan.stride
        parts[3 * e + 2] = plan.inputs + own.kept[centre] * plan.stride
        part = <float>1 / <float>(end - begin)  # the neighbours and the document
        forward[e], backward[e] = part if plan.mean_forward else 1, part if plan.mean_backward else 1
        own.pair_labels[e], own.pair_weights[e] = 1, backward[e] if e < n_words else 0
    i = TOGETHER
    for t in range(TOGETHER, window.n_targets):
        for e in range(TOGETHER):  # a noise word that is the word itself is dropped
            own.pair_labels[i] = 0
            own.pair_weights[i] = backward[e] * <float>(e < n_words and window.targets[t] != window.targets[e])
            i += 1
    level.learn_together(row, parts, forward, window.targets, own.pair_labels, own.pair_weights, window.n_targets,
                         plan.blocks, window.rate, own.scratch, &own.ahead)
    skip_prefetched(own, window.n_targets)


cdef void infer_stretch(const Plan *plan, Worker *own, const Job *job, float *row, long long begin,
                        long long end) noexcept nogil:
    """Let the row of a document learn from the words at [begin, end), several at once, in the order of the text.

    All draws are those of the first word, and of its noise words if they share them.
    """
    cdef long long first, last, begins, ends, n, group, j
    cdef Window *window
    own.earliest = begin
    if not find_survivors(plan, own, job, 0, begin, end, job.n_tokens):
        return
    begins, ends = kept_before(own, begin), kept_before(own, end)
    first, last = max(<long long>0, begins - job.reach), min(own.n_kept, ends + job.reach)
    n = (ends - begins + TOGETHER - 1) // TOGETHER
    own.n_tags = 1
    for group in range(n + 2 if n else 0):  # three stages, as in train_stretch
        if group < n:
            window = &own.windows[group % RING]
            window.first, window.centre = <int>(begins + group * TOGETHER), -1
            window.last = <int>min(ends, <long long>window.first + TOGETHER)
            window.stream = stream_at(job.key, job.origin + own.positions[window.first])
            window.rate = <float>job.alpha
            make_draws(plan, own, window)
            if plan.pairs_words:
                for j in range(window.first + job.reach, min(last, window.last + job.reach)):
                    prefetch_still(plan.inputs + own.kept[j] * plan.stride, plan.blocks)
        if 0 < group <= n:
            look_up_words(plan, own, &own.windows[(group - 1) % RING])
        if group >= 2:
            if stop_wanted(job.stop):
                return
            window = &own.windows[(group - 1) % RING]
            own.ahead.rows, own.ahead.n = window.targets, window.n_targets if group <= n else 0
            window = &own.windows[(group - 2) % RING]
            if window.n_targets == 0:  # a vocabulary of one word has no path
                continue
            if plan.pairs_words:
                if (group - 2) * TOGETHER % RUN == 0:
                    sum_up_a_run(plan, own, max(first, window.first - job.reach),
                                 min(last, window.first + RUN + job.reach))
                learn_places_together(plan, own, job, window, row, first, last)
            else:
                learn_words_together(plan, own, window, row)
            for j in range(own.ahead.n):
                prefetch_still(own.ahead.rows[j], plan.blocks)


cdef int infer_document(const Plan *plan, Worker *own, Job *job, float *row, float *before, uint64_t key, int epochs,
                        double alpha, double min_alpha, double tol) noexcept nogil:
    """Train the row of one document, alone in its job; returns the epochs that it took."""
    cdef long long i, position
    cdef int epoch
    cdef uint64_t stream
    cdef double moved, length
    for i in range(job.n_tokens):
        key = mix(key + (<uint64_t>job.tokens[i] + 1) * GOLDEN)
    stream = stream_at(key, 0)
    for i in range(plan.stride):
        row[i] = 0
    for i in range(plan.columns):
        row[i] = (<float>(draw(stream, <uint64_t>i) >> 40) * <float>(1.0 / 16777216) - <float>0.5) / <float>plan.columns
    for epoch in range(epochs):
        job.key = stream_at(key, epoch + 1)
        job.alpha = alpha - (alpha - min_alpha) * epoch / max(epochs - 1, 1)
        own.n_kept = own.seen_from = own.seen_until = 0  # survivors are others
        memcpy(before, row, <size_t>plan.stride * sizeof(float))
        position = 0
        while position < job.n_tokens and not stop_wanted(job.stop):
            if plan.together:
                infer_stretch(plan, own, job, row, position, min(position + CHUNK, job.n_tokens))
            else:
                train_chunk(plan, own, job, position, min(position + CHUNK, job.n_tokens))
            position += CHUNK
        if tol > 0:
            moved = length = 0
            for i in range(plan.columns):
                moved += (<double>row[i] - before[i]) * (<double>row[i] - before[i])
                length += <double>row[i] * row[i]
            if moved <= tol * tol * length:
                return epoch + 1
    return epochs


cdef long long position_before(const Plan *plan, const Job *job, long long position, long long bound,
                               long long survivors, const int *stop) noexcept nogil:
    """Where so many survivors before `position` begin; `bound` if there are fewer behind it; -1 if a stop is wanted."""
    while position > bound and survivors > 0:
        if position % LOOK_AT_STOP_EVERY == 0 and stop_wanted(stop) == AT_ONCE:
            return -1
        position -= 1
        if survives(plan, job.tokens[position], stream_at(job.key, job.origin + position)):
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


cdef inline bint see_until(const Plan *plan, Worker *own, const Job *job, long long end, long long most,
                           const int *stop) noexcept nogil:
    """Add survivors before `end` until there are `most`; False if a stop is wanted."""
    cdef long long position = own.seen_until, n = own.n_kept, until
    cdef bint goes_on = True
    while position < end and n < most and goes_on:
        until = min(end, position + LOOK_AT_STOP_EVERY)
        while position < until and n < most:
            if survives(plan, job.tokens[position], stream_at(job.key, job.origin + position)):
                own.kept[n] = job.tokens[position]
                own.positions[n] = position
                n += 1
            position += 1
        goes_on = stop_wanted(stop) != AT_ONCE
    own.seen_until, own.n_kept = position, n
    return goes_on


cdef bint find_survivors(const Plan *plan, Worker *own, const Job *job, long long lowest, long long begin, long long end,
                         long long highest) noexcept nogil:
    """Find the survivors of [begin, end), and `reach` on both sides, from `lowest` to `highest`; False if a stop is wanted.

    What was found before is kept as long as it may be wanted. So a worker looks at most twice at a token for the sake
    of neighbours, however long a sentence is and however few of its tokens survive.
    """
    cdef long long position, dropped
    cdef const int *stop = own.stop if own.segment else job.stop
    # Segments of a round are trained in any order: what was found for another may begin within the reach of this one.
    if begin < own.seen_from or (
            own.seen_from > lowest and begin <= own.seen_until and kept_before(own, begin) < job.reach):
        own.n_kept = 0
        own.seen_from = own.seen_until = lowest
    if begin > own.seen_until:
        position = position_before(plan, job, begin, max(lowest, own.seen_until), job.reach, stop)
        if position < 0:
            return False
        if position > own.seen_until:  # all that is wanted lies behind what was found before
            own.n_kept = 0
            own.seen_from = own.seen_until = position
    dropped = kept_before(own, own.earliest) - job.reach
    if dropped > 0:
        own.seen_from = own.positions[dropped]
        own.n_kept -= dropped
        memmove(own.kept, own.kept + dropped, <size_t>own.n_kept * sizeof(int32_t))
        memmove(own.positions, own.positions + dropped, <size_t>own.n_kept * sizeof(long long))
    if not see_until(plan, own, job, end, own.n_kept + end, stop):  # all there are
        return False
    return see_until(plan, own, job, highest, kept_before(own, end) + job.reach, stop)


cdef void open_window(const Plan *plan, Worker *own, const Job *job, int step) noexcept nogil:
    """The window around the survivor at index `step`, and its draws."""
    cdef Window *window = &own.windows[step % RING]
    cdef const Place *place = &own.places[step]
    cdef long long width = plan.window, position = job.origin + own.positions[step]
    window.stream = stream_at(job.key, position)
    if plan.shrink:
        width = 1 + <long long>scaled(<uint32_t>window.stream, <uint64_t>plan.window)
    window.first = <int>max(<long long>place.first, step - width)
    window.centre = step
    window.last = <int>min(<long long>place.last, step + width + 1)
    if not plan.pairs_words:
        window.first, window.last = step, step + 1
    window.rate = <float>(job.alpha - job.slope * <double>min(position, job.horizon))
    make_draws(plan, own, window)


cdef void prefetch_subwords(const Plan *plan, const Worker *own, long long step, long long last,
                            long long reach) noexcept nogil:
    """Ask for what a window to come will read: which rows a word has, and in CBOW those of the last word."""
    cdef long long i
    cdef int32_t word = own.kept[min(last - 1, step + reach)]
    if plan.cbow and own.segment == NULL:
        for i in range(plan.subword_offsets[word], plan.subword_offsets[word + 1]):
            prefetch_row(input_row(plan, own, plan.subword_rows[i]), plan.blocks)
    word = own.kept[min(last - 1, step + reach + 1 if plan.cbow else step + 2)]
    prefetch(plan.subword_rows + plan.subword_offsets[word])


cdef inline long long next_block(const Job *job, long long sentence, long long position) noexcept nogil:
    """The first position from `position` on that begins a block of the sentence, or ends it."""
    cdef long long start = job.offsets[sentence]
    return min(job.offsets[sentence + 1], start + (position - start + TOGETHER - 1) // TOGETHER * TOGETHER)


cdef int open_block(const Plan *plan, Worker *own, const Job *job, Window *window, long long start, int first,
                    int ends) noexcept nogil:
    """The block of a sentence that begins with the survivor at index `first`, and its draws; returns the next one's."""
    cdef long long block = (own.positions[first] - start) // TOGETHER, position = job.origin + own.positions[first]
    window.first, window.centre, window.last = first, -1, first + 1
    while window.last < ends and (own.positions[window.last] - start) // TOGETHER == block:
        window.last += 1
    window.stream = stream_at(job.key, position)
    window.rate = <float>(job.alpha - job.slope * <double>min(position, job.horizon))
    make_draws(plan, own, window)
    return window.last


cdef void learn_block(const Plan *plan, Worker *own, const Window *window) noexcept nogil:
    """Each tag alone predicts all words of a block: PV-DBOW."""
    cdef int i
    for i in range(own.n_tags):
        take(plan, own, window, 0, own.tag_rows[i], own.tags[i], plan.document_locks)
        learn_mean(plan, own, window, own.rows, 1, 0, 1, 1, window.weights, 0, window.n_targets, plan.blocks)
        own.examples += window.last - window.first
        if stop_wanted(own.stop) == AT_ONCE:
            return


cdef long long train_blocks(const Plan *plan, Worker *own, const Job *job, long long start, int begins, int ends,
                            long long end) noexcept nogil:
    """Train the survivors [begins, ends) of the sentence that begins at `start`; returns as `train_stretch` does."""
    cdef int block = 0, n = 0, first = begins, i
    cdef Window *window
    while first < ends or block < n + 2:  # three stages, as in train_stretch
        if first < ends:
            first, n = open_block(plan, own, job, &own.windows[block % RING], start, first, ends), block + 1
        if 0 < block <= n:
            window = &own.windows[(block - 1) % RING]
            look_up_words(plan, own, window)
            if own.segment:
                window.n_copies = own.segment.n
        if block >= 2:
            window = &own.windows[(block - 2) % RING]
            if stop_wanted(own.stop) == AT_ONCE or (not own.segment and stop_wanted(job.stop)):
                own.survivors -= ends - window.first
                return start + (own.positions[window.first] - start) // TOGETHER * TOGETHER
            if own.segment:
                make_copies(own.segment, window.n_copies)
            own.ahead.rows = own.windows[(block - 1) % RING].targets
            own.ahead.n = own.windows[(block - 1) % RING].n_targets if block <= n else 0
            learn_block(plan, own, window)
            prefetch_some(plan, own, own.ahead.n)
        block += 1
    return end


cdef void place_survivors(const Plan *plan, Worker *own, const Job *job, long long sentence, int first,
                          int last) noexcept nogil:
    """Find out where the survivors [first, last) stand; the first one is in `sentence` or behind it."""
    cdef int i = first, j, k, end
    while i < last:
        while job.offsets[sentence + 1] <= own.positions[i]:
            sentence += 1
        end = i
        while end < last and own.positions[end] < job.offsets[sentence + 1]:
            end += 1
        for j in range(i, end):
            own.places[j].first, own.places[j].last, own.places[j].twin = i, end, -1
            if not plan.cbow and not own.marking:  # marks are not learnt from
                for k in range(max(i, j - plan.tile), j):
                    if own.kept[k] == own.kept[j]:
                        own.places[j].twin = k
        i = end


cdef bint leave_marks(const Plan *plan, Worker *own, int first, int begins, int ends, int last) noexcept nogil:
    """Mark what the survivors [begins, ends) would touch, with neighbours from `first` to `last`; False if stopped."""
    cdef long long j
    cdef int i, step
    for i in range(own.n_tags):
        leave_mark(&own.mark, DOCUMENTS, own.tags[i])
    if plan.side_tags:
        leave_mark(&own.mark, INPUTS, plan.null_word)
    for step in range(first, last):
        if stands_alone(own, step):
            continue
        leave_mark(&own.mark, INPUTS, own.kept[step])
        if plan.subword_offsets and (plan.cbow or begins <= step < ends):
            for j in range(plan.subword_offsets[own.kept[step]], plan.subword_offsets[own.kept[step] + 1]):
                leave_mark(&own.mark, INPUTS, plan.subword_rows[j])
        if stop_wanted(own.stop) == AT_ONCE:
            return False
    if plan.nodes:
        if plan.subword_offsets and not plan.cbow:  # targets are the neighbours
            begins, ends = first, last
        for step in range(begins, ends):
            if not stands_alone(own, step):
                for j in range(plan.paths[own.kept[step]], plan.paths[own.kept[step] + 1]):
                    leave_mark(&own.mark, NODES, plan.points[j])
    return True


cdef inline float *row_or_copy(const Plan *plan, const Worker *own, int matrix, long long row) noexcept nogil:
    """The row of a word or tag as an input; a segment's own copy of it, unless no other segment may have it."""
    if matrix == INPUTS and plan.still_words:
        return plan.inputs + row * plan.stride
    # Under one matrix, another segment may have the row as a target: copies of it are made by all.
    if own.segment and (own.segment.all.copies_all or (plan.tied and matrix == INPUTS)
                        or not in_this_segment_alone(&own.mark, matrix, row)):
        return copy_of(own.segment, matrix, row)
    return input_row(plan, own, row) if matrix == INPUTS else plan.documents + row * plan.stride


cdef long long train_stretch(const Plan *plan, Worker *own, const Job *job, long long sentence, long long begin,
                             long long end) noexcept nogil:
    """Train the centre words at [begin, end), from `sentence` on; neighbours may lie beyond it on both sides.

    Returns `end`, or the position of the first word that is not trained because a stop is wanted.
    """
    cdef long long before = begin, lowest = job.offsets[sentence], highest = sentence
    cdef int i, first, begins, ends, last, step
    cdef Window *window
    while job.offsets[highest + 1] < end:
        highest += 1
    highest = job.offsets[highest + 1]
    if plan.blocks_of_words:  # a block is of the stretch that it begins in
        begin, end = next_block(job, sentence, begin), next_block(job, sentence, end)
        if begin == end:
            return end
    if not find_survivors(plan, own, job, lowest, begin, end, highest):
        return before
    begins, ends = <int>kept_before(own, begin), <int>kept_before(own, end)  # of those that are trained
    first = <int>max(kept_before(own, lowest), begins - job.reach)
    last = <int>min(kept_before(own, highest), ends + job.reach)
    if not own.marking:
        own.survivors += ends - begins
    own.n_tags = 0
    if job.tags and begins < ends:
        own.tags = job.tags + job.tag_offsets[sentence]
        own.n_tags = <int>(job.tag_offsets[sentence + 1] - job.tag_offsets[sentence])
    if (last - first < 2 and own.n_tags == 0) or (plan.side_tags and own.n_tags != plan.side_tags):
        return end
    place_survivors(plan, own, job, sentence, first, last)
    if own.marking:
        return end if leave_marks(plan, own, first, begins, ends, last) else before
    for i in range(own.n_tags):
        own.tag_rows[i] = row_or_copy(plan, own, DOCUMENTS, own.tags[i])
    own.null_row = row_or_copy(plan, own, INPUTS, plan.null_word) if plan.side_tags else NULL
    if plan.pairs_words and plan.subword_offsets == NULL:
        for step in range(first, last):
            if not stands_alone(own, step):
                own.kept_rows[step] = row_or_copy(plan, own, INPUTS, own.kept[step])
    if plan.blocks_of_words:
        return train_blocks(plan, own, job, lowest, begins, ends, end)
    # A pipeline of three stages, so that nothing waits for memory: a window makes its draws, then looks up its targets,
    # then learns, while the rows of the next one are on their way.
    for step in range(begins, ends + 2):
        if step < ends:
            open_window(plan, own, job, step)
            i = <int>min(last - 1, step + job.reach)
            if plan.subword_offsets:
                prefetch_subwords(plan, own, step, last, job.reach)
            elif plan.pairs_words and not stands_alone(own, i):
                prefetch_row(own.kept_rows[i], plan.blocks)
        if begins < step <= ends:
            window = &own.windows[(step - 1) % RING]
            if stands_alone(own, step - 1):
                window.n_targets = window.n_rows = 0
            else:
                look_up_targets(plan, own, window, own.kept[step - 1])
            if own.segment:
                window.n_copies = own.segment.n
        if step >= begins + 2:
            if stop_wanted(own.stop) == AT_ONCE or (not own.segment and stop_wanted(job.stop)):
                own.survivors -= ends - (step - 2)
                return own.positions[step - 2]
            if own.segment:
                make_copies(own.segment, own.windows[(step - 2) % RING].n_copies)
            window = &own.windows[(step - 1) % RING]
            own.ahead.rows = window.targets if plan.cbow else window.rows  # those of n-grams are farthest away
            own.ahead.n = window.n_targets + (0 if plan.cbow else window.n_rows) if step <= ends else 0
            window = &own.windows[(step - 2) % RING]
            if window.n_targets == 0:  # or a vocabulary of one word, which has no path
                continue
            if plan.side_tags:
                side_by_side(plan, own, window)
            elif plan.cbow:
                cbow(plan, own, window)
            elif plan.subword_offsets:
                skip_gram_of_subwords(plan, own, window)
            else:
                skip_gram(plan, own, window)
            prefetch_some(plan, own, own.ahead.n)
    return end
