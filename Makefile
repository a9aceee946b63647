# The daily commands. Each target says after ## what it does; `make` alone lists them.
# make provision ESTATE=../my-estate judges and makes an estate of your own.
.DEFAULT_GOAL := help
.PHONY: help provision test sweep attacks down status plan install lint format bench fuzz lock clean

export PATH := $(PATH):/usr/local/sbin:/usr/sbin:/sbin
export PYTHON
ESTATE ?=
PLUTO := .venv/bin/python -m provision$(if $(ESTATE), --estate $(ESTATE))
PYTEST := .venv/bin/python -m pytest
# Where an instance is there, so are its network namespaces; after a boot or `make down` there is none.
LAB := /run/netns/pluto.*

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

provision: install ## install what is missing, then make the machine hold what the specs declare
	@$(PLUTO) apply --yes

test: install ## judge the lab as it stands (made first when there is none), and everything else; ARGS="-k link -n2"
	@provision/host/install.sh test
	@ls -d $(LAB) >/dev/null 2>&1 || $(MAKE) --no-print-directory provision
	@$(PYTEST) tests/house tests/unit tests/semantics tests/invariants tests/services tests/lifecycle tests/sabotage $(ARGS)

sweep: install ## every port of TCP and UDP between neighbours, on the lab as it stands
	@$(PYTEST) -m sweep tests/invariants $(ARGS)

attacks: install ## print the catalogue of attacks: what each kind tries, how, and who would see it
	@.venv/bin/python -m fixtures.probe

down: install ## take away everything that bears pluto's mark
	@$(PLUTO) down

status: install ## say what runs and whether it is what was declared
	@$(PLUTO) status

plan: install ## say what `make provision` would change; exit code 2 when there is something
	@$(PLUTO) plan

install: ## only install: system packages by apk or apt, Python packages into .venv
	@provision/host/install.sh

lint: install ## the house's rules alone: ruff, mypy, imports, the lock, names and sizes
	@$(PYTEST) tests/house $(ARGS)

format: install ## let ruff mend what it can
	@.venv/bin/ruff check --fix-only --quiet . && .venv/bin/ruff format --quiet .

bench: install ## time provisioning beside the peers it is measured against, and the proof of 1000 leaves
	@.venv/bin/python -m tests.scale.bench_provision
	@.venv/bin/python -m tests.scale.bench_warm
	@.venv/bin/python -m tests.scale.bench_proof
	@.venv/bin/python -m tests.scale.bench_probe
	@.venv/bin/python -m tests.scale.bench_nmap
	@.venv/bin/python -m tests.scale.bench_thousand

fuzz: install ## compare what rulesets mean with what this kernel does; ARGS="--seed 7 --minutes 60" (10 when not said)
	@.venv/bin/python -m fixtures.fuzz $(ARGS)

lock: ## resolve pyproject.toml's dependencies anew into provision/host/python.lock
	@provision/host/relock.sh

clean: ## remove .venv and the caches; the estate and its state stay (see `make down`)
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
