package match

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap/zaptest"
	"pgregory.net/rapid"

	"muster/internal/testmetric"
	"muster/netcode"
)

// light is a game whose frames are small.
type light struct{}

type lightState struct{ V netcode.Value[lightTick] }

type lightTick struct{ N uint32 }

func (light) Step(s *netcode.Step[lightState, dotInput]) { s.State.V.V.N = s.Tick }

// Three rooms would keep three times as much as all may: those who watch them miss frames and go on with a keyframe, with all
// events. Who watches a room that keeps little misses nothing, players miss nothing anywhere, and all is given back.
func TestWhatAllRoomsKeepForThoseWhoWatchIsBounded(t *testing.T) {
	const bound = 3 << 20
	synctest.Test(t, func(t *testing.T) {
		rules := Rules{Spectators: 2, SpectatorDelay: 10 * time.Second, Events: []any{line{}}}
		fat := Define[heavyState, dotInput]("heavy", heavy{}, rules)
		thin := Define[lightState, dotInput]("light", light{}, rules)
		reg := prometheus.NewRegistry()
		h, err := NewHost(HostConfig{
			Games: []Game{fat, thin}, Directory: &fakeDirectory{}, Log: zaptest.NewLogger(t), Registerer: reg, SpectatorBytes: bound,
		})
		if err != nil {
			t.Fatal(err)
		}
		var rooms []*Instance
		var players, watchers []*fakeViewer
		for i, g := range []Game{thin, fat, fat, fat} {
			rm, err := h.Open(Spec{ID: fmt.Sprint("r", i), Game: g.Name(), Seed: 9, Epoch: 1})
			if err != nil {
				t.Fatal(err)
			}
			p := newViewer(t, g, 1)
			p.attach(rm, "alice")
			rooms, players, watchers = append(rooms, rm), append(players, p), append(watchers, watch(t, g, rm, "walter"))
		}
		most := int64(0)
		for range 800 {
			ticks(1)
			for i, rm := range rooms {
				rm.Input(players[i], ackOf(players[i], rm))
			}
			most = max(most, h.kept.bytes.Load())
		}
		if n := testmetric.Value(t, reg, "muster_spectator_kept_limit_bytes"); n != bound {
			t.Errorf("%v bytes may be kept", n)
		}
		if most > bound || most < bound/2 || h.kept.rooms.Load() != 4 {
			t.Errorf("%d bytes were kept, in %d rooms", most, h.kept.rooms.Load())
		}
		if n := testmetric.Value(t, reg, "muster_spectator_frames_left_out_total"); n < 600 {
			t.Errorf("%v frames were left out", n)
		}
		if n := testmetric.Value(t, reg, "muster_events_forgotten_total"); n != 0 {
			t.Errorf("%v events were not told", n)
		}
		for i, w := range watchers {
			least, most := 50, 500
			if i == 0 {
				least, most = 590, 602
			}
			if w.frames < least || w.frames > most || w.code() != 0 {
				t.Errorf("room %d: %d frames were shown, code %d", i, w.frames, w.code())
			}
			if i > 0 {
				heardInOrder(t, w, 500)
			}
			if p := players[i]; p.frames < 799 || p.code() != 0 {
				t.Errorf("room %d: the player had %d frames, code %d", i, p.frames, p.code())
			}
		}
		closeHost(t, h)
		if a, b := h.kept.bytes.Load(), h.kept.rooms.Load(); a != 0 || b != 0 {
			t.Errorf("%d bytes in %d rooms are still kept", a, b)
		}
	})
}

// However rooms come and go: who obeys the budget never exceeds it, nobody below its part is refused while a quarter is free,
// and what was taken is given back.
func TestABudgetIsKeptAndGivenBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := &keptBudget{most: 1 << 20}
		kept := make([]int, rapid.IntRange(1, 8).Draw(t, "rooms"))
		sum := 0
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			i := rapid.IntRange(0, len(kept)-1).Draw(t, "room")
			n := rapid.IntRange(1, 64<<10).Draw(t, "bytes")
			switch {
			case rapid.Bool().Draw(t, "goes"):
				n = -min(n, kept[i])
				if n == 0 {
					continue
				}
			case !k.frames(int64(kept[i]), rapid.Bool().Draw(t, "waits")):
				if sum <= 1<<20/4*3 {
					t.Fatalf("%d bytes are kept, and no frame has place", sum)
				}
				continue
			}
			k.add(kept[i], n)
			kept[i] += n
			sum += n
			if sum > 1<<20 && sum > 1<<20/8*7+64<<10 || int64(sum) != k.bytes.Load() || sum <= 1<<20 && !k.events() {
				t.Fatalf("%d bytes are kept, it says %d", sum, k.bytes.Load())
			}
		}
		for i, n := range kept {
			if n > 0 {
				k.add(n, -n)
			}
			kept[i] = 0
		}
		if k.bytes.Load() != 0 || k.rooms.Load() != 0 {
			t.Fatalf("%d bytes in %d rooms are left", k.bytes.Load(), k.rooms.Load())
		}
	})
}
