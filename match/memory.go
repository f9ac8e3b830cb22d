package match

import (
	"fmt"
	"runtime/debug"

	"go.uber.org/zap"

	"muster/match/journal"
	"muster/proto"
)

// keeper is what a room has to go on from: in memory after a panic of its rules, in a journal after the end of its
// process.
type keeper struct {
	memory          memory
	healed          bool   // after a panic; the next one ends the match
	wanted          bool   // a checkpoint, as soon as may be
	checkpointEvery uint32 // ticks
	sums            []uint64
	journal         *journal.Recorder // nil: the room is of no class that survives
	durable         uint32            // the newest tick that is stored
	opened          *openedAs         // nil: it was left by somebody before
}

// openedAs is what a new room was when it was opened.
type openedAs struct{ hash uint64 }

// hash is the exact state's.
func (rm *Instance) hash() uint64 {
	rm.sums = rm.sim.sums(rm.sums)
	return total(rm.sums)
}

// untouched says whether the room's state is what it was when it was opened for the first time.
func (rm *Instance) untouched() bool { return rm.opened != nil && rm.hash() == rm.opened.hash }

// newKeeper's checkpoints are up to an eighth further apart than the rules say, by the seed, so that rooms that begin
// together do not take theirs together.
func newKeeper(rules *Rules, seed uint64) keeper {
	every := rules.ticks(rules.CheckpointEvery)
	return keeper{checkpointEvery: every + uint32(seed%uint64(every/8+1))} //nolint:gosec // below every
}

// maxRemembered bounds the records of a room's memory, in bytes; beyond it a checkpoint comes early.
const maxRemembered = 1 << 20

// memory is what a room goes back to when its rules panic: its last checkpoint and the records since.
type memory struct {
	tick    uint32
	data    []byte // the checkpoint
	records []byte // encoded, one behind the other
	ends    []int  // of each
	last    uint32 // the newest tick of all
}

// checkpoint replaces what was remembered.
func (m *memory) checkpoint(tick uint32, data []byte) {
	m.tick, m.last, m.data = tick, tick, append(m.data[:0], data...)
	m.records, m.ends = m.records[:0], m.ends[:0]
}

// add remembers a record.
func (m *memory) add(w *proto.Writer, rec *TickRecord) {
	w.Reset()
	rec.AppendTo(w)
	m.records = append(m.records, w.Bytes()...)
	m.ends = append(m.ends, len(m.records))
	m.last = rec.Tick
}

// each calls f with every record, in order.
func (m *memory) each(f func(rec *TickRecord) error) error {
	from := 0
	for _, to := range m.ends {
		var rec TickRecord
		if err := rec.Parse(m.records[from:to]); err != nil {
			return fmt.Errorf("a remembered record: %w", err)
		}
		if err := f(&rec); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// remember notes the tick that was just simulated, in memory and in the journal.
func (rm *Instance) remember() {
	if rm.journal != nil && rm.game.rules.Durability == Journal {
		rm.sums = rm.sim.sums(rm.sums)
		seal(&rm.record, rm.sums)
		rm.journal.Tick(&rm.record)
	}
	rm.memory.add(rm.out, &rm.record)
}

// checkpointed takes a checkpoint where one is due. Not in a tick of which something is yet to be done at the next one
// (a kick, a drop): a checkpoint has what has been done, and records have the rest.
func (rm *Instance) checkpointed() {
	due := rm.wanted || len(rm.memory.records) > maxRemembered || rm.tick-rm.memory.tick >= rm.checkpointEvery
	if rm.journal != nil && rm.journal.NeedsCheckpoint() {
		due = true
	}
	if due && rm.settled() && !rm.fx.ended {
		rm.checkpoint()
	}
}

// settled says whether all that the last tick wanted is done.
func (rm *Instance) settled() bool { return len(rm.record.Seats) == 0 && len(rm.fx.kicked) == 0 }

// checkpoint takes a checkpoint now.
func (rm *Instance) checkpoint() {
	rm.out.Reset()
	if err := rm.appendCheckpoint(rm.out); err != nil {
		rm.log.Error("no checkpoint could be taken", zap.Uint32("tick", rm.tick), zap.Error(err))
		return
	}
	rm.wanted = false
	rm.memory.checkpoint(rm.tick, rm.out.Bytes())
	if rm.journal != nil {
		rm.journal.Checkpoint(rm.tick, rm.out.Bytes())
	}
}

// heal brings the room back after its rules have panicked: to its last checkpoint, through the ticks since, and past the
// one that failed without its inputs, which are kept as a replay. It is tried once in a match.
func (rm *Instance) heal(failed *PanicError) *proto.Close {
	over := &proto.Close{Code: proto.CodeRulesFailed, Reason: "the game's rules failed"}
	if rm.healed || rm.givenUp() {
		return over
	}
	rm.healed = true
	rm.saveCrash(failed)
	sim := rm.game.make(rm.game, rm.spec)
	rm.record.Skipped = true
	for i := range rm.record.Inputs {
		rm.record.Inputs[i].Body = nil
	}
	for i := range rm.record.Orders {
		rm.record.Orders[i].Body = nil
	}
	err := rm.guarded(func() error {
		if err := new(roomState).parse(proto.NewReader(rm.memory.data), sim, rm.game, true); err != nil {
			return err
		}
		return rm.memory.each(func(rec *TickRecord) error {
			rm.call() // each tick has the watchdog's time for itself
			rm.fx.reset()
			return sim.step(rec, &rm.fx)
		})
	})
	if err == nil {
		rm.fx.reset()
		err = rm.guarded(func() error { return sim.step(&rm.record, &rm.fx) })
	}
	if err != nil {
		rm.log.Error("the room could not go on after the panic", zap.Uint32("tick", rm.record.Tick), zap.Error(err))
		return over
	}
	rm.sim = sim
	rm.wanted = true
	rm.metrics.healed.Inc()
	rm.log.Warn("the room goes on without the inputs at which its rules panicked", zap.Uint32("tick", rm.record.Tick),
		zap.Int("inputs", len(rm.record.Inputs)))
	return nil
}

// guarded calls the rules; their panic is a *PanicError.
func (rm *Instance) guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			rm.metrics.panics.Inc()
			failed := &PanicError{Tick: rm.record.Tick, Value: p, Stack: debug.Stack()}
			rm.log.Error("the game's rules panicked", zap.Uint32("tick", failed.Tick), zap.Any("panic", p),
				zap.ByteString("stack", failed.Stack))
			err = failed
		}
	}()
	rm.call()
	defer rm.returned()
	return f()
}

// header says of which room a replay is.
func (rm *Instance) header(reason string) journal.Header {
	rules := &rm.game.rules
	class := rules.Durability.String()
	if rules.Persist {
		class = journal.ClassPersistent
	}
	return journal.Header{
		Room: rm.spec.ID, Game: rm.game.name, Rules: rules.Version, Seed: rm.spec.Seed, Epoch: rm.spec.Epoch,
		TickRate: uint16(rules.TickRate), Seats: uint16(rules.Seats), Class: class, //nolint:gosec // bounded
		Config: rm.spec.Config, Layout: rm.schema, Server: rm.host.cfg.Version, Created: rm.began.UnixMilli(), Reason: reason,
	}
}
