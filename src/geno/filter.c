#include "src/geno/filter.h"
#include "src/geno/hwe.h"

#include <math.h>
#include <stddef.h>

int gp_filter_judge(const gp_filter *filter, const gp_counts *all, const gp_counts *hwe) {
    int64_t called = all->call[0] + all->call[1] + all->call[2];
    int64_t alt = all->call[1] + 2 * all->call[2], ref = 2 * called - alt;
    double minor = (double)(alt < ref ? alt : ref);
    /* A comparison with NaN is false: no filter. Quotients are compared, as they round to the same
     * double as the threshold's decimal: 29 of 100 is not more than 0.29, but 29 > 0.29 * 100. */
    if (called == 0 ? filter->maf > 0.0 : minor / (2.0 * (double)called) < filter->maf)
        return GP_LOW_MAF;
    if (minor < filter->mac)
        return GP_LOW_MAC;
    if ((double)all->call[3] / (double)(called + all->call[3]) > filter->geno)
        return GP_MISSING_CALLS;
    if (hwe != NULL && !isnan(filter->hwe) &&
        gp_hwe_exact(hwe->call[0], hwe->call[1], hwe->call[2]) < filter->hwe)
        return GP_HWE;
    return GP_KEPT;
}
