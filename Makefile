# The front door. `make help` lists what is here.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
JOBS ?= $(shell nproc)
# Processes that run Python tests; each also starts an Envoy.
TEST_JOBS ?= $(shell echo $$(( $$(nproc) + 1 )))

.PHONY: help
help: ## list all targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build/emissary, optimised, with its symbols aside in build/emissary.debug
	@scripts/build

.PHONY: image
image: ## build/emissary-image.tar, an OCI archive; ENVOY=PATH ships another Envoy
	@scripts/image

.PHONY: test
test: ## install what tests need, build, run all tests; ends with a line of counts
	@JOBS=$(JOBS) TEST_JOBS=$(TEST_JOBS) scripts/test release

.PHONY: test-asan
test-asan: ## the same tests with the address and undefined-behaviour sanitizers
	@JOBS=$(JOBS) TEST_JOBS=$(TEST_JOBS) scripts/test asan

.PHONY: test-tsan
test-tsan: ## the unit tests with the thread sanitizer
	@JOBS=$(JOBS) TEST_JOBS=$(TEST_JOBS) scripts/test tsan

.PHONY: test-envoys
test-envoys: build ## the traffic cases on every supported minor release of Envoy, and docs/envoys.md (ENVOYS="1.37.0 ..." chooses)
	@deps/install.sh test
	@EMISSARY_BINARY=$(CURDIR)/build/emissary TEST_JOBS=$(TEST_JOBS) "$$(deps/python.sh)" scripts/test_envoys.py $(ENVOYS)

.PHONY: envoy-bump
envoy-bump: ## ship Envoy VERSION: move the pins, tell what changed in the API, build, test
	@deps/install.sh build
	@python3 scripts/envoy_pins.py $(or $(VERSION),$(error VERSION=x.y.z names the Envoy))

.PHONY: test-nodrop
test-nodrop: build ## the full run of the nothing-dropped tester: many changes under load
	@deps/install.sh test
	@EMISSARY_BINARY=build/emissary "$$(deps/python.sh)" test/nodrop/nodrop.py --full

.PHONY: lint
lint: ## formatting and clang-tidy; CHANGED=REF looks at the files that differ from REF alone
	@scripts/lint $(CHANGED)

.PHONY: mutation
mutation: ## leave out each generated field in turn: do the traffic cases notice (MUTATION=--match TEXT)
	@deps/install.sh test
	@[ -e build/mutation/build.ninja ] || cmake --preset mutation
	@ninja -C build/mutation -j $(JOBS) emissary
	@"$$(deps/python.sh)" test/mutation/mutation.py build/mutation/emissary $(MUTATION)

.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZ_SECONDS (60); their corpora are kept in build/fuzz/corpus
	@deps/install.sh fuzz
	@[ -e build/fuzz/build.ninja ] || cmake --preset fuzz
	@ninja -C build/fuzz -j $(JOBS) $$(ls src/*/*_fuzz.cc | sed -E 's|src/(.*)/(.*)\.cc|fuzz_\1_\2|')
	@for target in build/fuzz/fuzz_*; do mkdir -p build/fuzz/corpus/$${target##*/}; \
	  ASAN_SYMBOLIZER_PATH=$$(command -v llvm-symbolizer-19) $$target -max_total_time=$${FUZZ_SECONDS:-60} -rss_limit_mb=2048 build/fuzz/corpus/$${target##*/}; done

.PHONY: fuzz-coverage
fuzz-coverage: ## how much of compile and generate the corpus of the engine's fuzz target reaches
	@deps/install.sh fuzz
	@[ -e build/coverage/build.ninja ] || cmake --preset coverage
	@ninja -C build/coverage -j $(JOBS) fuzz_engine_engine_fuzz
	@cd build/coverage && LLVM_PROFILE_FILE=engine.profraw ./fuzz_engine_engine_fuzz -runs=0 ../fuzz/corpus/fuzz_engine_engine_fuzz 2>/dev/null
	@cd build/coverage && llvm-profdata-19 merge -o engine.profdata engine.profraw && \
	  llvm-cov-19 report fuzz_engine_engine_fuzz -instr-profile=engine.profdata -show-region-summary=false \
	    $$(ls $(CURDIR)/src/{compile,generate}/*.cc | grep -v _test)

.PHONY: golden
golden: build ## write the expected files of test/golden and test/chart anew; read the diff before you commit it
	@deps/install.sh test
	@EMISSARY_BINARY=build/emissary "$$(deps/python.sh)" -m pytest -q test/golden test/chart --rewrite-golden

.PHONY: reference
reference: build ## write docs/reference anew out of api/, and docs/program.md out of the program
	@deps/install.sh test
	@"$$(deps/python.sh)" scripts/reference.py
	@build/emissary reference >docs/program.md

.PHONY: chart
chart: build ## write anew what the charts hold of elsewhere: CRDs, and the tables of values in their READMEs
	@deps/install.sh test
	@"$$(deps/python.sh)" scripts/chart.py

.PHONY: demo
demo: ## gateway, real Envoy and sample backends on examples/quickstart; DETACH=1 leaves it running
	@scripts/demo start

.PHONY: demo-stop
demo-stop: ## end the demo that DETACH=1 left running
	@scripts/demo stop

.PHONY: demo-kubernetes
demo-kubernetes: ## a Kubernetes API server and two instances that follow it; DETACH=1 leaves them running
	@scripts/demo-kubernetes start

.PHONY: demo-kubernetes-stop
demo-kubernetes-stop: ## end what DETACH=1 left running
	@scripts/demo-kubernetes stop

.PHONY: bench
bench: ## benchmarks, one machine-readable line a figure (BENCH=--quick, or --help)
	@deps/install.sh test bench
	@scripts/build emissary engine_bench prepare floor
	@EMISSARY_BINARY=build/emissary "$$(deps/python.sh)" bench/run.py $(BENCH)

.PHONY: clean
clean: ## remove build/ (what deps/ built and fetched stays in its cache)
	@rm -rf build
