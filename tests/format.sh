#!/usr/bin/env bash
# Checks that every C file is formatted as .clang-format says. Versions of clang-format differ in what they do, so
# version 14 is pinned; without it the check is skipped. Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1

for tool in clang-format-14 clang-format; do
    "$tool" --version 2>/dev/null | grep -q 'version 14\.' && break
    tool=
done
if [ -z "$tool" ]; then
    echo "format: skipped: no clang-format 14 here"
    exit 0
fi

passed=0
failed=0
while IFS= read -r file; do
    if "$tool" --dry-run -Werror "$file" 2>/dev/null; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$file: not formatted; mend it with: $tool -i $file"
    fi
done < <(find src io mpi jobs tests benchmarks -name '*.[ch]' | sort)
echo "format: $passed passed, $failed failed"
[ "$failed" = 0 ]
