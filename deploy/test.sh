#!/usr/bin/env bash
# Runs every check of the project on a machine that is set up; each runs even when an earlier one failed, and the last lines say
# what passed. TEST_FLAGS are handed to go test.
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"
exports=$("$top/deploy/env.sh" test)
eval "$exports"
cd "$top"

summary=()
failed=0

# check NAME COMMAND…: one line of the summary, in go test's form.
check() {
  local name=$1 begin=$SECONDS verdict=ok
  shift
  step "$name"
  "$@" || { verdict=FAIL; failed=1; }
  summary+=("$(printf '%-4s\t%s\t%d.0s' "$verdict" "$name" $((SECONDS - begin)))")
}

formatted() {
  local files
  files=$(git -c safe.directory='*' ls-files -z '*.go' | xargs -0 -r gofmt -l)
  [ -z "$files" ] || { printf 'not formatted, run gofmt -w:\n%s\n' "$files"; return 1; }
}

contracts() { (cd contracts && "$top/bin/forge" test); }

# -count=1: the tests run bin/ programs, which Go's test cache does not see change.
go_tests() {
  # shellcheck disable=SC2086 # several flags in one variable
  go test -race -count=1 -timeout 30m ${TEST_FLAGS:-} ./...
}

check 'gofmt' formatted
check 'go vet' go vet ./...
check 'contracts (forge test)' contracts
check 'go test -race ./...' go_tests

printf '\n'
printf '%s\n' "${summary[@]}"
[ "$failed" = 0 ] && echo PASS || echo FAIL
exit "$failed"
