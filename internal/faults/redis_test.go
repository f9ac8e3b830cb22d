package faults

import (
	"fmt"
	"testing"
	"time"

	"muster/internal/race"
	"muster/internal/testpace"
	"muster/internal/testproxy"
	"muster/internal/testredis"
	"muster/match"
	"muster/match/cluster"
	"muster/netcode"
)

// mostMissed is how many ticks a room may be short over a few seconds of what one has that keeps no journal, and that a busy
// machine stalls as much. Rooms that waited for Redis would be short of tens.
const mostMissed = 8

// tables are some rooms of the ledger with a journal, each with two players, and one without, with one.
type tables struct {
	t       *testing.T
	node    *node
	players []*player
	calm    *player
	machine *testpace.Pace
}

func openTables(t *testing.T, rooms int, redisURL string) *tables {
	t.Helper()
	rdb, err := cluster.Connect(t.Context(), redisURL)
	must(t, err)
	t.Cleanup(func() { _ = rdb.Close() })
	tb := &tables{t: t, machine: testpace.Measure(t), node: startNode(t, nodeConfig{
		games: []match.Game{ledgerGame, calmGame}, store: cluster.NewJournal(rdb, "faults", cluster.JournalConfig{}), epoch: 1,
	})}
	way := newRoute(t, tb.node.addr)
	tb.calm = joins(t, way, "calm-1", 1, 1)
	for r := range rooms {
		for seat := range netcode.Seat(2) {
			tb.players = append(tb.players, joins(t, way, fmt.Sprintf("ledger-%d", r), seat+1, 1))
		}
	}
	tb.caughtUp("at first")
	return tb
}

// caughtUp waits until what is being sent now is durable.
func (tb *tables) caughtUp(when string) {
	tb.t.Helper()
	for _, p := range tb.players {
		n := p.sent.Load()
		until(tb.t, fmt.Sprintf("%s's command %d is durable %s", p.name, n, when), func() bool { return n > 0 && p.durable.Load() >= n })
	}
}

