package bridge

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"muster/client"
	"muster/match"
	"muster/proto"
	"muster/proto/token"
)

func TestClientsPlayInARoomOfAnotherNode(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		game := &teller{}
		f := newField(t, 1, bankGame(game, match.Rules{}), "n0", "n1", "n2")
		defer f.close()
		var players []*player
		for seat := range uint16(9) {
			players = append(players, f.join(t.Context(), &player{room: "r", seat: seat + 1, at: fmt.Sprint("n", seat%3)}))
		}
		f.playAll(players, 20*time.Second, 100)
		if n := game.wrong.Load(); n > 0 {
			t.Errorf("%d orders were not in their turn", n)
		}
	})
}

func TestAnEdgeIsSentOneMessageATickAndOnlyWhatItsViewersSee(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newField(t, 1, bankGame(&teller{}, match.Rules{}), "n0", "n1", "n2")
		defer f.close()
		ticks := map[string][]uint32{}
		scopes := map[string]map[uint16]bool{"n1": {}, "n2": {}}
		f.net.change(func() {
			f.net.seen = func(_, to string, kind int, msg []byte) {
				if kind != kindTick {
					return
				}
				var m tick
				r := proto.NewReader(msg)
				h, _ := readHead(r)
				if err := m.parse(r, h.n); err != nil {
					t.Error(err)
				}
				ticks[to] = append(ticks[to], m.frame.Head.Tick)
				for _, b := range m.frame.Blocks {
					scopes[to][b.Scope] = true
				}
			}
		})
		var players []*player
		for i, at := range []string{"n1", "n1", "n1", "n2", "n2"} {
			players = append(players, f.join(t.Context(), &player{room: "r", seat: uint16(i + 1), at: at})) //nolint:gosec // a few
		}
		f.playAll(players, 10*time.Second, 20)
		f.net.change(func() {
			for to, list := range ticks {
				for i := 1; i < len(list); i++ {
					if list[i] != list[i-1]+1 {
						t.Errorf("%s is sent tick %d after tick %d", to, list[i], list[i-1])
					}
				}
				if len(list) < 200 {
					t.Errorf("%s is sent %d ticks", to, len(list))
				}
			}
			if want := map[uint16]bool{0: true, 1: true, 2: true, 3: true}; !maps.Equal(scopes["n1"], want) {
				t.Errorf("n1 is sent the scopes %v", scopes["n1"])
			}
			if want := map[uint16]bool{0: true, 4: true, 5: true}; !maps.Equal(scopes["n2"], want) {
				t.Errorf("n2 is sent the scopes %v", scopes["n2"])
			}
		})
	})
}

func TestWhoWatchesARoomOfAnotherNodeSeesIt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newField(t, 1, bankGame(&teller{}, match.Rules{Spectators: 4}), "n0", "n1")
		defer f.close()
		watch := func(at string) (*client.Conn[bank, order], error) {
			s, err := f.keys.SignWatch(token.Watch{Room: "r", Player: "walter", ID: "w", PlayerExpires: time.Now().Add(time.Hour)}, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			return client.Dial[bank, order](t.Context(), client.Match{Room: "r", URL: "ws://server/v1/match/r", Token: s},
				client.Options{HTTP: f.nodes[at].http, Events: []any{receipt{}}})
		}
		var closed *client.CloseError
		if _, err := watch("n1"); !errors.As(err, &closed) || closed.Code != proto.CodeMatchGone {
			t.Errorf("a room that does not run is watched: %v", err)
		}
		p := f.join(t.Context(), &player{room: "r", seat: 1, at: "n1"}) // by the session that was refused to the other
		w, err := watch("n1")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		go func() {
			for {
				if _, err := w.Next(ctx); err != nil {
					done <- err
					return
				}
			}
		}()
		f.playAll([]*player{p}, 11*time.Second, 20)
		if err := <-done; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the spectator: %v", err)
		}
		s := w.Stats()
		if s.Frames < 200 || s.HashMismatches > 0 || s.DecodeErrors > 0 {
			t.Errorf("the spectator counted %+v", s)
		}
		_ = w.Close()
	})
}

func TestASessionThatNobodyUsesEnds(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newField(t, 1, bankGame(&teller{}, match.Rules{}), "n0", "n1")
		defer f.close()
		p := f.join(t.Context(), &player{room: "r", seat: 1, at: "n1"})
		f.playAll([]*player{p}, 2*time.Second, 5)
		time.Sleep(time.Second)
		for _, id := range []string{"n0", "n1"} {
			if n := f.nodes[id].gauge("muster_bridge_viewers"); n != 0 {
				t.Errorf("%s has %v viewers", id, n)
			}
			if n := f.nodes[id].gauge("muster_bridge_rooms"); n != 1 {
				t.Errorf("%s has %v sessions, and somebody might come back", id, n)
			}
		}
		time.Sleep(idleFor + 2*lookEvery)
		for _, id := range []string{"n0", "n1"} {
			if n := f.nodes[id].gauge("muster_bridge_rooms"); n != 0 {
				t.Errorf("%s has %v sessions", id, n)
			}
		}
		q := f.join(t.Context(), &player{room: "r", seat: 2, at: "n1"})
		f.playAll([]*player{q}, 2*time.Second, 5)
	})
}

func TestWhoLeavesGivesTheSeatUp(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		game := &teller{}
		f := newField(t, 1, bankGame(game, match.Rules{}), "n0", "n1")
		defer f.close()
		f.net.change(func() { f.net.loss = 0.3 })
		p := f.join(t.Context(), &player{room: "r", seat: 1, at: "n1"})
		if err := p.conn.Leave(t.Context()); err != nil {
			t.Error(err)
		}
		if game.left.Load() != 1 {
			t.Errorf("%d players left", game.left.Load())
		}
		_ = p.conn.Close()
	})
}

func TestTheEndOfAMatchComesToAllThoughItIsLostAtFirst(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		game := &teller{}
		f := newField(t, 1, bankGame(game, match.Rules{}), "n0", "n1")
		defer f.close()
		p := f.join(t.Context(), &player{room: "r", seat: 1, at: "n1"})
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		p.play(ctx)
		cancel()
		f.net.change(func() { f.net.cut = func(from, _ string) bool { return from == "n0" } })
		game.end.Store(true)
		go func() {
			time.Sleep(3 * time.Second)
			f.net.change(func() { f.net.cut = nil })
		}()
		p.play(t.Context())
		var closed *client.CloseError
		if !errors.As(p.err, &closed) || closed.Code != proto.CodeDone {
			t.Errorf("the match's end: %v", p.err)
		}
		if end := p.conn.End(); end == nil || len(end.Placements) != 1 {
			t.Errorf("the result: %+v", end)
		}
		if p.told != p.sent {
			t.Errorf("%d orders sent, %d told", p.sent, p.told)
		}
		_ = p.conn.Close()
	})
}
