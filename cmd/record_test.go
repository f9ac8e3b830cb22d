package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"muster/internal/alone"
	"muster/match"
	"muster/match/journal"
	"muster/netcode"
	"muster/proto"
	"muster/proto/token"
)

// walk is a small game whose rules can be made to change.
type walk struct {
	bentAt  uint32 // from this tick on everybody drifts
	panicAt uint32
}

type field struct {
	Walkers netcode.Table[walker] `net:"max=8"`
}

type walker struct {
	X, Y  int32
	Owner netcode.Seat
}

type walkInput struct {
	DX   int8
	Note string `net:"max=32"`
}

func (w walk) Step(s *netcode.Step[field, walkInput]) {
	if w.panicAt != 0 && s.Tick >= w.panicAt {
		panic("a bug\x1b[31m in the rules")
	}
	for _, row := range s.State.Walkers.All() {
		if in, ok := s.Input(row.Owner); ok {
			row.X += int32(in.DX)
		}
		if w.bentAt != 0 && s.Tick >= w.bentAt {
			row.Y++
		}
	}
}

func (walk) Join(r *match.Room[field], p match.Player) error {
	r.State().Walkers.Add(walker{Owner: p.Seat})
	return nil
}

func (walk) Leave(r *match.Room[field], p match.Player) {
	for id, row := range r.State().Walkers.All() {
		if row.Owner == p.Seat {
			r.State().Walkers.Remove(id)
		}
	}
}

// walkGame is the game; its class and version are of the rules.
func walkGame(t *testing.T, w walk, rules match.Rules) match.Game {
	t.Helper()
	rules.Seats, rules.CheckpointEvery = 4, time.Second
	g := match.Define[field, walkInput]("walk", w, rules)
	must(t, g.Err())
	return g
}

// recording is a match on its way to a replay file. It is played in a bubble, so that it is the same each time.
type recording struct {
	t    *testing.T
	game match.Game
	rm   *match.Instance
	tick int // counted from 0
	who  map[netcode.Seat]*puppet
}

// puppet is a player's connection: an edge of its own that drops states and counts events.
type puppet struct {
	seat netcode.Seat
	seq  uint32

	mu     sync.Mutex
	events uint32
	resume token.Resume
}

func (p *puppet) Edge() match.Edge                         { return p }
func (p *puppet) Send(*match.Frame)                        {}
func (p *puppet) Seat() netcode.Seat                       { return p.seat }
func (p *puppet) Close(proto.Close)                        {}
func (p *puppet) Welcome(_ *proto.Welcome, r token.Resume) { p.mu.Lock(); p.resume = r; p.mu.Unlock() }

func (p *puppet) Message(msg []byte) {
	r := proto.NewReader(msg)
	kind, n, err := proto.ServerKind(r)
	var m proto.Events
	if err != nil || kind != proto.KindEvents || m.Parse(r, n) != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events = m.First + uint32(len(m.List)) - 1
}

// join brings a player to a seat.
func (rec *recording) join(seat netcode.Seat, id, name string) {
	rec.attach(&puppet{seat: seat}, id, name, false, 0)
}

func (rec *recording) attach(p *puppet, id, name string, resume bool, counter uint32) {
	rec.who[p.seat] = p
	if !rec.rm.Attach(match.Attach{
		Viewer: p, Player: match.Player{Seat: p.seat, ID: id, Name: name}, PlayerExpires: time.Now().Add(time.Hour),
		Resume: resume, Counter: counter,
	}) {
		rec.t.Error("the room takes nobody")
	}
}

// drop loses a player's connection; resume is the player on another one.
func (rec *recording) drop(seat netcode.Seat) { rec.rm.Detach(rec.who[seat]) }

func (rec *recording) resume(seat netcode.Seat) {
	was := rec.who[seat]
	was.mu.Lock()
	defer was.mu.Unlock()
	rec.attach(&puppet{seat: seat, seq: was.seq, events: was.events}, was.resume.Player, was.resume.Name, true, was.resume.Counter)
}

func (rec *recording) leave(seat netcode.Seat) { rec.rm.Leave(rec.who[seat]) }

