#include "jobs/suggest.h"

#include <string.h>

enum { LONGEST = 40 /* letters compared; no name here is longer */ };

static int smaller(int a, int b) {
    return a < b ? a : b;
}

/* Optimal string alignment (Damerau-Levenshtein where no letter is edited twice). */
static int edit_distance(const char *a, int n, const char *b, int m) {
    int row[3][LONGEST + 1] = {{0}};
    for (int j = 0; j <= m; j++)
        row[0][j] = j;
    for (int i = 1; i <= n; i++) {
        int *now = row[i % 3], *above = row[(i + 2) % 3], *over = row[(i + 1) % 3];
        now[0] = i;
        for (int j = 1; j <= m; j++) {
            now[j] = smaller(above[j], now[j - 1]) + 1;
            now[j] = smaller(now[j], above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = smaller(now[j], over[j - 2] + 1);
        }
    }
    return row[n % 3][m];
}

void gp_suggest(gp_suggestion *s, const char *name) {
    int64_t m = (int64_t)strlen(name);
    if (s->length > LONGEST || m > LONGEST || s->length == 0)
        return;
    int longer = (int)(s->length > m ? s->length : m);
    int distance = edit_distance(s->typed, (int)s->length, name, (int)m);
    int begins = s->length >= 2 && s->length < m && strncmp(s->typed, name, (size_t)s->length) == 0;
    if (begins)
        distance = smaller(distance, 1);
    if (3 * distance > longer && !begins)
        return;
    if (s->name == NULL || distance < s->distance) {
        s->name = name;
        s->distance = distance;
    }
}
