package node

import (
	"context"

	"muster/match/cluster"
)

// Register is an Owners without leases: a node that is not in the register is gone.
type Register struct{ Nodes *cluster.Nodes }

var _ Owners = Register{}

// Steady implements Owners.
func (Register) Steady() bool { return true }

// Gone implements Owners.
func (r Register) Gone(ctx context.Context, id string) (bool, error) {
	live, err := r.Nodes.Live(ctx)
	_, ok := live[id]
	return !ok && err == nil, err //nolint:wrapcheck // says what it did
}

// Epoch implements Owners.
func (Register) Epoch() uint64 { return 0 }

// Saw implements Owners.
func (Register) Saw(uint64) {}
