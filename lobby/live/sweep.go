package live

import (
	"context"
	"slices"
	"time"

	"muster/proto"
)

const (
	// sweepEvery is how often sockets are looked at.
	sweepEvery = 500 * time.Millisecond
	// aliveEvery is how often the lobby is told who has sockets, aliveAtOnce how many players in one call.
	aliveEvery  = 10 * time.Second
	aliveAtOnce = 256
)

// now is the time since the server's base.
func (s *Server) now() time.Duration { return time.Since(s.base) }

// sweep pings every socket, closes those that are silent, slow, late or whose token has ended, and marks those whose
// inbox or watched players are to be looked at unasked.
func (s *Server) sweep() {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-ticker.C:
		}
		for _, c := range s.all() {
			if why := s.look(c); why != nil {
				c.Close(*why)
			}
		}
	}
}

// look looks at one socket and returns why it must end, if it must.
func (s *Server) look(c *conn) *proto.Close {
	now := s.now()
	congested := c.Pipe.Congested()
	s.mu.Lock()
	switch {
	case !congested:
		c.slowFrom = 0
	case c.slowFrom == 0:
		c.slowFrom = now
	}
	slow := congested && now-c.slowFrom > s.cfg.SlowAfter
	ping := now >= c.pingAt
	if ping {
		c.pingAt = now + s.cfg.PingEvery
	}
	if c.lookAt != 0 && now >= c.lookAt {
		s.markLocked(c, wantInbox)
		c.lookAt = now + lookEvery
	}
	if len(c.indexed) > 0 && now >= c.lookWho {
		for _, p := range c.indexed {
			c.change(p)
		}
		s.markLocked(c, wantWho)
		c.lookWho = now + lookWhoEvery
	}
	s.mu.Unlock()
	switch {
	case c.silence() > s.cfg.PingEvery*7/4:
		return &proto.Close{Code: proto.CodeIdle, Reason: "nothing was heard for too long"}
	case c.meter.Trickles():
		return &proto.Close{Code: proto.CodeIdle, Reason: "a message was not finished in time"}
	case !c.greeted.Load() && now-c.opened > helloWithin:
		return &proto.Close{Code: proto.CodeIdle, Reason: "no hello came in time"}
	case c.expires.Over(s.cfg.Keys):
		return &tokenEnded
	case slow:
		return &proto.Close{Code: proto.CodeSlowReader, Reason: "nothing was read for too long"}
	case ping && !congested && !c.ended.Load():
		_ = c.WS.WritePing(nil) // an error ends the reader
	}
	return nil
}

// tellAlive tells the lobby who has sockets here.
func (s *Server) tellAlive() {
	ticker := time.NewTicker(aliveEvery)
	defer ticker.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-ticker.C:
		}
		for some := range slices.Chunk(s.players(), aliveAtOnce) {
			ctx, cancel := context.WithTimeout(s.ctx, callTimeout)
			s.cfg.Alive(ctx, some)
			cancel()
		}
	}
}

// players returns who has a socket that has said hello, each once.
func (s *Server) players() (list []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, conns := range s.byPlayer {
		if i := slices.IndexFunc(conns, func(c *conn) bool { return c.greeted.Load() }); i >= 0 {
			list = append(list, conns[i].player)
		}
	}
	return list
}
