/* Terms as trees over numbers of words; sentences divided into terms, level after level; texts with terms joined. */
#ifndef W2V_TERMS_H
#define W2V_TERMS_H

#include "_edges.h"

enum {
    IGNORES_CASE = 1,
    IGNORES_PUNCTUATION = 2,
    SPELLINGS = 4,           /* what can be ignored in comparing words: combinations of these two */
    LONGEST_SPELLING = 256,  /* bytes of a word whose spelling is looked for here; Python sees to longer ones */
    LONGEST_STRETCH = 10000, /* words of a sentence that are divided together for the best sum */
    SHORT = 192,             /* words of a sentence that is divided without claiming memory */
    ENOUGH = 1024,           /* words of a text that are looked up together */
};

/* --- terms ------------------------------------------------------------------------------------------------------- */

/* A node for each beginning of a term. Number 0 stands for none. Once all terms are known, what leads to a node says in
   its lower bits whether a term ends there, and whether a longer one goes on. Above them it has the number of the node,
   or, where none goes on, that of the term: most words and most pairs then need no look at a node. */
typedef struct {
    int32_t term; /* that ends there, or -1 */
    int32_t goes_on;
} Node;

enum { ENDS = 1, GOES_ON = 2, WAY_SHIFT = 2 };

/* The terms of one pass over a sentence. */
typedef struct {
    EdgeTable edges;
    int32_t *first; /* word: the node of the terms that begin with it */
    int64_t first_room;
    Node *nodes;
    int64_t n_nodes, nodes_room;
    int spelling; /* in which words are compared */
    int best;     /* divide for the greatest sum of scores, and not for the longest term from left to right */
} Level;

/* Passes one after the other. It never changes once it is made, so threads share it. */
typedef struct {
    Table words; /* those that terms are made of, and those that terms become */
    Level *levels;
    int n_levels;
    int64_t n_terms; /* of all levels */
    double *score;
    int32_t *becomes;          /* term: a word */
    int32_t *spelt[SPELLINGS]; /* word: the word that it is in this spelling, or -1; NULL where no level asks for it */
    uint64_t longest;          /* bytes of a word */
    int64_t score_room, becomes_room, spelt_room[SPELLINGS];
} Chain;

static void chain_free(Chain *chain) {
    for (int i = 0; chain->levels && i < chain->n_levels; i++) {
        edges_free(&chain->levels[i].edges);
        free(chain->levels[i].first);
        free(chain->levels[i].nodes);
    }
    for (int i = 0; i < SPELLINGS; i++) free(chain->spelt[i]);
    free(chain->levels);
    free(chain->score);
    free(chain->becomes);
    table_free(&chain->words);
}

static int level_start(Level *level) {
    level->n_nodes = 1;
    if (make_room((void **)&level->nodes, &level->nodes_room, 1, sizeof(Node)) != TERMS_OK) return TERMS_NO_MEMORY;
    return edges_start(&level->edges, 64);
}

static inline int32_t new_node(Level *level) {
    if (level->n_nodes > INT32_MAX >> WAY_SHIFT ||
        make_room((void **)&level->nodes, &level->nodes_room, level->n_nodes + 1, sizeof(Node)) != TERMS_OK)
        return 0;
    level->nodes[level->n_nodes].term = -1;
    return (int32_t)level->n_nodes++;
}

/* Add the next term to the last level: the words that it is made of, and the one that it becomes. */
static int chain_add(Chain *chain, Level *level, const int32_t *words, int64_t n, int32_t becomes, double score) {
    const int64_t term = chain->n_terms;
    if (make_room((void **)&level->first, &level->first_room, chain->words.n_words, sizeof(int32_t)) != TERMS_OK ||
        make_room((void **)&chain->becomes, &chain->becomes_room, term + 1, sizeof(int32_t)) != TERMS_OK ||
        make_room((void **)&chain->score, &chain->score_room, term + 1, sizeof(double)) != TERMS_OK)
        return TERMS_NO_MEMORY;
    int32_t node = level->first[words[0]];
    if (!node) node = level->first[words[0]] = new_node(level);
    for (int64_t i = 1; node && i < n; i++) {
        level->nodes[node].goes_on = 1;
        int32_t next = edge_of(&level->edges, node, words[i]);
        if (!next) {
            next = new_node(level);
            if (!next || edge_add(&level->edges, node, words[i], next) != TERMS_OK) return TERMS_NO_MEMORY;
        }
        node = next;
    }
    if (!node) return TERMS_NO_MEMORY;
    level->nodes[node].term = (int32_t)term;
    chain->becomes[term] = becomes;
    chain->score[term] = score;
    chain->n_terms++;
    return TERMS_OK;
}

