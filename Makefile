# Kinora. `make help` lists the targets. Every target brings what it needs by deploy/setup.sh (Debian and Ubuntu).
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

DEMO_FLAGS ?=
TEST_FLAGS ?=
FUZZTIME ?= 20s

# A clone may belong to another user (a container, sudo): ask git anyway, and build without a version where it cannot tell.
VERSION := $(shell git -c safe.directory='*' describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -X main.version=$(VERSION)
env = exports=$$(deploy/env.sh); eval "$$exports"

.PHONY: help build programs demo test gas fuzz fuzz-media clean bench-path bench-auction bench-faults bench-scale soak

help: ## list the targets
	@awk -F':.*## ' '/^[a-z%-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

build: ## install what is missing, then build bin/kinora, bin/kinora-media and bin/kinora-adversary
	@deploy/setup.sh build
	$(MAKE) programs

programs: # the build alone, on a machine that is set up
	@$(env)
	mkdir -p bin
	ln -sfn "$$KINORA_FFMPEG" bin/ffmpeg # bin/kinora looks beside itself when it is run without make
	ln -sfn "$$KINORA_FFPROBE" bin/ffprobe
	echo "==> Building kinora, kinora-media and kinora-adversary $(VERSION)" >&2
	go build -ldflags '$(LDFLAGS)' -o bin/ ./cmd/kinora ./cmd/kinora-media ./cmd/kinora-adversary

demo: build ## a whole market on this machine, with one cheating transcoder; DEMO_FLAGS are passed on
	@$(env)
	exec bin/kinora up --cheat black $(DEMO_FLAGS)

test: ## install what is missing, then run every test (Go with the race detector, contracts)
	@deploy/setup.sh test
	$(MAKE) programs
	TEST_FLAGS='$(TEST_FLAGS)' deploy/test.sh

gas: ## gas of each measured contract path, one `name gas` line each; fails above a committed ceiling
	@deploy/foundry.sh
	contracts/gas.sh

bench-path: build ## the path broadcaster to transcoder and back, against plain ffmpeg
	@$(env)
	go run ./internal/benchpath

bench-auction: build ## 1,000 and 10,000 bidders on an embedded NATS, and awards among them
	@$(env)
	go run ./orchestrator/internal/benchauction

bench-faults: build ## what every fault of docs/faults.md costs live streams and the books; BENCH_FAULTS=NAME,… takes some (root, for networks)
	@$(env)
	go run ./internal/e2e/benchfaults

bench-scale: build ## what grows with 10,000 bidders and 100,000 leases: memory, messages, CPU time
	@$(env)
	go run ./orchestrator/internal/benchauction scale

soak: build ## memory of one media child over 1,000 segments; BENCH_SOAK=N takes another number
	@$(env)
	BENCH_CASES=soak go run ./internal/benchmedia

bench-%: build ## a benchmark by name; writes build/bench/NAME.json
	@$(env)
	go run ./internal/bench$*

fuzz: build ## every fuzz target for FUZZTIME each (default 20s)
	@$(env)
	for package in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -r -n 1 dirname | sort -u); do
	  for target in $$(go test -list '^Fuzz' "$$package" | grep '^Fuzz'); do
	    go test -run '^$$' -fuzz "^$$target$$" -fuzztime '$(FUZZTIME)' -fuzzminimizetime 1s "$$package"
	  done
	done

fuzz-media: ## the media child and FFmpeg in it, under libFuzzer and AddressSanitizer, for FUZZTIME (the first time builds FFmpeg once more)
	@deploy/fuzz-media.sh '$(FUZZTIME:s=)'

clean: ## remove what was built here (the cache outside the repo stays)
	rm -rf bin build contracts/out contracts/cache
