// Package e2e plays the real thing: the built command, real browsers. It holds tests only.
package e2e