static inline int32_t way_to(const Level *level, int32_t node) {
    if (!node) return 0;
    const Node *there = &level->nodes[node];
    if (!there->goes_on) return there->term << WAY_SHIFT | ENDS;
    return node << WAY_SHIFT | GOES_ON | (there->term >= 0 ? ENDS : 0);
}

/* The term that ends where a way leads to. */
static inline int32_t term_at(const Level *level, int32_t way) {
    return way & GOES_ON ? level->nodes[way >> WAY_SHIFT].term : way >> WAY_SHIFT;
}

/* All terms of a level are known, and all words of the chain. */
static int level_finish(Level *level, int64_t n_words) {
    if (make_room((void **)&level->first, &level->first_room, n_words + 1, sizeof(int32_t)) != TERMS_OK)
        return TERMS_NO_MEMORY;
    for (int64_t i = 0; i < n_words; i++) level->first[i] = way_to(level, level->first[i]);
    for (uint64_t i = 0; i <= level->edges.mask; i++)
        level->edges.slots[i].to = way_to(level, level->edges.slots[i].to);
    return TERMS_OK;
}

/* --- words and their spellings ------------------------------------------------------------------------------------ */

static inline int32_t known_word(const Chain *chain, const uint8_t *word, uint64_t length) {
    if (length > chain->longest) return -1;
    return known_number(&chain->words, word, length, hash_of(&chain->words, word, length, length));
}

static inline int is_ascii_punctuation(uint8_t c) {
    return (uint8_t)(c - 33) < 15 || (uint8_t)(c - 58) < 7 || (uint8_t)(c - 91) < 6 || (uint8_t)(c - 123) < 4;
}

/* The known word that a word is in a spelling, or -1. What is beyond ASCII, or long, is left to `ask`. */
typedef int32_t (*AskForSpelling)(void *asked, const uint8_t *word, uint64_t length, int spelling);

static int32_t spelt_word(const Chain *chain, const uint8_t *word, uint64_t length, int spelling, AskForSpelling ask,
                          void *asked) {
    uint8_t made[LONGEST_SPELLING];
    uint64_t begin = 0, end = length;
    if (length > LONGEST_SPELLING) return ask(asked, word, length, spelling);
    if (spelling & IGNORES_PUNCTUATION) {
        while (begin < end && is_ascii_punctuation(word[begin])) begin++;
        while (begin < end && is_ascii_punctuation(word[end - 1])) end--;
        if (begin == end) begin = 0, end = length; /* a word of punctuation alone */
    }
    for (uint64_t i = begin; i < end; i++) {
        uint8_t c = word[i];
        if (spelling & IGNORES_CASE) {
            if (c & 0x80) return ask(asked, word, length, spelling);
            if ((uint8_t)(c - 'A') < 26) c |= 0x20;
        }
        made[i - begin] = c;
    }
    return known_word(chain, made, end - begin);
}

/* --- the division of a sentence ------------------------------------------------------------------------------------ */

/* A sentence in parts, each the word that a term becomes, or a word by itself. */
typedef struct {
    int32_t *term;  /* or -1 */
    int32_t *begin; /* the first word of the part; one more than there are parts */
    uint8_t *fresh; /* whether division depends on nothing before; likewise */
    int64_t n;
} Parts;

/* A term that could stand at words begin ... end - 1 of a stretch. */
typedef struct {
    int32_t begin, end, term;
} Candidate;

enum { WORK_PER_WORD = 10 * sizeof(int32_t) + 3 };

/* The memory of a division. */
typedef struct {
    int32_t *keys[SPELLINGS]; /* of the words of the sentence: what they are in a spelling, as `spelt_word` gives it */
    int32_t *symbols;
    int32_t *ways;  /* of symbols: to the node of the terms that begin with it */
    uint8_t *opens; /* of symbols: whether a longer term may begin with it and the next one, or with it as the last */
    Parts parts, next;
    int64_t room;
    Candidate *found;
    double *total;   /* of the rest of the stretch, from each word on */
    int32_t *choice; /* the candidate to take at each word, or -1 */
    int64_t found_room, total_room, choice_room;
    void *claimed;
    uint64_t local[((SHORT + 1) * WORK_PER_WORD) / 8 + 1];
} Work;

