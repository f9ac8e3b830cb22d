package match

import (
	"errors"
	"fmt"

	"go.uber.org/zap"

	"muster/netcode"
	"muster/proto"
)

// step runs one tick: what arrived becomes a record, the game is stepped from it, what that caused goes out.
// A close says that the room is over.
func (rm *Instance) step() *proto.Close {
	tick := rm.tick + 1
	rm.record.Tick = tick
	rm.kickAll()
	rm.fx.reset()
	rm.receive(tick)
	switch {
	case rm.promise.off && rm.promise.open:
		return &calledOff
	case rm.promise.off:
		return &closedDown
	}
	rm.expire(tick)
	rm.collect(tick)
	if c := rm.simulate(); c != nil || rm.givenUp() {
		return c
	}
	rm.tick = tick
	if err := rm.capture(); err != nil {
		return &proto.Close{Code: proto.CodeRulesFailed, Reason: "the game's rules failed"}
	}
	if rm.givenUp() {
		return nil
	}
	if !rm.await(rm.working) { // nobody is to hear of this tick
		return &leaving
	}
	rm.remember()
	rm.record.Reset() // seat changes from here on belong to the next tick
	rm.carryOut()     // events name rows as the newest capture does
	rm.noteDurable()
	rm.noteAlive()
	if rm.orders.held.Load() > 0 {
		rm.noteOrders()
	}
	rm.send()
	if c := rm.over(tick); c != nil {
		return c
	}
	rm.checkpointed()
	return nil
}

// capture hands the state to the encoder, with what the Scopes hook says of it.
func (rm *Instance) capture() error {
	return rm.guarded(func() error {
		rm.sim.capture(rm.tick, rm.encoder)
		return nil
	})
}

// receive turns what edges told the room since the last tick into seat changes and buffered inputs.
func (rm *Instance) receive(tick uint32) {
	rm.list, rm.data = rm.inbox.take(rm.list, rm.data)
	for i := range rm.list {
		m := &rm.list[i]
		switch m.kind {
		case msgAttach:
			rm.attach(m.attach)
		case msgDetach:
			if s := rm.seatOf(m.viewer); s != nil {
				rm.drop(s, tick)
			}
		case msgLeave:
			if s := rm.seatOf(m.viewer); s != nil {
				s.viewer.Close(proto.Close{Code: proto.CodeDone, Reason: "you left the match"})
				rm.leave(s)
			}
		case msgRefresh:
			if s := rm.seatOf(m.viewer); s != nil {
				s.expires = m.attach.PlayerExpires
			}
		case msgStarted:
			rm.promise.open = false
		case msgCalledOff:
			rm.promise.off = true
		case msgWatch: // it is enough that the room ticks
		case msgOrder: // there is something to do
		case msgResync:
			rm.metrics.resyncs.Inc()
		case msgAck:
			if s := rm.seatOf(m.viewer); s != nil && m.epoch == rm.spec.Epoch {
				s.events.ack(m.event)
			}
		case msgWork:
			rm.works--
			rm.record.Results = append(rm.record.Results, *m.work)
		case msgInput:
			if s := rm.seatOf(m.viewer); s != nil {
				rm.input(s, m, tick)
			}
		}
		*m = message{}
	}
}

// seatOf returns the seat that a viewer has now; a viewer that was replaced has none.
func (rm *Instance) seatOf(v Viewer) *seat {
	if n := int(v.Seat()); n < len(rm.seats) && rm.seats[n].viewer == v {
		return &rm.seats[n]
	}
	return nil
}

// input buffers one input. The ticks of another epoch mean nothing here, so its inputs count as made now.
func (rm *Instance) input(s *seat, m *message, tick uint32) {
	in := proto.Input{Seq: m.seq, Tick: m.tick, View: m.view, Frac: m.frac, Body: rm.data[m.from:m.to], Waited: m.waited}
	if m.epoch != rm.spec.Epoch {
		in.Tick, in.View, in.Waited = tick, tick-1, 0
	}
	if s.inputs.Push(&in, tick) {
		rm.metrics.inputs.Inc()
	}
}

// collect moves what this tick is made of into the record: its inputs, and whether the match starts.
func (rm *Instance) collect(tick uint32) {
	rm.record.Started = rm.starts()
	if rm.orders.held.Load() > 0 {
		rm.takeOrders()
	}
	for i := range rm.seats {
		s := &rm.seats[i]
		if s.state == seatFree || s.inputs.Len() == 0 {
			continue
		}
		for _, in := range s.inputs.Take(tick) {
			body, err := rm.encoder.Local(in.Body) // the record names rows as the state does: a replay has no encoder
			if err != nil {
				rm.log.Error("an input that was checked cannot be read", zap.Uint32("tick", tick), zap.Error(err))
				continue
			}
			rm.record.Inputs = append(rm.record.Inputs, InputRecord{
				Seat: uint16(i), Seq: in.Seq, View: in.View, Frac: in.Frac, Body: body,
			})
		}
	}
}

// stepOnce steps the game from the record.
func (rm *Instance) stepOnce() error { return rm.sim.step(&rm.record, &rm.fx) }

// simulate steps the game from the record.
func (rm *Instance) simulate() *proto.Close {
	if err := rm.guarded(rm.stepOnce); err != nil {
		return rm.failed(err)
	}
	return nil
}

// failed says what becomes of the room after a tick that could not be simulated.
func (rm *Instance) failed(err error) *proto.Close {
	var panicked *PanicError
	if errors.As(err, &panicked) {
		return rm.heal(panicked)
	}
	rm.log.Error("a tick's record does not apply", zap.Uint32("tick", rm.record.Tick), zap.Error(err))
	return &proto.Close{Code: proto.CodeInternal, Reason: "the server failed"}
}

