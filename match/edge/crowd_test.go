package edge

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"muster/internal/door"
	"muster/internal/race"
	"muster/internal/simnet"
	"muster/match"
	"muster/proto"
)

// bystander reads what it is sent and looks at the heads alone.
type bystander struct {
	ws     *websocket.Conn
	frame  proto.Frame
	frames atomic.Int32
	first  uint32
	wrong  string
	held   <-chan struct{} // after the first frame it reads nothing until this is closed; nil: it is quick
	steps  int             // over a second or more
}

func (s *bystander) run(ctx context.Context) {
	for {
		_, msg, err := s.ws.Read(ctx)
		if err != nil {
			return
		}
		r := proto.NewReader(msg)
		kind, k, err := proto.ServerKind(r)
		if err == nil && kind >= proto.KindFrame {
			before := s.frame.Head.Tick
			err = s.frame.Parse(r, kind, k)
			if s.frames.Add(1) == 1 {
				s.first = s.frame.Head.Tick
			} else if tick := s.frame.Head.Tick; tick <= before || s.held == nil && tick != before+1 {
				s.wrong = fmt.Sprint("tick ", tick, " after ", before)
			} else if tick-before > 20 {
				s.steps++
			}
		}
		if err != nil {
			s.wrong = err.Error()
		}
		if s.held != nil && s.frames.Load() == 1 {
			<-s.held
		}
	}
}

// congested is how many connections do not take what they are sent.
func (b *bench) congested() (n int) {
	for _, c := range b.edge.all() {
		if c.Pipe.Congested() {
			n++
		}
	}
	return n
}

// A crowd is written to in turns, several ticks at once; those who are slow cost the others nothing, and nobody the players.
// The slow ones read nothing until two seconds after the last of them has no place for more: each is then further behind than
// a second, and not yet closed.
func TestACrowdIsWrittenToInTurnsAndDelaysNoPlayer(t *testing.T) {
	crowd := 500
	if testing.Short() || race.Enabled {
		crowd = atOnce + 20
	}
	rules := match.Rules{Spectators: crowd, TickRate: 20}
	inPitch(t, pitch{bulk: 100}, rules, simnet.Link{Buffer: 4 << 10}, func(t *testing.T, ctx context.Context, b *bench, _ match.Game) {
		player := b.join(ctx, "r", 1, "alice")
		player.until(ctx, proto.KindFrame)
		var wg sync.WaitGroup
		var list []*bystander
		held, slow := make(chan struct{}), 0
		release := sync.OnceFunc(func() { close(held) })
		defer release()
		for i := range crowd {
			ws, _, err := b.dial(ctx, "r", b.watchToken("r", fmt.Sprint("walter ", i)))
			if err != nil {
				t.Fatal(err)
			}
			ws.SetReadLimit(1 << 20)
			s := &bystander{ws: ws}
			if i%10 == 0 {
				s.held = held
				slow++
			}
			list = append(list, s)
			wg.Go(func() { s.run(ctx) })
		}
		ref := list[1]
		eventually(t, "the first frame of the last", func() bool {
			synctest.Wait()
			return list[crowd-1].frames.Load() > 0
		})
		writes, worst := b.metricValue("muster_spectator_writes_total"), time.Duration(0)
		began := time.Now()
		plays := func(what string, until func() bool) {
			t.Helper()
			for last, end := time.Now(), time.Now().Add(time.Minute); !until(); last = time.Now() {
				player.until(ctx, proto.KindFrame)
				player.ack(ctx)
				worst = max(worst, time.Since(last))
				if last.After(end) {
					t.Fatalf("a minute went by without %s", what)
				}
			}
		}
		plays("all slow ones being full", func() bool { return b.congested() == slow })
		full := time.Now()
		plays("two seconds", func() bool { return time.Since(full) > 2*time.Second })
		if n := b.metricValue("muster_spectator_skips_total"); n != 0 || b.congested() != slow {
			t.Errorf("%v times somebody skipped, %d are full, before the slow ones read", n, b.congested())
		}
		release()
		plays("all slow ones being brought on", func() bool { return b.metricValue("muster_spectator_skips_total") >= float64(slow) })
		released := time.Now()
		plays("a second", func() bool { return time.Since(released) > time.Second })
		seconds := time.Since(began).Seconds()
		writes = b.metricValue("muster_spectator_writes_total") - writes
		if most := float64(crowd) * seconds * 11; writes > most || writes < most/2 {
			t.Errorf("%v writes to %d spectators in %v s", writes, crowd, seconds)
		}
		if worst > 60*time.Millisecond {
			t.Errorf("the player waited %v for a frame", worst)
		}
		if n := b.metricValue("muster_spectator_skips_total"); n != float64(slow) {
			t.Errorf("%v times somebody skipped, and %d were slow", n, slow)
		}
		for _, s := range list {
			_ = s.ws.CloseNow()
		}
		_ = player.CloseNow()
		wg.Wait()
		for i, s := range list {
			steps := 0
			if s.held != nil {
				steps = 1
			}
			if s.wrong != "" || s.steps != steps || ref.frame.Head.Tick-s.frame.Head.Tick+5 > 10 {
				t.Errorf("spectator %d: %s, %d frames from tick %d to %d, with %d steps", i, s.wrong, s.frames.Load(), s.first, s.frame.Head.Tick, s.steps)
			}
		}
		eventually(t, "that nobody is left", func() bool {
			synctest.Wait()
			return b.edge.seats() == 0
		})
	})
}

