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
	cast    caster
	scopes  []proto.Watch
	emitted []netcode.Emission // of the ticks that were played in this one
	event   uint32             // the newest that was told
	events  proto.Events
	body    *proto.Writer
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

// capture hands the state to the encoder. A Scopes hook that panics ends the session: what the encoder has then is of no
// tick, and nothing of it is sent.
func (s *Session) capture() bool {
	s.calls.next()
	err := s.cur.replay.Capture(s.tick, s.enc)
	if err != nil {
		s.log.Warn("a recorded state cannot be shown", zap.Error(err))
		s.End(proto.Close{Code: proto.CodeRulesFailed, Reason: "the game's rules failed"})
	}
	return err == nil
}

// send hands the tick to those who watch: events, then the frame.
func (s *Session) send() {
	if len(s.watchers) == 0 {
		clear(s.emitted)
		return
	}
	c := &match.Cast{Tick: s.tick, Event: s.event}
	s.tell(c)
	c.Told = s.event
	s.scopes = s.view.scopes(s.enc, s.scopes)
	s.cast.frames(c, s.enc, &proto.Head{
		Epoch: s.epoch, Tick: s.tick, Processed: s.st.Tick, Durable: s.st.Tick, Scopes: s.scopes,
	}, s.Rate(), s.body)
	s.cast.put(c)
}

// tell adds the events of the ticks that were played.
func (s *Session) tell(c *match.Cast) {
	if len(s.emitted) == 0 {
		return
	}
	m := &s.events
	m.Tick, m.First, m.List = s.tick, s.event+1, m.List[:0]
	s.body.Reset()
	for i := range s.emitted {
		from := s.body.Len()
		if err := s.enc.WriteEvent(s.body, s.emitted[i].Event); err != nil {
			s.log.Error("an event cannot be sent", zap.Error(err))
			break
		}
		if s.body.Len() > maxEventBytes {
			break
		}
		m.List = append(m.List, append([]byte(nil), s.body.Bytes()[from:]...))
	}
	clear(s.emitted) // they must not outlive their tick
	if len(m.List) == 0 {
		return
	}
	s.event += uint32(len(m.List)) //nolint:gosec // at most maxEmitted
	s.body.Reset()
	m.Append(s.body)
	c.Said = append(c.Said, append([]byte(nil), s.body.Bytes()...))
}
