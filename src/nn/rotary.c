#include "src/nn/rotary.h"

#include <math.h>

void gp_nn_rotary_tables(const gp_nn_shape *shape, gp_real *cosine, gp_real *sine) {
    int64_t half = shape->rotary / 2, tokens = gp_nn_tokens(shape);
    for (int64_t i = 0; i < half; i++) {
        double speed = pow(10000.0, -2.0 * (double)i / (double)shape->rotary);
        for (int64_t t = 0; t < tokens; t++) {
            int64_t patch = t - shape->covariates;
            double angle = patch < 0 ? 0.0 : shape->position[patch] * speed;
            cosine[t * half + i] = (gp_real)cos(angle);
            sine[t * half + i] = (gp_real)sin(angle);
        }
    }
}

/* Turns a token's queries, or keys, of all heads; sign -1 turns back. */
static void turn(const gp_nn_rotary *rotary, int64_t token, gp_real sign, gp_real *x) {
    int64_t half = rotary->rotary / 2, size = rotary->channels / rotary->heads;
    const gp_real *cosine = rotary->cosine + token * half, *sine = rotary->sine + token * half;
    for (int64_t h = 0; h < rotary->heads; h++) {
        gp_real *first = x + h * size, *second = first + half;
        for (int64_t i = 0; i < half; i++) {
            gp_real a = first[i], b = second[i], s = sign * sine[i];
            first[i] = a * cosine[i] - b * s;
            second[i] = b * cosine[i] + a * s;
        }
    }
}

static void turn_all(const gp_nn_rotary *rotary, gp_real sign, gp_real *qkv) {
    int64_t channels = rotary->channels;
    for (int64_t s = 0; s < rotary->samples; s++)
        for (int64_t t = 0; t < rotary->tokens; t++) {
            gp_real *row = qkv + (s * rotary->tokens + t) * 3 * channels;
            turn(rotary, t, sign, row);
            turn(rotary, t, sign, row + channels);
        }
}

void gp_nn_rotary_forward(const gp_nn_rotary *rotary, gp_real *qkv) {
    turn_all(rotary, 1, qkv);
}

void gp_nn_rotary_backward(const gp_nn_rotary *rotary, gp_real *dqkv) {
    turn_all(rotary, -1, dqkv);
}
