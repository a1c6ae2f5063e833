# A plain front for CMake, Ninja and npm. `make help` lists what there is.
BUILD ?= build
J ?= 2
SECONDS_EACH ?= 30
CONFIGURE = cmake -G Ninja -S .
# Node.js of tools/setup.sh, when the machine's own is too old.
export PATH := $(CURDIR)/.local/node/node_modules/node/bin:$(PATH)

.PHONY: help run build test asan tsan sanitized fuzz bench deb deb-test setup web clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 10

run: build ## install what is missing, build, and start the demo centre (options: ARGS="--help")
	@tools/setup.sh run
	@exec $(BUILD)/huawu serve --demo $(ARGS)

build: web $(BUILD)/build.ninja ## compile the program to build/huawu
	@ninja -C $(BUILD) -j $(J) --quiet huawu

test: setup web $(BUILD)/build.ninja ## every test: units, page, whole server, browser; data on SQLite and PostgreSQL
	@ninja -C $(BUILD) -j $(J) --quiet huawu tests
	@tools/run_tests.py --build $(BUILD) all

asan: setup web ## unit and call tests under AddressSanitizer and UBSan
	@$(CONFIGURE) -B build-asan -DHW_SANITIZE=address,undefined >/dev/null
	@ninja -C build-asan -j $(J) --quiet huawu tests
	@tools/run_tests.py --build build-asan calls

TSAN_TESTS = loop db journal media http sip switch
tsan: setup web ## tests of what crosses threads under ThreadSanitizer
	@$(CONFIGURE) -B build-tsan -DHW_SANITIZE=thread >/dev/null
	@ninja -C build-tsan -j $(J) --quiet $(TSAN_TESTS:%=test_%)
	@tools/run_tests.py --build build-tsan units $(TSAN_TESTS)

sanitized: web ## what asan, tsan and the fuzz run of CI want, compiled only
	@$(CONFIGURE) -B build-asan -DHW_SANITIZE=address,undefined >/dev/null
	@ninja -C build-asan -j $(J) --quiet huawu tests fuzz
	@$(CONFIGURE) -B build-tsan -DHW_SANITIZE=thread >/dev/null
	@ninja -C build-tsan -j $(J) --quiet $(TSAN_TESTS:%=test_%)

fuzz: setup web ## every fuzz target for SECONDS_EACH seconds (30)
	@tools/fuzz.sh seconds $(SECONDS_EACH)

bench: setup build ## call set-up, a bare relay, recorded calls, queue, search, lists, import: one JSON object a run
	@ninja -C $(BUILD) -j $(J) --quiet media_bench find_bench
	@bench/run.sh

deb: build ## the Debian package, into build/deb
	@tools/deb.sh $(BUILD)/deb

deb-test: deb ## install, upgrade, go back, remove and purge it in a Debian 12 of its own (root, debootstrap, some minutes)
	@tests/fresh/deb.py $(BUILD)/deb

setup: ## install the packages that build and tests need
	@tools/setup.sh test

$(BUILD)/build.ninja:
	@$(CONFIGURE) -B $(BUILD) -DCMAKE_BUILD_TYPE=RelWithDebInfo >/dev/null

# The page. npm ci runs only when the lock changed, vite only when a source did.
ifneq ($(wildcard web/package.json),)
WEB_SOURCES := $(shell find web -name node_modules -prune -o -path web/dist -prune -o -type f -print)
web: web/dist/index.html ## the page, into web/dist
web/node_modules/.package-lock.json: web/package-lock.json
	@tools/setup.sh run
	cd web && npm ci --no-fund --no-audit --loglevel=error
	@touch $@
web/dist/index.html: web/node_modules/.package-lock.json $(WEB_SOURCES)
	@tools/setup.sh run
	cd web && npm run --silent build -- --logLevel warn
	@touch $@
else
web:
	@tools/setup.sh run
endif

clean: ## remove everything that was built
	rm -rf build build-* web/dist web/node_modules
