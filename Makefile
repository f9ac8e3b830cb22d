# The same steps as .ci/run, one by one. `make` lists them.
LINT = go tool -modfile=.ci/tools/go.mod golangci-lint

.PHONY: help run test race lint fmt bench bench-check web web-check api-docs api-docs-check loadtest peers peers-smoke matchmaking lobby-bench scaling pages spectators soak soak-lobby tickets-long churn-doctor chaos-short chaos chaos-cluster chaos-nginx fuzz fuzz-long ci docker

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

run: ## serve everything on http://127.0.0.1:8080
	go run ./cmd/muster

test: ## all Go tests; those that need a program which is absent are skipped
	go test ./...

race: ## all Go tests under the race detector
	go test -race ./...

lint: ## vet and golangci-lint, from the Go module proxy
	go vet ./...
	$(LINT) run ./...

fmt: ## format Go code
	$(LINT) fmt ./...

bench: ## benchmarks of the hot paths, with allocations, into docs/BENCHMARKS.md
	go run ./internal/benchtable

bench-check: ## fail when a hot path allocates more often than docs/BENCHMARKS.md says
	go run ./internal/benchtable -check

web: ## build the pages and check and test the TypeScript
	go run ./web/bundle
	cd client/ts && npm ci && npm run check && npm test
	cd web && npm ci && npm run check && npm test

web-check: ## fail when the built pages are not what the sources give
	go run ./web/bundle -check

api-docs: ## write docs/api/ts, the TypeScript client's reference; what is exported must be documented
	cd client/ts/typedoc && npm ci && npm run build

api-docs-check: ## fail when docs/api/ts is not what the sources give
	cd client/ts/typedoc && npm ci && npm run check

loadtest: ## 200 bots against one process, 20 s, with gates
	go run ./cmd/muster loadtest --bots 200 --duration 20s --gate 'fps_min>=19' --gate 'ack_p99<150ms' --gate 'errors==0'

peers: ## measure against other room servers: two quiet Linux cores for an hour, and npm for those in Node.js
	loadtest/peers/run.sh

peers-smoke: ## build that benchmark and serve one small room of it for two seconds
	ONLY=muster RUNS=1 TRIES=1 QUIET=0s SECS=2s STRICT=1 BENCH=$$(mktemp -d) loadtest/peers/run.sh 1x4

matchmaking: ## simulate the matchmaker's days, into docs/MATCHMAKING.md: some minutes
	go run ./internal/matchstudy

lobby-bench: ## matchmaking end to end: tickets over REST at RATE (1500) with WAITING (10000) others, on a quiet machine
	go run ./internal/lobbybench -rate $(or $(RATE),1500) -waiting $(or $(WAITING),10000)

scaling: ## what nodes, rooms, viewers and one Redis cost, into docs/SCALING.md; a quiet machine, 20 minutes; ONLY names one part, printed
	go run ./internal/scalebench $(if $(ONLY),-only $(ONLY))

pages: ## the pages of cards, canvas, chat, watching and operators in a browser; SHOTS=DIR keeps their pictures
	MUSTER_SCREENSHOTS=$(SHOTS) go test ./internal/e2e -count=1 -timeout 60m -pages \
	  -run 'Canvas|Cards|WatchedLive|WatchedAsTables|ThreePeople|Operators'

spectators: ## what WATCH (10000) who watch one match cost beside its players, a tenth of them slow; a quiet machine, two minutes
	go run ./internal/watchbench -watch $(or $(WATCH),10000)

soak: ## rooms and sockets come and go for TIME (10m); the heap must not grow, and all must be given back
	go test ./cmd -run TestChurnOfRoomsAndSocketsLeavesNothing -count=1 -v -timeout 0 -soak $(or $(TIME),10m)

soak-lobby: ## kill a queue's leader KILLS (50) times while tickets stream in: each must end once, within seconds
	go test ./internal/faults -run TestKilledLeaderOfAQueue -count=1 -v -timeout 0 -leader-kills $(or $(KILLS),50)

tickets-long: ## 2000 schedules of lobbies that die between two calls of Redis
	go test ./lobby/ticket -run TestEveryTicketEndsOnce -count=1 -timeout 0 -schedules 2000

churn-doctor: ## servers die for TIME (10m) while all comes and goes; then muster doctor must find nothing
	go test ./internal/faults -run TestDoctorFindsNothing -count=1 -v -timeout 0 -churn $(or $(TIME),10m) -churn-kill 20s -churn-grace 2m

CHAOS = go test ./internal/chaos -run TestMatchesOutliveWhatBreaks -count=1 -v -timeout 30m $(if $(ONLY),-only '$(ONLY)') $(if $(SEED),-seed $(SEED)) -chaos

chaos-short: ## 3 servers, 48 bots: one is killed, one stopped, Redis starts again and is away; under a minute
	$(CHAOS) short

chaos: ## the long one: 400 bots, kills for two minutes, and all else of docs/FAULTS.md; ONLY names one scenario, SEED repeats its dice
	$(CHAOS) long

chaos-cluster: ## the same on a Redis Cluster of 3 masters, and on Sentinel with a failover
	$(CHAOS) long -redis cluster
	$(CHAOS) long -redis sentinel

chaos-nginx: ## 300 bots through nginx with TLS, which is reloaded
	$(CHAOS) nginx

fuzz: ## fuzz each decoder for 20 seconds
	.ci/fuzz 20s

fuzz-long: ## fuzz each decoder for 10 minutes
	.ci/fuzz 10m

ci: ## everything that a change must pass
	.ci/run

docker: ## the container image
	docker build -t muster .
