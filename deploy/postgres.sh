#!/usr/bin/env bash
# The programs of Postgres 15 or newer (initdb, pg_ctl, postgres), for private clusters; starts no cluster and no service.
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

# newest_postgres: the directory of the newest server programs on this machine.
newest_postgres() {
  local d
  for d in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV) "$(dirname "$(command -v initdb || echo /none/initdb)")"; do
    [ -x "$d/initdb" ] && [ -x "$d/postgres" ] && echo "$d" && return
  done
  return 1
}

major() { "$1/postgres" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/'; }

hold postgres
if ! newest_postgres >/dev/null || [ "$(major "$(newest_postgres)")" -lt 15 ]; then
  install postgresql-common
  # Without this the server package starts a cluster of its own on port 5432. The machine's default comes back after the installation.
  conf=/etc/postgresql-common/createcluster.d/kinora-setup.conf
  root mkdir -p "$(dirname "$conf")"
  echo 'create_main_cluster = false' | root tee "$conf" >/dev/null
  trap 'root rm -f "$conf"' EXIT
  install postgresql
  [ "$(major "$(newest_postgres)")" -ge 15 ] || die "this distribution's Postgres is older than 15" \
    "Add the Postgres project's own package source (see /usr/share/postgresql-common/pgdg), install postgresql-17, and start again."
fi
note "$("$(newest_postgres)/postgres" --version)"
