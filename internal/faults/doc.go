// Package faults breaks what a server stands on, and looks at what clients and journals saw of it: real processes, real
// sockets, a real Redis. It holds tests only. docs/FAULTS.md says which test shows what.
package faults
