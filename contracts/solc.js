#!/usr/bin/env node
// The command-line solc that forge expects, answered by the solc npm package (WebAssembly): `--version`, or standard JSON from
// stdin to stdout. forge hands over every source in that JSON, so no file is read here.
"use strict";

const solc = require("solc");

if (process.argv.includes("--version")) {
  // "0.8.30+commit.73712a01.Emscripten.clang", as the native compiler prints it.
  console.log("solc, the solidity compiler commandline interface\nVersion: " + solc.version());
} else {
  process.stdout.write(solc.compile(require("node:fs").readFileSync(0, "utf8")));
}
