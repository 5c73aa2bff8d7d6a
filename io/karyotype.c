#include "io/karyotype.h"
#include "io/chromosome.h"
#include "src/base/mem.h"

#include <stdlib.h>
#include <string.h>

static int compare_places(const void *a, const void *b) {
    const gp_chromosome *x = &((const gp_karyotype_place *)a)->chromosome;
    const gp_chromosome *y = &((const gp_karyotype_place *)b)->chromosome;
    return gp_chromosome_compare(x->name, x->kind, y->name, y->kind);
}

static int64_t highest_number(const gp_bim_map *map) {
    int64_t most = -1;
    for (int64_t k = 0; k < map->name.count; k++) {
        int64_t number = gp_chromosome_number(gp_ids_get(&map->name, k));
        most = number > most ? number : most;
    }
    return most;
}

/* Says what was made of the numbers above the autosomes'. */
static void explain(const gp_chromosome *chromosome, int64_t asked, int64_t taken,
                    const gp_sink *sink) {
    int64_t number = gp_chromosome_number(chromosome->name);
    if (asked == 0 && number >= 0 && chromosome->kind != GP_AUTOSOME)
        gp_say(sink, GP_NOTE,
               "chromosome %s is taken as %s; --autosome-num %lld (or more) if it is an autosome",
               chromosome->name, gp_kind_name(chromosome->kind), (long long)number);
    if (asked > 0 && number > taken + 4)
        gp_say(
            sink, GP_WARN,
            "chromosome %s is taken as an autosome, though --autosome-num %lld ends at %lld (MT)",
            chromosome->name, (long long)asked, (long long)taken + 4);
}

int gp_karyotype_make(gp_karyotype *karyotype, const gp_bim_map *map, int64_t autosomes,
                      const gp_sink *sink, gp_err *err) {
    int64_t human = highest_number(map) <= GP_HUMAN_AUTOSOMES + 4 ? GP_HUMAN_AUTOSOMES : 0;
    int64_t taken = autosomes > 0 ? autosomes : human;
    karyotype->place = gp_mem_alloc(map->name.count, sizeof *karyotype->place, err);
    if (karyotype->place == NULL)
        return err->code;
    for (int64_t k = 0; k < map->name.count; k++) {
        const char *name = gp_ids_get(&map->name, k);
        gp_karyotype_place *place = &karyotype->place[karyotype->count];
        int64_t count = map->span[k].lines - map->span[k].skipped;
        if (count == 0)
            continue;
        place->span = k;
        place->chromosome.name = gp_mem_string(name, (int64_t)strlen(name), err);
        if (place->chromosome.name == NULL)
            return err->code;
        place->chromosome.kind = gp_chromosome_kind(name, taken);
        place->chromosome.count = count;
        karyotype->variants += count;
        karyotype->count++;
    }
    qsort(karyotype->place, (size_t)karyotype->count, sizeof *karyotype->place, compare_places);
    for (int64_t k = 0; k < karyotype->count; k++)
        explain(&karyotype->place[k].chromosome, autosomes, taken, sink);
    return GP_OK;
}

int gp_karyotype_streams(const gp_bim_map *map, const gp_karyotype_place *place) {
    const gp_bim_span *span = &map->span[place->span];
    return span->in_one_piece && span->sorted;
}

void gp_karyotype_free(gp_karyotype *karyotype) {
    for (int64_t k = 0; k < karyotype->count; k++)
        free(karyotype->place[k].chromosome.name);
    free(karyotype->place);
    *karyotype = (gp_karyotype){0};
}
