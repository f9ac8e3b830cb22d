package playback

import (
	"go.uber.org/zap"

	"muster/match"
	"muster/netcode"
	"muster/proto"
)

// maxEventBytes bounds the events of one tick of a session, maxEmitted their number: at a high speed there are many, of
// which the first are told.
const (
	maxEventBytes = 16 << 10
	maxEmitted    = proto.MaxEvents
)

// sender is what a session's goroutine needs to send.
type sender struct {
	scopes  []proto.Watch
	emitted []netcode.Emission // of the ticks that were played in this one
	event   uint32             // the newest that was told
	events  proto.Events
	frames  []match.Frame
	edges   []match.Edge // edges[i] gets frames[i]
	body    *proto.Writer
	out     *proto.Writer
}

// overhear keeps the events of a tick that is played. Those of ticks that a seek runs through are nobody's.
func (s *Session) overhear() {
	list := s.cur.replay.Emitted()
	for i := range list {
		if len(s.emitted) < maxEmitted && s.view.hears(&list[i], s.cur.replay) {
			s.emitted = append(s.emitted, list[i])
		}
	}
}

// capture hands the state to the encoder. A Scopes hook that panics ends the session.
func (s *Session) capture() {
	if err := s.cur.replay.Capture(s.tick, s.enc); err != nil {
		s.log.Warn("a recorded state cannot be shown", zap.Error(err))
		s.End(proto.Close{Code: proto.CodeRulesFailed, Reason: "the game's rules failed"})
	}
}

// send hands the tick to the edges: welcomes, events, then a frame for each.
func (s *Session) send() {
	for i := range s.watchers {
		if !s.watchers[i].welcomed {
			s.welcome(&s.watchers[i])
		}
	}
	s.tell()
	for i := range s.frames {
		clear(s.frames[i].Views)
		s.frames[i].Views = s.frames[i].Views[:0]
	}
	if len(s.watchers) == 0 {
		s.frames, s.edges = s.frames[:0], s.edges[:0]
		return
	}
	s.scopes = s.view.scopes(s.enc, s.scopes)
	for i := range s.watchers {
		f := s.frame(s.watchers[i].viewer.Edge())
		f.Views = append(f.Views, match.View{Viewer: s.watchers[i].viewer, Head: proto.Head{
			Epoch: s.epoch, Tick: s.tick, Processed: s.st.Tick, Durable: s.st.Tick, Scopes: s.scopes,
		}})
	}
	for i := range s.frames {
		if len(s.frames[i].Views) > 0 {
			s.edges[i].Send(&s.frames[i])
		}
	}
}

// frame returns this tick's frame for an edge: one for this process and one for each other that has viewers.
func (s *Session) frame(e match.Edge) *match.Frame {
	for i := range s.edges {
		if s.edges[i] == e {
			return &s.frames[i]
		}
	}
	s.edges = append(s.edges, e)
	s.frames = append(s.frames, match.Frame{Room: s.id, Encoder: s.enc})
	return &s.frames[len(s.frames)-1]
}

// tell sends the events of the ticks that were played.
func (s *Session) tell() {
	if len(s.emitted) == 0 || len(s.watchers) == 0 {
		return
	}
	m := &s.events
	m.Tick, m.First, m.List = s.tick, s.event+1, m.List[:0]
	s.body.Reset()
	for i := range s.emitted {
		from := s.body.Len()
		if err := s.enc.WriteEvent(s.body, s.emitted[i].Event); err != nil {
			s.log.Error("an event cannot be sent", zap.Error(err))
			return
		}
		if s.body.Len() > maxEventBytes {
			break
		}
		m.List = append(m.List, append([]byte(nil), s.body.Bytes()[from:]...))
	}
	clear(s.emitted)
	s.event += uint32(len(m.List)) //nolint:gosec // at most maxEmitted
	s.out.Reset()
	m.Append(s.out)
	for i := range s.watchers {
		s.watchers[i].viewer.Message(s.out.Bytes())
	}
}
