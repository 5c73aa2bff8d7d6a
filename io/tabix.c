/* The index of a finished table. */
#include "io/sumstats.h"

#include <htslib/bgzf.h>
#include <htslib/hts.h>
#include <htslib/hts_log.h>
#include <htslib/tbx.h>
#include <unistd.h>

static int check_whole(BGZF *file, const char *table, gp_err *err) {
    if (bgzf_compression(file) != bgzf)
        return gp_err_set(err, GP_EFAIL, "%s: no BGZF file; give the same command again", table);
    if (bgzf_check_EOF(file) != 1)
        return gp_err_set(err, GP_EFAIL,
                          "%s: cut short, its end-of-file marker is missing; give the same command "
                          "again",
                          table);
    return GP_OK;
}

static int64_t count_records(const hts_idx_t *index) {
    int64_t count = 0;
    for (int k = 0; k < hts_idx_nseq(index); k++) {
        uint64_t mapped = 0, unmapped = 0;
        if (hts_idx_get_stat(index, k, &mapped, &unmapped) == 0)
            count += (int64_t)(mapped + unmapped);
    }
    return count;
}

int gp_sumstats_index(const char *table, const char *index_path, int csi, int64_t *lines,
                      gp_err *err) {
    enum { CSI_SHIFT = 14 };
    const tbx_conf_t columns = {
        .preset = TBX_GENERIC, .sc = 1, .bc = 2, .ec = 2, .meta_char = '#', .line_skip = 1};
    /* htslib writes to standard error by itself; what failed is told through err. */
    enum htsLogLevel level = hts_get_log_level();
    hts_set_log_level(HTS_LOG_OFF);
    tbx_t *index = NULL;
    *lines = 0;
    BGZF *file = bgzf_open(table, "r");
    if (file == NULL) {
        gp_err_set(err, GP_EFAIL, "%s: cannot be opened for its index", table);
        goto done;
    }
    if (check_whole(file, table, err) != GP_OK)
        goto done;
    index = tbx_index(file, csi ? CSI_SHIFT : 0, &columns);
    if (index == NULL) {
        gp_err_set(err, GP_EFAIL,
                   "%s: no index can be made: it is damaged, not sorted, or holds a position that "
                   "%s cannot",
                   table, csi ? "csi" : "tbi");
        goto done;
    }
    *lines = count_records(index->idx);
    if (hts_idx_save_as(index->idx, table, index_path, csi ? HTS_FMT_CSI : HTS_FMT_TBI) != 0) {
        gp_err_set(err, GP_EFAIL, "%s: cannot be written; is the disk full?", index_path);
        unlink(index_path);
    }
done:
    if (index != NULL)
        tbx_destroy(index);
    if (file != NULL)
        bgzf_close(file);
    hts_set_log_level(level);
    return err->code;
}
