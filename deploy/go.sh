#!/usr/bin/env bash
# Go for this project: the machine's own when it can fetch the version go.mod asks for, else the distribution's packages.
#   deploy/go.sh        installs what is missing
#   deploy/go.sh env    prints the `export` lines that use it
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

wanted=$(sed -n 's/^go \([0-9][0-9]*\.[0-9][0-9]*\).*/\1/p' "$top/go.mod")
unpacked="$cache/go-$wanted"

# newest_go: the first go command that can stand in. From 1.21 on, Go fetches the version that go.mod names by itself.
usable() {
  local have_version
  have_version=$("$1" env GOVERSION 2>/dev/null) || have_version=
  case "$have_version" in
    go1.*) [ "$(printf '%s\n' 1.21 "${have_version#go}" | sort -V | head -n 1)" = 1.21 ] ;;
    *) return 1 ;;
  esac
}

find_go() {
  local g
  for g in "$unpacked/usr/lib/go-$wanted/bin/go" "$(command -v go || true)" /usr/local/go/bin/go $(ls -d /usr/lib/go-1.*/bin/go 2>/dev/null | sort -rV); do
    [ -x "$g" ] && (cd / && GOTOOLCHAIN=local usable "$g") && echo "$g" && return
  done
  return 1
}

print_env() {
  local go
  go=$(find_go) || die "Go is not set up yet" "Run: make build   (or deploy/go.sh alone)"
  echo "export HOME='$HOME'"
  [ "$go" -ef "$(command -v go || true)" ] || echo "export PATH='$(dirname "$go")':\"\$PATH\""
  # The version comes from git in the Makefile; Go's own stamping fails in a clone that another user owns.
  echo 'export GOFLAGS="${GOFLAGS:+$GOFLAGS }-buildvcs=false"'
  # A Go older than go.mod asks for may replace itself; one that is new enough stays.
  [ "$(printf '%s\n' "$wanted" "$("$go" env GOVERSION | sed 's/^go//')" | sort -V | head -n 1)" = "$wanted" ] || echo 'export GOTOOLCHAIN=auto'
}

unpack_debian_go() {
  local work="$unpacked.work" deb
  private_apt trixie trixie-backports || return 1
  rm -rf "$work" && mkdir -p "$work/root" || return 1
  (cd "$work" && apt_private download "golang-$wanted-go" "golang-$wanted-src") || return 1
  for deb in "$work"/*.deb; do dpkg-deb -x "$deb" "$work/root" || return 1; done
  "$work/root/usr/lib/go-$wanted/bin/go" version >/dev/null || return 1
  rm -rf "$unpacked"
  mv "$work/root" "$unpacked"
  rm -rf "$work"
}

packaged_go() { # the newest Go at or above 1.21 that the distribution itself installs
  apt-cache search --names-only '^golang-1\.[0-9]+-go$' | awk '{print $1}' | sort -rV |
    awk -F'[.-]' '$3 >= 21 {print; exit}'
}

if [ "${1:-}" = env ]; then
  print_env
  exit
fi

hold go
if ! find_go >/dev/null; then
  step "Fetching Go $wanted"
  if ! unpack_debian_go; then
    package=$(packaged_go)
    [ -n "$package" ] || { refresh_lists && package=$(packaged_go); }
    [ -n "$package" ] || die "this machine has no Go package of 1.21 or newer" \
      "Install Go $wanted from the Go project's download page into /usr/local/go and start again."
    install "$package" "${package%-go}-src"
  fi
fi
exports=$(print_env)
eval "$exports"
note "$(cd "$top" && go version)"
