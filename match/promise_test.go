package match

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"muster/match/journal"
	"muster/netcode"
	"muster/proto"
)

// promisedRoom is a room of sides with a promise, and a directory that says what becomes of it.
type promisedRoom struct {
	g   Game
	h   *Host
	rm  *Instance
	dir *fakeDirectory
	at  time.Time // when it was opened
}

func openPromised(t *testing.T, rules Rules, store journal.Store, expect int, settle func() (Settlement, error)) *promisedRoom {
	t.Helper()
	p := &promisedRoom{g: sidesGame(t, rules), dir: &fakeDirectory{settle: settle}, at: time.Now()}
	var err error
	p.h, err = NewHost(HostConfig{Games: []Game{p.g}, Directory: p.dir, Journals: store, RenewEvery: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	p.rm, err = p.h.Open(Spec{ID: "r1", Game: "sides", Seed: 7, Epoch: 9, Expect: expect})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *promisedRoom) joins(t *testing.T, seats ...uint16) (list []*fakeViewer) {
	t.Helper()
	for _, n := range seats {
		v := newViewer(t, p.g, netcode.Seat(n))
		v.attachTeam(p.rm, fmt.Sprint("p", n), 0)
		list = append(list, v)
	}
	ticks(3)
	return list
}

// asked is when the directory was asked, since the room was opened.
func (p *promisedRoom) asked() (list []time.Duration) {
	p.dir.mu.Lock()
	defer p.dir.mu.Unlock()
	for _, at := range p.dir.settled {
		list = append(list, at.Sub(p.at).Truncate(time.Second))
	}
	return list
}

// deadline is how long rooms wait for whom they were promised.
const deadline = 15 * time.Second

// waits answers as a directory does, as long as the deadline is not over; then it says then.
func waits(then SettleState) func() (Settlement, error) {
	began := time.Now()
	return func() (Settlement, error) {
		if left := deadline - time.Since(began); left > 0 {
			return Settlement{State: SettleWaiting, Left: left}, nil
		}
		return Settlement{State: then}, nil
	}
}

// allHere is a directory that counts as the room does.
func (p *promisedRoom) allHere(n int32) {
	waiting := p.dir.settle
	p.dir.settle = func() (Settlement, error) {
		if p.rm != nil && p.rm.playing.Load() >= n {
			return Settlement{State: SettleStarted}, nil
		}
		return waiting()
	}
}

func TestAMatchStartsWhenAllWhoWerePromisedAreHere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := openPromised(t, Rules{}, nil, 3, waits(SettleOff))
		a := p.joins(t, 1, 2)[0]
		pass(5 * time.Second)
		a.logs("join seat 1 team 0", "join seat 2 team 0")
		p.dir.mu.Lock()
		p.allHere(3)
		p.dir.mu.Unlock()
		p.joins(t, 3)
		a.logs("join seat 1 team 0", "join seat 2 team 0", "join seat 3 team 0", "start 3 true seat 0 team 0")
		pass(time.Minute)
		if got := p.asked(); !slices.Equal(got, []time.Duration{0, 5 * time.Second}) {
			t.Errorf("asked at %v, want at the beginning and when the last came", got)
		}
		if a.code() != 0 {
			t.Errorf("a match that started was closed with %d", a.code())
		}
		closeHost(t, p.h)
	})
}

func TestAMatchWithEnoughPlayersStartsAtTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := openPromised(t, Rules{}, nil, 3, waits(SettleStarted))
		a := p.joins(t, 1, 2)[0]
		pass(14 * time.Second)
		a.logs("join seat 1 team 0", "join seat 2 team 0")
		pass(time.Second)
		a.logs("join seat 1 team 0", "join seat 2 team 0", "start 2 true seat 0 team 0")
		if got := p.asked(); !slices.Equal(got, []time.Duration{0, deadline}) {
			t.Errorf("asked at %v", got)
		}
		closeHost(t, p.h)
	})
}

func TestAMatchThatIsCalledOffEndsForAllWithoutAResult(t *testing.T) {
	for name, how := range map[string]func(p *promisedRoom){
		"by the answer at the deadline": func(*promisedRoom) { pass(deadline) },
		"by a renewal": func(p *promisedRoom) {
			p.dir.mu.Lock()
			p.dir.off = true
			p.dir.mu.Unlock()
			pass(2 * time.Second)
		},
	} {
		for _, rules := range []Rules{{}, {Sleep: true}, {Persist: true}} {
			t.Run(fmt.Sprint(name, rules.Sleep, rules.Persist), func(t *testing.T) {
				files := t.TempDir()
				synctest.Test(t, func(t *testing.T) {
					store := openFiles(t, files)
					p := openPromised(t, rules, store, 3, waits(SettleOff))
					list := p.joins(t, 1, 2)
					p.rm.Detach(list[1])
					late := newViewer(t, p.g, 3)
					ticks(2)
					how(p)
					if c := list[0].closed; c == nil || *c != calledOff || c.Code.Action() != proto.ActionRequeue {
						t.Errorf("the player who came was closed with %+v", c)
					}
					if list[0].end != nil || len(p.dir.results) != 0 || len(p.dir.ended) != 0 {
						t.Errorf("end %+v, results %v, ended %v", list[0].end, p.dir.results, p.dir.ended)
					}
					if p.h.Room("r1") != nil || p.rm.Attach(Attach{Viewer: late, Player: Player{Seat: 3, ID: "late"}}) {
						t.Error("the room is still there")
					}
					if saved, err := store.Load(t.Context(), "r1", 10); !errors.Is(err, journal.ErrNone) {
						t.Errorf("somebody could go on from it: %+v %v", saved, err)
					}
					closeHost(t, p.h)
				})
			})
		}
	}
}

func TestARoomThatIsCalledOffLaterEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := openPromised(t, Rules{}, nil, 0, nil)
		a := p.joins(t, 1)[0]
		p.dir.mu.Lock()
		p.dir.off = true
		p.dir.mu.Unlock()
		pass(2 * time.Second)
		if c := a.closed; c == nil || *c != closedDown || a.end != nil || p.h.Room("r1") != nil {
			t.Errorf("the player was closed with %+v, the end is %+v", c, a.end)
		}
		closeHost(t, p.h)
	})
}

func TestADirectoryThatDoesNotAnswerIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, left := 0, waits(SettleStarted)
		p := openPromised(t, Rules{}, nil, 2, func() (Settlement, error) {
			if n++; n <= 3 || n == 5 || n == 6 {
				return Settlement{}, errors.New("Redis is down")
			}
			return left()
		})
		a := p.joins(t, 1, 2)[0]
		pass(10 * time.Second)
		if got := len(p.asked()); got < 4 || got > 8 {
			t.Errorf("asked at %v: until there is an answer, and then not before the deadline", p.asked())
		}
		a.logs("join seat 1 team 0", "join seat 2 team 0")
		n = 4 // at the deadline it is down again
		pass(10 * time.Second)
		a.logs("join seat 1 team 0", "join seat 2 team 0", "start 2 true seat 0 team 0")
		if n != 7 {
			t.Errorf("asked at %v", p.asked())
		}
		closeHost(t, p.h)
	})
}

func TestARoomWaitsForWhomItWasPromised(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := openPromised(t, Rules{Empty: time.Second}, nil, 2, waits(SettleStarted))
		a := p.joins(t, 1)[0]
		p.rm.Leave(a)
		pass(8 * time.Second)
		b := p.joins(t, 2)[0]
		pass(8 * time.Second)
		b.logs("join seat 1 team 0", "leave seat 1 team 0", "join seat 2 team 0", "start 1 true seat 0 team 0")
		p.rm.Leave(b)
		pass(2 * time.Second)
		if p.h.Room("r1") != nil {
			t.Error("once it is settled nobody is waited for, and the room is still there")
		}
		closeHost(t, p.h)
	})
}

func TestAMatchOfWhichNothingWasPromisedStartsWithItsFirstPlayer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := openPromised(t, Rules{}, nil, 0, nil)
		pass(2 * time.Second)
		refused := newViewer(t, p.g, 2)
		refused.attachTeam(p.rm, "refused", 0)
		ticks(3)
		a := p.joins(t, 1)[0]
		a.logs("join seat 2 team 0", "join seat 1 team 0", "start 1 true seat 0 team 0")
		p.rm.Detach(a)
		ticks(2)
		a = a.backWith(p.g, p.rm, true)
		p.joins(t, 3)
		a.logs("join seat 2 team 0", "join seat 1 team 0", "start 1 true seat 0 team 0",
			"drop seat 1 team 0", "resume seat 1 team 0", "join seat 3 team 0")
		if len(p.asked()) != 0 {
			t.Errorf("asked at %v", p.asked())
		}
		closeHost(t, p.h)
	})
}

func TestAStartIsRecordedAndHappensOnceThoughTheProcessEnds(t *testing.T) {
	for name, c := range map[string]struct {
		before []uint16 // who is there when the process ends
		want   []string
	}{
		"before the start": {[]uint16{1}, []string{"join seat 1 team 0", "join seat 2 team 0", "start 2 true seat 0 team 0"}},
		"after the start":  {[]uint16{1, 2}, []string{"join seat 1 team 0", "join seat 2 team 0", "start 2 true seat 0 team 0"}},
	} {
		t.Run(name, func(t *testing.T) {
			files, out := t.TempDir(), filepath.Join(t.TempDir(), "sides.muster")
			var g Game
			synctest.Test(t, func(t *testing.T) {
				p := openPromised(t, journalled, openFiles(t, files), 2, waits(SettleStarted))
				p.dir.mu.Lock()
				p.allHere(2)
				p.dir.mu.Unlock()
				list := p.joins(t, c.before...)
				ticks(15)
				left := copied(t, files)
				closeHost(t, p.h)

				store := openFiles(t, left)
				p.dir.settle = waits(SettleStarted)
				var err error
				if p.h, err = NewHost(HostConfig{Games: []Game{p.g}, Directory: p.dir, Journals: store}); err != nil {
					t.Fatal(err)
				}
				if p.rm, err = p.h.Open(Spec{ID: "r1", Game: "sides", Seed: 7, Epoch: 10, Expect: 2}); err != nil {
					t.Fatal(err)
				}
				a := list[0].backWith(p.g, p.rm, true)
				ticks(10)
				if len(c.before) == 1 {
					p.joins(t, 2)
				}
				pass(20*time.Second - time.Since(p.at))
				if len(c.before) == 2 {
					c.want = append(c.want, "drop seat 2 team 0")
				}
				a.logs(c.want...)
				closeHost(t, p.h)
				export(t, store, "r1", out)
				g = p.g
			})
			if rep := verify(t, g, out); rep.Differs != nil || rep.Checked == 0 || rep.Panic != nil {
				t.Errorf("the replay: %+v", rep)
			}
		})
	}
}
