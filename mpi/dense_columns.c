#include "mpi/dense_private.h"
#include "src/base/mem.h"
#include "src/base/split.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = GP_GRID_BLOCK };

int64_t gp_dense_columns_count(int64_t n, int shards, int shard) {
    return gp_layout_share(n, shards, shard);
}

/* The way of one panel: from the grid to the shards of the first group, and on to the same shard of
 * the other groups. */
typedef struct hand {
    const gp_dense *vector;
    int everyone, shards; /* contexts of BLACS: all ranks in a row, the first group's shards */
    MPI_Comm same;        /* the ranks with this rank's shard; null without a group */
    double *panel;        /* [BLOCK x n] */
    double *column;       /* [n] */
    int64_t number[BLOCK];
} hand;

static void hand_free(hand *h) {
    free(h->panel);
    free(h->column);
    gp_par_blacs_close(h->everyone);
    gp_par_blacs_close(h->shards);
    if (h->same != MPI_COMM_NULL)
        MPI_Comm_free(&h->same);
}

/* Collective. */
static int hand_init(hand *h, const gp_dense *vector, gp_err *err) {
    gp_par *par = vector->par;
    int64_t n = vector->layout.n;
    *h = (hand){.vector = vector, .everyone = -1, .shards = -1, .same = MPI_COMM_NULL};
    if (par->group >= 0 && (h->panel = gp_mem_alloc(n * BLOCK, sizeof(double), err)) != NULL)
        h->column = gp_mem_alloc(n, sizeof(double), err);
    if (gp_par_agree(par, err) != GP_OK) {
        hand_free(h);
        return err->code;
    }
    h->everyone = gp_par_blacs_open(1, par->size);
    h->shards = gp_par_blacs_open(1, par->shards);
    int color = par->group < 0 ? MPI_UNDEFINED : par->shard;
    int rc = MPI_Comm_split(par->world, color, par->rank, &h->same);
    gp_par_must(par, rc, "joining the ranks of a shard");
    return GP_OK;
}

/* Collective: columns from `first` on, one block for each shard of the first group. */
static void spread(hand *h, int64_t first) {
    const gp_dense *v = h->vector;
    int n = (int)v->layout.n, wide = BLOCK * v->par->shards;
    int count = (int)gp_least(wide, n - first);
    gp_desc from = gp_dense_desc(v), to = {.type = 1,
                                           .context = h->shards,
                                           .m = n,
                                           .n = wide,
                                           .mb = n,
                                           .nb = BLOCK,
                                           .lead = n};
    Cpdgemr2d(n, count, v->value, 1, (int)first + 1, &from, h->panel, 1, 1, &to, h->everyone);
}

/* Rows of the panel turn from places to samples. */
static void sort_rows(hand *h, int64_t count) {
    const gp_layout *l = &h->vector->layout;
    for (int64_t c = 0; c < count; c++) {
        double *column = h->panel + c * l->n;
        memcpy(h->column, column, (size_t)l->n * sizeof *column);
        for (int64_t begin = 0; begin < l->n; begin += BLOCK) {
            int64_t rows = gp_least(BLOCK, l->n - begin); /* a block is a run of samples */
            memcpy(column + gp_layout_sample(l, begin), h->column + begin,
                   (size_t)rows * sizeof *column);
        }
    }
}

/* The panel of this rank's shard, to all ranks that have it. */
static void pass_on(hand *h, int64_t count) {
    const gp_par *par = h->vector->par;
    int64_t total = count * h->vector->layout.n;
    for (int64_t at = 0; at < total; at += par->limit) {
        int piece = (int)gp_least(par->limit, total - at);
        double from = MPI_Wtime();
        int rc = MPI_Bcast(h->panel + at, piece, MPI_DOUBLE, 0, h->same);
        gp_par_must(par, rc, "handing out columns");
        gp_par_exchanged(par, from, par->group == 0 ? piece * (int64_t)sizeof *h->panel : 0);
    }
}

int gp_dense_columns(const gp_dense *vector, gp_dense_take *take, void *context, gp_err *err) {
    const gp_par *par = vector->par;
    int64_t n = vector->layout.n, wide = (int64_t)BLOCK * par->shards;
    hand h;
    if (hand_init(&h, vector, err) != GP_OK)
        return err->code;
    for (int64_t first = 0; first < n; first += wide) {
        spread(&h, first);
        if (par->group < 0)
            continue;
        int64_t mine = first + (int64_t)par->shard * BLOCK;
        int64_t count = gp_least(BLOCK, n - mine);
        if (count < 1)
            continue;
        if (par->group == 0)
            sort_rows(&h, count);
        pass_on(&h, count);
        for (int64_t c = 0; c < count; c++)
            h.number[c] = mine + c;
        if (err->code == GP_OK && take(context, h.number, count, h.panel, err) < 0)
            gp_err_set(err, GP_EFAIL, "a panel of columns was refused; report this");
    }
    hand_free(&h);
    return gp_par_agree(vector->par, err);
}