static void work_lay_out(Work *work, void *memory, int64_t room) {
    int32_t *at = memory;
    for (int i = 0; i < SPELLINGS; i++, at += room + 1) work->keys[i] = at;
    work->symbols = at, at += room + 1;
    work->ways = at, at += room + 1;
    work->parts.term = at, at += room + 1;
    work->parts.begin = at, at += room + 1;
    work->next.term = at, at += room + 1;
    work->next.begin = at, at += room + 1;
    work->parts.fresh = (uint8_t *)at;
    work->next.fresh = work->parts.fresh + room + 1;
    work->opens = work->next.fresh + room + 1;
    work->room = room;
}

static void work_start(Work *work) {
    work->found = NULL, work->total = NULL, work->choice = NULL, work->claimed = NULL;
    work->found_room = work->total_room = work->choice_room = 0;
    work_lay_out(work, work->local, SHORT);
}

/* Make room for sentences of n words; what was there is lost. */
static int work_room(Work *work, int64_t n) {
    if (n <= work->room) return TERMS_OK;
    const int64_t room = n > 2 * work->room ? n : 2 * work->room;
    if (room > INT32_MAX) return TERMS_NO_MEMORY;
    void *claimed = malloc((size_t)(room + 1) * WORK_PER_WORD);
    if (!claimed) return TERMS_NO_MEMORY;
    free(work->claimed);
    work->claimed = claimed;
    work_lay_out(work, claimed, room);
    return TERMS_OK;
}

static void work_free(Work *work) {
    free(work->found);
    free(work->total);
    free(work->choice);
    free(work->claimed);
}

static inline void part_add(Parts *parts, int32_t term, int64_t begin, int fresh) {
    parts->term[parts->n] = term;
    parts->begin[parts->n] = (int32_t)begin;
    parts->fresh[parts->n++] = (uint8_t)fresh;
}

/* Find where terms may begin: one look-up after the other in a loop without branches, so that memory is waited for once
   and not for each of them. */
static void find_beginnings(const Level *level, const int32_t *symbols, int64_t n, Work *work) {
    const EdgeTable edges = level->edges; /* a copy, which no store below can change */
    const int32_t *first = level->first;
    int32_t *ways = work->ways;
    uint8_t *opens = work->opens;
    if (!n) return;
    for (int64_t i = 0; i < n; i++) ways[i] = symbols[i] < 0 ? 0 : first[symbols[i]];
    for (int64_t i = 0; i + 1 < n; i++) {
        const uint64_t hash = mixed(edge_key(ways[i] >> WAY_SHIFT, symbols[i + 1]));
        const int opened = (ways[i] >> 1 & 1) & (symbols[i + 1] >= 0) & edge_may_be(&edges, hash);
        __builtin_prefetch(&edges.slots[opened ? hash & edges.mask : 0]);
        opens[i] = (uint8_t)opened;
    }
    opens[n - 1] = (ways[n - 1] & GOES_ON) != 0;
}

/* Divide from left to right, the longest term at each place. `open` says that the sentence may go on: then what is not
   certain is left. Returns how many symbols are divided. */
static int64_t divide_greedy(const Level *level, const int32_t *symbols, int64_t n, int open, const Work *work,
                             Parts *parts) {
    int64_t i = 0;
    while (i < n) {
        int32_t here = work->ways[i], term = -1;
        int64_t end = i + 1;
        if (here & ENDS) term = term_at(level, here);
        for (int64_t j = i + 1, goes_on = work->opens[i]; goes_on; j++) {
            if (j == n) {
                if (open) return i;
                break;
            }
            here = symbols[j] < 0 ? 0 : edge_of(&level->edges, here >> WAY_SHIFT, symbols[j]);
            if (here & ENDS) {
                term = term_at(level, here);
                end = j + 1;
            }
            goes_on = here & GOES_ON;
        }
        part_add(parts, term, i, 1);
        i = end;
    }
    return n;
}

