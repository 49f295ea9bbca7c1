#!/usr/bin/env bash
# A headless Chromium and playwright-core, for the tests that play a stream in a real browser.
#   deploy/browser.sh        installs what is missing
#   deploy/browser.sh env    prints the `export` lines: KINORA_CHROMIUM (program), NODE_PATH (where require("playwright-core") finds it)
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

modules="$top/deploy/browser/node_modules"
stamp="$modules/.kinora-lock" # the lock file these modules were installed from
# Ubuntu's chromium package is a snap that does not run in a container, so there playwright-core brings one.
own="$cache/browsers"

find_chromium() {
  local c
  for c in chromium-headless-shell chromium google-chrome chromium-browser; do
    c=$(command -v "$c") && "$c" --version >/dev/null 2>&1 && echo "$c" && return
  done
  find "$own" -type f \( -name headless_shell -o -name chrome-headless-shell \) -perm -u+x 2>/dev/null | sort | tail -n 1 | grep .
}

print_env() {
  local chromium
  chromium=$(find_chromium) && [ -d "$modules/playwright-core" ] ||
    die "the test browser is not set up yet" "Run: make test   (or deploy/browser.sh alone)"
  echo "export KINORA_CHROMIUM='$chromium'"
  echo "export NODE_PATH='$modules'"
}

if [ "${1:-}" = env ]; then
  print_env
  exit
fi

hold browser
"$top/deploy/node.sh"
if ! cmp -s "$top/deploy/browser/package-lock.json" "$stamp"; then
  step "Installing playwright-core"
  (cd "$top/deploy/browser" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2) ||
    die "npm could not install playwright-core" "Check the network; behind a proxy set https_proxy (npm reads it)." "Start again: deploy/browser.sh"
  cp "$top/deploy/browser/package-lock.json" "$stamp"
fi
if ! find_chromium >/dev/null; then
  if (. /etc/os-release && [ "$ID" = debian ]); then
    install chromium-headless-shell
  else
    step "Installing a headless Chromium"
    PLAYWRIGHT_BROWSERS_PATH="$own" node "$modules/playwright-core/cli.js" install --with-deps --only-shell chromium >&2 ||
      die "playwright-core could not install Chromium" "Install Chromium or Chrome yourself, so that 'chromium --version' runs, and start again."
  fi
fi
note "$("$(find_chromium)" --version 2>/dev/null | head -n 1)"
