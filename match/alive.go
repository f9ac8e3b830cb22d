package match

import "time"

// pastAfter is how long a room must run after it was restored before it counts as past what its last host stopped at: the
// players have come back, within a second usually, and have sent again what was not durable. Longer would blame rooms more
// often for what stops servers by itself.
const pastAfter = 2 * time.Second

// alive is how the room is, for its record.
func (rm *Instance) alive() Alive {
	a := Alive{Open: !rm.shut.Load(), Started: rm.started.Load(), Past: rm.past.Load(), Kept: rm.kept.Load()}
	if list := rm.roster.Load(); list != nil {
		a.Seats = *list
	}
	return a
}

// noteAlive keeps what alive says up to date. The room calls it at each tick; it costs nothing while nothing changes.
func (rm *Instance) noteAlive() {
	teams := rm.fx.teams || rm.regrouped
	rm.regrouped = false
	if rm.rosterStale || teams {
		rm.noteRoster()
	}
	if teams && !rm.teamsDue.Swap(true) { // else it is about to be told
		rm.host.tell(news{rm: rm})
	}
	if rm.sim.started() != rm.started.Load() {
		rm.started.Store(true)
	}
	if rm.durable > 0 && rm.journal != nil && !rm.kept.Load() {
		rm.kept.Store(true)
		rm.host.tell(news{rm: rm})
	}
	if rm.pastAt != 0 && rm.tick >= rm.pastAt {
		rm.pastAt = 0
		rm.past.Store(true)
		rm.host.tell(news{rm: rm})
	}
}

// noteRoster makes the list of who has a seat.
func (rm *Instance) noteRoster() {
	rm.rosterStale = false
	var list []Seated
	for i := range rm.seats {
		s := &rm.seats[i]
		if s.state == seatFree {
			continue
		}
		one := Seated{Player: s.player}
		one.Player.Team = rm.sim.team(s.player.Seat)
		if n := len(s.claims); n > 0 {
			one.Claim = s.claims[n-1]
		}
		list = append(list, one)
	}
	rm.roster.Store(&list)
}

// provesItself says from which tick on a restored room has run past where it was left: not before it has come again to
// where it may have been.
func (rm *Instance) provesItself() {
	rules := &rm.game.rules
	after := rules.ticks(pastAfter)
	if rules.Durability == Checkpoint {
		after = max(after, rules.ticks(rules.CheckpointEvery*5/4))
	}
	rm.pastAt = rm.tick + after
}
