# One command each. Everything is installed into .venv, at the versions of constraints.txt.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-quick golden check bench structure docs reference picture format dist weights clean

.venv/.core: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

.venv/.dev: .venv/.core
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

.venv/.docs: .venv/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@touch $@

demo: .venv/.core  ## audit the bundled suite with both bundled models, and lay the runs beside each other
	$(BIN)/dominance audit miniature --seeds 6 --limit 12 --model miniature-swapped --out runs/demo-twin
	$(BIN)/dominance audit miniature --seeds 6 --beside runs/demo-twin --out runs/demo

test: .venv/.dev  ## all tests
	$(BIN)/python -m pytest -n 2 --dist worksteal -q -rs

test-quick: .venv/.dev  ## without slow tests and the browser: under three minutes on two cores
	$(BIN)/python -m pytest -n 2 --dist worksteal -q -m "not slow" --ignore tests/browser

golden: .venv/.dev  ## write the sentences that tests pin again; read the diff
	$(BIN)/python -m pytest -q --update-golden $$(grep -rlw golden tests --include='test_*.py')

check: .venv/.dev  ## format, lint, types, import rules, docs in sync
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/ty check src
	$(BIN)/python -m pytest -q tests/unit/test_import_rules.py tests/docs/test_in_step.py

format: .venv/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/.dev  ## speed, side by side in one run, as ratios
	$(BIN)/python benchmarks/run.py

dist: .venv/.dev  ## wheel and source distribution, in dist/
	$(BIN)/python -m hatchling build

BEFORE ?= HEAD

structure:  ## how the source is built, before and now: make structure BEFORE=812c140
	$(PYTHON) benchmarks/structure.py $(BEFORE) .

docs: .venv/.docs reference  ## the site, in site/; its gallery needs chromium and a few minutes the first time
	$(BIN)/python docs/make_gallery.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	$(BIN)/python docs/check_site.py site

reference: .venv/.core  ## the pages of the docs that are made from the code
	$(BIN)/python -m dominance.cli.reference docs/reference

picture: demo  ## the README's picture, of the report of the demo
	$(BIN)/python docs/screenshots.py runs/demo/report.html docs/images/report.png

RUNS := training-runs

weights: .venv/.core  ## train what ships, base, judge, CLIP and adapters: a day on two cores; a killed run resumes
	$(BIN)/dominance train miniature --out $(RUNS)/base --pictures 112000 --autoencoder-pictures 12000 --processes 2 \
		--entity-diversity 1 --pairs 0.2 --entity-pairs 0.2 --entities-together 0.1
	$(BIN)/dominance train judge --out $(RUNS)/judge --model $(RUNS)/base/model
	$(BIN)/dominance train judge --out $(RUNS)/judge-later --model $(RUNS)/base/model \
		--base blip:$(RUNS)/judge/judge --answered 40000 --garbled 0.5
	$(BIN)/dominance train miniature --out $(RUNS)/base-later --base $(RUNS)/base/model --seed 1 --pictures 64000 --processes 2 \
		--entity-diversity 1 --pairs 0.35 --entity-pairs 0.3 --entities-together 0.15
	$(BIN)/dominance train judge --out $(RUNS)/judge-drawn --model $(RUNS)/base-later/model --learning-rate 0.0003 \
		--base blip:$(RUNS)/judge-later/judge --answered 30400 --garbled 0.5 --labelled labels/for-training
	$(BIN)/dominance train judge --out $(RUNS)/judge-last --model $(RUNS)/base-later/model --learning-rate 0.00015 \
		--base blip:$(RUNS)/judge-drawn/judge --answered 11200 --garbled 0.6 \
		--labelled labels/for-training --labelled src/dominance/miniature/weights/labels
	$(BIN)/dominance train clip --out $(RUNS)/clip --model $(RUNS)/base-later/model
	$(BIN)/dominance train twins --seeds 3 --processes 2 --keep --base $(RUNS)/base-later/model \
		--judge blip:$(RUNS)/judge-last/judge --out $(RUNS)/twins --results $(RUNS)/twins.jsonl --page $(RUNS)/twins.md
	$(BIN)/dominance train diversity --seeds 1 --processes 2 --keep --base $(RUNS)/base-later/model \
		--judge blip:$(RUNS)/judge-last/judge --out $(RUNS)/diversity --results $(RUNS)/diversity.jsonl --page $(RUNS)/diversity.md
	$(BIN)/dominance train diversity --subjects robot --levels 1 --first-seed 1 --seeds 1 --keep --base $(RUNS)/base-later/model \
		--judge blip:$(RUNS)/judge-last/judge --out $(RUNS)/diversity --results $(RUNS)/diversity.jsonl --page $(RUNS)/diversity.md

clean:
	rm -rf .venv runs site docs/gallery/pages
