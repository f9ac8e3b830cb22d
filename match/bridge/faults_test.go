package bridge

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"muster/match"
)

// crowd joins players to rooms r0 (at n0) and r1 (at n1) by way of three processes.
func (f *field) crowd(ctx context.Context, n int) (players []*player) {
	f.where["r1"] = "n1"
	for i := range n {
		players = append(players, f.join(ctx, &player{
			room: fmt.Sprint("r", i%2), seat: uint16(i + 1), at: fmt.Sprint("n", i%3), //nolint:gosec // a few
		}))
	}
	return players
}

func TestWhateverTheNetworkLosesNoOrderAndNoEventIs(t *testing.T) {
	seeds := 12
	if testing.Short() {
		seeds = 3
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(uint64(seed), 7)) //nolint:gosec // reproducible on purpose
				game := &teller{}
				f := newField(t, uint64(seed), bankGame(game, match.Rules{}), "n0", "n1", "n2") //nolint:gosec // small
				defer f.close()
				players := f.crowd(t.Context(), 12)
				f.net.change(func() {
					f.net.loss, f.net.doubled = rng.Float64()/3, rng.Float64()/5
					f.net.silent = rng.IntN(2) == 0
				})
				var wg sync.WaitGroup
				wg.Go(func() {
					for range 4 { // and for a while all of it, one way or both
						time.Sleep(rand.N(3 * time.Second))
						a, b := fmt.Sprint("n", rng.IntN(3)), fmt.Sprint("n", rng.IntN(3))
						both := rng.IntN(2) == 0
						f.net.change(func() {
							f.net.cut = func(from, to string) bool { return from == a && to == b || both && from == b && to == a }
						})
						time.Sleep(time.Duration(rng.Int64N(int64(4 * time.Second))))
						f.net.change(func() { f.net.cut = nil })
					}
				})
				f.playAll(players, 30*time.Second, 20)
				wg.Wait()
				if game.wrong.Load() > 0 || game.drops.Load() > 0 || game.left.Load() > 0 {
					t.Errorf("%d orders not in their turn, %d players dropped, %d left", game.wrong.Load(), game.drops.Load(), game.left.Load())
				}
			})
		})
	}
}

func TestClientsComeBackByThemselvesAfterALongSilence(t *testing.T) {
	for name, cut := range map[string]func(from, to string) bool{
		"both ways":         func(string, string) bool { return true },
		"only to the host":  func(_, to string) bool { return to == "n0" },
		"only to the edges": func(from, _ string) bool { return from == "n0" },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				game := &teller{}
				f := newField(t, 3, bankGame(game, match.Rules{}), "n0", "n1", "n2")
				defer f.close()
				var players []*player
				for i := range 4 {
					players = append(players, f.join(t.Context(), &player{room: "r", seat: uint16(i + 1), at: fmt.Sprint("n", 1+i%2)})) //nolint:gosec // a few
				}
				var wg sync.WaitGroup
				wg.Go(func() {
					time.Sleep(2 * time.Second)
					f.net.change(func() { f.net.cut = cut })
					time.Sleep(silence + 3*time.Second)
					f.net.change(func() { f.net.cut = nil })
				})
				f.playAll(players, 25*time.Second, 50)
				wg.Wait()
				for _, p := range players {
					if p.conn.Stats().Resumes == 0 {
						t.Errorf("seat %d has not come back", p.seat)
					}
				}
				if game.wrong.Load() > 0 || game.left.Load() > 0 {
					t.Errorf("%d orders not in their turn, %d players left", game.wrong.Load(), game.left.Load())
				}
				if f.nodes["n1"].gauge("muster_bridge_given_up_total")+f.nodes["n0"].gauge("muster_bridge_given_up_total") == 0 {
					t.Error("neither side says that it gave something up")
				}
			})
		})
	}
}

func TestClientsOfANodeThatIsGoneComeBackAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		game := &teller{}
		f := newField(t, 3, bankGame(game, match.Rules{}), "n0", "n1")
		defer f.close()
		p := f.join(t.Context(), &player{room: "r", seat: 1, at: "n1"})
		var wg sync.WaitGroup
		wg.Go(func() {
			time.Sleep(2 * time.Second)
			f.nodes["n1"].bridge.Gone("n0")
			time.Sleep(2 * time.Second)
			f.nodes["n0"].bridge.Gone("n1")
		})
		f.playAll([]*player{p}, 6*time.Second, 20)
		wg.Wait()
		if n := p.conn.Stats().Resumes; n != 2 {
			t.Errorf("the player came back %d times", n)
		}
		if game.wrong.Load() > 0 || game.left.Load() > 0 {
			t.Errorf("%d orders not in their turn, %d players left", game.wrong.Load(), game.left.Load())
		}
	})
}