// during plays for a time and returns the most by which the durable number lagged behind the processed one, and the most
// ticks that a room was short of what the calm one had, which must have had most of its own. What the machine was late by does
// not count: rooms leave such ticks out.
func (tb *tables) during(long time.Duration) (lag uint32, missed int) {
	tb.t.Helper()
	quietly, first := tb.machine.Since(time.Now()), tb.calm.tick.Load()
	var from []uint32
	for _, p := range tb.players {
		from = append(from, p.tick.Load())
	}
	for quietly() < long {
		for _, p := range tb.players {
			durable := p.durable.Load()
			if processed := p.processed.Load(); processed > durable {
				lag = max(lag, processed-durable)
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	want, due := int(tb.calm.tick.Load()-first), int(quietly().Seconds()*float64(calmGame.Rules().TickRate))
	if least := due / 2; want < least && !race.Enabled || want < least/2 { // else nothing is to be missed
		tb.t.Errorf("the room without a journal had %d ticks of %d", want, due)
	}
	for i, p := range tb.players {
		missed = max(missed, want-int(p.tick.Load()-from[i]))
	}
	return lag, missed
}

// finish looks at what became of all commands, and compares replays.
func (tb *tables) finish(journals *cluster.Journal, replays bool) {
	tb.t.Helper()
	for i := 0; i < len(tb.players); i += 2 {
		check(tb.t, tb.players[i], tb.players[i+1])
	}
	must(tb.t, tb.node.close())
	for i := 0; replays && i < len(tb.players)/2; i++ {
		verify(tb.t, journals, fmt.Sprintf("ledger-%d", i))
	}
}

// No call of Redis waits on the way of a tick: whatever Redis does, rooms tick on; what is durable lags and catches up.
func TestRedisThatIsSlowOrAwayCostsNoTick(t *testing.T) {
	store := testredis.Start(t)
	way := testproxy.Start(t, store.Addr)
	tb := openTables(t, 4, "redis://"+way.Addr())
	_, missed := tb.during(time.Second)
	t.Logf("undisturbed: %d ticks short", missed)
	for _, delay := range []time.Duration{5 * time.Millisecond, 50 * time.Millisecond, 500 * time.Millisecond} {
		way.Slow(delay)
		lag, missed := tb.during(1500 * time.Millisecond)
		t.Logf("+%v: durable %d commands behind at most, %d ticks short", delay, lag, missed)
		if missed > mostMissed {
			t.Errorf("+%v: a room is %d ticks short", delay, missed)
		}
		way.Slow(0)
		tb.caughtUp(fmt.Sprintf("after +%v", delay))
	}
	for n, long := range []time.Duration{time.Second, 4 * time.Second} { // shorter and longer than a room waits for its journal
		open := way.BlackHole()
		lag, missed := tb.during(long)
		degraded := tb.node.metric(t, "muster_journal_degraded_rooms")
		open()
		t.Logf("away for %v: durable %d commands behind, %d ticks short, %.0f rooms degraded", long, lag, missed, degraded)
		if missed > mostMissed || lag < 5 {
			t.Errorf("away for %v: a room is %d ticks short, the durable number lags by %d", long, missed, lag)
		}
		if n == 1 && degraded != 4 {
			t.Errorf("away for %v: %v rooms say that they are degraded", long, degraded)
		}
		tb.caughtUp(fmt.Sprintf("after %v away", long))
	}
	until(t, "no room says that it is degraded", func() bool { return tb.node.metric(t, "muster_journal_degraded_rooms") == 0 })
	tb.finish(cluster.NewJournal(store.Connect(), "faults", cluster.JournalConfig{}), true)
}

// Redis is killed and started again, with what it had on its disk and with nothing.
func TestRedisThatIsKilledCostsNoTick(t *testing.T) {
	for name, args := range map[string][]string{
		"with its data": {"--appendonly", "yes", "--appendfsync", "always"}, "without": nil,
	} {
		t.Run(name, func(t *testing.T) {
			store := testredis.Start(t, args...)
			tb := openTables(t, 3, store.URL())
			store.Kill()
			lag, missed := tb.during(700 * time.Millisecond)
			store.Restart()
			t.Logf("killed: durable %d commands behind, %d ticks short", lag, missed)
			more, short := tb.during(700 * time.Millisecond)
			t.Logf("back: durable %d commands behind, %d ticks short", more, short)
			if missed+short > mostMissed {
				t.Errorf("a room is %d ticks short", missed+short)
			}
			tb.caughtUp("after the restart")
			until(t, "no room says that it is degraded", func() bool { return tb.node.metric(t, "muster_journal_degraded_rooms") == 0 })
			// What Redis forgot is missing from a replay; what is there must be true.
			tb.finish(cluster.NewJournal(store.Connect(), "faults", cluster.JournalConfig{}), args != nil)
		})
	}
}

// Redis has no memory left and evicts nothing: it refuses what would need some. Rooms go on, undurably after a while; what
// they did since comes with a checkpoint when there is memory again.
func TestRedisWhoseMemoryIsFullCostsNoTickAndHeals(t *testing.T) {
	store := testredis.Start(t)
	admin := store.Connect()
	tb := openTables(t, 3, store.URL())
	must(t, admin.ConfigSet(t.Context(), "maxmemory", "1").Err())
	lag, missed := tb.during(4 * time.Second) // longer than a room waits for its journal
	degraded := tb.node.metric(t, "muster_journal_degraded_rooms")
	t.Logf("full: durable %d commands behind, %d ticks short, %.0f rooms degraded", lag, missed, degraded)
	if missed > mostMissed || lag < 5 || degraded != 3 {
		t.Errorf("a room is %d ticks short, the durable number lags by %d, %.0f of 3 rooms say that they are degraded", missed, lag, degraded)
	}
	must(t, admin.ConfigSet(t.Context(), "maxmemory", "0").Err())
	tb.caughtUp("when there is memory again")
	until(t, "no room says that it is degraded", func() bool { return tb.node.metric(t, "muster_journal_degraded_rooms") == 0 })
	tb.finish(cluster.NewJournal(store.Connect(), "faults", cluster.JournalConfig{}), true)
}
