/* Every rank sorts its keys; together they find the keys that part all of them into shares of equal
 * size; the shares travel, are sorted where they come to, and the ranks found there travel back. */
#include "mpi/order.h"
#include "mpi/par_private.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <stdlib.h>
#include <string.h>

/* ---- sorting, byte by byte ---- */

typedef struct item {
    uint64_t key;
    int64_t from; /* where it stood */
} item;

enum { BYTES = 8, VALUES = 256 };

/* Bytes that are the same in all keys need no pass. Stable. */
static void sort_items(item *x, item *other, int64_t count) {
    item *in = x, *out = other;
    for (int b = 0; b < BYTES; b++) {
        int64_t place[VALUES] = {0}, at = 0;
        for (int64_t i = 0; i < count; i++)
            place[in[i].key >> 8 * b & (VALUES - 1)]++;
        if (count == 0 || place[in[0].key >> 8 * b & (VALUES - 1)] == count)
            continue;
        for (int v = 0; v < VALUES; v++) {
            int64_t here = place[v];
            place[v] = at;
            at += here;
        }
        for (int64_t i = 0; i < count; i++)
            out[place[in[i].key >> 8 * b & (VALUES - 1)]++] = in[i];
        item *swap = in;
        in = out;
        out = swap;
    }
    if (in != x)
        memcpy(x, in, (size_t)count * sizeof *x);
}

/* Keys with their places, sorted; to be freed. */
static item *sorted_items(const uint64_t *key, int64_t count, gp_err *err) {
    item *x = gp_mem_alloc(count, sizeof *x, err);
    item *other = gp_mem_alloc(count, sizeof *other, err);
    if (err->code == GP_OK) {
        for (int64_t i = 0; i < count; i++)
            x[i] = (item){key[i], i};
        sort_items(x, other, count);
    }
    free(other);
    return x;
}

int gp_order_sort(uint64_t *key, int64_t count, gp_err *err) {
    item *x = sorted_items(key, count, err);
    for (int64_t i = 0; err->code == GP_OK && i < count; i++)
        key[i] = x[i].key;
    free(x);
    return err->code;
}

/* ---- the key at a place ---- */

