# make demo: the three stages of the tutorial on handwritten digits that ship with a package (about two minutes)
# make test: form, floors, types and tests (WORKERS=2 processes of tests, 2 GiB each)
# make docs: the reference pages, from the declarations in the program
PYTHON  ?= python3
TORCH   ?= torch==2.13.0
VENV    ?= .venv
WORKERS ?= 2
RUN      = $(VENV)/bin/python

.PHONY: demo test docs clean

$(VENV)/ready: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check "$(TORCH)"
	$(RUN) -m pip install --quiet --disable-pip-version-check -e ".[test,digits]"
	touch $@

demo: $(VENV)/ready
	$(RUN) examples/demo.py

test: $(VENV)/ready
	$(VENV)/bin/ruff check .
	$(VENV)/bin/lint-imports --no-cache
	$(VENV)/bin/mypy
	$(RUN) -m pytest --numprocesses $(WORKERS) --dist loadfile

docs: $(VENV)/ready
	$(RUN) -m n2d2py.reference docs/reference

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
