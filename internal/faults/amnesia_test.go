package faults

import (
	"net/http"
	"testing"
	"time"

	"muster/internal/testpace"
)

// outages are how long Redis is away, after each of which it has its data, as far as its append-only file says, or has
// forgotten everything.
//
// A killed process loses nothing that it wrote to the file, under either policy: appendfsync says what a machine that
// loses its power forgets. With "always" that is nothing; with "everysec" it may be the last second or two, and those
// tickets answer 404.
var outages = []struct {
	name   string
	long   time.Duration
	forgot bool
	args   []string
}{
	{"with its data, after ten seconds", 10 * time.Second, false, []string{"--appendonly", "yes", "--appendfsync", "everysec"}},
	{"empty", time.Second, true, nil},
}

// Redis is killed while tickets stream in, and started again: meanwhile requests are told to come again, and afterwards
// tickets are matched as before. With its data no ticket that was acknowledged is lost or ends twice. Without, they are
// not there, players make new ones, and epochs rise all the same.
func TestRedisThatIsKilledAndStartedAgainIsGoneOnWithByTheLobby(t *testing.T) {
	t.Parallel()
	for _, o := range outages {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			rng, machine := dice(t), testpace.Measure(t)
			h := openHall(t, 2, o.args...)
			players := gather(h, 12, rng.Uint64(), usual)
			began := time.Now()
			until(t, "matches are made", func() bool { return !players.matchedSince(began).IsZero() })
			moment := time.Now().Add(time.Duration(200+rng.IntN(800)) * time.Millisecond)
			until(t, "the moment has come", func() bool { return time.Now().After(moment) })
			epoch, err := h.rdb.HGet(t.Context(), "muster:{queue:pair}:leader", "epoch").Int64()
			must(t, err)

			h.store.Kill()
			killed := time.Now()
			for _, l := range h.lobbies {
				a, err := h.once(t.Context(), l, http.MethodPost, "/v1/tickets", "early", `{"queue":"pair"}`, "")
				must(t, err)
				if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
					t.Errorf("without Redis: %d %v %s", a.status, a.header, a.text)
				}
				if a, err = h.once(t.Context(), l, http.MethodGet, "/readyz", "early", "", ""); err != nil || a.status != http.StatusServiceUnavailable {
					t.Errorf("without Redis /readyz says %d, %v", a.status, err)
				}
			}
			until(t, "the outage is over", func() bool { return time.Since(killed) > o.long })
			h.store.Restart()
			back := time.Now()
			quietly := machine.Since(back)
			var first time.Time
			until(t, "a ticket of afterwards is matched", func() bool { first = players.matchedSince(back); return !first.IsZero() })
			took := quietly()
			for n, l := range h.lobbies {
				until(t, "each lobby says that it is ready", func() bool {
					a, err := h.once(t.Context(), l, http.MethodGet, "/readyz", "early", "", "")
					return err == nil && a.status == http.StatusOK
				})
				if after := h.metric(l, `muster_matchmaker_look_seconds_count`); after == 0 {
					t.Errorf("lobby %d does not look at its queues", n)
				}
			}
			moment = time.Now().Add(time.Second)
			until(t, "more are", func() bool { return time.Now().After(moment) && players.seen(10, 0) })
			players.quit()
			e := players.reckon(o.forgot)
			now, err := h.rdb.HGet(t.Context(), "muster:{queue:pair}:leader", "epoch").Int64()
			if err != nil || now < epoch || o.forgot && now == epoch {
				t.Errorf("epoch %d follows %d (%v)", now, epoch, err)
			}
			t.Logf("matched %v after Redis was back; epochs %d, %d", first.Sub(back), epoch, now)
			if took > testpace.Bound(4*time.Second) { // a lease of two seconds may run from before
				t.Errorf("matched %v after Redis was back", took)
			}
			if o.forgot == (e.lost == 0) {
				t.Errorf("%+v shows little", e)
			}
			if keys := h.endless(); len(keys) > 0 {
				t.Errorf("keys that do not end: %q", keys)
			}
		})
	}
}
