/** The texts of --help and the man page, both made from the tables of commands and options. Local.
 *
 *  All append to a text; GP_EFAIL when memory is refused.
 */
#ifndef GP_JOBS_HELP_H
#define GP_JOBS_HELP_H

#include "jobs/command.h"
#include "src/base/err.h"
#include "src/base/text.h"

/** What `gp-dist` alone prints: how to call it, and the commands. */
int gp_help_usage(gp_text *to, gp_err *err);

/** gp-dist --help */
int gp_help_program(gp_text *to, gp_err *err);

/** gp-dist COMMAND --help */
int gp_help_command(const gp_command *command, gp_text *to, gp_err *err);

/** gp-dist.1 (man macros): everything --help says of the program and of each command. */
int gp_help_man(gp_text *to, gp_err *err);

#endif
