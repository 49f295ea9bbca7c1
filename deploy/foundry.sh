#!/usr/bin/env bash
# Brings the contracts' tools, pinned by contracts/package-lock.json: forge, anvil, solc, forge-std, OpenZeppelin.
# Leaves the programs at bin/forge and bin/anvil; does nothing when they are there already.
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

hold foundry
"$top/deploy/node.sh"

case $(uname -m) in
  x86_64) machine=linux-amd64 ;;
  aarch64 | arm64) machine=linux-arm64 ;;
  *) die "no forge is published for $(uname -m)" "Build foundry 1.7.1 yourself and put forge and anvil into bin/." ;;
esac

modules="$top/contracts/node_modules"
stamp="$modules/.kinora-lock" # the lock file these modules were installed from
if ! cmp -s "$top/contracts/package-lock.json" "$stamp"; then
  step "Installing the contract tools (forge, anvil, solc)"
  # Nothing of these packages needs its install script, and forge and anvil are programs that run without Node: --force accepts them
  # beside a Node older than they ask for, and on another machine type, which gets its own below.
  (cd "$top/contracts" && npm ci --force --ignore-scripts --no-audit --no-fund --loglevel=error >&2) ||
    die "npm could not install the contract tools" "Check the network; behind a proxy set https_proxy (npm reads it)." "Start again: deploy/foundry.sh"
  if [ "$machine" != linux-amd64 ]; then # the lock file names the one platform whose content was checked
    (cd "$top/contracts" && npm install --force --no-save --ignore-scripts --no-audit --no-fund --loglevel=error \
      "@foundry-rs/forge-$machine@1.7.1" "@foundry-rs/anvil-$machine@1.7.1" >&2) || die "no forge and anvil for $machine"
  fi
  cp "$top/contracts/package-lock.json" "$stamp"
fi

mkdir -p "$top/bin"
for tool in forge anvil; do
  ln -sfn "../contracts/node_modules/@foundry-rs/$tool-$machine/bin/$tool" "$top/bin/$tool"
  "$top/bin/$tool" --version >/dev/null || die "$tool does not run on this machine" "See: $top/bin/$tool --version"
done
note "$("$top/bin/forge" --version | head -n 1)"
