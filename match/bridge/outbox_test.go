package bridge

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"muster/match"
	"muster/proto"
)

// The sender's outbox and the receiver's rule (only the next number counts) over a line that loses and repeats.
func TestNumberedMessagesComeOnceAndInOrderWhateverIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var o outbox
		now := time.Unix(1000, 0)
		var line [][]byte
		var have, given uint64
		arrive := func(msg []byte) {
			if string(msg) == fmt.Sprint(have+1) {
				have++
			}
		}
		send := func(msg []byte) { line = append(line, bytes.Clone(msg)) }
		t.Repeat(map[string]func(*rapid.T){
			"post": func(*rapid.T) {
				given++
				msg := []byte(fmt.Sprint(given))
				if !o.keep(msg, now) {
					t.Fatal("it is full")
				}
				send(msg)
			},
			"come": func(t *rapid.T) { line = deliver(t, line, arrive, true) },
			"lose": func(t *rapid.T) { line = deliver(t, line, arrive, false) },
			"hear": func(t *rapid.T) {
				o.heard(rapid.Uint64Range(0, have).Draw(t, "an old number"), now)
				o.heard(have, now)
			},
			"wait":  func(*rapid.T) { now = now.Add(repeatAfter); o.repeat(false, now, send) },
			"want":  func(*rapid.T) { now = now.Add(askEvery); o.repeat(true, now, send) },
			"early": func(*rapid.T) { o.repeat(false, now, func([]byte) { t.Fatal("repeated at once") }) },
			"wrong": func(*rapid.T) { o.heard(given+1, now) },
			"": func(t *rapid.T) {
				sum := 0
				for i, msg := range o.list {
					sum += len(msg)
					if want := fmt.Sprint(o.last - uint64(len(o.list)) + uint64(i) + 1); string(msg) != want {
						t.Fatalf("%s is kept in the place of %s", msg, want)
					}
				}
				if have > given || sum != o.bytes || o.last != given {
					t.Fatalf("%d of %d have come, %d bytes are %d", have, given, sum, o.bytes)
				}
			},
		})
		now = now.Add(repeatAfter)
		o.repeat(false, now, arrive)
		o.heard(have, now)
		if have != given || len(o.list) > 0 || o.bytes != 0 {
			t.Fatalf("%d of %d have come in the end, %d are kept", have, given, len(o.list))
		}
	})
}

func deliver(t *rapid.T, line [][]byte, arrive func([]byte), comes bool) [][]byte {
	if len(line) == 0 {
		return line
	}
	n := rapid.IntRange(1, len(line)).Draw(t, "messages")
	for _, msg := range line[:n] {
		if comes {
			arrive(msg)
		}
	}
	return line[n:]
}

func TestASessionWhoseEdgeDoesNotListenIsGivenUp(t *testing.T) {
	_, s, _ := remoteStage(t, 2)
	s.register()
	s.heard.Store(int64(time.Since(s.b.base)))
	v := s.viewers[1]
	msg := make([]byte, 1<<10)
	for range maxUnheard / len(msg) {
		v.Message(msg)
	}
	s.look()
	if s.b.session("n1", 1) != nil || len(s.viewers) > 0 {
		t.Error("the session goes on")
	}
	v.Message(msg)
	v.Close(proto.Close{Code: proto.CodeKicked})
	if s.out.bytes > maxUnheard {
		t.Errorf("%d bytes are kept", s.out.bytes)
	}
}

// An edge that holds many who only watch has nothing else to send, and is told much at once when they all come.
func TestAnEdgeWithoutInputsSaysSoonEnoughWhatHasCome(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newField(t, 3, bankGame(&teller{}, match.Rules{}), "n0", "n1")
		defer f.close()
		p := f.join(t.Context(), &player{room: "r", seat: 1, at: "n1"})
		s := f.nodes["n0"].bridge.sessions("n1")[0]
		v := &viewer{session: s, id: 4000} // whom the edge does not have
		msg := make([]byte, 1<<10)
		for range 8 {
			for range maxUnheard / len(msg) / 4 {
				v.Message(msg)
			}
			time.Sleep(10 * time.Millisecond)
		}
		s.mu.Lock()
		failed := s.failed
		s.mu.Unlock()
		if failed {
			t.Error("the session is given up")
		}
		f.playAll([]*player{p}, 2*time.Second, 5)
		if n := p.conn.Stats().Resumes; n != 0 {
			t.Errorf("the player came back %d times", n)
		}
	})
}

