/** Texts from one rank to another, for the files of mpi/ only.
 *
 *  A message is a row of pieces, the first that is not full being the last. So a rank that is
 * refused memory can still take the message in, and its sender is never left waiting. */
#ifndef GP_MPI_PIECES_H
#define GP_MPI_PIECES_H

#include "mpi/par_private.h"

/** Sends a text. Local; pairs with gp_par_receive_text on rank `to`, with the same tag. */
void gp_par_send_text(const gp_par *par, int to, int tag, const gp_text *text);

/** Appends what rank `from` sends. All of it is taken in even after err is set. */
void gp_par_receive_text(const gp_par *par, int from, int tag, gp_text *text, gp_err *err);

#endif
