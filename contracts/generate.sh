#!/bin/sh
# Regenerates the Go bindings (ABI, deploy bytecode, packers and unpackers) from src/. The drift test in bindings/ fails until
# this has been run after a change of a contract or of the compiler.
set -eu
cd "$(dirname "$0")"
forge=node_modules/.bin/forge
[ -x "$forge" ] || { echo "contracts/$forge is missing: run 'make build' (deploy/foundry.sh) first" >&2; exit 1; }
"$forge" build --quiet --skip test --skip script
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
node -e '
const [artifact, dir] = process.argv.slice(1);
const a = JSON.parse(require("fs").readFileSync(artifact, "utf8"));
require("fs").writeFileSync(dir + "/abi", JSON.stringify(a.abi));
require("fs").writeFileSync(dir + "/bin", a.bytecode.object);
' out/TicketEscrow.sol/TicketEscrow.json "$tmp"
go run github.com/ethereum/go-ethereum/cmd/abigen --v2 --pkg bindings --type TicketEscrow \
	--abi "$tmp/abi" --bin "$tmp/bin" --out "$tmp/ticket_escrow.go"
mv "$tmp/ticket_escrow.go" bindings/ticket_escrow.go
