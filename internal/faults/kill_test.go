package faults

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"muster/internal/testprocess"
	"muster/internal/testredis"
	"muster/match"
	"muster/match/cluster"
)

// A server dies with kill -9 at any moment, and another one goes on with its rooms from Redis: what a client was told is
// durable is there, each command counts once, each event is told once, and a replay comes to the same states.
func TestKilledServerLosesNothingThatWasDurable(t *testing.T) { killServers(t, ledgerGame, 10) }

// With checkpoints alone the ticks since the last one are taken back; what a client was told is durable is not, and its
// later commands are sent again.
func TestKilledServerWithCheckpointsGoesBackToTheLast(t *testing.T) { killServers(t, slipGame, 4) }

func killServers(t *testing.T, game match.Game, kills int) {
	t.Helper()
	store := testredis.Start(t)
	journals := cluster.NewJournal(store.Connect(), "faults", cluster.JournalConfig{})
	rng := dice(t)
	var commands, events int64
	var longest time.Duration
	for n := range kills {
		room := fmt.Sprintf("%s-%d", game.Name(), n)
		server := testprocess.Start(t, "journal", nil, "FAULTS_REDIS="+store.URL(), "FAULTS_EPOCH=1")
		way := newRoute(t, server.After(t, "listening on"))
		a, b := joins(t, way, room, 1, 2), joins(t, way, room, 2, 1)
		until(t, "both play", func() bool { return a.durable.Load() > 0 && b.durable.Load() > 0 })
		moment := time.Now().Add(time.Duration(rng.IntN(700)) * time.Millisecond)
		until(t, "the moment has come", func() bool { return time.Now().After(moment) })
		server.Kill()
		killed := time.Now()
		told := [2]uint32{a.durable.Load(), b.durable.Load()}

		next := startNode(t, nodeConfig{games: []match.Game{game}, store: journals, epoch: 2})
		way.lead(next.addr)
		until(t, "both play again", func() bool { return a.durable.Load() > told[0]+4 && b.durable.Load() > told[1]+2 })
		longest = max(longest, time.Since(killed))
		check(t, a, b)
		for i, p := range []*player{a, b} {
			if len(p.epochs) != 2 || p.epochs[1] != 2 {
				t.Errorf("kill %d: %s was welcomed with epochs %v", n, p.name, p.epochs)
			}
			if got := p.conn.State().of(p.seat); got == nil || got.Last < told[i] {
				t.Errorf("kill %d: %s was told that command %d is durable; the room has %+v", n, p.name, told[i], got)
			}
			commands += int64(p.sent.Load())
			events += p.posts.Load()
		}
		must(t, next.close())
		if game.Rules().Durability == match.Journal {
			verify(t, journals, room)
		}
		if t.Failed() {
			t.Fatalf("at kill %d, %v after the players joined", n, moment)
		}
	}
	t.Logf("%d kills, %d commands, %d events, back after %v at most", kills, commands, events, longest)
}

// verify runs a room's journal again and compares the states of each tick.
func verify(t *testing.T, journals *cluster.Journal, room string) {
	t.Helper()
	var file bytes.Buffer
	must(t, journals.Export(t.Context(), room, &file))
	rep, err := match.VerifyReplay(ledgerGame, bytes.NewReader(file.Bytes()))
	must(t, err)
	if rep.Differs != nil || rep.Panic != nil || rep.Truncated || rep.Checked == 0 {
		t.Errorf("the replay of %s: %+v, differs %+v, panic %v", room, rep, rep.Differs, rep.Panic)
	}
}
