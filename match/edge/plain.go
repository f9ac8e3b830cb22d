package edge

import (
	"slices"
	"sync"
	"time"

	"muster/match"
	"muster/netcode"
	"muster/proto"
)

// plainShard writes to those of an audience who read the plain form. What a room says to those who watch it says in the
// other form, once, so here a mirror is fed with that, as for players of another node, and each is sent frames of his own:
// whoever asks for the plain form costs what a player costs.
type plainShard struct {
	a    *audience
	wake chan struct{}

	mu    sync.Mutex
	conns []*conn

	// Of its goroutine.
	ring   []*shot
	mirror *netcode.Encoder // nil while nothing has begun
	place  place
	told   time.Duration // when something was last handed on, since the server's base
	in     proto.Frame
	reader *proto.Reader
	frame  match.Frame
	list   []*conn
}

func newPlainShard(a *audience) *plainShard {
	return &plainShard{a: a, wake: make(chan struct{}, 1), reader: proto.NewReader(nil)}
}

func (p *plainShard) add(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns = append(p.conns, c)
}

func (p *plainShard) remove(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.conns, c); i >= 0 {
		p.conns = slices.Delete(p.conns, i, i+1)
	}
}

func (p *plainShard) rouse() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// run is the goroutine.
func (p *plainShard) run() {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case <-p.a.quit:
			return
		case <-p.a.server.ctx.Done():
			return
		case <-look.C:
			p.reassure()
			continue
		case <-p.wake:
		}
		var heard bool
		p.ring, heard, _ = p.a.look(p.ring)
		p.mu.Lock()
		p.list = append(p.list[:0], p.conns...)
		p.mu.Unlock()
		if len(p.ring) == 0 {
			for _, c := range p.list {
				if c.due(heard) {
					c.welcome(0, 0)
				}
			}
			continue
		}
		p.follow()
		clear(p.ring)
		clear(p.list)
	}
}

// reassure writes to all where nothing has come for a while.
func (p *plainShard) reassure() {
	now := time.Since(p.a.server.base)
	if now-p.told < quietFor {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.reassure(now)
	}
}

// follow goes through what is new.
func (p *plainShard) follow() {
	first := p.ring[0].Seq
	if p.mirror == nil || p.place.seq < first {
		p.mirror = nil
		i := newest(p.ring)
		if i < 0 {
			i = len(p.ring) - 1 // for what is said with it, if it is the last
		} else {
			p.mirror = netcode.NewMirror(p.a.room.Schema(), netcode.EncoderConfig{Ring: max(32, p.a.room.Rate())})
		}
		p.in = proto.Frame{}
		p.place = place{p.ring[i].Seq, p.ring[i].entry != nil}
	}
	for p.place.seq-first < uint64(len(p.ring)) {
		p.tell(p.ring[p.place.seq-first])
	}
}

// tell hands on one shot.
func (p *plainShard) tell(s *shot) {
	for _, c := range p.list {
		f := c.follow
		if f.greeting.Load() != nil {
			c.welcome(max(s.Tick, 1)-1, s.Event)
		}
		if !c.welcomed.Load() {
			continue
		}
		if f.told != s.Event {
			c.Close(proto.Close{Code: proto.CodeNodeLeaving, Reason: "events were lost on their way"})
			continue
		}
		for _, msg := range s.Said {
			c.Message(msg)
		}
		f.told = s.Told
	}
	part := s.Frame
	if p.place.entry = p.place.entry && (!s.Begins || s.entry != nil); p.place.entry {
		part = s.Entry
	}
	p.place = place{s.Seq + 1, p.place.entry && !s.Joins}
	p.told = time.Since(p.a.server.base)
	if len(part) > 0 && p.mirror != nil {
		p.show(part)
	}
	if s.Close != nil {
		for _, c := range p.list {
			c.Close(*s.Close)
		}
	}
}

// show brings the mirror on by a frame, and with it all who are welcomed.
func (p *plainShard) show(msg []byte) {
	p.reader.Reset(msg)
	kind, n, err := proto.ServerKind(p.reader)
	if err == nil {
		err = p.in.Parse(p.reader, kind, n)
	}
	if err == nil {
		err = p.mirror.Receive(&p.in)
	}
	if err != nil { // what comes next would be built on what is not here: it begins anew
		p.a.server.log.Error("what a room says to those who watch cannot be read")
		p.mirror = nil
		for _, c := range p.list {
			c.view.Reset()
		}
		return
	}
	f := &p.frame
	f.Room, f.Encoder = p.a.room.ID(), p.mirror
	clear(f.Views)
	f.Views = f.Views[:0]
	for _, c := range p.list {
		if c.welcomed.Load() {
			f.Views = append(f.Views, match.View{Viewer: c, Head: p.in.Head})
		}
	}
	if len(f.Views) > 0 {
		p.a.server.Send(f)
	}
}
