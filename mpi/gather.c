#include "mpi/gather.h"
#include "mpi/pieces.h"

enum { TAG = 2 };

/* On the rank that joins: the parts of all, its own without a message. */
static void join(const gp_par *par, const gp_text *mine, gp_text *whole, gp_err *err) {
    for (int from = 0; from < par->size; from++) {
        if (from != par->rank)
            gp_par_receive_text(par, from, TAG, whole, err);
        else if (err->code == GP_OK && mine->length > 0)
            gp_text_add(whole, mine->bytes, mine->length, err);
    }
}

int gp_par_gather(gp_par *par, const gp_text *mine, gp_text *whole, int64_t count, gp_err *err) {
    /* One text after the other on all ranks: whoever waits, waits for a rank that is at an earlier
     * text, so somebody always goes on. */
    for (int64_t k = 0; k < count; k++) {
        int to = (int)(k % par->size);
        if (to == par->rank)
            join(par, &mine[k], &whole[k], err);
        else
            gp_par_send_text(par, to, TAG, &mine[k]);
    }
    return err->code;
}
