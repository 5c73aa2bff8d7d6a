#include "mpi/carry.h"
#include "mpi/par_private.h"

/* A message is a row of pieces, the first that is not full being the last. So a rank that is
 * refused memory can still take the message in, and its sender is never left waiting. */
enum { PIECE = 1 << 16, TAG = 1 };

static void send_text(const gp_par *par, int to, const gp_text *text) {
    int64_t at = 0;
    int n;
    do {
        const char *from = text->length > at ? text->bytes + at : "";
        n = text->length - at < PIECE ? (int)(text->length - at) : PIECE;
        gp_par_must(par, MPI_Send(from, n, MPI_BYTE, to, TAG, par->world), "carrying text");
        at += n;
    } while (n == PIECE);
}

/* Appends what a rank sends. Takes all of it in even after err is set. */
static void receive_text(const gp_par *par, int from, gp_text *text, gp_err *err) {
    char piece[PIECE];
    int n;
    do {
        MPI_Status status;
        int rc = MPI_Recv(piece, PIECE, MPI_BYTE, from, TAG, par->world, &status);
        gp_par_must(par, rc, "taking carried text");
        MPI_Get_count(&status, MPI_BYTE, &n);
        if (err->code == GP_OK)
            gp_text_add(text, piece, n, err);
    } while (n == PIECE);
}

/* Hands a text to the group before, which group 0 does not have. */
static void pass_on(const gp_par *par, const gp_text *text, gp_err *err) {
    if (par->group > 0)
        send_text(par, par->rank - par->shards, text);
    else if (text->length > 0)
        gp_err_set(err, GP_EFAIL,
                   "gather: %lld bytes belong to a unit that begins on no rank; report this fault",
                   (long long)text->length);
}

int gp_par_carry(gp_par *par, const gp_text *head, int open, gp_text *tail, gp_err *err) {
    if (par->shard != 0)
        return GP_OK;
    int last = par->group == par->groups - 1;
    int after = par->rank + par->shards;
    if (open) {
        pass_on(par, head, err);
        if (!last)
            receive_text(par, after, tail, err);
        return err->code;
    }
    gp_text both = {0};
    gp_text_add(&both, head->bytes, head->length, err);
    if (!last)
        receive_text(par, after, &both, err);
    pass_on(par, &both, err);
    gp_text_free(&both);
    return err->code;
}
