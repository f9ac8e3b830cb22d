package match

import (
	"fmt"
	"path/filepath"

	"go.uber.org/zap"

	"muster/match/journal"
)

// maxCrashes bounds the replays of panics that a process keeps.
const maxCrashes = 100

// saveCrash keeps the way to a panic as a replay: the last checkpoint, the ticks since, and the one that failed, with
// its inputs. It is written beside the tick; a directory that cannot be written costs the replay, not the room.
func (rm *Instance) saveCrash(failed *PanicError) {
	dir := rm.host.cfg.Crashes
	if dir == "" || rm.host.crashes.Add(1) > maxCrashes {
		return
	}
	was := memory{
		tick: rm.memory.tick, data: append([]byte(nil), rm.memory.data...),
		records: append([]byte(nil), rm.memory.records...), ends: append([]int(nil), rm.memory.ends...),
	}
	was.add(rm.out, &rm.record)
	h := rm.header(clip(fmt.Sprintf("panic at tick %d: %v", failed.Tick, failed.Value)))
	name := filepath.Join(dir, fmt.Sprintf("%s-%d.muster", rm.spec.ID, failed.Tick))
	rm.host.wg.Go(func() {
		if err := was.write(name, h); err != nil {
			rm.log.Error("the replay of a panic was not kept", zap.Error(err))
			return
		}
		rm.log.Warn("the way to the panic was kept; see muster replay", zap.String("file", name))
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
