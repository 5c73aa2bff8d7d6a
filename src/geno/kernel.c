#include "src/geno/kernel.h"
#include "src/geno/cpu.h"

#include <stdlib.h>
#include <string.h>

static const gp_kernel *const kernels[] = {
#if defined(__x86_64__)
    &gp_kernel_amx,
    &gp_kernel_avx512,
    &gp_kernel_avx2,
#endif
    &gp_kernel_portable,
};
enum { KERNELS = sizeof kernels / sizeof *kernels };

const gp_kernel *gp_kernel_at(int k) {
    return k < KERNELS ? kernels[k] : NULL;
}

/* What GP_KERNEL asks for, or NULL. */
static const char *wanted(void) {
    const char *name = getenv("GP_KERNEL");
    return name != NULL && name[0] != 0 ? name : NULL;
}

static const gp_kernel *named(const char *name) {
    for (int k = 0; name != NULL && k < KERNELS; k++)
        if (strcmp(name, kernels[k]->name) == 0)
            return kernels[k];
    return NULL;
}

static const gp_kernel *choose(void) {
    const gp_kernel *kernel = named(wanted());
    if (kernel != NULL && kernel->runs_here())
        return kernel;
    int k = 0;
    while (!kernels[k]->runs_here()) /* the portable one does */
        k++;
    return kernels[k];
}

const gp_kernel *gp_kernel_chosen(void) {
    static const gp_kernel *chosen;
    const gp_kernel *kernel = __atomic_load_n(&chosen, __ATOMIC_ACQUIRE);
    if (kernel == NULL) {
        kernel = choose(); /* the same for every thread that comes here at once */
        __atomic_store_n(&chosen, kernel, __ATOMIC_RELEASE);
    }
    return kernel;
}

const char *gp_cpu_kernel(void) {
    return gp_kernel_chosen()->name;
}

int gp_cpu_check(gp_err *err) {
    const char *name = wanted();
    const gp_kernel *kernel = named(name);
    if (name == NULL || (kernel != NULL && kernel->runs_here()))
        return GP_OK;
    if (kernel == NULL)
        return gp_err_set(err, GP_EINPUT,
                          "environment: GP_KERNEL=%s is no kernel; the kernels are amx, avx512, "
                          "avx2 and portable",
                          name);
    return gp_err_set(err, GP_EINPUT,
                      "environment: GP_KERNEL=%s does not run on this machine; leave GP_KERNEL "
                      "unset to use the fastest that does",
                      name);
}
