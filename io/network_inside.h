/** What the files about networks share: config.json from and to memory. Only for them, and tests.
 */
#ifndef GP_IO_NETWORK_INSIDE_H
#define GP_IO_NETWORK_INSIDE_H

#include "io/network.h"
#include "src/base/text.h"

/** Appends config.json. */
int gp_network_print_config(gp_text *to, const gp_io_network *network, gp_err *err);

/** Reads config.json's n bytes: sizes of the shape (not yet believed), losses, chromosomes,
 *  covariates, traits, the rest. What is [m] or [patches] is not there yet. GP_EINPUT "PATH: ...".
 *    network  inout  zeroed; freed by the caller in any case */
int gp_network_parse_config(gp_io_network *network, const char *path, const char *bytes, int64_t n,
                            gp_err *err);

/** Room for what is [m] or [patches]; for names, covariates, traits: by the shape's sizes. */
int gp_network_make_variants(gp_io_network *network, gp_err *err);
int gp_network_make_lists(gp_io_network *network, gp_err *err);

#endif