static inline int candidate_add(Work *work, int64_t n_found, int64_t begin, int64_t end, int32_t term) {
    if (make_room((void **)&work->found, &work->found_room, n_found + 1, sizeof(Candidate)) != TERMS_OK)
        return TERMS_NO_MEMORY;
    work->found[n_found] = (Candidate){(int32_t)begin, (int32_t)end, term};
    return TERMS_OK;
}

/* Divide so that the scores of the terms have the greatest sum; of equal sums the one that joins earlier words. Works
   on stretches that no term leaves, of at most LONGEST_STRETCH words. As `divide_greedy`; -1 if there is no memory. */
static int64_t divide_best(const Level *level, const double *score, const int32_t *symbols, int64_t n, int open,
                           Work *work, Parts *parts) {
    int64_t start = 0;
    while (start < n) {
        int64_t reach = start + 1, n_found = 0;
        for (int64_t i = start; i < reach; i++) {
            int32_t here = work->ways[i];
            if (here & ENDS) {
                if (candidate_add(work, n_found++, i - start, i + 1 - start, term_at(level, here)) != TERMS_OK)
                    return -1;
            }
            for (int64_t j = i + 1, goes_on = work->opens[i]; goes_on && j - start < LONGEST_STRETCH; j++) {
                if (j == n) {
                    if (open) return start;
                    break;
                }
                here = symbols[j] < 0 ? 0 : edge_of(&level->edges, here >> WAY_SHIFT, symbols[j]);
                if (here & ENDS) {
                    if (candidate_add(work, n_found++, i - start, j + 1 - start, term_at(level, here)) != TERMS_OK)
                        return -1;
                    if (j + 1 > reach) reach = j + 1;
                }
                goes_on = here & GOES_ON;
            }
        }
        const int64_t length = reach - start;
        if (!n_found) {
            part_add(parts, -1, start, 1);
            start = reach;
            continue;
        }
        if (make_room((void **)&work->total, &work->total_room, length + 1, sizeof(double)) != TERMS_OK ||
            make_room((void **)&work->choice, &work->choice_room, length + 1, sizeof(int32_t)) != TERMS_OK)
            return -1;
        work->total[length] = 0;
        int64_t last = n_found;
        for (int64_t i = length - 1; i >= 0; i--) {
            double best = work->total[i + 1];
            int32_t choice = -1;
            while (last > 0 && work->found[last - 1].begin == i) { /* the longest first */
                const Candidate *one = &work->found[--last];
                const double total = score[one->term] + work->total[one->end];
                if (choice < 0 ? total >= best : total > best) {
                    best = total;
                    choice = (int32_t)last;
                }
            }
            work->total[i] = best;
            work->choice[i] = choice;
        }
        for (int64_t i = 0; i < length;) {
            const int32_t choice = work->choice[i];
            part_add(parts, choice < 0 ? -1 : work->found[choice].term, start + i, !i);
            i = choice < 0 ? i + 1 : work->found[choice].end;
        }
        start = reach;
    }
    return n;
}

/* The parts of the parts: what `next` makes of `parts`, in terms of words. */
static void put_together(Parts *parts, const Parts *next) {
    for (int64_t i = 0; i <= next->n; i++) {
        const int32_t at = next->begin[i];
        if (i < next->n) parts->term[i] = next->term[i] >= 0 ? next->term[i] : parts->term[at];
        parts->begin[i] = parts->begin[at];
        parts->fresh[i] = next->fresh[i] & parts->fresh[at];
    }
    parts->n = next->n;
}

/* Divide a sentence of n words, whose `keys` are the work's from word `at` on, into the work's parts. If it is `open`,
   words at its end may be left for later. Returns how many words are divided, or -1 if there is no memory. */
