#include "mpi/pieces.h"

enum { PIECE = 1 << 16 };

void gp_par_send_text(const gp_par *par, int to, int tag, const gp_text *text) {
    int64_t at = 0;
    int n;
    do {
        const char *from = text->length > at ? text->bytes + at : "";
        n = text->length - at < PIECE ? (int)(text->length - at) : PIECE;
        double began = MPI_Wtime();
        gp_par_must(par, MPI_Send(from, n, MPI_BYTE, to, tag, par->world), "sending text");
        gp_par_exchanged(par, began, n);
        at += n;
    } while (n == PIECE);
}

void gp_par_receive_text(const gp_par *par, int from, int tag, gp_text *text, gp_err *err) {
    char piece[PIECE];
    int n;
    do {
        MPI_Status status;
        double began = MPI_Wtime();
        int rc = MPI_Recv(piece, PIECE, MPI_BYTE, from, tag, par->world, &status);
        gp_par_must(par, rc, "taking text in");
        gp_par_exchanged(par, began, 0);
        MPI_Get_count(&status, MPI_BYTE, &n);
        if (err->code == GP_OK)
            gp_text_add(text, piece, n, err);
    } while (n == PIECE);
}