// seats is how many audiences there are.
func (s *Server) seats() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.audiences)
}

func TestARhythmSpreadsALargeAudience(t *testing.T) {
	for conns, want := range map[int]int{1: 1, atOnce: 1, atOnce + 1: 10, manyConns: 10, manyConns + 1: 20, 100_000: 20} {
		if got := rhythm(conns); got != want {
			t.Errorf("%d connections have %d turns, want %d", conns, got, want)
		}
	}
}

// What is kept for those who watch has a bound: the oldest gives way.
func TestTheRingOfAnAudienceIsBounded(t *testing.T) {
	server := New(Config{})
	defer func() { _ = server.Close(t.Context()) }()
	a := &audience{server: server, room: still{}}
	frame := make([]byte, 100<<10)
	for i := range uint64(400) {
		a.Cast(&match.Cast{Seq: i + 1, Tick: uint32(i), Begins: i%40 == 0, Frame: frame}) //nolint:gosec // small
		if a.bytes > maxRing+2*len(frame) || len(a.ring) == 0 {
			t.Fatalf("%d bytes in %d casts", a.bytes, len(a.ring))
		}
	}
	small := &audience{server: server, room: still{}}
	for i := range uint64(4000) {
		small.Cast(&match.Cast{Seq: i + 1, Tick: uint32(i), Begins: i%40 == 0, Frame: frame[:100]}) //nolint:gosec // small
	}
	if n := len(small.ring); n < 240 || n > 300 {
		t.Errorf("%d casts are kept, of 12 seconds at 20 a second", n)
	}
}

// What a process keeps for all rooms' audiences has a bound, too: those that keep much give way, others keep what they need,
// and what an audience has kept is nobody's when it has ended.
func TestTheRingsOfAllAudiencesAreBoundedTogether(t *testing.T) {
	server := New(Config{})
	defer func() { _ = server.Close(t.Context()) }()
	server.rings.most = 4 * maxRing
	all := make([]*audience, 16)
	for i := range all {
		all[i] = &audience{server: server, room: still{}, quit: make(chan struct{})}
	}
	frame := make([]byte, 100<<10)
	cast := func(a *audience, i uint64, size int) {
		a.Cast(&match.Cast{Seq: i + 1, Tick: uint32(i), Begins: i%40 == 0, Frame: frame[:size]}) //nolint:gosec // small
	}
	most := int64(0)
	for i := range uint64(400) {
		for n, a := range all {
			cast(a, i, map[bool]int{true: 100, false: len(frame)}[n == 0])
		}
		sum := int64(0)
		for _, a := range all {
			sum += int64(a.bytes)
		}
		if got := server.rings.bytes.Load(); got != sum {
			t.Fatalf("%d bytes are counted of %d", got, sum)
		}
		most = max(most, sum)
	}
	if most > server.rings.most+int64(len(all)*3*len(frame)) || most < server.rings.most/2 {
		t.Errorf("%d bytes were kept, %d may be", most, server.rings.most)
	}
	if n := len(all[0].ring); n < 240 || n > 300 {
		t.Errorf("one that keeps little has %d casts, of 12 seconds at 20 a second", n)
	}
	for _, a := range all[1:] {
		a.leave()
		cast(a, 1000, len(frame)) // the room has not heard of it
	}
	if got := server.rings.bytes.Load(); got != int64(all[0].bytes) {
		t.Errorf("%d bytes are counted when one is left with %d", got, all[0].bytes)
	}
	for i := range uint64(400) {
		cast(all[0], 400+i, len(frame))
	}
	if all[0].bytes < maxRing*3/4 {
		t.Errorf("the one that is left keeps %d bytes", all[0].bytes)
	}
}

