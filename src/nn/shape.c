#include "src/nn/shape.h"

/* The most numbers of anything: their bytes, and sums of several such, stay below 2^63. */
#define MOST 0x1p55

static int check_patches(const gp_nn_shape *s, gp_err *err) {
    if (s->patches > 0 && s->first[0] != 0)
        return gp_err_set(err, GP_EINPUT, "--patch: the first patch does not begin at variant 0");
    for (int64_t k = 0; k < s->patches; k++)
        if (s->first[k + 1] <= s->first[k])
            return gp_err_set(err, GP_EINPUT, "--patch: patch %lld has no variant",
                              (long long)k + 1);
    if (s->variants != (s->patches > 0 ? s->first[s->patches] : 0))
        return gp_err_set(err, GP_EINPUT, "--patch: patches do not cover the %lld variants",
                          (long long)s->variants);
    return err->code;
}

static int check_channels(const gp_nn_shape *s, gp_err *err) {
    long long channels = s->channels, heads = s->heads, rotary = s->rotary;
    if (channels < 1 || heads < 1 || s->layers < 0 || s->layers > 65535)
        return gp_err_set(err, GP_EINPUT,
                          "--channels %lld, --heads %lld, --layers %lld: channels and heads must be"
                          " at least 1, layers 0 to 65535",
                          channels, heads, (long long)s->layers);
    if (channels % heads != 0)
        return gp_err_set(err, GP_EINPUT,
                          "--heads %lld does not divide --channels %lld; choose channels that are a"
                          " multiple of the heads",
                          heads, channels);
    if (rotary < 0 || rotary % 2 != 0 || rotary > channels / heads)
        return gp_err_set(err, GP_EINPUT,
                          "--rotary %lld: must be even and at most the %lld channels of a head",
                          rotary, channels / heads);
    return err->code;
}

/* In double: nothing here can overflow. */
static int check_products(const gp_nn_shape *s, gp_err *err) {
    double c = (double)s->channels, m = (double)s->variants, t = (double)gp_nn_tokens(s);
    double p = (double)s->traits, layers = (double)s->layers + 1;
    double parameters = layers * (12 * c + 8) * c + (2 * m + t + 2 * p + 8) * c + (p + 1) * m;
    double sample = layers * t * (12 * c + 4 * t * (double)s->heads) + m + p;
    if (parameters > MOST || sample > MOST)
        return gp_err_set(err, GP_EINPUT,
                          "--channels %lld, --layers %lld: with %lld tokens and %lld variants the"
                          " network is larger than any memory",
                          (long long)s->channels, (long long)s->layers, (long long)gp_nn_tokens(s),
                          (long long)s->variants);
    return err->code;
}

int gp_nn_shape_check(const gp_nn_shape *s, gp_err *err) {
    if (s->variants < 0 || s->patches < 0 || s->covariates < 0 || s->traits < 0)
        return gp_err_set(err, GP_EINPUT, "the network has a size below 0");
    if (s->variants > INT32_MAX || s->covariates > INT32_MAX || s->traits > INT32_MAX)
        return gp_err_set(err, GP_EINPUT,
                          "the network reads at most 2147483647 variants, covariates and traits");
    if (gp_nn_tokens(s) == 0)
        return gp_err_set(err, GP_EINPUT, "no variant and no covariate: the network reads nothing");
    if (s->traits == 0 && !s->decodes)
        return gp_err_set(err, GP_EINPUT, "no trait: the network has nothing to learn");
    if (check_patches(s, err) != GP_OK || check_channels(s, err) != GP_OK)
        return err->code;
    return check_products(s, err);
}