// An edge that was fenced has another id, and hosts do not know that it is the same process.
func TestClientsOfAnEdgeThatHasAnotherNameComeBackAtItsNextSign(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		game := &teller{}
		f := newField(t, 3, bankGame(game, match.Rules{}), "n0", "n1")
		defer f.close()
		var players []*player
		for seat := range uint16(3) {
			players = append(players, f.join(t.Context(), &player{room: "r", seat: seat + 1, at: "n1"}))
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			time.Sleep(2 * time.Second)
			f.net.rename("n1", "n1-again")
			time.Sleep(silence + 2*time.Second)
			if n := f.nodes["n1"].gauge("muster_bridge_given_up_total"); n != 0 {
				t.Error("the edge has waited for what does not come")
			}
			if n := f.nodes["n0"].gauge("muster_bridge_viewers"); n != float64(len(players)) {
				t.Errorf("the host has %v viewers", n)
			}
			if n := f.nodes["n0"].gauge("muster_bridge_rooms"); n != 1 {
				t.Errorf("the host has %v sessions", n)
			}
		})
		f.playAll(players, 12*time.Second, 30)
		wg.Wait()
		for _, p := range players {
			if n := p.conn.Stats().Resumes; n != 1 {
				t.Errorf("seat %d came back %d times", p.seat, n)
			}
		}
		if game.wrong.Load() > 0 || game.drops.Load() > 0 || game.left.Load() > 0 {
			t.Errorf("%d orders not in their turn, %d players dropped, %d left", game.wrong.Load(), game.drops.Load(), game.left.Load())
		}
	})
}

func TestAFullQueueCostsFramesAndNothingElse(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		game := &teller{}
		f := newField(t, 3, bankGame(game, match.Rules{}), "n0", "n1")
		defer f.close()
		var n int
		f.net.change(func() { f.net.full = func(string, string) bool { n++; return n%3 == 0 } })
		p := f.join(t.Context(), &player{room: "r", seat: 1, at: "n1"})
		f.playAll([]*player{p}, 10*time.Second, 20)
		if game.wrong.Load() > 0 || game.drops.Load() > 0 {
			t.Errorf("%d orders not in their turn, %d dropped", game.wrong.Load(), game.drops.Load())
		}
		if f.nodes["n0"].gauge("muster_bridge_unsent_total") < 50 {
			t.Error("nothing was unsent")
		}
	})
}

func TestARoomThatBeginsAnewIsFoundAnew(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		game := &teller{}
		f := newField(t, 3, bankGame(game, match.Rules{Empty: time.Second, Grace: time.Second}), "n0", "n1")
		defer f.close()
		p := f.join(t.Context(), &player{room: "r", seat: 1, at: "n1"})
		f.playAll([]*player{p}, 2*time.Second, 5)
		time.Sleep(4 * time.Second) // the room ends, the edge's session lingers
		if f.nodes["n0"].host.Room("r") != nil {
			t.Fatal("the room runs on")
		}
		f.epoch.Add(1)
		q := f.join(t.Context(), &player{room: "r", seat: 1, at: "n1"})
		f.playAll([]*player{q}, 2*time.Second, 5)
	})
}

func TestOneLostTickIsOneGapAndIsMadeGood(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newField(t, 3, bankGame(&teller{}, match.Rules{}), "n0", "n1")
		defer f.close()
		p := f.join(t.Context(), &player{room: "r", seat: 1, at: "n1"})
		go func() {
			time.Sleep(2 * time.Second)
			lost := false
			f.net.change(func() {
				f.net.silent = true
				f.net.drop = func(_, _ string, kind int) bool {
					one := kind == kindTick && !lost
					lost = lost || one
					return one
				}
			})
		}()
		f.playAll([]*player{p}, 4*time.Second, 20)
		if n := f.nodes["n1"].gauge("muster_bridge_gaps_total"); n != 1 {
			t.Errorf("%v gaps", n)
		}
		if n := f.nodes["n0"].gauge("muster_bridge_resyncs_total"); n != 2 { // one is the beginning
			t.Errorf("the host began %v times", n)
		}
		if s := p.conn.Stats(); s.Resumes+s.Resyncs > 0 || s.Frames < 75 {
			t.Errorf("the client noticed: %+v", s)
		}
	})
}

func TestWhatIsLostOfTheBeginningIsMadeGood(t *testing.T) {
	for _, kind := range []int{
		kindHello, kindAnswer, kindAttach, kindWelcome, kindTick, kindPing, kindPong, kindInput, kindMessage, kindDetach, kindClose,
	} {
		t.Run(fmt.Sprint("kind ", kind), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				game := &teller{}
				f := newField(t, 3, bankGame(game, match.Rules{}), "n0", "n1")
				defer f.close()
				n := 0
				f.net.change(func() {
					f.net.silent = true
					f.net.drop = func(_, _ string, k int) bool {
						if k == kind {
							n++
						}
						return k == kind && n <= 3
					}
				})
				p := f.join(t.Context(), &player{room: "r", seat: 1, at: "n1"})
				f.playAll([]*player{p}, 4*time.Second, 10)
				q := f.join(t.Context(), &player{room: "r", seat: 1, at: "n1"})
				if err := q.conn.Leave(t.Context()); err != nil {
					t.Error(err)
				}
				_ = q.conn.Close()
				if game.wrong.Load() > 0 || game.left.Load() != 1 {
					t.Errorf("%d orders not in their turn, %d left", game.wrong.Load(), game.left.Load())
				}
				if n < 4 && kind != kindClose {
					t.Errorf("%d messages of the kind were sent", n)
				}
			})
		})
	}
}
