#!/bin/sh
# Writes contracts/bindings anew from contracts/src: ABI, deploy bytecode, packers and unpackers. The test of that package
# fails until this was run after a change of a contract or of the compiler.
set -eu
cd "$(dirname "$0")"
exec go test ./bindings -count=1 -run TestBindings_areThoseOfTheSources -update
