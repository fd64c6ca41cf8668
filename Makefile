# Terway for Alibaba Cloud. `make demo` shows it, `make test` proves it; both install what they need.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# ip, nft and their like; not everybody's path has them.
export PATH := $(PATH):/usr/sbin:/sbin
NODE := hack/node
# With an empty HOME npm would make a directory called "~" here.
ifeq ($(HOME),)
unexport HOME
endif

# Not "npm ci": it demands that the lock file lists the optional packages of every platform, and not every registry has
# them. The versions are those of the lock file all the same.
node_modules/.ready: package-lock.json .npmrc
	@echo "==> npm packages (the pinned Node among them)"
	@npm install --no-save --no-fund --no-audit --loglevel=error
	@touch $@

.PHONY: demo
demo: build-host ## four pods on two simulated nodes, from nothing to nothing; KEEP=1 leaves it running
	@hack/packages.sh demo
	@$(NODE) hack/demo.ts $(if $(KEEP),--keep)

.PHONY: demo-clean
demo-clean: install ## end a demo that was kept running
	@$(NODE) hack/demo.ts --clean

.PHONY: test
test: build-host ## every suite: lint, types, unit, wire, build, pool, cloud, fault, kernel, guard, e2e, vm
	@if [ "$$(id -u)" = 0 ]; then hack/packages.sh test && { for kind in browser wire vm; do hack/packages.sh $$kind || true; done; }; fi
	@$(NODE) hack/test.ts

.PHONY: lint
lint: install ## style, the import rule, and whether what is generated is up to date
	@$(NODE) hack/test.ts lint

.PHONY: types
types: install ## the type checker
	@$(NODE) hack/test.ts types

.PHONY: test-unit
test-unit: build-host ## pure functions, fake clock; no root
	@$(NODE) hack/test.ts unit

.PHONY: test-wire
test-wire: build-host ## the plugin's gRPC against grpc-js, Node's HTTP/2, gRPC's C core and odd servers; no root
	@hack/packages.sh wire || true
	@$(NODE) hack/test.ts wire

.PHONY: test-build
test-build: build-host ## what is in dist: that it builds to the same bytes anywhere, and starts anywhere; partly root
	@$(NODE) hack/test.ts build

.PHONY: test-pool
test-pool: build-host ## the pool: its unit tests, ten thousand random histories, and whether they catch deliberate bugs; no root
	@$(NODE) hack/test.ts pool-unit pool

.PHONY: test-cloud
test-cloud: build-host ## the client and the pool against the simulated cloud, through the real SDK core; no root
	@$(NODE) hack/test.ts cloud

.PHONY: test-fault
test-fault: build-host ## kill -9 at each write of the journal and each call of the cloud; prints the list; no root
	@$(NODE) hack/test.ts fault

.PHONY: test-kernel
test-kernel: build-host ## real namespaces, links, routes and rules; root
	@hack/packages.sh demo
	@$(NODE) hack/test.ts kernel

.PHONY: test-guard
test-guard: build-host ## calls, messages and bytes of a pod against those on record; RECORD=1 records them anew; root
	@hack/packages.sh guard
	@$(NODE) hack/test.ts guard

.PHONY: test-e2e
test-e2e: build-host ## pods under a real containerd on two simulated nodes; root
	@hack/packages.sh test
	@hack/packages.sh browser || true
	@$(NODE) hack/test.ts e2e

# What cannot be installed is the reason to skip what needs it.
.PHONY: test-vm
test-vm: build-host ## links that this kernel may lack, under Debian's kernel in QEMU
	@hack/packages.sh vm || true
	@$(NODE) hack/test.ts vm

.PHONY: bench
bench: build-host ## figures, one line of JSON each; REPORT=1 writes docs/performance.md from them; partly root
	@if [ "$$(id -u)" = 0 ]; then hack/packages.sh bench; fi
	@$(NODE) test/bench/main.ts $(if $(REPORT),--report)

.PHONY: bench-quick
bench-quick: build-host ## the same from fewer samples, in under two minutes
	@if [ "$$(id -u)" = 0 ]; then hack/packages.sh bench; fi
	@$(NODE) test/bench/main.ts --quick

.PHONY: plan
plan: install ## the pool against the original's and AWS's on a day's traces: waits, idle addresses, calls
	@$(NODE) test/bench/planner/main.ts

.PHONY: build
build: install ## everything that ships, into dist, for both platforms; STRICT=1 fails if one of them cannot be had
	@$(NODE) hack/build.ts $(if $(STRICT),--platforms all)

# What the targets above need. It never asks the registry for another platform's Node.
.PHONY: build-host
build-host: install ## the same for this machine; what is up to date of the other platform stays
	@$(NODE) hack/build.ts --platforms host

.PHONY: install
install: node_modules/.ready ## npm packages and the pinned Node

.PHONY: proto
proto: install ## regenerate proto/generated from the .proto files
	@$(NODE) hack/generate-proto.ts

.PHONY: house
house: install ## regenerate the import rule from its table
	@$(NODE) hack/lint/generate-import-rule.ts

.PHONY: clean
clean: ## remove what was built, and what killed tests left on the machine
	@if [ -e node_modules/.ready ]; then $(NODE) hack/clean.ts; fi
	@rm -rf dist .cache

.PHONY: help
help:
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16
