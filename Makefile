# Folkmoot. `make run` starts the desk with a practice organisation; `make test` tests everything.
.PHONY: help install run test faults check format bench docs lock clean
ONLY ?=

help:     ## this list
	@sed -n 's/^\([a-z]*\): .*## /  make \1\t/p' $(MAKEFILE_LIST)
install:  ## everything for use and tests, inside this folder
	@sh tools/install.sh all
run:      ## start the desk with a practice organisation, and print its address
	@sh tools/install.sh use && exec .venv/bin/folkmoot up --practice
test: install  ## every test: library, desk on SQLite and PostgreSQL, browser journeys
	@.venv/bin/python tools/run_tests.py $(ONLY)
faults: install ## kill workers, lose answers, change clocks, cut the power: make faults RUNS=1000 SEED=7
	@RUNS=$(RUNS) SEED=$(SEED) PLANT=$(PLANT) DATABASE=$(DATABASE) .venv/bin/python -m tests.faults
	@[ -n "$(PLANT)" ] || SEED=$(SEED) DATABASE=$(DATABASE) .venv/bin/python -m tests.record_faults --long
check: install ## format, lint, types, and the order of imports
	@.venv/bin/python tools/run_checks.py
format:   ## put the code into its form
	@.venv/bin/ruff check --fix -q . ; .venv/bin/ruff format .
bench: install ## figures beside their peers, one JSON object a line: make bench ONLY=check
	@.venv/bin/python -m bench $(ONLY)
docs:     ## write the parts of the documentation that come from the code
	@.venv/bin/python tools/build_docs.py
lock:     ## work the locks out anew (needs uv)
	@sh tools/lock.sh
clean:    ## remove what install and run made, the desk's data with it
	@rm -rf .venv node_modules tests/pds/node_modules var src/folkmoot/desk/site/static/built
