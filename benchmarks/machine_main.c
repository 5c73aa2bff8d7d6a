/* Prints what this machine can do, and which kernels run on it. */
#include "benchmarks/bench.h"
#include "benchmarks/machine.h"
#include "src/geno/cpu.h"
#include "src/geno/kernel.h"

#include <math.h>
#include <stdio.h>

static void print_machine(const bench_options *o, const machine_memory *memory) {
    char name[128];
    machine_name(name, sizeof name);
    printf("%s, %d cores; %lld threads\nkernels:", name, machine_cores(), (long long)o->threads);
    for (int k = 0; gp_kernel_at(k) != NULL; k++)
        if (gp_kernel_at(k)->runs_here())
            printf(" %s", gp_kernel_at(k)->name);
    double best = machine_peak(o->seconds);
    printf("\nreads memory at %.2f GB/s\n", machine_read(memory) * 1e-9);
    if (!isnan(best))
        printf("kernel %s: at most %.3f TOPS\n", gp_cpu_kernel(), best * 1e-12);
}

int main(int argc, char **argv) {
    bench_options o = {.threads = 1, .rounds = 1, .seconds = 0.5, .buffer = 512};
    machine_memory memory = {0};
    gp_err err = {0};
    int status = 0;
    if (!bench_start(&o, argc, argv, &status))
        return status;
    if (machine_memory_init(&memory, o.buffer << 20, &err) == GP_OK)
        print_machine(&o, &memory);
    machine_memory_free(&memory);
    return bench_end(&err);
}
