#include "mpi/carry.h"
#include "mpi/pieces.h"

enum { TAG = 1 };

/* Hands a text to the group before, which group 0 does not have. */
static void pass_on(const gp_par *par, const gp_text *text, gp_err *err) {
    if (par->group > 0)
        gp_par_send_text(par, par->rank - par->shards, TAG, text);
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
            gp_par_receive_text(par, after, TAG, tail, err);
        return err->code;
    }
    gp_text both = {0};
    gp_text_add(&both, head->bytes, head->length, err);
    if (!last)
        gp_par_receive_text(par, after, TAG, &both, err);
    pass_on(par, &both, err);
    gp_text_free(&both);
    return err->code;
}
