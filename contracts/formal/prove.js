#!/usr/bin/env node
// Has the compiler's model checker (SMTChecker, engine BMC, complete for functions without loops) and the z3 program prove the
// assertions of the contracts here, and that nothing checked in them over- or underflows. Fails when one is refuted or stays open.
"use strict";

const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const solc = require("solc");

const root = path.join(__dirname, "..");

// One query of the checker, answered by the z3 program.
function solve(query) {
  const { stdout, error } = spawnSync("z3", ["-smt2", "-in", "-T:60"], { input: query, encoding: "utf8", maxBuffer: 1 << 28 });
  if (error) return { error: String(error) };
  return { contents: stdout };
}

function check(sources, contract) {
  const input = {
    language: "Solidity",
    sources,
    settings: {
      modelChecker: {
        engine: "bmc",
        contracts: { [contract.file]: [contract.name] },
        targets: ["assert", "overflow", "underflow"],
        solvers: ["smtlib2"],
        showUnproved: true,
      },
    },
  };
  const read = (file) => ({ contents: fs.readFileSync(path.join(root, file), "utf8") });
  const messages = JSON.parse(solc.compile(JSON.stringify(input), { import: read, smtSolver: solve })).errors || [];
  return messages.map((m) => m.formattedMessage || m.message).filter((m) => !/^Info: BMC: \d+ verification condition\(s\) proved safe!/.test(m));
}

if (spawnSync("z3", ["--version"]).error) {
  console.error("no z3 on this machine: apt-get install z3");
  process.exit(1);
}

// A checker that finds nothing wrong with what is wrong proves nothing.
const wrong = "pragma solidity ^0.8.30; contract Wrong { function f(uint96 a, uint96 b) external pure { assert(a <= b || a - b < 77); } }";
const found = check({ "Wrong.sol": { content: wrong } }, { file: "Wrong.sol", name: "Wrong" });
if (!found.some((m) => m.includes("Assertion violation happens here"))) {
  console.error("the model checker does not refute a false assertion:\n" + found.join("\n"));
  process.exit(1);
}

let open = 0;
for (const name of ["Proofs", "Books"]) {
  if (process.argv.length > 2 && !process.argv.includes(name)) continue;
  const file = `formal/${name}.sol`;
  const source = fs.readFileSync(path.join(root, file), "utf8");
  const begin = Date.now();
  const messages = check({ [file]: { content: source } }, { file, name });
  open += messages.length;
  for (const m of messages) console.error(m);
  const assertions = source.split("assert(").length - 1;
  console.log(`${name}: ${assertions} assertions ${messages.length === 0 ? "proved" : "NOT all proved"} in ${((Date.now() - begin) / 1000).toFixed(1)} s`);
}
process.exit(open === 0 ? 0 : 1);
