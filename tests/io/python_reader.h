/** Runs a program of tests/oracle/ on a file and takes what it prints. Include cmocka.h first. */
#ifndef GP_TESTS_IO_PYTHON_READER_H
#define GP_TESTS_IO_PYTHON_READER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** What `python3 $GP_SOURCE/tests/oracle/SCRIPT PATH` prints, up to n - 1 bytes; asserts that it
 * ends well. Skips the test where there is no python3. */
static inline void gp_test_python(const char *script, const char *path, char *to, size_t n) {
    char command[2048];
    const char *source = getenv("GP_SOURCE");
    if (source == NULL || system("python3 -c '' >/dev/null 2>&1") != 0)
        skip();
    snprintf(command, sizeof command, "python3 '%s/tests/oracle/%s' '%s' 2>&1", source, script,
             path);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    size_t got = fread(to, 1, n - 1, out);
    to[got] = 0;
    if (pclose(out) != 0)
        fail_msg("%s: %s", script, to);
}

#endif
