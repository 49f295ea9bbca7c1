#!/bin/sh
# Prints one `name gas` line per measured path of the contracts. Fails when one passes its ceiling in gas-ceilings.txt, when it costs
# other than gas-snapshot.txt says, or when one of the three has a path that another has not. With --update it writes the snapshot.
set -eu
cd "$(dirname "$0")"
forge=node_modules/.bin/forge
[ -x "$forge" ] || { echo "forge is not installed: run make build, or deploy/foundry.sh for the contract tools alone" >&2; exit 1; }
log=$(mktemp)
gas=$(mktemp)
trap 'rm -f "$log" "$gas"' EXIT
# --isolate makes every call of a test a transaction of its own, with cold storage and intrinsic gas.
if ! "$forge" test --isolate --match-contract GasTest -vv >"$log" 2>&1; then
	cat "$log" >&2
	exit 1
fi
awk '$1 == "GAS" { print $2, $3 }' "$log" | LC_ALL=C sort | tee "$gas"
[ "${1:-}" != --update ] || cp "$gas" gas-snapshot.txt
awk '
	function fail(why) { print "gas: " why > "/dev/stderr"; bad = 1 }
	/^#/ || NF != 2 { next }
	FILENAME == "gas-ceilings.txt" { ceiling[$1] = $2; next }
	FILENAME == "gas-snapshot.txt" { snapshot[$1] = $2; next }
	{
		seen[$1] = 1
		if (!($1 in ceiling)) fail($1 " has no ceiling in gas-ceilings.txt")
		else if ($2 + 0 > ceiling[$1] + 0) fail($1 " costs " $2 ", its ceiling is " ceiling[$1])
		if (snapshot[$1] != $2) fail($1 " costs " $2 ", the snapshot says " (snapshot[$1] "" == "" ? "nothing" : snapshot[$1]) ": contracts/gas.sh --update writes it anew")
	}
	END {
		for (name in ceiling) if (!(name in seen)) fail(name " has a ceiling and was not measured")
		for (name in snapshot) if (!(name in seen)) fail(name " is in the snapshot and was not measured")
		exit bad
	}
' gas-ceilings.txt gas-snapshot.txt "$gas"