// Where casts are lost for good those who followed begin anew, or come again where they would miss an event.
func TestWhereCastsAreLostSpectatorsBeginAnewOrComeAgain(t *testing.T) {
	g := pitchGame(t, pitch{bulk: 10}, match.Rules{})
	casts := record(t, g, 3, 8*time.Second)
	server := New(Config{Log: nil})
	defer func() { _ = server.Close(t.Context()) }()
	for _, events := range []bool{false, true} {
		a := &audience{server: server, room: still{schema: g.Schema()}}
		sh := newShard(a)
		f := newFan(t, server, a, g.Schema())
		for i, c := range casts {
			if i >= 50 && i < 70 {
				continue
			}
			if own := *c; !events {
				own.Said, own.Event, own.Told = nil, 0, 0
				c = &own
			}
			a.Cast(c)
			sh.ring, sh.heard, sh.holed = a.look(sh.ring)
			sh.used = 0
			for sh.serve(f.c) {
			}
			if !f.c.ended.Load() {
				f.pen.messages(t, f.read)
			}
		}
		if events != a.holed || events != f.c.ended.Load() {
			t.Errorf("events were lost: %v, the audience says %v, the socket was closed: %v", events, a.holed, f.c.ended.Load())
		}
		if last := f.ticks[len(f.ticks)-1]; !events && (last != casts[len(casts)-1].Tick || len(f.began) != 2) {
			t.Errorf("begun at %v, and up to tick %d", f.began, last)
		}
	}
}

// Where a spectator has fallen behind all that is kept, and the match ends before one can begin anew: he is told what was
// said since, and the end.
func TestOneWhoFellBehindIsToldTheEndThoughNobodyCanBeginAnew(t *testing.T) {
	sc := pitchGame(t, pitch{}, match.Rules{}).Schema()
	server := New(Config{})
	defer func() { _ = server.Close(t.Context()) }()
	server.rings.most = 1000
	a := &audience{server: server, room: still{schema: sc}}
	sh := newShard(a)
	f := newFan(t, server, a, sc)
	serve := func() {
		sh.ring, sh.heard, sh.holed = a.look(sh.ring)
		sh.used = 0
		for sh.serve(f.c) {
		}
	}
	a.Cast(firstCast)
	serve()
	f.pen.buf = nil
	for seq := uint64(2); seq < 20; seq++ { // he reads none of these
		a.Cast(&match.Cast{Seq: seq, Tick: uint32(seq), Frame: make([]byte, 100)}) //nolint:gosec // small
	}
	word := &match.Cast{Seq: 20, Tick: 20, Told: 1, Said: [][]byte{[]byte("word")}}
	a.Cast(word)
	a.Cast(&match.Cast{Seq: 21, Tick: 21, Event: 1, Told: 1, Close: &proto.Close{Code: proto.CodeDone}})
	if first := a.ring[0].Seq; !f.c.follow.begun || f.c.follow.place.seq >= first || first > word.Seq || newest(a.ring) >= 0 {
		t.Fatalf("he is at %v, and casts are kept from %d on", f.c.follow.place, first)
	}
	serve()
	got := string(f.pen.buf)
	if !f.c.ended.Load() || !strings.HasPrefix(got, "\x82\x04word") || !strings.HasSuffix(got, "\x88\x02\x03\xe8") { // 1000: done
		t.Errorf("he is sent %q, and the socket is closed: %v", got, f.c.ended.Load())
	}
}

// sink is a connection that takes everything.
type sink struct{ pen }

func (*sink) Write(b []byte) (int, error) { return len(b), nil }

