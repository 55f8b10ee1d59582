/* Preloaded into Python: of the allocations that some stretches of code ask for, the k-th fails; and those that were not
 * given back can be counted. Calls of any other code are passed on. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void __libc_free(void *);

enum { MOST_WATCHED = 8, MOST_LIVE = 1 << 16 };

static struct {
    uintptr_t low, high;
} watched[MOST_WATCHED];
static int n_watched;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long long until_failure = -1, asked;
static void *live[MOST_LIVE];
static int n_live;

void watch(uintptr_t low, uintptr_t high) {
    watched[n_watched].low = low;
    watched[n_watched++].high = high;
}

/* Fail the k-th allocation from now on, counted from 0; none if k is below 0. */
void fail_at(long long k) {
    until_failure = k;
    asked = 0;
}

long long calls(void) { return asked; }
int not_freed(void) { return n_live; }

static int is_watched(void *caller) {
    for (int i = 0; i < n_watched; i++)
        if ((uintptr_t)caller >= watched[i].low && (uintptr_t)caller < watched[i].high) return 1;
    return 0;
}

static int fails(void) {
    pthread_mutex_lock(&lock);
    asked++;
    const int now = until_failure >= 0 && until_failure-- == 0;
    pthread_mutex_unlock(&lock);
    if (now) errno = ENOMEM;
    return now;
}

static void *noted(void *p) {
    pthread_mutex_lock(&lock);
    if (p && n_live < MOST_LIVE) live[n_live++] = p;
    pthread_mutex_unlock(&lock);
    return p;
}

static void forgotten(void *p) {
    if (!p || !n_live) return;
    pthread_mutex_lock(&lock);
    for (int i = n_live - 1; i >= 0; i--)
        if (live[i] == p) {
            live[i] = live[--n_live];
            break;
        }
    pthread_mutex_unlock(&lock);
}

void *malloc(size_t size) {
    if (!is_watched(__builtin_return_address(0))) return __libc_malloc(size);
    return fails() ? NULL : noted(__libc_malloc(size));
}

void *calloc(size_t n, size_t size) {
    if (!is_watched(__builtin_return_address(0))) return __libc_calloc(n, size);
    return fails() ? NULL : noted(__libc_calloc(n, size));
}

void *realloc(void *p, size_t size) {
    if (!is_watched(__builtin_return_address(0))) {
        forgotten(p);
        return __libc_realloc(p, size);
    }
    if (fails()) return NULL; /* what p points to stays as it is */
    forgotten(p);
    return noted(__libc_realloc(p, size));
}

void free(void *p) {
    forgotten(p);
    __libc_free(p);
}
