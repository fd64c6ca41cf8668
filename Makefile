# Terway for Alibaba Cloud. `make demo` shows it, `make test` proves it; both install what they need.
SHELL := /bin/bash
.DEFAULT_GOAL := help
NODE := hack/node
JEST := $(NODE) --experimental-vm-modules node_modules/jest/bin/jest.js
BIOME := node_modules/.bin/biome

node_modules/.ready: package-lock.json .npmrc
	@echo "==> npm packages (the pinned Node among them)"
	@npm ci --no-fund --no-audit --loglevel=error
	@touch $@

.PHONY: install
install: node_modules/.ready ## npm packages and the pinned Node

.PHONY: proto
proto: install ## regenerate proto/generated from the .proto files
	@$(NODE) hack/generate-proto.ts

.PHONY: test-unit
test-unit: install ## pure functions, fake clock; no root
	@$(JEST) --config test/jest/unit.json

.PHONY: test-kernel
test-kernel: install ## real namespaces, links, routes and rules; root
	@$(JEST) --config test/jest/kernel.json --runInBand

.PHONY: help
help:
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16
