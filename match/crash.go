package match

import (
	"fmt"
	"path/filepath"

	"go.uber.org/zap"

	"muster/match/journal"
	"muster/proto"
)

// maxCrashes bounds the replays of panics and hangs that a process keeps.
const maxCrashes = 100

// saveCrash keeps the way to a panic as a replay.
func (rm *Instance) saveCrash(failed *PanicError) {
	rm.saveWay(fmt.Sprintf("panic at tick %d: %v", failed.Tick, failed.Value))
}

// saveHang keeps the way to where the rules do not return, but where that is in the first steps of a room, before its first
// checkpoint. The watchdog calls it for a room that is hung: it reads what the room's goroutine does not write any more, and
// nothing of the state, which the rules may be changing.
func (rm *Instance) saveHang() {
	if len(rm.memory.data) > 0 {
		rm.saveWay(fmt.Sprintf("hang after tick %d", rm.memory.last))
	}
}

// saveWay keeps a replay of the last checkpoint, the ticks since, and the one that is not done, with its inputs. It is
// written beside the tick; a directory that cannot be written costs the replay, not the room.
func (rm *Instance) saveWay(reason string) {
	dir := rm.host.cfg.Crashes
	if dir == "" || rm.host.crashes.Add(1) > maxCrashes {
		return
	}
	was := memory{
		tick: rm.memory.tick, last: rm.memory.last, data: append([]byte(nil), rm.memory.data...),
		records: append([]byte(nil), rm.memory.records...), ends: append([]int(nil), rm.memory.ends...),
	}
	if rm.record.Tick > was.last {
		was.add(proto.NewWriter(), &rm.record)
	}
	h := rm.header(clip(reason))
	name := filepath.Join(dir, fmt.Sprintf("%s-%d.muster", rm.spec.ID, was.last))
	rm.host.wg.Go(func() {
		if err := was.write(name, h); err != nil {
			rm.log.Error("the replay of what the rules failed at was not kept", zap.Error(err))
			return
		}
		rm.log.Warn("the way to where the rules failed was kept; see muster replay", zap.String("file", name))
	})
}

// write writes a replay that comes to its name whole.
func (m *memory) write(name string, h journal.Header) error {
	return journal.WriteFile(name, h, func(w *journal.Writer) error { //nolint:wrapcheck // says what it did
		if err := w.Checkpoint(journal.Checkpoint{Tick: m.tick, Data: m.data}); err != nil {
			return err //nolint:wrapcheck // says what it is
		}
		return m.each(w.Append)
	})
}
