# What a person types. `make` alone lists the targets; variables are set as in `make run CORES=8`.

CORES ?= 2
VENV ?= .venv
REAL ?= results/real
REAL_OVER ?=
EXPERIMENT ?= experiments/paper.yaml
REHEARSAL ?= results/rehearsal
PYTEST_ARGS ?=
GPU_ASSETS ?= results/gpu-assets
BENCH_ARGS ?=

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run test test-slurm lint docs rehearse real gpu-check bench lock-env clean-env

BIN := $(CURDIR)/$(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
export PATH := $(BIN):$(PATH)

help:
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 18

run: $(VENV)/.runtime ## run the default experiment (toy world, minutes) and print its table
	@$(BIN)/xstilts run config.yaml --cores $(CORES)

test: $(VENV)/.dev ## run all tests, the fast ones first; PYTEST_ARGS="-k tagging" narrows them
	@$(BIN)/pytest -n $(CORES) --no-loadscope-reorder $(PYTEST_ARGS)

test-slurm: $(VENV)/.dev $(VENV)-slurm/.plugin ## run only the tests on a SLURM of their own (as root; Debian's slurmctld slurmd slurm-client munge)
	@$(BIN)/pytest tests/slurm $(PYTEST_ARGS)

lint: $(VENV)/.dev ## check style, formatting, types and the workflow
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/snakefmt --check Snakefile workflow/rules
	@$(BIN)/mypy
	@PYTHONPATH=workflow $(BIN)/lint-imports --no-cache --no-logo
	@$(BIN)/snakemake --lint

docs: $(VENV)/.runtime ## write docs/config.md from the schema of the config
	@PYTHONPATH=workflow $(BIN)/python docs/reference.py > docs/config.md.new
	@mv docs/config.md.new docs/config.md

rehearse: $(VENV)/.runtime ## run the whole graph of EXPERIMENT=experiments/paper.yaml on toy data
	@$(BIN)/xstilts rehearse $(EXPERIMENT) --cores $(CORES) --directory $(REHEARSAL)

real: $(VENV)/.runtime ## run the same workflow on the real rows in ../shared/data (within an hour)
	@[ -d ../shared/data ] || { echo "error: make real reads ../shared/data, which is not there" >&2; exit 1; }
	@$(BIN)/snakemake --cores $(CORES) \
	  --configfile $(CURDIR)/tests/real/config.yaml $(abspath $(REAL_OVER)) --directory $(REAL) \
	  --config source=$(abspath ../shared/data)
	@echo && cat $(REAL)/results/experiments/real$(if $(REAL_OVER),-tasks)/tables/main.md

gpu-check: $(VENV)/.runtime ## make what tests/gpu/check.py needs on a machine with a GPU, and say how to run it there
	@PYTHONPATH=workflow:. $(BIN)/python -m tests.gpu.assets --out $(GPU_ASSETS)
	@echo "On a machine with a GPU, in a copy of this repository and of $(GPU_ASSETS), which git ignores:"
	@echo "  python3 tests/gpu/check.py --assets $(GPU_ASSETS) --out FOLDER"
	@echo "It needs torch with CUDA, transformers, safetensors, pyarrow, pandas and numpy, no network, and 8 minutes."
	@echo "Where a tool takes the tracked files alone, name $(GPU_ASSETS) besides (\`carry\`), and FOLDER is \$$OUT."

bench: $(VENV)/.dev ## measure against HF Trainer and others, a quarter of an hour; SHORT=1: a minute, fails where a ratio has fallen
	@PYTHONPATH=workflow:. $(BIN)/python -m tests.bench.speed $(if $(SHORT),--short) $(if $(RECORD),--record) $(BENCH_ARGS)

lock-env: ## resolve envs/*.in anew: writes requirements*.txt and the pins in xstilts.yaml
	@$(call make-venv,$(VENV)-lock)
	@$(call lock,requirements.in) > envs/requirements.txt.new
	@mv envs/requirements.txt.new envs/requirements.txt
	@for extra in slurm dev; do \
	  { $(call lock,requirements-$$extra.in); } \
	    | grep -vxFf <(grep -h == envs/requirements.txt $$([ $$extra = slurm ] || echo envs/requirements-slurm.txt)) \
	    | sed '1a -r requirements.txt' > envs/requirements-$$extra.txt.new \
	  && mv envs/requirements-$$extra.txt.new envs/requirements-$$extra.txt || exit 1; \
	done
	@{ sed '/^  - pip:/q' envs/xstilts.yaml; sed -n 's/^.*==/      - &/p' envs/requirements.txt; } > envs/xstilts.yaml.new
	@mv envs/xstilts.yaml.new envs/xstilts.yaml
	@rm -rf $(VENV)-lock
	@git --no-pager diff --stat envs

clean-env: ## delete the virtual environment
	@rm -rf $(VENV) $(VENV)-slurm

# A stamp in the environment says which pins it holds; a newer pin file installs again.
$(VENV)/.runtime: envs/requirements.txt pyproject.toml
	@[ -x $(BIN)/pip ] || $(call make-venv,$(VENV))
	@echo "installing $< into $(VENV) (about two minutes, longer where torch brings CUDA)"
	@$(PIP) install -r $<
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: envs/requirements-dev.txt $(VENV)/.runtime
	@echo "installing $< into $(VENV)"
	@$(PIP) install -r $<
	@touch $@

# The executor for SLURM, in a folder of its own: with it in the environment every Snakemake would
# ask for a controller. What else it needs is there.
$(VENV)-slurm/.plugin: envs/requirements-slurm.txt $(VENV)/.runtime
	@echo "installing $< into $(VENV)-slurm"
	@rm -rf $(VENV)-slurm && $(PIP) install --no-deps --target $(VENV)-slurm -r <(grep == $<)
	@touch $@

# $(call make-venv,FOLDER): a fresh virtual environment, by Python 3.11 if there is one.
define make-venv
{ \
  for python in python3.11 python3 none; do \
    [ $$python != none ] || { echo "error: Python 3.11 or newer is needed, as python3.11 or python3" >&2; exit 1; }; \
    $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
  done; \
  $$python -c 'import ensurepip, venv' 2>/dev/null || { echo "error: $$python cannot make virtual environments; on Debian: apt-get install python3-venv" >&2; exit 1; }; \
  rm -rf $(1) && $$python -m venv $(1); \
}
endef

# $(call lock,FILE): install envs/FILE and print exact versions of all that it brought. Without the
# CUDA packages: torch pins those itself, and a machine without a GPU has other builds of torch.
define lock
{ $(VENV)-lock/bin/pip --disable-pip-version-check -qq install -r envs/$(1) >&2 && \
echo "# Written by \`make lock-env\` from $(1): edit that file." && \
$(VENV)-lock/bin/pip --disable-pip-version-check freeze --all \
  | sed -E 's/\+[A-Za-z0-9.]+$$//; /^nvidia-ml-py==/!{/^(pip|nvidia-[a-z0-9-]+|cuda-[a-z]+|triton)==/d}'; }
endef

.PHONY: pictures
pictures: $(VENV)/.dev ## make the pictures of the README from the results of the default experiment
	@$(BIN)/python docs/pictures.py
