#!/usr/bin/env bash
# Node 18 or newer with npm: the machine's own, else the distribution's packages.
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

new_enough() { have node && have npm && [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 18 ]; }

if ! new_enough; then
  install nodejs npm
  new_enough || die "this machine's Node is older than 18 ($(node --version 2>&1))" \
    "Remove it, or put a newer one first in PATH, and start again."
fi
