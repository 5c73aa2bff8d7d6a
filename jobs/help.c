#include "jobs/help.h"
#include "jobs/page.h"

#include <stdio.h>
#include <string.h>

static const char about[] =
    "gp-dist finds which genetic variants are associated with which traits, over cohorts too large "
    "for one machine. It runs on one rank as it is, and on many under MPI; for the same input and "
    "options its result files are the same, byte for byte, for any number of ranks and threads.";

static const char *const calls[] = {"gp-dist COMMAND [options]",
                                    "mpirun -n RANKS gp-dist COMMAND [options]",
                                    "gp-dist COMMAND --help", NULL};

/* What --help and the man page say beyond the tables. */
static const struct section {
    const char *title, *text;
} sections[] = {
    {"Config file",
     "--config FILE reads lines of the form\n"
     "\n"
     "    option = value\n"
     "\n"
     "with the long options' names, without the dashes. A value may stand in double quotes; a flag "
     "is set by yes or no. '#' starts a comment. Only options of the command at hand may appear, "
     "each once, and the command line wins over them."},
    {"Status",
     "0\tdone\n"
     "1\tfailed while running; the message says what is kept\n"
     "64\twrong usage or bad input\n"
     "75\tstopped by a signal before the end, nothing half-written: submit the same command again\n"
     "\n"
     "An error is one line on standard error, whichever rank met it, and all ranks leave with the "
     "same status:\n"
     "\n"
     "    gp-dist: error: FILE:LINE: what was found; what to do\n"
     "\n"
     "No output file appears before it is whole."},
    {"Signals",
     "On SIGTERM, SIGUSR1 or SIGINT the program finishes the block in hand, takes away what "
     "is temporary, and leaves with status 75. Another one more than a second later ends it at "
     "once."},
    {"Environment", "OMP_NUM_THREADS\tthreads per rank, where --threads does not say\n"
                    "HDF5_USE_FILE_LOCKING\tFALSE unless it is set\n"
                    "GP_KERNEL\tamx, avx512, avx2 or portable: the instructions that the genotype "
                    "products use; unset, the fastest that runs here. Results do not depend on it"},
};
enum { SECTIONS = sizeof sections / sizeof *sections };

/* The pieces that plain text and man page share. */

static void print_option(gp_page *page, const gp_option *o) {
    const char *argument = o->type == GP_CHOICE ? o->choices : o->argument;
    const char *dashes = o->type == GP_OPERAND ? "" : "--";
    int takes_value = o->type != GP_FLAG && o->type != GP_OPERAND && argument != NULL;
    char term[256], text[1024], bounds[80];
    snprintf(term, sizeof term, "%s%s%s%s", dashes, o->name, takes_value ? " " : "",
             takes_value ? argument : "");
    gp_option_bounds(o, bounds, sizeof bounds);
    if (bounds[0] != 0)
        snprintf(text, sizeof text, "%s; %s", o->help, bounds);
    else
        snprintf(text, sizeof text, "%s", o->help);
    gp_page_entry(page, term, text);
}

static void print_options(gp_page *page, const gp_option *options, const char *title) {
    if (options->name != NULL && options->type != GP_HEADING)
        gp_page_group(page, title);
    for (const gp_option *o = options; o->name != NULL; o++) {
        if (o->type == GP_HEADING)
            gp_page_group(page, o->name);
        else
            print_option(page, o);
    }
}

static void print_call(gp_page *page, const gp_command *c) {
    char line[512];
    snprintf(line, sizeof line, "gp-dist %s %s", c->name, c->synopsis);
    gp_page_call(page, line);
}

static void print_commands(gp_page *page) {
    for (int i = 0; gp_commands[i] != NULL; i++)
        gp_page_entry(page, gp_commands[i]->name, gp_commands[i]->summary);
}

static void print_sections(gp_page *page) {
    for (int i = 0; i < SECTIONS; i++) {
        gp_page_section(page, sections[i].title);
        gp_page_text(page, sections[i].text);
    }
}

static void print_calls(gp_page *page) {
    for (int i = 0; calls[i] != NULL; i++)
        gp_page_call(page, calls[i]);
}

int gp_help_usage(gp_text *to, gp_err *err) {
    gp_page page = {.to = to, .err = err};
    gp_page_text(&page, "Usage:");
    print_calls(&page);
    gp_page_section(&page, "Commands");
    print_commands(&page);
    return err->code;
}

int gp_help_program(gp_text *to, gp_err *err) {
    gp_page page = {.to = to, .err = err};
    gp_page_text(&page, about);
    gp_page_section(&page, "Usage");
    print_calls(&page);
    gp_page_section(&page, "Commands");
    print_commands(&page);
    print_options(&page, gp_common_options, "Options of every command");
    print_sections(&page);
    return err->code;
}

int gp_help_command(const gp_command *c, gp_text *to, gp_err *err) {
    gp_page page = {.to = to, .err = err};
    char line[512];
    snprintf(line, sizeof line, "gp-dist %s - %s", c->name, c->summary);
    gp_page_text(&page, line);
    gp_page_section(&page, "Usage");
    print_call(&page, c);
    gp_text_add(to, "\n", 1, err);
    gp_page_text(&page, c->description);
    print_options(&page, c->options, "Options");
    print_options(&page, gp_common_options, "Options of every command");
    gp_text_print(to, err, "\nStatuses, signals, config files: gp-dist --help\n");
    return err->code;
}

int gp_help_man(gp_text *to, gp_err *err) {
    gp_page page = {.to = to, .err = err, .roff = 1};
    gp_text_print(to, err, ".TH GP\\-DIST 1 \"\" \"gp\\-dist %s\" \"User Commands\"\n", gp_version);
    gp_page_section(&page, "Name");
    gp_text_print(to, err, "gp\\-dist \\- distributed genome\\-wide association\n");
    gp_page_section(&page, "Synopsis");
    print_calls(&page);
    gp_page_section(&page, "Description");
    gp_page_text(&page, about);
    gp_page_section(&page, "Commands");
    for (int i = 0; gp_commands[i] != NULL; i++) {
        const gp_command *c = gp_commands[i];
        char title[256];
        snprintf(title, sizeof title, "%s - %s", c->name, c->summary);
        gp_page_subsection(&page, title);
        print_call(&page, c);
        gp_page_text(&page, c->description);
        print_options(&page, c->options, "Options");
    }
    gp_page_section(&page, "Options of every command");
    for (const gp_option *o = gp_common_options; o->name != NULL; o++)
        print_option(&page, o);
    print_sections(&page);
    return err->code;
}