func TestWritingToACrowdAllocatesNothing(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector makes pools forget")
	}
	g := pitchGame(t, pitch{bulk: 10}, match.Rules{})
	casts := record(t, g, 3, 3*time.Second)
	server := New(Config{})
	defer func() { _ = server.Close(t.Context()) }()
	a := &audience{server: server, room: still{schema: g.Schema()}}
	sh := newShard(a)
	var fans []*fan
	for range 200 {
		f := newFan(t, server, a, g.Schema())
		f.c.Carrier, f.c.Pipe = &sink{}, door.NewPipe(&sink{})
		if !sh.add(f.c) {
			t.Fatal("there is no place")
		}
		fans = append(fans, f)
	}
	for _, c := range casts {
		a.Cast(c)
	}
	sh.flush(0, 1)
	end := fans[0].c.follow.place
	n := testing.AllocsPerRun(50, func() {
		for i, f := range fans {
			f.c.follow.place = place{seq: end.seq - uint64(2+i%3)} //nolint:gosec // small
		}
		sh.flush(0, 1)
	})
	if n > 0 || fans[0].c.follow.place != end || end.seq != uint64(len(casts))+1 {
		t.Errorf("%v allocations for 200 writes; at %v, and %v is the end", n, fans[0].c.follow.place, end)
	}
}

// inCrowd runs a test with a shard that writes to so many of an audience of another size.
func inCrowd(t *testing.T, conns, size int, f func(t *testing.T, a *audience, sh *shard, fans []*fan)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		g := pitchGame(t, pitch{}, match.Rules{})
		server := New(Config{})
		a := &audience{server: server, room: still{schema: g.Schema()}, quit: make(chan struct{}), refs: size}
		sh := newShard(a)
		a.shards = []*shard{sh}
		var fans []*fan
		for range conns {
			f := newFan(t, server, a, g.Schema())
			sh.add(f.c)
			fans = append(fans, f)
		}
		var wg sync.WaitGroup
		wg.Go(sh.run)
		f(t, a, sh, fans)
		close(a.quit)
		wg.Wait()
		if err := server.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

var (
	firstCast = &match.Cast{Seq: 1, Tick: 1, Begins: true, Frame: []byte{1}}
	lastCast  = &match.Cast{Seq: 2, Tick: 2, Close: &proto.Close{Code: proto.CodeDone}}
)

// However those who are told the end leave meanwhile, and move others to their places: nobody is overlooked.
func TestTheEndReachesAllThoughOthersLeaveMeanwhile(t *testing.T) {
	for _, crowd := range []int{atOnce, 2 * atOnce} {
		inCrowd(t, crowd, crowd, func(t *testing.T, a *audience, sh *shard, fans []*fan) {
			a.Cast(firstCast)
			time.Sleep(time.Second)
			a.Cast(lastCast)
			for range 100 {
				time.Sleep(turnEvery)
				synctest.Wait()
				for i, f := range fans {
					if f != nil && f.c.ended.Load() {
						sh.remove(f.c)
						fans[i] = nil
					}
				}
			}
			if n := len(sh.conns); n > 0 {
				t.Errorf("%d of %d were not told", n, crowd)
			}
		})
	}
}

// An audience that becomes smaller or larger while it is written to, in other turns then, is written to as a whole.
func TestTheEndReachesAllThoughTheRhythmChanges(t *testing.T) {
	for _, c := range []struct{ from, to, after int }{
		{manyConns + 1, manyConns, 5}, {manyConns, manyConns + 1, 5}, {atOnce + 1, atOnce, 5}, {atOnce, atOnce + 1, 0}, {manyConns, manyConns + 1, 0},
	} {
		inCrowd(t, 40, c.from, func(t *testing.T, a *audience, _ *shard, fans []*fan) {
			resize := func() {
				a.server.mu.Lock()
				defer a.server.mu.Unlock()
				a.refs = c.to
			}
			a.Cast(firstCast)
			time.Sleep(time.Second)
			synctest.Wait()
			if c.after == 0 {
				resize()
			}
			a.Cast(lastCast)
			time.Sleep(time.Duration(c.after)*turnEvery - turnEvery/2)
			synctest.Wait()
			resize()
			time.Sleep(time.Second)
			synctest.Wait()
			for i, f := range fans {
				if !f.c.ended.Load() {
					t.Errorf("%d, then %d: connection %d was not told", c.from, c.to, i)
				}
			}
		})
	}
}