func TestAnEdgeBringsOnlySoManyViewers(t *testing.T) {
	_, s, net := remoteStage(t, 2)
	s.register()
	for i := range uint64(maxViewers) {
		s.viewers[100+i] = &viewer{session: s, id: 100 + i}
	}
	before := net.messages.Load()
	w := proto.NewWriter()
	appendAttach(w, 1, 1, 9_999, &match.Attach{Player: match.Player{Seat: 60, ID: "zoe"}})
	s.b.Receive("n1", w.Bytes())
	if s.viewers[9_999] != nil || net.messages.Load() != before+1 {
		t.Errorf("it is taken, %d messages were sent", net.messages.Load()-before)
	}
}

func TestWhatARoomIsTooSlowToReadIsDroppedAndMadeGood(t *testing.T) {
	dropped := 0
	b := newMailbox(func() { dropped++ })
	for range maxViewers {
		b.put([]byte("an event for all"))
	}
	b.put([]byte("and the tick"))
	list, _, _ := b.take(nil)
	if len(list) != maxViewers+1 || dropped != 0 {
		t.Errorf("of a tick %d wait, %d were dropped", len(list), dropped)
	}
	for range maxMail + 5 {
		b.put([]byte("small"))
	}
	list, _, _ = b.take(list)
	if len(list) != maxMail || dropped != 5 {
		t.Errorf("%d wait, %d were dropped", len(list), dropped)
	}
	list, _, _ = b.take(list)
	for range 3 {
		b.put(make([]byte, maxMailBytes/2-1))
	}
	list, _, _ = b.take(list)
	if len(list) != 2 || dropped != 6 {
		t.Errorf("of large ones %d wait, %d were dropped", len(list), dropped)
	}
}

func TestTheClockOfARemoteRoomFollowsAndNeverGoesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock{rate: 20}
		if tick, frac := c.now(); tick != 0 || frac != 0 {
			t.Errorf("before it is told, it says %d %d", tick, frac)
		}
		began := time.Now()
		last := int64(0)
		for i := range 400 {
			sent := time.Since(began)
			ticks := int64(sent) * 20 << 16 / int64(time.Second)
			time.Sleep(time.Duration(1+i%7*i%5) * time.Millisecond) // on its way
			if i == 200 {
				began = began.Add(300 * time.Millisecond) // the room's own clock is set back
			}
			c.note(uint32(ticks>>16), uint16(ticks), time.Now()) //nolint:gosec // its parts
			for range 5 {
				time.Sleep(8 * time.Millisecond)
				tick, frac := c.now()
				now := int64(tick)<<16 | int64(frac)
				true0 := int64(time.Since(began)) * 20 << 16 / int64(time.Second)
				if now < last {
					t.Fatalf("message %d: it goes back by %d", i, last-now)
				}
				if off := float64(now-true0) / (1 << 16) * 50; (i < 200 || i > 300) && (off > 0.1 || off < -30) {
					t.Fatalf("message %d: it is %.1f ms off", i, off)
				}
				last = now
			}
		}
		time.Sleep(time.Minute)
		tick, frac := c.now()
		if ahead := int64(tick)<<16 | int64(frac); ahead-last > 20<<16*int64(clockAhead+10*time.Millisecond)/int64(time.Second) {
			t.Errorf("without messages it went on by %d ticks", (ahead-last)>>16)
		}
	})
}

func TestNobodyWaitsForARoomWhoseNodeDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := silentNode(t)
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := b.Open(ctx, "n9", "r", true); err == nil || time.Since(began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		_, err := b.Open(t.Context(), "n9", "r", true)
		var c *proto.Close
		if !asClose(err, &c) || c.Code != proto.CodeOverloaded || time.Since(began) > openTimeout {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		synctest.Wait()
		if n := len(b.places) + len(b.rooms); n > 0 {
			t.Errorf("%d rooms are kept", n)
		}
		if err := b.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := b.Open(t.Context(), "n9", "r", true); !asClose(err, &c) || c.Code != proto.CodeNodeLeaving {
			t.Errorf("after the end: %v", err)
		}
	})
}

func asClose(err error, c **proto.Close) bool {
	got, ok := err.(*proto.Close) //nolint:errorlint // as it is
	*c = got
	return ok
}
