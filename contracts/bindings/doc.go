// Package bindings packs calls to the contracts and unpacks their answers, events and errors. Everything but this file is
// generated from contracts/src by contracts/generate.sh; a test compares it with a fresh build.
package bindings
