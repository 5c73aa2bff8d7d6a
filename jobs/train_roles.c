/* Who trains which network, and who says when it was best. */
#include "jobs/train.h"
#include "src/base/mem.h"
#include "src/base/rng.h"
#include "src/base/split.h"

#include <math.h>
#include <stdlib.h>

enum { VALIDATION = 73 /* purpose of random numbers */ };

typedef struct drawn {
    uint64_t number;
    int64_t at;
} drawn;

static int by_number(const void *a, const void *b) {
    const drawn *x = a, *y = b;
    return x->number != y->number ? (x->number > y->number) - (x->number < y->number)
                                  : (x->at > y->at) - (x->at < y->at);
}

/* What a sample was to the model of the earlier run whose networks this one goes on from. */
static int earlier(const gp_train_run *run, int64_t model, int64_t i) {
    return run->earlier == NULL || run->cold[model] ? GP_EARLIER_NONE
                                                    : run->earlier[model * run->n + i];
}

/* The validation samples of one network. Those of an earlier run remain so. */
static int draw_some(const gp_train_run *run, int64_t model, uint8_t *role, gp_err *err) {
    drawn *draw = gp_mem_alloc(run->n, sizeof *draw, err);
    int64_t n = 0, all = 0, before = 0;
    for (int64_t i = 0; draw != NULL && i < run->n; i++) {
        if (role[i] == GP_ROLE_NONE)
            continue;
        int was = earlier(run, model, i);
        all++;
        if (was > GP_EARLIER_TRAINED && run->o->validation > 0.0) {
            role[i] = GP_ROLE_VALIDATE;
            before++;
        }
        if (was >= GP_EARLIER_TRAINED)
            continue;
        gp_rng rng = gp_rng_stream((uint64_t)run->o->seed, VALIDATION, (uint32_t)run->sample[i],
                                   (uint32_t)model, 0);
        uint64_t high = gp_rng_next(&rng);
        draw[n++] = (drawn){high << 32 | gp_rng_next(&rng), i};
    }
    if (draw != NULL)
        qsort(draw, (size_t)n, sizeof *draw, by_number);
    int64_t some = (int64_t)floor(run->o->validation * (double)all + 0.5);
    if (run->o->validation > 0.0)
        some = gp_least(gp_most(some, 1), all - 1);
    some = gp_least(some - before, n);
    for (int64_t k = 0; draw != NULL && k < some; k++)
        role[draw[k].at] = GP_ROLE_VALIDATE;
    free(draw);
    return err->code;
}

int gp_train_roles(const gp_train_run *run, int64_t model, int64_t network, uint8_t *role,
                   gp_err *err) {
    int64_t fold = gp_train_fold(run, model), networks = run->o->networks, n = 0;
    for (int64_t i = 0; i < run->n; i++) {
        int out = fold >= 0 && run->folds.of[run->sample[i]] == fold;
        role[i] = out ? GP_ROLE_NONE : GP_ROLE_TRAIN;
        if (out || networks == 1)
            continue;
        int was = earlier(run, model, i);
        int64_t measures = was > GP_EARLIER_TRAINED ? was - 1 : n % networks;
        n++;
        if (measures == network)
            role[i] = GP_ROLE_VALIDATE;
    }
    return networks > 1 ? GP_OK : draw_some(run, model, role, err);
}

int64_t gp_train_count(const gp_train_run *run, const uint8_t *role, int which) {
    int64_t count = 0;
    for (int64_t i = 0; i < run->n; i++)
        count += role[i] == which;
    return count;
}
