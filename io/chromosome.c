#include "io/chromosome.h"

#include <string.h>
#include <strings.h>

static int is_digit(char c) {
    return c >= '0' && c <= '9';
}

static const char *without_chr(const char *name) {
    return strncasecmp(name, "chr", 3) == 0 ? name + 3 : name;
}

int64_t gp_chromosome_number(const char *name) {
    const char *s = without_chr(name);
    int64_t number = 0;
    if (*s == 0)
        return -1;
    for (; *s; s++) {
        if (!is_digit(*s))
            return -1;
        number = number * 10 + (*s - '0');
        if (number > 1000000000)
            return -1;
    }
    return number;
}

int gp_chromosome_name_fits(const char *name, int64_t n) {
    int dots = n > 0 && name[0] == '.' && (n == 1 || (n == 2 && name[1] == '.'));
    return n > 0 && !dots && memchr(name, '/', (size_t)n) == NULL;
}

gp_kind gp_chromosome_kind(const char *name, int64_t autosomes) {
    static const struct {
        const char *name;
        gp_kind kind;
    } known[] = {{"X", GP_X},     {"Y", GP_Y},  {"XY", GP_XY}, {"PAR1", GP_XY},
                 {"PAR2", GP_XY}, {"M", GP_MT}, {"MT", GP_MT}};
    static const gp_kind after[] = {GP_X, GP_Y, GP_XY, GP_MT};
    int64_t number = gp_chromosome_number(name);
    if (autosomes > 0 && number > autosomes && number <= autosomes + 4)
        return after[number - autosomes - 1];
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcasecmp(without_chr(name), known[i].name) == 0)
            return known[i].kind;
    return GP_AUTOSOME;
}

/* Runs of digits compare by value, everything else by byte. */
static int compare_natural(const char *a, const char *b) {
    while (*a && *b) {
        if (!is_digit(*a) || !is_digit(*b)) {
            if (*a != *b)
                return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
            a++;
            b++;
            continue;
        }
        a += strspn(a, "0");
        b += strspn(b, "0");
        size_t digits_a = strspn(a, "0123456789"), digits_b = strspn(b, "0123456789");
        int order = digits_a != digits_b ? (digits_a < digits_b ? -1 : 1) : strncmp(a, b, digits_a);
        if (order != 0)
            return order;
        a += digits_a;
        b += digits_b;
    }
    return (*a != 0) - (*b != 0);
}

/* Numbered autosomes, the known kinds, the rest. */
static int group_of(gp_kind kind, int64_t number) {
    return kind != GP_AUTOSOME ? (int)kind : number >= 0 ? 0 : GP_MT + 1;
}

int gp_chromosome_compare(const char *a, gp_kind kind_a, const char *b, gp_kind kind_b) {
    int64_t number_a = gp_chromosome_number(a), number_b = gp_chromosome_number(b);
    int group_a = group_of(kind_a, number_a), group_b = group_of(kind_b, number_b);
    if (group_a != group_b)
        return group_a < group_b ? -1 : 1;
    if (group_a == 0 && number_a != number_b)
        return number_a < number_b ? -1 : 1;
    int order = compare_natural(a, b);
    return order != 0 ? order : strcmp(a, b);
}
