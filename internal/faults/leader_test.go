package faults

import (
	"flag"
	"slices"
	"testing"
	"time"

	"muster/internal/testpace"
)

// leaderKills is how often the leader is killed; make soak-lobby asks for more.
var leaderKills = flag.Int("leader-kills", 3, "how often a queue's leader is killed")

// The process that leads a queue dies with kill -9 at any moment while tickets stream in: another one leads within three
// seconds, on a busy machine now and then within six, and every ticket that was acknowledged ends once.
func TestKilledLeaderOfAQueueLosesNoTicketAndIsFollowedWithinThreeSeconds(t *testing.T) {
	rng, machine := dice(t), testpace.Measure(t)
	h := openHall(t, 3)
	players := gather(h, 40, rng.Uint64(), usual)
	var led, matched []time.Duration
	for n := range *leaderKills {
		var l *lobbyProcess
		var epoch int64
		until(t, "a lobby leads", func() bool { l, epoch = h.leader("pair"); return l != nil })
		moment := time.Now().Add(time.Duration(300+rng.IntN(900)) * time.Millisecond)
		until(t, "the moment has come", func() bool { return time.Now().After(moment) })
		h.end(l)
		killed := time.Now()
		quietly := machine.Since(killed)
		until(t, "another leads", func() bool {
			now, err := h.rdb.HGet(t.Context(), "muster:{queue:pair}:leader", "epoch").Int64()
			return err == nil && now != epoch
		})
		led = append(led, quietly())
		var first time.Time
		until(t, "a ticket of after the kill is matched", func() bool { first = players.matchedSince(killed); return !first.IsZero() })
		matched = append(matched, min(quietly(), first.Sub(killed)))
		if now, _ := h.rdb.HGet(t.Context(), "muster:{queue:pair}:leader", "epoch").Int64(); now <= epoch {
			t.Errorf("kill %d: epoch %d follows %d", n, now, epoch)
		}
		h.start()
	}
	until(t, "enough has happened to show something", func() bool { return players.seen(100, 20) })
	players.quit()
	players.reckon(false)
	t.Logf("another led after %v, matched after %v", led, matched)
	slices.Sort(led)
	slices.Sort(matched)
	for what, took := range map[string][]time.Duration{"led": led, "matched": matched} {
		if half, longest := took[(len(took)-1)/2], took[len(took)-1]; half > testpace.Bound(3*time.Second) || longest > testpace.Bound(6*time.Second) {
			t.Errorf("another %s within %v half of the times, and within %v each time", what, half, longest)
		}
	}
	if keys := h.endless(); len(keys) > 0 {
		t.Errorf("keys that do not end: %q", keys)
	}
}