// input sends a player's input.
func (rec *recording) input(seat netcode.Seat, in any) {
	p := rec.who[seat]
	w := proto.NewWriter()
	if err := rec.game.Schema().WriteInput(w, in); err != nil {
		rec.t.Error(err)
	}
	p.seq++
	now, _ := rec.rm.Clock()
	p.mu.Lock()
	defer p.mu.Unlock()
	rec.rm.Input(p, &proto.InputPacket{
		Epoch: rec.rm.Epoch(), Last: now, Event: p.events,
		Inputs: []proto.Input{{Seq: p.seq, Tick: now + 1, View: now - min(now, 3), Body: w.Bytes()}},
	})
}

// startless is a store of old: its records do not say that the match starts.
type startless struct{ *journal.Files }

func (s startless) Append(ctx context.Context, room string, epoch uint64, prev uint32, entries []journal.Entry) error {
	for i := range entries {
		var r journal.Record
		if err := r.Parse(entries[i].Data); err != nil {
			return err
		}
		r.Started = false
		w := proto.NewWriter()
		r.AppendTo(w)
		entries[i].Data = w.Bytes()
	}
	return s.Files.Append(ctx, room, epoch, prev, entries)
}

// record plays a match of so many ticks and returns its replay's file. play is called once a tick.
func record(t *testing.T, g match.Game, ticks int, play func(*recording)) string {
	t.Helper()
	return recordIn(t, g, ticks, play, func(f *journal.Files) journal.Store { return f })
}

// recordIn is record with a store that keeps what it is given in files.
func recordIn(t *testing.T, g match.Game, ticks int, play func(*recording), in func(*journal.Files) journal.Store) string {
	t.Helper()
	dir, name := t.TempDir(), filepath.Join(t.TempDir(), "match.muster")
	synctest.Test(t, func(t *testing.T) {
		store, err := journal.OpenFiles(journal.FilesConfig{Dir: dir})
		must(t, err)
		host, err := match.NewHost(match.HostConfig{Games: []match.Game{g}, Directory: alone.Directory{}, Journals: in(store), Version: "v0"})
		must(t, err)
		rm, err := host.Open(match.Spec{ID: "r1", Game: g.Name(), Seed: 7, Epoch: 9})
		must(t, err)
		rec := &recording{t: t, game: g, rm: rm, who: map[netcode.Seat]*puppet{}}
		period := time.Second / time.Duration(g.Rules().TickRate)
		time.Sleep(period / 10) // never at the moment of a tick
		for ; rec.tick < ticks; rec.tick++ {
			play(rec)
			time.Sleep(period)
		}
		must(t, host.Close(t.Context()))
		f, err := os.Create(name)
		must(t, err)
		must(t, errors.Join(store.Export(t.Context(), "r1", f), f.Close()))
	})
	return name
}

// walked is a match of walk with three players, all that can happen to a seat, and a name that wants to be more.
func walked(t *testing.T, rules match.Rules) string {
	t.Helper()
	return record(t, walkGame(t, walk{}, rules), 100, func(rec *recording) {
		switch rec.tick {
		case 0:
			rec.join(1, "alice", "Alice")
		case 5:
			rec.join(2, "bob", "\x1b[2J\u202ebob\nCUT SHORT\u009b\U000e0001")
		case 20:
			rec.drop(2)
		case 30:
			rec.resume(2)
		case 60:
			rec.leave(2)
		}
		rec.input(1, &walkInput{DX: int8(rec.tick % 3), Note: fmt.Sprint("n\x1b", rec.tick)})
		if rec.tick > 40 && rec.tick < 60 {
			rec.input(2, &walkInput{DX: 5})
		}
	})
}

// replayCommand runs "muster replay" for one game and returns its exit status and what it printed, times left out.
func replayCommand(t *testing.T, g match.Game, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs output
	status = run(t.Context(), func() {}, append([]string{"replay"}, args...), []Game{{Game: g}}, &out, &errs)
	return status, took.ReplaceAllString(out.String(), "took T, N times"), errs.String()
}
