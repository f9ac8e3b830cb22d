package match

import (
	"strings"

	"muster/proto"
)

// attach answers a connection's claim on a seat. The newest connection of a player wins.
func (rm *Instance) attach(a *Attach) {
	if a.Player.Seat == 0 || int(a.Player.Seat) >= len(rm.seats) {
		a.Viewer.Close(proto.Close{Code: proto.CodeNotYourSeat, Reason: "no such seat"})
		return
	}
	s := &rm.seats[a.Player.Seat]
	if s.state == seatGone && s.player.ID != a.Player.ID && !a.Resume {
		// Whoever gives seats away has forgotten who had it: the player who is away since before the room was restored.
		rm.quiet = true
		rm.leave(s)
		rm.quiet = false
	}
	switch {
	case s.state == seatFree && a.Resume:
		a.Viewer.Close(proto.Close{Code: proto.CodeSeatExpired, Reason: "the seat was given up"})
		return
	case s.state != seatFree && s.player.ID != a.Player.ID:
		a.Viewer.Close(proto.Close{Code: proto.CodeNotYourSeat, Reason: "the seat is another player's"})
		return
	case a.Resume && a.Counter < s.counter:
		a.Viewer.Close(proto.Close{Code: proto.CodeNotYourSeat, Reason: "an older resume secret"})
		return
	}
	switch s.state {
	case seatFree:
		rm.occupy(s, a.Player)
		rm.change(SeatJoined, s)
		rm.came()
	case seatPlaying:
		s.viewer.Close(proto.Close{Code: proto.CodeReplaced, Reason: "you connected again"})
	case seatGone:
		if s.untold == 0 { // else the rules do not know that it was away
			rm.change(SeatResumed, s)
		}
		s.untold = 0
	}
	if !a.Resume || s.expires.Before(a.PlayerExpires) { // the secret may be older than a refresh
		s.expires = a.PlayerExpires
	}
	if a.Resume {
		s.counter = a.Counter
	}
	rm.rosterStale = true
	if a.Claim != "" {
		s.claims = append(s.claims[max(0, len(s.claims)-maxClaims+1):], a.Claim)
	}
	s.state, s.viewer, s.welcomed = seatPlaying, a.Viewer, false
	s.events.rewind()
}

// drop notes that a seat's connection is gone; the seat is held.
func (rm *Instance) drop(s *seat, tick uint32) {
	s.state, s.viewer = seatGone, nil
	s.deadline = tick + rm.game.rules.ticks(rm.game.rules.Grace)
	rm.change(SeatDropped, s)
}

// leave gives a seat up. Its events are lost with it.
func (rm *Instance) leave(s *seat) {
	rm.change(SeatLeft, s)
	rm.free(s)
}

// occupy gives a free seat to a player.
func (rm *Instance) occupy(s *seat, p Player) {
	s.player, rm.rosterStale = p, true
	rm.playing.Add(1)
	rm.metrics.players.Inc()
}

// free makes a seat ready for another player.
func (rm *Instance) free(s *seat) {
	rm.playing.Add(-1)
	rm.rosterStale = true
	rm.metrics.players.Dec()
	if !rm.quiet {
		rm.host.tell(news{rm, uint16(s.player.Seat), s.claims})
	}
	s.reset(&rm.game.rules)
}

// change records a seat change. One that comes after the step (an event log that overflows) is the next tick's.
func (rm *Instance) change(kind SeatChangeKind, s *seat) {
	rm.record.Seats = append(rm.record.Seats, SeatChange{Kind: kind, Player: s.player})
}

// expire gives up the seats whose players did not come back in time.
func (rm *Instance) expire(tick uint32) {
	for i := range rm.seats {
		s := &rm.seats[i]
		if s.state == seatGone && s.untold != 0 && s.untold <= tick {
			s.untold = 0
			rm.change(SeatDropped, s)
		}
		if s.state == seatGone && s.deadline <= tick {
			rm.leave(s)
		}
	}
}

// kickAll gives up the seats that the rules took from their players in the tick before.
func (rm *Instance) kickAll() {
	for _, k := range rm.fx.kicked {
		if int(k.seat) >= len(rm.seats) || k.seat == 0 || rm.seats[k.seat].state == seatFree {
			continue
		}
		s := &rm.seats[k.seat]
		if s.viewer != nil {
			s.viewer.Close(proto.Close{Code: proto.CodeKicked, Reason: clip(k.reason)})
		}
		rm.leave(s)
	}
}

// maxReason is what a close frame can hold of a reason, in bytes, with room to spare.
const maxReason = 120

// clip shortens a reason that a game gave to what a close frame can hold.
func clip(reason string) string {
	return strings.ToValidUTF8(reason[:min(len(reason), maxReason)], "")
}
