package match

import (
	"fmt"
	"runtime/debug"

	"go.uber.org/zap"

	"muster/match/journal"
	"muster/proto"
)

// maxRemembered bounds the records of a room's memory, in bytes; beyond it a checkpoint comes early.
const maxRemembered = 1 << 20

// memory is what a room goes back to when its rules panic: its last checkpoint and the records since.
type memory struct {
	tick    uint32
	data    []byte // the checkpoint
	records []byte // encoded, one behind the other
	ends    []int  // of each
}

// checkpoint replaces what was remembered.
func (m *memory) checkpoint(tick uint32, data []byte) {
	m.tick, m.data = tick, append(m.data[:0], data...)
	m.records, m.ends = m.records[:0], m.ends[:0]
}

// add remembers a record.
func (m *memory) add(w *proto.Writer, rec *TickRecord) {
	w.Reset()
	rec.AppendTo(w)
	m.records = append(m.records, w.Bytes()...)
	m.ends = append(m.ends, len(m.records))
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
	if !due || len(rm.record.Seats) > 0 || len(rm.fx.kicked) > 0 || rm.fx.ended {
		return
	}
	rm.checkpoint()
}

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
	if rm.healed {
		return over
	}
	rm.healed = true
	rm.saveCrash(failed)
	sim := rm.game.make(rm.game, rm.spec)
	skipped := rm.record.Inputs
	rm.record.Inputs, rm.record.Skipped = nil, true
	err := rm.guarded(func() error {
		if err := new(roomState).parse(proto.NewReader(rm.memory.data), sim, rm.game); err != nil {
			return err
		}
		return rm.memory.each(func(rec *TickRecord) error {
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
		zap.Int("inputs", len(skipped)))
	if rm.game.rules.Inputs == proto.Commands {
		for i := range skipped {
			rm.fx.refuse(skipped[i].Seat, skipped[i].Seq, "the rules failed when they were given it")
		}
	}
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
	return journal.Header{
		Room: rm.spec.ID, Game: rm.game.name, Rules: rules.Version, Seed: rm.spec.Seed, Epoch: rm.spec.Epoch,
		TickRate: uint16(rules.TickRate), Seats: uint16(rules.Seats), Class: rules.Durability.String(), //nolint:gosec // bounded
		Config: rm.spec.Config, Layout: rm.schema, Server: rm.host.cfg.Version, Created: rm.began.UnixMilli(), Reason: reason,
	}
}
