// Package chaos breaks a deployment of several servers while bots play in its rooms, and reckons up afterwards what
// became of every command, event and match: real processes, real sockets, a real Redis. It holds tests only.
//
// One test runs everything; -chaos says how much of it: "little", as `go test ./...` does, "short", "long", "cluster" or
// "nginx", as `make chaos-short` and its like do. docs/FAULTS.md says what each scenario shows.
package chaos
