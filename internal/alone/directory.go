// Package alone has the directory of a host that is alone: tests run rooms with it that no lobby made and no other host wants.
package alone

import (
	"context"

	"muster/match"
	"muster/proto"
)

// Directory is a [match.Directory] that keeps nothing. Every match takes place. Any goroutine may use it.
type Directory struct{}

// FreeSeat implements match.Directory.
func (Directory) FreeSeat(context.Context, string, uint64, uint16, []string) error { return nil }

// Renew implements match.Directory.
func (Directory) Renew(context.Context, string, uint64, match.Alive) error { return nil }

// Settle implements match.Directory.
func (Directory) Settle(context.Context, string) (match.Settlement, error) {
	return match.Settlement{State: match.SettleStarted}, nil
}

// EndRoom implements match.Directory.
func (Directory) EndRoom(context.Context, string, uint64) error { return nil }

// HandOver implements match.Directory.
func (Directory) HandOver(context.Context, string, uint64, bool) error { return nil }

// Fail implements match.Directory.
func (Directory) Fail(context.Context, string, uint64, proto.Close) error { return nil }

// Hung implements match.Directory.
func (Directory) Hung(context.Context, string) error { return nil }

// PostResult implements match.Directory.
func (Directory) PostResult(context.Context, proto.Result) error { return nil }
