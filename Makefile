# One command each. Everything is installed into .venv, at the versions of constraints.txt.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test golden check bench docs format weights clean

.venv/.core: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

.venv/.dev: .venv/.core
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: .venv/.core  ## audit the bundled suite with the bundled model and judge
	$(BIN)/dominance audit miniature --out runs/demo

test: .venv/.dev  ## all tests
	$(BIN)/python -m pytest -n 2 --dist worksteal -q -rs

golden: .venv/.dev  ## write the sentences that tests pin again; read the diff
	$(BIN)/python -m pytest -q --update-golden $$(grep -rlw golden tests --include='test_*.py')

check: .venv/.dev  ## format, lint, types, import rules, docs in sync
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/ty check src
	$(BIN)/python -m pytest -q tests/unit/test_import_rules.py tests/unit/test_docs_in_sync.py

format: .venv/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/.dev  ## speed, side by side in one run, as ratios
	$(BIN)/python benchmarks/run.py

docs: .venv/.dev  ## what docs derive from the code
	$(BIN)/python -m dominance.cli.reference > docs/commands.md

RUNS := training-runs

weights: .venv/.core  ## train what ships, base, judge and twins: six hours or more on two cores; a killed run resumes
	$(BIN)/dominance train miniature --out $(RUNS)/base --pictures 112000 --autoencoder-pictures 12000 --processes 2 \
		--entity-diversity 1 --pairs 0.2 --entity-pairs 0.2 --entities-together 0.1
	$(BIN)/dominance train judge --out $(RUNS)/judge --model $(RUNS)/base/model
	$(BIN)/dominance train judge --out $(RUNS)/judge-later --model $(RUNS)/base/model \
		--base blip:$(RUNS)/judge/judge --answered 40000 --garbled 0.5
	$(BIN)/dominance train miniature --out $(RUNS)/base-later --base $(RUNS)/base/model --seed 1 --pictures 64000 --processes 2 \
		--entity-diversity 1 --pairs 0.35 --entity-pairs 0.3 --entities-together 0.15
	$(BIN)/dominance train study --conditions main --first-seed 1 --guidances 5 --keep --base $(RUNS)/base-later/model \
		--judge blip:$(RUNS)/judge-later/judge --out $(RUNS)/twins --results $(RUNS)/twins.jsonl --page $(RUNS)/twins.md

clean:
	rm -rf .venv runs
