# A plain front for CMake and Ninja. `make help` lists what there is.
BUILD ?= build
CMAKE = cmake -G Ninja -S . -DCMAKE_BUILD_TYPE=RelWithDebInfo

.PHONY: help setup build
help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

build: ## compile the program to build/huawu
	@$(CMAKE) -B $(BUILD) >/dev/null && ninja -C $(BUILD)
