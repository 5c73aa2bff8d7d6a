/* Sums of doubles whose bytes depend on the ranks and their numbers alone, not on the library: each
 * rank adds a slice of everything, rank after rank, and hands it out. MPI promises neither order
 * nor equal bytes. */
#include "mpi/par_private.h"
#include "src/base/split.h"

#include <string.h>

/* Doubles that are under way at once: half a megabyte each way, and no allocation. */
enum { ROOM = 1 << 16 };

/* Doubles of a slice: never more than the rest needs, nor than there is room for. */
static int slice_of(const gp_par *par, int64_t rest, int ranks) {
    int64_t most = gp_least(par->limit, ROOM) / ranks;
    int64_t slice = gp_least(gp_units(rest, ranks), most);
    return slice < 1 ? 1 : (int)slice;
}

static void add_pieces(const gp_par *par, MPI_Comm comm, int ranks, double *x, int64_t count) {
    static double out[ROOM], in[ROOM]; /* one thread per rank calls this */
    int64_t piece;
    for (int64_t at = 0; at < count; at += piece) {
        int slice = slice_of(par, count - at, ranks);
        int64_t whole = (int64_t)slice * ranks;
        piece = gp_least(whole, count - at);
        memcpy(out, x + at, (size_t)piece * sizeof *out);
        memset(out + piece, 0, (size_t)(whole - piece) * sizeof *out);
        double from = MPI_Wtime();
        int rc = MPI_Alltoall(out, slice, MPI_DOUBLE, in, slice, MPI_DOUBLE, comm);
        gp_par_must(par, rc, "sharing out the ranks' numbers");
        gp_par_exchanged(par, from, whole * (int64_t)sizeof *x);
        for (int r = 1; r < ranks; r++)
            for (int i = 0; i < slice; i++)
                in[i] += in[(int64_t)r * slice + i];
        from = MPI_Wtime();
        rc = MPI_Allgather(in, slice, MPI_DOUBLE, out, slice, MPI_DOUBLE, comm);
        gp_par_must(par, rc, "joining the ranks' numbers");
        gp_par_exchanged(par, from, slice * (int64_t)sizeof *x);
        memcpy(x + at, out, (size_t)piece * sizeof *out);
    }
}

static int add(gp_par *par, MPI_Comm comm, int ranks, double *x, int64_t count, gp_err *err) {
    if (count < 0 || ranks > ROOM)
        return gp_err_set(err, GP_EFAIL, "sum: %lld numbers over %d ranks; report this fault",
                          (long long)count, ranks);
    if (ranks > 1)
        add_pieces(par, comm, ranks, x, count);
    return GP_OK;
}

int gp_par_add(gp_par *par, double *x, int64_t count, gp_err *err) {
    return add(par, par->world, par->size, x, count, err);
}

int gp_par_add_shards(gp_par *par, double *x, int64_t count, gp_err *err) {
    if (par->group < 0)
        return gp_err_set(err, GP_EFAIL, "sum: rank %d has no shard; report this fault", par->rank);
    return add(par, par->in_group, par->shards, x, count, err);
}

int gp_par_join_shards(gp_par *par, const void *mine, const int64_t *bytes, void *all,
                       gp_err *err) {
    if (par->group < 0)
        return gp_err_set(err, GP_EFAIL, "join: rank %d has no shard; report this fault",
                          par->rank);
    char *to = all;
    for (int s = 0; s < par->shards; to += bytes[s++]) {
        if (s == par->shard && bytes[s] > 0)
            memcpy(to, mine, (size_t)bytes[s]);
        for (int64_t at = 0; par->shards > 1 && at < bytes[s]; at += par->limit) {
            int n = (int)gp_least(par->limit, bytes[s] - at);
            double from = MPI_Wtime();
            int rc = MPI_Bcast(to + at, n, MPI_BYTE, s, par->in_group);
            gp_par_must(par, rc, "joining the shards' bytes");
            gp_par_exchanged(par, from, s == par->shard ? n : 0);
        }
    }
    return GP_OK;
}
