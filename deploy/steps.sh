# Shared by the set-up scripts: where things are kept, how a step is shown, how packages are installed.
# Sourced, never run. After sourcing: $top, $cache, step, note, die, have, root, hold, install, refresh_lists,
# private_apt and apt_private, pinned.

set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# A service manager or a chroot may start us without HOME; Go, npm and the cache all want one.
export HOME="${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}"
export HOME="${HOME:-/root}"
cache="${KINORA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kinora}"
export DEBIAN_FRONTEND=noninteractive
# Node trusts a list of its own; give it the machine's, which may know a proxy's certificate.
[ ! -r /etc/ssl/certs/ca-certificates.crt ] || export NODE_EXTRA_CA_CERTS="${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}"

step() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }
note() { printf '    %s\n' "$*" >&2; }

# die WHAT HOW: says what failed and how to mend it.
die() {
  printf '\n\033[1m!!! %s\033[0m\n' "$1" >&2
  shift
  for line in "$@"; do printf '    %s\n' "$line" >&2; done
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# root COMMAND…: runs it as root, by sudo where we are not.
root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -E "$@"; fi
}

# hold NAME: one set-up at a time per machine user; the lock goes when the script ends.
hold() {
  mkdir -p "$cache"
  exec 9>"$cache/$1.lock"
  if have flock && ! flock --nonblock 9; then
    note "another run holds $cache/$1.lock; waiting for it"
    flock 9
  fi
}

# missing PACKAGE…: those that are not installed.
missing() {
  comm -23 <(printf '%s\n' "$@" | sort -u) \
    <(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p' | sort -u)
}

# install PACKAGE…: installs those that are missing.
install() {
  local packages
  have apt-get || die "this machine has no apt-get" \
    "The set-up scripts know Debian and Ubuntu. Elsewhere install the equivalents of: $*"
  mapfile -t packages < <(missing "$@")
  [ ${#packages[@]} -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || have sudo || die "packages are missing and this is neither root nor a machine with sudo" \
    "Run as root: apt-get install ${packages[*]}" "and start again."
  step "Installing ${packages[*]}"
  # The lists may be absent (a fresh image) or older than the mirror: refresh once when the first try fails.
  apt_install "${packages[@]}" 2>/dev/null && return
  refresh_lists
  apt_install "${packages[@]}" >&2 ||
    die "apt-get could not install: ${packages[*]}" \
      "Run it yourself to see why: apt-get install ${packages[*]}" \
      "On Ubuntu the 'universe' component must be enabled."
}

refresh_lists() {
  note "refreshing the package lists"
  root apt-get -qq -o DPkg::Lock::Timeout=600 update >&2 ||
    die "apt-get update failed" "Check the network and /etc/apt/sources.list*, then start again."
}

apt_install() {
  root apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 "$@" >/dev/null
}

# private_apt SUITE… : points `apt_private` at the given suites of the mirror this machine already uses, with lists and cache of its
# own, so that the machine's apt configuration stays as it is. Fails where the machine is not a Debian one.
private_apt() {
  local dir="$cache/apt" key=/usr/share/keyrings/debian-archive-keyring.gpg mirror suite
  [ -r "$key" ] || return 1
  mirror=$(debian_mirror)
  [ -n "$mirror" ] || return 1
  mkdir -p "$dir"/lists/partial "$dir"/cache/archives/partial
  : >"$dir/sources.list"
  for suite in "$@"; do
    printf 'deb [signed-by=%s] %s %s main\ndeb-src [signed-by=%s] %s %s main\n' "$key" "$mirror" "$suite" "$key" "$mirror" "$suite"
  done >>"$dir/sources.list"
  cat >"$dir/apt.conf" <<CONF
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear Acquire::IndexTargets::deb::DEP-11;
Dir::Etc::sourcelist "$dir/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$dir/lists";
Dir::Cache "$dir/cache";
APT::Sandbox::User "$(id -un)";
Acquire::Languages "none";
CONF
  apt_private update
}

apt_private() { apt-get -qq -c "$cache/apt/apt.conf" "$@" >&2; }

# debian_mirror: the first mirror of the machine's own sources that carries a Debian suite (not the security one).
debian_mirror() {
  local f
  for f in /etc/apt/sources.list.d/*.sources; do
    [ -r "$f" ] && sed -n 's/^URIs: *\([^ ]*\).*/\1/p' "$f"
  done | grep -E '/debian/?$' | head -n 1 | grep . && return
  cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
    sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p' | grep -E '/debian/?$' | head -n 1 || true
}

# pinned FILE SHA256: does the file hold what we expect?
pinned() { [ -f "$1" ] && printf '%s  %s\n' "$2" "$1" | sha256sum --check --status; }
