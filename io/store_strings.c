#include "io/store_inside.h"

#include <string.h>

static int bad_strings(const gp_strings *r, gp_err *err) {
    return gp_h5_damaged(err, r->ends->path, r->ends->set, NULL,
                         "strings do not end where they should");
}

int gp_strings_read_ends(const gp_strings *r, gp_err *err) {
    int before = r->first > 0;
    gp_h5_part part = {r->first - before, r->count + before, 0, 1};
    r->end[0] = 0;
    if (gp_h5_column_read(r->ends, &part, r->end + 1 - before, err) != GP_OK)
        return err->code;
    if (r->end[0] < 0)
        return bad_strings(r, err);
    for (int64_t i = 0; i < r->count; i++)
        if (r->end[i + 1] <= r->end[i] || r->end[i + 1] > r->text->rows)
            return bad_strings(r, err);
    if (r->first + r->count == r->ends->rows && r->end[r->count] != r->text->rows)
        return bad_strings(r, err);
    return GP_OK;
}

int64_t gp_strings_bytes(const gp_strings *r) {
    return r->end[r->count] - r->end[0];
}

int gp_strings_read(const gp_strings *r, char *to, gp_err *err) {
    gp_h5_part part = {r->end[0], gp_strings_bytes(r), 0, 1};
    if (gp_h5_column_read(r->text, &part, to, err) != GP_OK)
        return err->code;
    for (int64_t i = 0; i < r->count; i++) {
        const char *string = to + (r->end[i] - r->end[0]);
        int64_t bytes = r->end[i + 1] - r->end[i];
        if (memchr(string, 0, (size_t)bytes) != string + bytes - 1)
            return bad_strings(r, err);
    }
    return GP_OK;
}
