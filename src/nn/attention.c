#include "src/nn/attention.h"
#include "src/nn/loops.h"

#include <math.h>

/* A head's queries (0), keys (1) or values (2) of one sample: [T x D]. */
static gp_nn_view part_of(const gp_nn_attention *a, const gp_real *qkv, int64_t sample,
                          int64_t head, int part) {
    int64_t size = a->channels / a->heads, pitch = 3 * a->channels;
    return gp_nn_part(qkv + sample * a->tokens * pitch + part * a->channels + head * size,
                      a->tokens, size, pitch);
}

static gp_nn_view mixed_of(const gp_nn_attention *a, const gp_real *mixed, int64_t sample,
                           int64_t head) {
    int64_t size = a->channels / a->heads;
    return gp_nn_part(mixed + sample * a->tokens * a->channels + head * size, a->tokens, size,
                      a->channels);
}

static gp_real scale_of(const gp_nn_attention *a) {
    return (gp_real)(1.0 / sqrt((double)(a->channels / a->heads)));
}

void gp_nn_attention_forward(const gp_nn_attention *a, const gp_real *qkv, gp_real *probability,
                             gp_real *mixed) {
    const gp_nn_loops *loops = gp_nn_loops_chosen();
    int64_t tokens = a->tokens;
    for (int64_t s = 0; s < a->samples; s++)
        for (int64_t h = 0; h < a->heads; h++) {
            gp_real *p = probability + (s * a->heads + h) * tokens * tokens;
            gp_nn_view square = gp_nn_matrix(p, tokens, tokens);
            gp_nn_multiply(a->engine, part_of(a, qkv, s, h, 0),
                           gp_nn_turn(part_of(a, qkv, s, h, 1)), scale_of(a), 0, square);
            loops->soften(tokens, a->causal, p);
            gp_nn_multiply(a->engine, square, part_of(a, qkv, s, h, 2), 1, 0,
                           mixed_of(a, mixed, s, h));
        }
}

void gp_nn_attention_backward(const gp_nn_attention *a, const gp_nn_attention_kept *kept,
                              const gp_real *dmixed, gp_real *scratch, gp_real *dqkv) {
    const gp_nn_loops *loops = gp_nn_loops_chosen();
    int64_t tokens = a->tokens;
    gp_nn_view ds = gp_nn_matrix(scratch, tokens, tokens);
    for (int64_t s = 0; s < a->samples; s++)
        for (int64_t h = 0; h < a->heads; h++) {
            const gp_real *p = kept->probability + (s * a->heads + h) * tokens * tokens;
            gp_nn_view dy = mixed_of(a, dmixed, s, h);
            gp_nn_multiply(a->engine, gp_nn_turned(p, tokens, tokens), dy, 1, 0,
                           part_of(a, dqkv, s, h, 2));
            gp_nn_multiply(a->engine, dy, gp_nn_turn(part_of(a, kept->qkv, s, h, 2)), 1, 0, ds);
            loops->harden(tokens, p, scratch);
            gp_nn_multiply(a->engine, ds, part_of(a, kept->qkv, s, h, 1), scale_of(a), 0,
                           part_of(a, dqkv, s, h, 0));
            gp_nn_multiply(a->engine, gp_nn_turn(ds), part_of(a, kept->qkv, s, h, 0), scale_of(a),
                           0, part_of(a, dqkv, s, h, 1));
        }
}
