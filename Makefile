# keras_recipe: `make train` on real data, `make help` for the rest.

DATA ?= digits
BUDGET ?= $(if $(filter digits,$(DATA)),150s,10m)
ARGS ?=
RUN ?= runs/$(notdir $(basename $(patsubst %/,%,$(DATA))))
PORT ?= 6006
PYTHON ?= python3
PROCESSES ?= 2

BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help train diagnose test bench report tensorboard clean

help: ## what there is to make
	@echo "keras_recipe runs the recipe for training neural networks, and shows the evidence."
	@echo
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14
	@echo
	@echo "Options, with their values now:"
	@echo "  DATA=$(DATA)  BUDGET=$(BUDGET)  RUN=$(RUN)  PORT=$(PORT)  ARGS=$(ARGS)"
	@echo "Examples:"
	@echo "  make train"
	@echo "  make train DATA=photos/ BUDGET=30m"
	@echo "  make diagnose SCRIPT=train.py"
	@echo "  make train DATA=houses.csv ARGS='--target price'"

train: $(READY) ## run the recipe on DATA within BUDGET; ARGS go to `python -m keras_recipe train`
	@$(BIN)/python -m keras_recipe train "$(DATA)" --budget "$(BUDGET)" $(ARGS)

diagnose: $(READY) ## what is wrong with your SCRIPT that calls model.fit; ARGS are its arguments
	@$(BIN)/python -m keras_recipe diagnose "$(SCRIPT)" $(ARGS)

test: $(READY) ## style, types and all tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n $(PROCESSES) $(ARGS)

bench: $(READY) ## benchmarks whose figures the README quotes
	$(BIN)/python scripts/bench_trial.py
	$(BIN)/python scripts/bench_decisions.py
	$(BIN)/python scripts/bench_noise.py
	$(BIN)/python scripts/bench_inspect.py
	$(BIN)/python scripts/bench_diagnose.py
	$(BIN)/python -m keras_recipe train digits --budget 150s
	$(BIN)/python scripts/bench_tensorboard.py runs/digits
	$(BIN)/python scripts/bench_finetune.py --only pass
	$(BIN)/python scripts/bench_finetune.py --only norm
	$(BIN)/python scripts/bench_finetune.py --only imagenet

report: $(READY) ## write the report of RUN again, from its journal
	@$(BIN)/python -m keras_recipe report "$(RUN)"

tensorboard: $(READY) ## show the logs of RUN on http://127.0.0.1:PORT (RUN=runs shows all)
	@$(BIN)/python -m keras_recipe.views.serve "$(RUN)" "$(PORT)"

clean: ## take away the environment and caches; runs/ stays
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp comes last: an installation that was cut off is done again.
$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or later is needed; say which: make PYTHON=python3.11 ..." >&2; exit 2; }
	@test -d .venv || $(PYTHON) -m venv .venv
	@echo "Installing into .venv; the first time takes some minutes." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@if command -v nvidia-smi >/dev/null && nvidia-smi >/dev/null 2>&1; then \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	    "tensorflow[and-cuda]==$$(sed -n 's/^tensorflow==//p' requirements.txt)"; fi
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $(READY)