static int64_t divide(const Chain *chain, Work *work, int64_t at, int64_t n, int open) {
    Parts *parts = &work->parts;
    if (!chain->n_levels) {
        parts->n = 0;
        for (int64_t i = 0; i < n; i++) part_add(parts, -1, i, 1);
        parts->begin[n] = (int32_t)n;
        return n;
    }
    for (int i = 0; i < chain->n_levels; i++) {
        const Level *level = &chain->levels[i];
        const int32_t *keys = work->keys[level->spelling] + at, *spelt = chain->spelt[level->spelling];
        Parts *made = i ? &work->next : parts;
        const int64_t n_symbols = i ? parts->n : n;
        for (int64_t j = 0; i && j < n_symbols; j++) {
            const int32_t term = parts->term[j];
            work->symbols[j] = term < 0 ? keys[parts->begin[j]] : spelt ? spelt[chain->becomes[term]] : chain->becomes[term];
        }
        made->n = 0;
        const int32_t *symbols = i ? work->symbols : keys;
        find_beginnings(level, symbols, n_symbols, work);
        const int64_t done = level->best ? divide_best(level, chain->score, symbols, n_symbols, open, work, made)
                                         : divide_greedy(level, symbols, n_symbols, open, work, made);
        if (done < 0) return -1;
        made->begin[made->n] = (int32_t)done;
        made->fresh[made->n] = 1;
        if (i) put_together(parts, made);
    }
    while (open && !parts->fresh[parts->n]) parts->n--;
    return parts->begin[parts->n];
}

/* --- a text with its terms joined ---------------------------------------------------------------------------------- */

typedef struct {
    const uint8_t *text;
    uint64_t length, hash;
} WordAt;

typedef struct {
    const Chain *chain;
    AskForSpelling ask;
    void *asked;
    const uint8_t *end; /* of the text that is read */
    WordAt *words;      /* of the lines that are not written yet */
    int64_t *line_ends; /* how many of these words precede each line end */
    int64_t n_words, words_room, n_lines, lines_room;
    Work work;
    uint8_t *out;
    int64_t size, out_room;
    int counting; /* write the terms that are found, as int32, and no text */
    int begun;    /* whether the first of these lines has words that are written already */
    int64_t sentences_out, words_out, words_in;
} Rewriter;

static void rewriter_start(Rewriter *rewriter, const Chain *chain, AskForSpelling ask, void *asked, int begun,
                           int counting) {
    memset(rewriter, 0, sizeof *rewriter);
    work_start(&rewriter->work);
    rewriter->chain = chain, rewriter->ask = ask, rewriter->asked = asked, rewriter->begun = begun;
    rewriter->counting = counting;
}

static void rewriter_free(Rewriter *rewriter) {
    free(rewriter->words);
    free(rewriter->line_ends);
    free(rewriter->out);
    work_free(&rewriter->work);
}

static void look_up_words(Rewriter *rewriter) {
    const Chain *chain = rewriter->chain;
    const WordAt *words = rewriter->words;
    const int64_t n = rewriter->n_words;
    int32_t **keys = rewriter->work.keys;
    for (int64_t i = 0; i < n; i++) {
        if (i + AHEAD < n) ask_for(&chain->words, words[i + AHEAD].hash);
        keys[0][i] = known_number(&chain->words, words[i].text, words[i].length, words[i].hash);
    }
    for (int spelling = 1; spelling < SPELLINGS; spelling++) {
        if (!chain->spelt[spelling]) continue;
        for (int64_t i = 0; i < n; i++)
            keys[spelling][i] = keys[0][i] >= 0 ? chain->spelt[spelling][keys[0][i]]
                                                : spelt_word(chain, words[i].text, words[i].length, spelling,
                                                             rewriter->ask, rewriter->asked);
    }
}

/* Write the terms among the parts of a sentence. */
static int write_terms(Rewriter *rewriter) {
    const Parts *parts = &rewriter->work.parts;
    const int64_t most = rewriter->size + parts->n * (int64_t)sizeof(int32_t);
    if (make_room((void **)&rewriter->out, &rewriter->out_room, most, 1) != TERMS_OK) return TERMS_NO_MEMORY;
    for (int64_t i = 0; i < parts->n; i++) {
        if (parts->term[i] < 0) continue;
        memcpy(rewriter->out + rewriter->size, &parts->term[i], sizeof(int32_t));
        rewriter->size += (int64_t)sizeof(int32_t);
    }
    return TERMS_OK;
}

