#!/usr/bin/env bash
# Checks every shell script with shellcheck; skipped where that is not installed. Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1

if ! command -v shellcheck >/dev/null; then
    echo "shell: skipped: no shellcheck here"
    exit 0
fi

passed=0
failed=0
while IFS= read -r file; do
    # SC2154: end-to-end scripts have variables from tests/support/lib.sh, which it does not follow.
    if shellcheck --shell=bash --severity=warning --exclude=SC2154 "$file"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
done < <(find .ci jobs tests benchmarks \( -name '*.sh' -o -name '*.sbatch' -o -name '*.pbs' -o -path '.ci/run' \) | sort)
echo "shell: $passed passed, $failed failed"
[ "$failed" = 0 ]