// carryOut does what the step wants done with seats and events.
func (rm *Instance) carryOut() {
	for _, r := range rm.fx.refusedJoins {
		s := &rm.seats[r.player.Seat]
		if s.state == seatFree || s.player.ID != r.player.ID {
			continue // gone in the same tick
		}
		if s.viewer != nil {
			s.viewer.Close(proto.Close{Code: proto.CodeMatchFull, Reason: clip(r.reason)})
		}
		rm.free(s)
	}
	for i := range rm.fx.emitted {
		rm.emit(&rm.fx.emitted[i])
	}
	rm.metrics.inputsRefused.Add(float64(len(rm.fx.refused) + rm.fx.unchecked))
	rm.outside()
	for _, r := range rm.fx.refused {
		rm.refuse(r.Seat, r.Seq, r.Reason)
	}
}

// refuse tells a seat that its command was refused.
func (rm *Instance) refuse(seat netcode.Seat, seq uint32, reason string) {
	rm.body.Reset()
	rm.body.Array(3)
	rm.body.Uint(proto.EventRefused)
	rm.body.Uint(uint64(seq))
	rm.body.Str(clip(reason))
	rm.give(seat, append([]byte(nil), rm.body.Bytes()...))
}

// outside begins the work and moves the doors as the rules want it.
func (rm *Instance) outside() {
	for i := range rm.fx.works {
		rm.beginWork(rm.fx.works[i])
	}
	if rm.fx.doors != 0 && rm.shut.Swap(rm.fx.doors == doorsClosed) != (rm.fx.doors == doorsClosed) && !rm.quiet {
		rm.host.tell(news{rm: rm})
	}
}

// emit encodes an event once and gives it to each seat that it is for.
func (rm *Instance) emit(e *netcode.Emission) {
	rm.body.Reset()
	if err := rm.encoder.WriteEvent(rm.body, e.Event); err != nil {
		rm.log.Error("an event cannot be sent", zap.String("event", fmt.Sprintf("%T", e.Event)), zap.Error(err))
		return
	}
	if n := rm.body.Len(); n > maxEvent {
		rm.log.Error("an event is too long to be sent", zap.String("event", fmt.Sprintf("%T", e.Event)), zap.Int("bytes", n))
		return
	}
	body := append([]byte(nil), rm.body.Bytes()...)
	for i := 1; i < len(rm.seats); i++ {
		if rm.seats[i].state != seatFree && e.To.Includes(netcode.Seat(i), rm.sim.team(netcode.Seat(i))) {
			rm.give(netcode.Seat(i), body)
		}
	}
	if e.To.IsEveryone() {
		rm.publish(body)
	}
}

// give adds an event to a seat's log. A client that does not acknowledge loses its connection, not the event.
func (rm *Instance) give(to netcode.Seat, body []byte) {
	s := &rm.seats[to]
	if s.state == seatFree {
		return
	}
	full := !s.events.add(rm.tick, body)
	if full && s.viewer != nil {
		s.viewer.Close(proto.Close{Code: proto.CodeSlowReader, Reason: "too many events are not acknowledged"})
		rm.drop(s, rm.tick)
	}
	if s.viewer == nil {
		rm.metrics.eventsForgotten.Add(float64(s.events.trim()))
	}
}

// over says whether the match has ended, by the rules or because nobody is left.
func (rm *Instance) over(tick uint32) *proto.Close {
	if rm.fx.ended {
		if c := rm.endHook(); c != nil {
			return c
		}
		rm.ending = true
		rm.closeJournal() // then what is told is durable
		rm.postEarly()
		if !rm.await(rm.working) {
			return &leaving
		}
		for i := range rm.seats {
			if s := &rm.seats[i]; s.viewer != nil && s.welcomed {
				rm.sendEvents(s)
			}
		}
		if rm.fx.endedFor != "" { // nobody has won it
			rm.cast(false, nil) // what the End hook says
			return &proto.Close{Code: proto.CodeMatchGone, Reason: rm.fx.endedFor}
		}
		m := proto.End{Tick: tick, Placements: rm.fx.result}
		rm.out.Reset()
		m.Append(rm.out)
		for i := range rm.seats {
			if s := &rm.seats[i]; s.viewer != nil && s.welcomed {
				s.viewer.Message(rm.out.Bytes())
			}
		}
		rm.cast(false, &m)
		return &proto.Close{Code: proto.CodeDone, Reason: "the match is over"}
	}
	if rm.playing.Load() > 0 || rm.promise.open { // who was promised to come finds the room
		rm.emptyAt = tick
		return nil
	}
	if tick-rm.emptyAt > rm.game.rules.ticks(rm.game.rules.Empty) {
		return &proto.Close{Code: proto.CodeMatchGone, Reason: "nobody is left"}
	}
	return nil
}

// endHook runs the End hook and sends what it emits.
func (rm *Instance) endHook() *proto.Close {
	clear(rm.fx.emitted)
	rm.fx.emitted = rm.fx.emitted[:0]
	err := rm.guarded(func() error {
		rm.sim.end(&rm.fx)
		return nil
	})
	if err != nil {
		return &proto.Close{Code: proto.CodeRulesFailed, Reason: "the game's rules failed"}
	}
	if rm.givenUp() { // the watchdog has ended all that is to be ended
		return &leaving
	}
	for i := range rm.fx.emitted {
		rm.emit(&rm.fx.emitted[i])
	}
	return nil
}
