/** Rows that the option tables of several commands share. Each is a macro for a table of the struct
 *  `fields`, whose members have the names used here (a gp_cohort_options cohort, and so on). */
#ifndef GP_JOBS_OPTION_ROWS_H
#define GP_JOBS_OPTION_ROWS_H

#include "jobs/cohort.h"
#include "jobs/options.h"
#include "jobs/selection.h"

#define GP_ROW_STORE(fields)                                                                       \
    {                                                                                              \
        "store", GP_TEXT, offsetof(fields, store), "STORE.h5",                                     \
            "the genotype store (made by gp-dist import)", 0, 0, NULL                              \
    }

/** Tables of traits and covariates; to: "test", "predict". */
#define GP_ROWS_TABLES(fields, to)                                                                 \
    {"pheno",                                                                                      \
     GP_TEXT,                                                                                      \
     offsetof(fields, cohort.pheno),                                                               \
     "FILE",                                                                                       \
     "table of traits, with a header that starts FID IID or IID",                                  \
     0,                                                                                            \
     0,                                                                                            \
     NULL},                                                                                        \
        {"pheno-name",                                                                             \
         GP_TEXT,                                                                                  \
         offsetof(fields, cohort.pheno_name),                                                      \
         "A,B",                                                                                    \
         "traits to " to " (default: every column)",                                               \
         0,                                                                                        \
         0,                                                                                        \
         NULL},                                                                                    \
        {"covar",                                                                                  \
         GP_TEXT,                                                                                  \
         offsetof(fields, cohort.covar),                                                           \
         "FILE,...",                                                                               \
         "tables of covariates, joined by id; the intercept is always in the model",               \
         0,                                                                                        \
         0,                                                                                        \
         NULL},                                                                                    \
        {"covar-name",                                                                             \
         GP_TEXT,                                                                                  \
         offsetof(fields, cohort.covar_name),                                                      \
         "A,B",                                                                                    \
         "numeric covariates to use (default: every column not named by --cat-covar-name)",        \
         0,                                                                                        \
         0,                                                                                        \
         NULL},                                                                                    \
        {"cat-covar-name",                                                                         \
         GP_TEXT,                                                                                  \
         offsetof(fields, cohort.cat_covar_name),                                                  \
         "A,B",                                                                                    \
         "categorical covariates to use",                                                          \
         0,                                                                                        \
         0,                                                                                        \
         NULL},                                                                                    \
        {"missing-code",                                                                           \
         GP_TEXT,                                                                                  \
         offsetof(fields, cohort.missing_code),                                                    \
         "X,Y",                                                                                    \
         "further values that mean missing, beside NA, nan and an empty field",                    \
         0,                                                                                        \
         0,                                                                                        \
         NULL},                                                                                    \
    {                                                                                              \
        "cc12", GP_FLAG, offsetof(fields, cohort.cc12), NULL,                                      \
            "binary traits are coded 1 = control, 2 = case", 0, 0, NULL                            \
    }

/** Filters of samples and variants, with their heading; chr and hwe: what these two do here. */
#define GP_ROWS_FILTERS(fields, chr_help, hwe_help)                                                \
    {.name = "Samples and variants", .type = GP_HEADING},                                          \
        {"keep",                                                                                   \
         GP_TEXT,                                                                                  \
         offsetof(fields, cohort.keep),                                                            \
         "FILE",                                                                                   \
         "use only the samples listed (FID IID lines)",                                            \
         0,                                                                                        \
         0,                                                                                        \
         NULL},                                                                                    \
        {"remove",                                                                                 \
         GP_TEXT,                                                                                  \
         offsetof(fields, cohort.remove),                                                          \
         "FILE",                                                                                   \
         "leave out the samples listed",                                                           \
         0,                                                                                        \
         0,                                                                                        \
         NULL},                                                                                    \
        {"mind",                                                                                   \
         GP_REAL,                                                                                  \
         offsetof(fields, mind),                                                                   \
         "F",                                                                                      \
         "leave out samples with a larger share of missing calls",                                 \
         0,                                                                                        \
         1,                                                                                        \
         NULL},                                                                                    \
        {"chr", GP_TEXT, offsetof(fields, selection.chr), "LIST", chr_help, 0, 0, NULL},           \
        {"extract",                                                                                \
         GP_TEXT,                                                                                  \
         offsetof(fields, selection.extract),                                                      \
         "FILE",                                                                                   \
         "use only the variant ids listed",                                                        \
         0,                                                                                        \
         0,                                                                                        \
         NULL},                                                                                    \
        {"exclude",                                                                                \
         GP_TEXT,                                                                                  \
         offsetof(fields, selection.exclude),                                                      \
         "FILE",                                                                                   \
         "leave out the variant ids listed",                                                       \
         0,                                                                                        \
         0,                                                                                        \
         NULL},                                                                                    \
        {"maf",                                                                                    \
         GP_REAL,                                                                                  \
         offsetof(fields, selection.filter.maf),                                                   \
         "F",                                                                                      \
         "leave out variants of smaller minor allele frequency among the samples kept",            \
         0,                                                                                        \
         0.5,                                                                                      \
         NULL},                                                                                    \
        {"mac",                                                                                    \
         GP_REAL,                                                                                  \
         offsetof(fields, selection.filter.mac),                                                   \
         "N",                                                                                      \
         "leave out variants of smaller minor allele count",                                       \
         0,                                                                                        \
         1e15,                                                                                     \
         NULL},                                                                                    \
        {"geno",                                                                                   \
         GP_REAL,                                                                                  \
         offsetof(fields, selection.filter.geno),                                                  \
         "F",                                                                                      \
         "leave out variants with a larger share of missing calls",                                \
         0,                                                                                        \
         1,                                                                                        \
         NULL},                                                                                    \
    {                                                                                              \
        "hwe", GP_REAL, offsetof(fields, selection.filter.hwe), "P", hwe_help, 0, 1, NULL          \
    }

/** The filters of commands that look at autosomes alone. */
#define GP_ROWS_AUTOSOMAL(fields)                                                                  \
    GP_ROWS_FILTERS(fields, "autosomes to use, e.g. 1-22 (default: all)",                          \
                    "leave out variants of smaller Hardy-Weinberg exact p")

#endif