/* How many of the sorted keys are smaller than a key; step: integers from one key to the next. */
static int64_t count_below(const uint64_t *sorted, int64_t step, int64_t count, uint64_t key) {
    int64_t low = 0, high = count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (sorted[middle * step] < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Keys are found four bits at a time, from the highest that any key has: so many greater ones are
 * asked for at once. */
enum { BITS = 4, ASKED = (1 << BITS) - 1 };

/* The bits from which on all keys of all ranks are 0, in steps of BITS. */
static int significant_bits(gp_par *par, const uint64_t *sorted, int64_t step, int64_t count,
                            gp_err *err) {
    int64_t bits = 0;
    while (count > 0 && bits < 64 && sorted[(count - 1) * step] >> bits != 0)
        bits += BITS;
    gp_par_max(par, &bits, 1, err);
    return (int)bits;
}

/* The greatest key that no more keys than `place` are smaller than, or all bits that matter.
 *    below  out  [places x ASKED] scratch */
static void find(gp_par *par, const uint64_t *sorted, int64_t step, int64_t count,
                 const int64_t *place, uint64_t *found, int64_t *below, int64_t places,
                 gp_err *err) {
    memset(found, 0, (size_t)places * sizeof *found);
    for (int bit = significant_bits(par, sorted, step, count, err) - BITS; bit >= 0; bit -= BITS) {
        for (int64_t k = 0; k < places; k++)
            for (int64_t v = 0; v < ASKED; v++)
                below[k * ASKED + v] =
                    count_below(sorted, step, count, found[k] | (uint64_t)(v + 1) << bit);
        gp_par_sum(par, below, places * ASKED, err);
        for (int64_t k = 0; k < places; k++) {
            uint64_t v = 0;
            while (v < ASKED && below[k * ASKED + (int64_t)v] <= place[k])
                v++;
            found[k] |= v << bit;
        }
    }
}

int gp_par_order_find(gp_par *par, const uint64_t *key, int64_t count, const int64_t *place,
                      uint64_t *found, int64_t places, gp_err *err) {
    int64_t *below = gp_mem_alloc(places, ASKED * (int64_t)sizeof *below, err);
    if (gp_par_agree(par, err) == GP_OK)
        find(par, key, 1, count, place, found, below, places, err);
    free(below);
    return err->code;
}

/* ---- shares ---- */

typedef struct exchange {
    gp_par *par;
    int64_t count;
    item *mine;       /* [count] sorted */
    int64_t *cut;     /* [size + 1] share k is mine[cut[k] .. cut[k + 1]) */
    int64_t *begin;   /* [size + 1] of what comes from rank k, among what comes */
    int64_t first;    /* place of my share's first key among all */
    uint64_t *sent;   /* [count] keys, and later the ranks that come back */
    uint64_t *taken;  /* [begin[size]] keys of my share, and later their ranks */
    item *share;      /* the same, sorted */
    int64_t *scratch; /* [(4 + ASKED) size] */
} exchange;

static void exchange_free(exchange *x) {
    free(x->mine);
    free(x->cut);
    free(x->begin);
    free(x->sent);
    free(x->taken);
    free(x->share);
    free(x->scratch);
}

/* Cuts the sorted keys so that all ranks' shares k together are the keys from place
 * total * k / size on: what is smaller than the key of that place goes before, and of the equal
 * ones as many as are missing, from the lowest ranks. */
static int cut_shares(exchange *x, gp_err *err) {
    gp_par *par = x->par;
    int64_t size = gp_par_size(par), total = x->count;
    int64_t *place = x->scratch, *smaller = place + size, *before = smaller + size;
    uint64_t *found = (uint64_t *)(before + size);
    int64_t *below = before + 2 * size;
    gp_par_sum(par, &total, 1, err);
    for (int64_t k = 0; k < size; k++)
        place[k] = gp_split_begin(total, 1, size, k);
    x->first = place[gp_par_rank(par)];
    if (total == 0)
        return err->code;
    const uint64_t *sorted = &x->mine->key;
    enum { STEP = sizeof(item) / sizeof(uint64_t) };
    /* Of fewer keys than ranks the last places are none: nothing is cut off there. */
    find(par, sorted, STEP, x->count, place, found, below, size, err);
    for (int64_t k = 0; k < size; k++) {
        x->cut[k] = smaller[k] = count_below(sorted, STEP, x->count, found[k]);
        int64_t end =
            found[k] == UINT64_MAX ? x->count : count_below(sorted, STEP, x->count, found[k] + 1);
        below[k] = end - x->cut[k]; /* equal ones */
    }
    gp_par_sum_before(par, below, before, size, err);
    gp_par_sum(par, smaller, size, err);
    for (int64_t k = 0; k < size; k++)
        x->cut[k] += gp_least(gp_most(place[k] - smaller[k] - before[k], 0), below[k]);
    x->cut[size] = x->count;
    return err->code;
}

/* How many keys come from each rank. */
static void tell_counts(exchange *x) {
    int size = gp_par_size(x->par);
    int64_t *out = x->scratch, *in = out + size;
    for (int k = 0; k < size; k++)
        out[k] = x->cut[k + 1] - x->cut[k];
    double from = MPI_Wtime();
    int rc = MPI_Alltoall(out, 1, MPI_INT64_T, in, 1, MPI_INT64_T, x->par->world);
    gp_par_must(x->par, rc, "telling how many keys come");
    gp_par_exchanged(x->par, from, size * (int64_t)sizeof *out);
    for (int k = 0; k < size; k++)
        x->begin[k + 1] = x->begin[k] + in[k];
}

/* One of a pair of neighbours' messages, in pieces that MPI can count. Both sides know how many
 * there are on either way. */
static void swap_pieces(const gp_par *par, int to, const uint64_t *out, int64_t outs, int from,
                        uint64_t *in, int64_t ins) {
    enum { TAG = 71 };
    for (int64_t a = 0, b = 0; a < outs || b < ins;) {
        int now_out = (int)gp_least(outs - a, par->limit), now_in;
        now_in = (int)gp_least(ins - b, par->limit);
        MPI_Request request[2];
        double began = MPI_Wtime();
        int rc = MPI_Irecv(in + b, now_in, MPI_UINT64_T, now_in > 0 ? from : MPI_PROC_NULL, TAG,
                           par->world, &request[0]);
        gp_par_must(par, rc, "taking keys in");
        rc = MPI_Isend(out + a, now_out, MPI_UINT64_T, now_out > 0 ? to : MPI_PROC_NULL, TAG,
                       par->world, &request[1]);
        gp_par_must(par, rc, "sending keys");
        gp_par_must(par, MPI_Waitall(2, request, MPI_STATUSES_IGNORE), "exchanging keys");
        gp_par_exchanged(par, began, now_out * (int64_t)sizeof *out);
        a += now_out;
        b += now_in;
    }
}

/* Sends x->sent by cut, takes x->taken in by begin; or the other way round. */
static void travel(exchange *x, int back) {
    int size = gp_par_size(x->par), rank = gp_par_rank(x->par);
    uint64_t *out = back ? x->taken : x->sent, *in = back ? x->sent : x->taken;
    const int64_t *leaves = back ? x->begin : x->cut, *comes = back ? x->cut : x->begin;
    for (int step = 0; step < size; step++) {
        int to = (rank + step) % size, from = (rank + size - step) % size;
        int64_t outs = leaves[to + 1] - leaves[to], ins = comes[from + 1] - comes[from];
        if (step == 0)
            memcpy(in + comes[rank], out + leaves[rank], (size_t)outs * sizeof *in);
        else
            swap_pieces(x->par, to, out + leaves[to], outs, from, in + comes[from], ins);
    }
}

static int make_room(exchange *x, const uint64_t *key, gp_err *err) {
    int64_t size = gp_par_size(x->par);
    x->mine = sorted_items(key, x->count, err);
    x->cut = gp_mem_alloc(size + 1, sizeof *x->cut, err);
    x->begin = gp_mem_alloc(size + 1, sizeof *x->begin, err);
    x->scratch = gp_mem_alloc((4 + ASKED) * size, sizeof *x->scratch, err);
    x->sent = gp_mem_alloc(x->count, sizeof *x->sent, err);
    return gp_par_agree(x->par, err);
}

/* Brings the shares to where they are sorted. What comes stands in the order of the ranks: a stable
 * sort keeps equal keys so. */
static int gather_share(exchange *x, gp_err *err) {
    tell_counts(x);
    int64_t n = x->begin[gp_par_size(x->par)];
    x->taken = gp_mem_alloc(n, sizeof *x->taken, err);
    if (gp_par_agree(x->par, err) != GP_OK)
        return err->code;
    for (int64_t i = 0; i < x->count; i++)
        x->sent[i] = x->mine[i].key;
    travel(x, 0);
    x->share = sorted_items(x->taken, n, err);
    for (int64_t i = 0; err->code == GP_OK && i < n; i++)
        x->taken[x->share[i].from] = (uint64_t)(x->first + i + 1);
    return gp_par_agree(x->par, err);
}

int gp_par_order(gp_par *par, const uint64_t *key, int64_t *order, int64_t count, gp_err *err) {
    exchange x = {.par = par, .count = count};
    if (make_room(&x, key, err) == GP_OK && cut_shares(&x, err) == GP_OK &&
        gather_share(&x, err) == GP_OK) {
        travel(&x, 1);
        for (int64_t i = 0; i < count; i++)
            order[x.mine[i].from] = (int64_t)x.sent[i];
    }
    exchange_free(&x);
    return err->code;
}