/* Write the parts of a sentence that begins at a word. */
static int write_parts(Rewriter *rewriter, int64_t first) {
    const Chain *chain = rewriter->chain;
    const Parts *parts = &rewriter->work.parts;
    for (int64_t i = 0; i < parts->n; i++) {
        const uint8_t *text, *end;
        int64_t length;
        if (parts->term[i] < 0) {
            const WordAt *word = &rewriter->words[first + parts->begin[i]];
            text = word->text, length = (int64_t)word->length, end = rewriter->end;
        } else {
            const Word *word = &chain->words.words[chain->becomes[parts->term[i]]];
            text = chain->words.arena + word->start, length = word->length;
            end = chain->words.arena + chain->words.arena_used;
        }
        if (rewriter->size + length + 18 > rewriter->out_room &&
            make_room((void **)&rewriter->out, &rewriter->out_room, rewriter->size + length + 18, 1) != TERMS_OK)
            return TERMS_NO_MEMORY;
        uint8_t *to = rewriter->out + rewriter->size;
        if (rewriter->begun) *to++ = ' ';
        rewriter->size += length + rewriter->begun;
        rewriter->begun = 1;
        if (length <= 16 && end - text >= 16)
            memcpy(to, text, 16); /* at once; what is too much is written over */
        else
            memcpy(to, text, (size_t)length);
    }
    rewriter->words_out += parts->n;
    return TERMS_OK;
}

/* Write the lines that have ended, and what is certain of the last one if it is `open`; else the text's end ends it.
   Returns how many words are written, or -1 if there is no memory. */
static int64_t write_lines(Rewriter *rewriter, int open) {
    if (work_room(&rewriter->work, rewriter->n_words) != TERMS_OK) return -1;
    look_up_words(rewriter);
    int64_t at = 0;
    for (int64_t line = 0; line <= rewriter->n_lines; line++) {
        const int last = line == rewriter->n_lines, goes_on = last && open;
        const int64_t n = (last ? rewriter->n_words : rewriter->line_ends[line]) - at;
        if (n) {
            const int64_t done = divide(rewriter->chain, &rewriter->work, at, n, goes_on);
            if (done < 0 || (rewriter->counting ? write_terms(rewriter) : write_parts(rewriter, at)) != TERMS_OK)
                return -1;
            at += done;
        }
        if (rewriter->begun && !goes_on) {
            if (make_room((void **)&rewriter->out, &rewriter->out_room, rewriter->size + 1, 1) != TERMS_OK) return -1;
            rewriter->out[rewriter->size++] = '\n';
            rewriter->begun = 0;
            rewriter->sentences_out++;
        }
    }
    rewriter->words_in += at;
    rewriter->n_words = rewriter->n_lines = 0;
    return at;
}

static inline int take_word(void *to, const uint8_t *word, uint64_t length, uint64_t readable) {
    Rewriter *rewriter = to;
    if (rewriter->n_words == rewriter->words_room &&
        make_room((void **)&rewriter->words, &rewriter->words_room, rewriter->n_words + 1, sizeof(WordAt)) != TERMS_OK)
        return TEXT_NO_MEMORY;
    const uint64_t hash = hash_of(&rewriter->chain->words, word, length, readable);
    rewriter->words[rewriter->n_words++] = (WordAt){word, length, hash};
    return TEXT_OK;
}

static inline int take_line_end(void *to) {
    Rewriter *rewriter = to;
    const int64_t before = rewriter->n_lines ? rewriter->line_ends[rewriter->n_lines - 1] : 0;
    if (rewriter->n_words == before && (rewriter->n_lines || !rewriter->begun)) return TEXT_OK; /* an empty line */
    if (make_room((void **)&rewriter->line_ends, &rewriter->lines_room, rewriter->n_lines + 1, sizeof(int64_t)) !=
        TERMS_OK)
        return TEXT_NO_MEMORY;
    rewriter->line_ends[rewriter->n_lines++] = rewriter->n_words;
    return rewriter->n_words < ENOUGH || write_lines(rewriter, 0) >= 0 ? TEXT_OK : TEXT_NO_MEMORY;
}

/* Write a text with its terms joined. `used` becomes how many of its bytes are done with: all of them, or, if its last
   line is `open`, those up to the first word that is not certain. Else as `each_word`. */
static int rewrite(Rewriter *rewriter, const uint8_t *text, int64_t size, int open, uint64_t longest, int64_t *used,
                   int64_t *error) {
    rewriter->end = text + size;
    const int outcome = each_word(text, size, longest, take_word, take_line_end, rewriter, error);
    if (outcome != TEXT_OK) return outcome;
    const int64_t n = rewriter->n_words, done = write_lines(rewriter, open);
    if (done < 0) return TEXT_NO_MEMORY;
    *used = done < n ? rewriter->words[done].text - text : size;
    return TEXT_OK;
}

#endif
