/* The portable loops, and which ones run. */
#define WIDE
#define LOOPS gp_nn_loops_portable
#define NAME "portable"
#define RUNS_HERE runs_here

static int runs_here(void) {
    return 1;
}

#include "src/nn/loops_body.h"

#include "src/geno/cpu.h"

static const gp_nn_loops *const list[] = {
#if defined(__x86_64__)
    &gp_nn_loops_avx512,
    &gp_nn_loops_avx2,
#endif
    &gp_nn_loops_portable,
};
enum { LISTED = sizeof list / sizeof *list };

const gp_nn_loops *gp_nn_loops_at(int k) {
    return k < LISTED ? list[k] : NULL;
}

/* The kernel of tiles has the vectors of avx512 too. */
static const gp_nn_loops *choose(void) {
    const char *kernel = gp_cpu_kernel();
    if (strcmp(kernel, "amx") == 0)
        kernel = "avx512";
    for (int k = 0; k < LISTED; k++)
        if (strcmp(list[k]->name, kernel) == 0 && list[k]->runs_here())
            return list[k];
    return &gp_nn_loops_portable;
}

const gp_nn_loops *gp_nn_loops_chosen(void) {
    static const gp_nn_loops *chosen;
    const gp_nn_loops *loops = __atomic_load_n(&chosen, __ATOMIC_ACQUIRE);
    if (loops == NULL) {
        loops = choose(); /* the same for every thread that comes here at once */
        __atomic_store_n(&chosen, loops, __ATOMIC_RELEASE);
    }
    return loops;
}
