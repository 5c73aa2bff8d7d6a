#include "mpi/par_private.h"
#include "src/base/split.h"

#include <string.h>

static int check_count(int64_t count, gp_err *err) {
    if (count >= 0)
        return GP_OK;
    return gp_err_set(err, GP_EFAIL, "sum: there are no arrays of %lld elements; report this fault",
                      (long long)count);
}

/* The elements from at that one MPI call can take. */
static int piece(const gp_par *par, int64_t count, int64_t at) {
    int64_t left = count - at;
    return (int)(left < par->limit ? left : par->limit);
}

int gp_par_share_text(gp_par *par, gp_text *text, gp_err *err) {
    int64_t length = text->length;
    double from = MPI_Wtime();
    gp_par_must(par, MPI_Bcast(&length, 1, MPI_INT64_T, 0, par->world), "sharing a length");
    gp_par_exchanged(par, from, par->rank == 0 ? sizeof length : 0);
    if (par->rank != 0) {
        text->length = 0;
        if (gp_text_room(text, length, err) != NULL)
            text->bytes[0] = 0;
    }
    if (gp_par_agree(par, err) != GP_OK)
        return err->code;
    for (int64_t at = 0; at < length; at += piece(par, length, at)) {
        int here = piece(par, length, at);
        from = MPI_Wtime();
        int rc = MPI_Bcast(text->bytes + at, here, MPI_BYTE, 0, par->world);
        gp_par_must(par, rc, "sharing rank 0's bytes");
        gp_par_exchanged(par, from, par->rank == 0 ? here : 0);
    }
    if (par->rank != 0) {
        text->length = length;
        text->bytes[length] = 0;
    }
    return GP_OK;
}

static void reduce(const gp_par *par, MPI_Comm comm, MPI_Op op, int64_t *x, int64_t count) {
    /* Unsigned addition wraps; signed overflow would be undefined inside the library. */
    MPI_Datatype type = op == MPI_SUM ? MPI_UINT64_T : MPI_INT64_T;
    for (int64_t at = 0; at < count; at += piece(par, count, at)) {
        int here = piece(par, count, at);
        double from = MPI_Wtime();
        int rc = MPI_Allreduce(MPI_IN_PLACE, x + at, here, type, op, comm);
        gp_par_must(par, rc, "joining the ranks' integers");
        gp_par_exchanged(par, from, here * (int64_t)sizeof *x);
    }
}

int gp_par_sum_shards(gp_par *par, int64_t *x, int64_t count, gp_err *err) {
    if (par->group < 0)
        return gp_err_set(err, GP_EFAIL, "sum: rank %d has no shard; report this fault", par->rank);
    if (check_count(count, err) != GP_OK)
        return err->code;
    if (par->shards > 1)
        reduce(par, par->in_group, MPI_SUM, x, count);
    return GP_OK;
}

int gp_par_sum(gp_par *par, int64_t *x, int64_t count, gp_err *err) {
    if (check_count(count, err) != GP_OK)
        return err->code;
    reduce(par, par->world, MPI_SUM, x, count);
    return GP_OK;
}

int gp_par_complete(gp_par *par, double *x, int64_t count, gp_err *err) {
    enum { ROOM = 1 << 20 }; /* what MPI copies at once */
    if (check_count(count, err) != GP_OK)
        return err->code;
    /* The bits are added as integers: all but one of a number's are 0. */
    for (int64_t at = 0; at < count; at += gp_least(ROOM, piece(par, count, at))) {
        int here = (int)gp_least(ROOM, piece(par, count, at));
        double from = MPI_Wtime();
        int rc = MPI_Allreduce(MPI_IN_PLACE, x + at, here, MPI_UINT64_T, MPI_SUM, par->world);
        gp_par_must(par, rc, "bringing the ranks' numbers together");
        gp_par_exchanged(par, from, here * (int64_t)sizeof *x);
    }
    return GP_OK;
}

int gp_par_max(gp_par *par, int64_t *x, int64_t count, gp_err *err) {
    if (check_count(count, err) != GP_OK)
        return err->code;
    reduce(par, par->world, MPI_MAX, x, count);
    return GP_OK;
}

int gp_par_sum_before(gp_par *par, const int64_t *x, int64_t *before, int64_t count, gp_err *err) {
    if (check_count(count, err) != GP_OK)
        return err->code;
    for (int64_t at = 0; at < count; at += piece(par, count, at)) {
        int here = piece(par, count, at);
        double from = MPI_Wtime();
        int rc = MPI_Exscan(x + at, before + at, here, MPI_UINT64_T, MPI_SUM, par->world);
        gp_par_must(par, rc, "summing over lower ranks");
        gp_par_exchanged(par, from, here * (int64_t)sizeof *x);
    }
    /* MPI leaves rank 0's result undefined. */
    if (par->rank == 0 && count > 0)
        memset(before, 0, (size_t)count * sizeof *before);
    return GP_OK;
}
