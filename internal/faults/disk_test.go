package faults

import (
	"bytes"
	"context"
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"muster/internal/testpace"
	"muster/match"
	"muster/match/journal"
	"muster/netcode"
)

// sickDisk is a store of files whose writes fail as a disk's do, or are slow.
type sickDisk struct {
	journal.Store
	err  atomic.Pointer[error]
	slow atomic.Int64 // nanoseconds
}

func (d *sickDisk) write(ctx context.Context, do func() error) error {
	if err := d.err.Load(); err != nil {
		return fmt.Errorf("writing a segment: %w", *err)
	}
	timer := time.NewTimer(time.Duration(d.slow.Load()))
	defer timer.Stop()
	select {
	case <-timer.C:
		return do()
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d *sickDisk) Append(ctx context.Context, room string, epoch uint64, prev uint32, list []journal.Entry) error {
	return d.write(ctx, func() error { return d.Store.Append(ctx, room, epoch, prev, list) })
}

func (d *sickDisk) Checkpoint(ctx context.Context, room string, epoch uint64, h journal.Header, cp journal.Checkpoint) error {
	return d.write(ctx, func() error { return d.Store.Checkpoint(ctx, room, epoch, h, cp) })
}

// The disk under the journal is full, read-only or slow: matches go on, the process says that journals are behind, and
// what was written before and after is read as good.
func TestDiskThatIsFullCostsNoTickAndHeals(t *testing.T) {
	files, err := journal.OpenFiles(journal.FilesConfig{Dir: t.TempDir()})
	must(t, err)
	disk := &sickDisk{Store: files}
	n := startNode(t, nodeConfig{games: []match.Game{ledgerGame, calmGame}, store: disk, epoch: 1})
	way := newRoute(t, n.addr)
	tb := &tables{t: t, machine: testpace.Measure(t), node: n, calm: joins(t, way, "calm-1", 1, 1)}
	for seat := netcode.Seat(1); seat <= 2; seat++ {
		tb.players = append(tb.players, joins(t, way, "ledger-1", seat, 1))
	}
	tb.caughtUp("at first")
	for _, sick := range []error{syscall.ENOSPC, syscall.EROFS} {
		posts := tb.players[0].posts.Load()
		disk.err.Store(&sick)
		lag, missed := tb.during(3 * time.Second) // longer than a room waits for its journal
		degraded, told := n.metric(t, "muster_journal_degraded_rooms"), tb.players[0].posts.Load()-posts
		disk.err.Store(nil)
		t.Logf("%v: durable %d commands behind, %d events told, %d ticks short, %v rooms degraded", sick, lag, told, missed, degraded)
		if missed > mostMissed || degraded != 1 || told == 0 {
			t.Errorf("%v: %d ticks short, %v rooms degraded, %d events told", sick, missed, degraded, told)
		}
		tb.caughtUp("after " + sick.Error())
		until(t, "the room says that its journal is good", func() bool { return n.metric(t, "muster_journal_degraded_rooms") == 0 })
	}
	disk.slow.Store(int64(400 * time.Millisecond))
	lag, missed := tb.during(1500 * time.Millisecond)
	t.Logf("slow: durable %d commands behind, %d ticks short", lag, missed)
	if missed > mostMissed || lag < 5 {
		t.Errorf("slow: %d ticks short, the durable number lags by %d", missed, lag)
	}
	disk.slow.Store(0)
	check(t, tb.players...)
	must(t, n.close())
	var file bytes.Buffer
	must(t, files.Export(t.Context(), "ledger-1", &file))
	rep, err := match.VerifyReplay(ledgerGame, bytes.NewReader(file.Bytes()))
	must(t, err)
	if rep.Differs != nil || rep.Panic != nil || rep.Truncated || rep.Checked < 100 {
		t.Errorf("the replay: %d ticks agree, differs %+v, panic %v, truncated %v", rep.Checked, rep.Differs, rep.Panic, rep.Truncated)
	}
}
