package bridge

import (
	"slices"

	"muster/match"
	"muster/netcode"
	"muster/proto"
)

// roomView is what a room's goroutine knows of a session.
type roomView struct {
	writer  *proto.Writer
	gen     uint32
	tick    tick         // the message's head; its scopes are the union
	hashed  uint32       // the tick at which hashes were last sent
	states  netcode.View // what the edge has
	members []*viewer    // whose scopes are in the union
	union   netcode.Union
	lists   []part // this tick's parts
}

// send makes one message of a room's tick and hands it over. Where the network does not take it it is lost, as others may
// be: the edge sees that its number is missing.
func (s *session) send(f *match.Frame) {
	v := &s.view
	if v.writer == nil {
		v.writer = proto.NewWriter()
	}
	if want := s.want.Load(); want != v.gen {
		v.begin(want)
		s.b.metrics.resyncs.Inc()
	}
	changed := v.collect(s, f.Views)
	if changed {
		changed = v.unite()
	}
	m := &v.tick
	h := &m.frame.Head
	h.Tick = f.Views[0].Head.Tick
	blocks := f.Encoder.Prepare(&v.states, h.Scopes)
	var hashes []proto.Hash
	if netcode.HashDue(v.hashed, h.Tick) {
		hashes, v.hashed = f.Encoder.Hashes(&v.states), h.Tick
	}
	m.seq++
	m.listed = changed || m.seq == 1
	m.have, m.sent = s.have.Load(), s.sent.Load()
	m.now, m.frac = s.inst.Clock()
	w := v.writer
	m.append(w, s.id, len(v.lists))
	for i := range v.lists {
		v.lists[i].append(w)
	}
	appendBlocks(w, hashes, blocks)
	if s.b.send(s.edge.id, w.Bytes()) {
		s.b.metrics.ticks[hostHalf].Inc()
	}
}

// begin forgets what the edge has.
func (v *roomView) begin(gen uint32) {
	v.gen = gen
	v.tick.gen, v.tick.seq = gen, 0
	v.states.Reset()
}

// collect makes the parts of a tick, and says whether anything that the union is made of has changed.
func (v *roomView) collect(s *session, views []match.View) (changed bool) {
	v.lists = v.lists[:0]
	for i := range views {
		w := views[i].Viewer.(*viewer) //nolint:forcetypeassert // a viewer's edge is the one that made it
		if w.session != s {
			continue
		}
		h := &views[i].Head
		p := part{viewer: w.id, processed: h.Processed, durable: h.Durable, lead: h.Lead}
		moved := !slices.Equal(w.scopes, h.Scopes)
		if moved {
			w.scopes = append(w.scopes[:0], h.Scopes...)
		}
		if moved || w.gen != v.gen {
			w.gen, p.listed, p.scopes = v.gen, true, w.scopes
		}
		n := len(v.lists)
		if n >= len(v.members) {
			v.members = append(v.members, nil)
		}
		if moved || v.members[n] != w {
			v.members[n], changed = w, true
		}
		v.lists = append(v.lists, p)
	}
	if n := len(v.lists); n < len(v.members) {
		clear(v.members[n:])
		v.members, changed = v.members[:n], true
	}
	return changed
}

// unite makes the union of what the members see, and says whether it is another than before.
func (v *roomView) unite() (changed bool) {
	v.union.Reset()
	for _, w := range v.members {
		v.union.Add(w.scopes)
	}
	h := &v.tick.frame.Head
	list := v.union.Watches()
	changed = !slices.Equal(list, h.Scopes)
	h.Scopes = append(h.Scopes[:0], list...)
	return changed
}
