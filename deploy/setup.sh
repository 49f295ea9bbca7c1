#!/usr/bin/env bash
# Installs what is missing on a bare Debian or Ubuntu machine; does nothing where all is there.
#   deploy/setup.sh build    what `make build` and `kinora up` need: a C compiler, Go, FFmpeg 7.1, Postgres
#   deploy/setup.sh test     that, and what `make test` needs: forge, anvil, solc, Node, Chromium
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

what=${1:-build}
case "$what" in
  build | test) ;;
  *) die "unknown set-up: $what" "Use: deploy/setup.sh [build|test]" ;;
esac

step "Set-up for $what (kept in $cache)"
install ca-certificates git make gcc libc6-dev pkg-config xz-utils
"$top/deploy/go.sh"
"$top/deploy/postgres.sh"
"$top/deploy/ffmpeg.sh"
if [ "$what" = test ]; then
  install iproute2 # networks that are taken away in tests
  "$top/deploy/foundry.sh"
  "$top/deploy/browser.sh"
fi
