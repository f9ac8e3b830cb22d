package playback

import (
	"time"

	"muster/match"
	"muster/netcode"
	"muster/proto"
	"muster/proto/token"
)

// Bounds of those who watch one session.
const (
	maxWatchers = 100
	// maxWatches is how many connections one player may watch it by.
	maxWatches = 4
	// maxNews is how many may come and go between two ticks.
	maxNews = 4 * maxWatchers
)

// watcher is a connection that watches.
type watcher struct {
	viewer match.Viewer
	player string
	feed   *feed
}

// attachment is a connection that comes or goes, or an edge that has missed something.
type attachment struct {
	viewer match.Viewer
	attach *match.Attach // nil: it goes
	again  match.Audience
	from   uint64
}

// Epoch implements [muster/match/edge.Room].
func (s *Session) Epoch() uint64 { return s.epoch }

// Schema implements [muster/match/edge.Room].
func (s *Session) Schema() *netcode.Schema { return s.game.Schema() }

// Rate implements [muster/match/edge.Room].
func (s *Session) Rate() int { return s.game.Rules().TickRate }

// Mode implements [muster/match/edge.Room].
func (s *Session) Mode() proto.InputMode { return s.game.Rules().Inputs }

// Lossy implements [muster/match/edge.Room].
func (s *Session) Lossy() bool { return false }

// Input implements [muster/match/edge.Room]: nothing changes what has happened.
func (s *Session) Input(match.Viewer, *proto.InputPacket) {}

// Refresh implements [muster/match/edge.Room].
func (s *Session) Refresh(match.Viewer, time.Time) {}

// Resync implements [muster/match/edge.Room]: the edge has reset its own view.
func (s *Session) Resync(match.Viewer, uint16) {}

// Clock implements [muster/match/edge.Room].
func (s *Session) Clock() (tick uint32, frac uint16) {
	since := max(0, time.Since(s.base))
	return uint32(since / s.period), uint16(since % s.period * 65536 / s.period) //nolint:gosec // a session is not that long
}

// Behind implements [muster/match/edge.Room].
func (s *Session) Behind() time.Duration { return 0 }

// Again hands an audience what it has missed, from a cast's number on.
func (s *Session) Again(a match.Audience, from uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed && len(s.news) < maxNews { // else it asks again
		s.news = append(s.news, attachment{again: a, from: from})
	}
}

// Attach implements [muster/match/edge.Room].
func (s *Session) Attach(a match.Attach) bool {
	if !a.Watch || a.Audience == nil {
		a.Viewer.Close(proto.Close{Code: proto.CodeNotYourSeat, Reason: "a replay has no seats"})
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if len(s.news) >= maxNews {
		a.Viewer.Close(proto.Close{Code: proto.CodeOverloaded, Reason: "too many come to the replay"})
		return true
	}
	s.news = append(s.news, attachment{viewer: a.Viewer, attach: &a})
	return true
}

// Detach implements [muster/match/edge.Room].
func (s *Session) Detach(v match.Viewer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.news = append(s.news, attachment{viewer: v}) // of each that came, so there are not more of them
	}
}

// Leave implements [muster/match/edge.Room].
func (s *Session) Leave(v match.Viewer) {
	v.Close(proto.Close{Code: proto.CodeDone, Reason: "you left the replay"})
}

// come lets a connection in or out.
func (s *Session) come(n *attachment) {
	switch {
	case n.again != nil:
		s.cast.again(n.again, n.from)
		return
	case n.attach == nil:
		s.unwatch(n.viewer)
		return
	}
	same := 0
	for i := range s.watchers {
		if s.watchers[i].player == n.attach.Player.ID {
			same++
		}
	}
	switch {
	case len(s.watchers) >= maxWatchers:
		n.viewer.Close(proto.Close{Code: proto.CodeMatchFull, Reason: "no place for another spectator is free"})
	case same >= maxWatches:
		n.viewer.Close(proto.Close{Code: proto.CodeMatchFull, Reason: "you watch this replay already"})
	default:
		f := s.cast.join(n.attach.Audience)
		s.watchers = append(s.watchers, watcher{n.viewer, n.attach.Player.ID, f})
		s.all.metrics.viewers.Inc()
		s.welcome(n)
	}
}

func (s *Session) unwatch(v match.Viewer) {
	for i := range s.watchers {
		if s.watchers[i].viewer != v {
			continue
		}
		s.cast.part(s.watchers[i].feed)
		last := len(s.watchers) - 1
		s.watchers[i] = s.watchers[last]
		s.watchers[last] = watcher{}
		s.watchers = s.watchers[:last]
		s.all.metrics.viewers.Dec()
		return
	}
}

// welcome tells a connection what it watches.
func (s *Session) welcome(n *attachment) {
	rules := s.game.Rules()
	m := proto.Welcome{
		Version: proto.Version, Room: s.id, Game: s.game.Name(), Rules: rules.Version, Player: n.attach.Player.ID,
		Epoch: s.epoch, Rate: uint8(rules.TickRate), Inputs: rules.Inputs, Schema: s.schema, //nolint:gosec // 1 to 128
	}
	m.Tick, m.Event = s.cast.newest()
	n.viewer.Welcome(&m, token.Resume{Room: s.id, Player: m.Player, PlayerExpires: n.attach.PlayerExpires})
}

// abandon tells all who watch why it is over, while the session's goroutine does not answer. Nobody comes any more.
func (s *Session) abandon(c proto.Close) {
	s.mu.Lock()
	s.closed, s.shown.Failed = true, c.Reason
	viewers, news, leave := s.seen, s.news, s.leave
	s.seen, s.news = nil, nil
	s.mu.Unlock()
	if leave != nil {
		leave()
	}
	for i := range news {
		if news[i].attach != nil {
			news[i].viewer.Close(c)
		}
	}
	for v := range viewers {
		v.Close(c)
	}
	s.all.metrics.viewers.Sub(float64(len(viewers)))
}

// dismiss tells all who watch why it is over. Nobody comes any more.
func (s *Session) dismiss() {
	s.mu.Lock()
	s.closed = true
	c := proto.Close{Code: proto.CodeNodeLeaving, Reason: "the server is shutting down"}
	if s.ending != nil {
		c = *s.ending
	}
	news := s.news
	s.news = nil
	s.mu.Unlock()
	for i := range news {
		if news[i].attach != nil {
			news[i].viewer.Close(c)
		}
	}
	s.cast.end(c)
	s.all.metrics.viewers.Sub(float64(len(s.watchers)))
	s.watchers = nil
}
