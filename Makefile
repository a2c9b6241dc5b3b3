.DEFAULT_GOAL := help
.PHONY: help check test generate bench corpora torture fuzz release dist

PLATFORMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
.PHONY: $(PLATFORMS)

SHA256 := $(if $(shell command -v sha256sum),sha256sum,shasum -a 256)

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "%-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

check: ## Run every check that a change must pass, linters and a fresh clone too
	bash .ci/run

test: ## Run the tests
	go test ./...

generate: ## Write the generated files again: operation pages, assembly
	go generate ./...

bench: ## Run the Go benchmarks
	go test -run '^$$' -bench . -benchmem ./...

corpora: ## Run poolctl over the damaged and hostile files in CORPORA=DIR and print the results
	go run ./tools/corpora $(CORPORA)

TORTURES := Batch|StatedMemory|Refusals|Kills|Interrupts|FileSizeLimit|ConcurrentRuns|SystemCalls|FullDisk|NothingElse|FewDescriptors

torture: ## Long forms of the tests of trust: 1,000 kills, full disks, faults at every call, measured memory (Linux, strace)
	POOLCTL_TORTURE=1 go test -timeout 60m -run '$(TORTURES)' ./cmd/poolctl
	POOLCTL_TORTURE=1 go test -timeout 60m -run 'EveryCall|StayIn' ./internal/imgio ./internal/ops

FUZZTIME ?= 60s

fuzz: ## Fuzz every target for FUZZTIME (default 60s each)
	bash .ci/fuzz $(FUZZTIME)

CYCLONEDX := github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.9.0

release: dist ## dist, and its list of modules (CycloneDX) in dist/sbom.json
	go run $(CYCLONEDX) app -json -licenses -main cmd/poolctl -output dist/sbom.json .
	cd dist && find . -type f ! -name SHA256SUMS | LC_ALL=C sort | xargs $(SHA256) > SHA256SUMS

dist: ## Cross-build static binaries and the man pages into dist/, with their sha256 sums
	rm -rf dist
	$(MAKE) $(PLATFORMS)
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) go run ./cmd/poolctl man dist/man
	cd dist && find . -type f ! -name SHA256SUMS | LC_ALL=C sort | xargs $(SHA256) > SHA256SUMS

$(PLATFORMS):
	CGO_ENABLED=0 GOOS=$(@D) GOARCH=$(@F) go build -trimpath -ldflags "-s -w" -o dist/poolctl-$(@D)-$(@F)$(if $(filter windows,$(@D)),.exe) ./cmd/poolctl
