/** The pipeline's options are those of its steps, so its table is made when the program starts. */
#ifndef GP_JOBS_RUN_COMMAND_H
#define GP_JOBS_RUN_COMMAND_H

#include "jobs/options.h"

/** Makes the table; nothing where it is made. Local; to be called before commands are looked at. */
void gp_run_options_make(void);

typedef union gp_run_value {
    const char *text;
    double real;
    int64_t whole;
    int flag;
} gp_run_value;

extern gp_option gp_run_option_table[]; /* ended by a zeroed one */
extern gp_run_value gp_run_values[];    /* an option's stands where its offset says */

#endif
