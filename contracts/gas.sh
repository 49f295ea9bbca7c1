#!/bin/sh
# Prints one `name gas` line per measured path of the contracts and fails when one passes its ceiling in gas-ceilings.txt, or
# when one of the two has a path that the other has not.
set -eu
cd "$(dirname "$0")"
forge=node_modules/.bin/forge
[ -x "$forge" ] || { echo "forge is not installed: run make build, or deploy/foundry.sh for the contract tools alone" >&2; exit 1; }
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# --isolate makes every call of a test a transaction of its own, with cold storage and intrinsic gas.
if ! "$forge" test --isolate --match-contract GasTest -vv >"$log" 2>&1; then
	cat "$log" >&2
	exit 1
fi
awk '
	FNR == NR { if ($0 !~ /^#/ && NF == 2) ceiling[$1] = $2; next }
	$1 == "GAS" {
		print $2, $3
		if (!($2 in ceiling)) { print "gas: " $2 " has no ceiling in gas-ceilings.txt" > "/dev/stderr"; bad = 1 }
		else if ($3 + 0 > ceiling[$2] + 0) { print "gas: " $2 " costs " $3 ", its ceiling is " ceiling[$2] > "/dev/stderr"; bad = 1 }
		seen[$2] = 1
	}
	END {
		for (name in ceiling) if (!(name in seen)) { print "gas: " name " was not measured" > "/dev/stderr"; bad = 1 }
		exit bad
	}
' gas-ceilings.txt "$log"
