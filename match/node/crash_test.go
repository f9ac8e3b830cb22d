package node_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/match"
	"muster/match/cluster"
	"muster/proto"
)

// returns brings the player to his room, wherever that is, as far as that is possible now: with his secret, by rejoining,
// or by the token that he has.
func (p *player) returns() {
	if p.now != nil && p.now.code() == 0 && !p.at.isKilled() {
		p.sends()
		return
	}
	if p.now != nil && p.now.code() == proto.CodeDone {
		return
	}
	ctx := context.Background()
	for _, at := range p.w.alive() {
		rm, err := at.rooms.Open(ctx, p.room)
		if err != nil {
			continue
		}
		if p.now != nil && p.now.secret() {
			_, resume := p.now.greeted()
			p.sits(at, rm.(*match.Instance), match.Attach{Resume: true, Counter: resume.Counter})
			return
		}
		token := p.room + "-" + p.id
		again := cluster.NewID()
		if seat, err := p.w.dir.Rejoin(ctx, p.room, p.id, again); err == nil && uint16(p.seat) == seat {
			token = again
		}
		if _, err := at.rooms.TakeSeat(ctx, p.room, uint16(p.seat), p.id, token); err == nil {
			p.sits(at, rm.(*match.Instance), match.Attach{Claim: token})
		}
		return
	}
}

func (p *process) isKilled() bool {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	return p.killed
}

func (s *sitting) secret() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.welcome != nil
}

// Two processes die, each before or after any one of its calls of Redis, and others take over what they had: while rooms
// begin, while they run, while they are claimed, while they end.
func TestEveryRoomHasOneHostAndPostsItsResultOnceWhoeverDies(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		type death struct {
			Call   int
			Before bool
		}
		deaths := [2]death{}
		for i := range deaths {
			// The first calls are drawn more often: beginning and claiming are short.
			most := rapid.SampledFrom([]int{12, 40, 150}).Draw(rt, "until")
			deaths[i] = death{rapid.IntRange(1, most).Draw(rt, "call"), rapid.Bool().Draw(rt, "before")}
		}
		ends := rapid.IntRange(3, 40).Draw(rt, "ends")
		inWorld(t, 5, match.Rules{}, func(t *testing.T, w *world) {
			w.patience = time.Minute // players come one after the other, and wait while a room has no host
			for i, d := range deaths {
				w.procs[i].line.dies = func(call int, before bool) bool { return call == d.Call && before == d.Before }
			}
			w.mu.Lock()
			for i, p := range w.procs { // whoever dies second is likely to be the one who claims
				p.weight = []float64{1, 1000, 1, 1, 1}[i]
			}
			w.mu.Unlock()
			var players []*player
			for _, room := range []string{"r1", "r2", "r3", "r4"} {
				game := map[string]string{"r1": "journal", "r2": "journal", "r3": "none", "r4": "checkpoint"}[room]
				w.create(game, room, "duel", w.procs[0], "alice")
				p := w.player("alice", room, 1)
				_ = p.comes(w.procs[0])
				players = append(players, p)
			}
			total, over := map[string]int32{}, map[string]bool{}
			for i := range 120 {
				time.Sleep(100 * time.Millisecond)
				for _, p := range players {
					p.returns()
					if p.now == nil {
						continue
					}
					switch {
					case i < ends:
						p.does(opPay, uint8(i%7))
						total[p.room] += int32(i % 7)
					case p.room != "r2" && !over[p.room]:
						p.does(opEnd, 0)
						over[p.room] = true
					}
				}
			}
			results, lost := w.drained()
			posted := map[string]int{}
			for _, r := range results {
				posted[r.Room]++
			}
			t.Log(fmt.Sprint(deaths, ends, posted, len(lost)))
			for _, p := range players {
				rec, err := w.dir.Room(context.Background(), p.room)
				hosts := len(w.hosts(p.room))
				failed := err == nil && rec.Failed != nil
				switch {
				case err != nil && !errors.Is(err, cluster.ErrNoRoom):
					t.Fatal(err)
				case hosts > 1 || posted[p.room] > 1:
					t.Errorf("%s runs in %d processes and has %d results", p.room, hosts, posted[p.room])
				case p.room == "r3" && failed && rec.Failed.Code == proto.CodeMatchGone && posted[p.room] == 0:
					// its class does not survive
				case failed && rec.Failed.Code == proto.CodeRulesFailed && rec.Attempts >= 2 && posted[p.room] == 0:
					// two hosts died of it, as far as anybody can say
				case failed:
					t.Errorf("%s failed with %v after %d attempts, with %d results", p.room, rec.Failed, rec.Attempts, posted[p.room])
				case p.room == "r2" && hosts != 1:
					t.Errorf("r2 runs in %d processes, want one: %+v %v", hosts, rec, err)
				case (p.room == "r1" || p.room == "r4") && (posted[p.room] != 1 || hosts != 0):
					t.Errorf("%s has %d results and runs in %d processes: %+v %v; its player %+v", p.room, posted[p.room], hosts, rec, err, p.now)
				}
			}
			for _, r := range results {
				if r.Room != "r3" && r.Placements[0].Score != int64(total[r.Room]) {
					t.Errorf("the result of %s is %d, want %d", r.Room, r.Placements[0].Score, total[r.Room])
				}
			}
			for _, p := range players {
				p.note()
				for n, e := range p.seen {
					if p.room == "r2" && e.N != int32(n) {
						t.Errorf("event %d of %s is that of payment %d", n, p.room, e.N)
					}
				}
			}
			if w.rdb.SCard(context.Background(), ns+":{node:n1}:rooms").Val() > 0 && w.procs[0].isKilled() {
				t.Error("rooms are left in the index of the process that died")
			}
		})
		if t.Failed() {
			rt.FailNow()
		}
	})
}
