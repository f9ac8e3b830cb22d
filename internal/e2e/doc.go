// Package e2e plays the real thing: the built command, real browsers. It holds tests only. Those of the arena and the clients
// run with all other tests; those of the other pages, which take minutes, by make pages, as in CI.
package e2e
