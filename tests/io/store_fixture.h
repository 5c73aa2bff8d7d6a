/** A genotype store with known content, for the tests of io/store.h. Same content every time. */
#ifndef GP_TESTS_IO_STORE_FIXTURE_H
#define GP_TESTS_IO_STORE_FIXTURE_H

#include "io/store.h"

typedef struct fixture_chromosome {
    const char *name;
    gp_kind kind;
    int64_t count;
    int with_morgan;
} fixture_chromosome;

typedef struct fixture {
    int64_t samples;
    const fixture_chromosome *chromosome; /* ended by a NULL name */
    int64_t run;                          /* variants per append */
    int compress;
    int dirty; /* fill the rows' padding with rubbish */
    const char *provenance;
} fixture;

/** The call of sample i at variant j of chromosome k. */
int fixture_call(int64_t k, int64_t j, int64_t i);
int64_t fixture_position(int64_t k, int64_t j);
double fixture_morgan(int64_t k, int64_t j);
/** "rs<k>_<j>", with a tail of varying length. */
void fixture_id(int64_t k, int64_t j, char id[64]);
const char *fixture_ref(int64_t j);
const char *fixture_alt(int64_t j);

int fixture_samples(const fixture *f, gp_samples *s, gp_err *err);

/** Writes the store. */
int fixture_write(const fixture *f, const char *path, gp_err *err);

/** 0 when all that can be read from an open store is as it was written, else what is not. */
const char *fixture_compare(const fixture *f, gp_store *store, gp_err *err);

/** Makes a private folder; to is its name. */
void fixture_folder(char to[64]);
/** Files in a folder; removes them when asked to, and then the folder. */
int fixture_count_files(const char *folder, int remove);

#endif
