package match

import (
	"bytes"
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"muster/match/journal"
	"muster/proto"
)

const (
	// openTimeout bounds how long a room tries to read what it goes on from.
	openTimeout = 10 * time.Second
	// flushTimeout bounds how long a room that ends waits for its journal.
	flushTimeout = 5 * time.Second
	// gather is how long ticks wait to be stored together.
	gather = 25 * time.Millisecond
	// awayFor is how long the players of a room that was restored have to come back before the rules are told that they
	// dropped.
	awayFor = 5 * time.Second
	// behindFor is how far its journal may be behind before a room goes on without it, or pauses.
	behindFor = 2 * time.Second
)

// String is the class's name in headers and docs.
func (d Durability) String() string { return [...]string{"none", "checkpoint", "journal"}[d] }

// load reads what the room goes on from, if it is of a class that survives. A close is why it cannot open.
func (rm *Instance) load(ctx context.Context) (*journal.Saved, *proto.Close) {
	store := rm.host.cfg.Journals
	if store == nil || rm.game.rules.Durability == None {
		return nil, nil //nolint:nilnil // there is nothing
	}
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	for wait := retryFirst; ; wait = min(2*wait, retryLongest) {
		call, done := context.WithTimeout(ctx, callTimeout)
		saved, err := store.Load(call, rm.spec.ID, rm.spec.Epoch)
		done()
		switch {
		case err == nil:
			return saved, nil
		case errors.Is(err, journal.ErrNone) && rm.spec.Kept:
			rm.lost = true
			return nil, &proto.Close{Code: proto.CodeMatchGone, Reason: "the match is lost"}
		case errors.Is(err, journal.ErrNone):
			return nil, nil //nolint:nilnil // there is nothing
		case errors.Is(err, journal.ErrFenced):
			rm.outdated = true
			return nil, &proto.Close{Code: proto.CodeMatchGone, Reason: "the match is elsewhere by now"}
		case errors.Is(err, journal.ErrMalformed):
			rm.log.Error("what the room goes on from cannot be read, now or later", zap.Error(err))
			rm.lost = true
			return nil, &proto.Close{Code: proto.CodeMatchGone, Reason: "the match is lost"}
		}
		rm.log.Warn("reading what the room goes on from failed", zap.Error(err))
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, &proto.Close{Code: proto.CodeOverloaded, Reason: "the match cannot be restored now"}
		case <-timer.C:
		}
	}
}

// restore brings a new room to where another one was: its checkpoint, then the ticks since, without their effects on
// the world outside. Its players are away until they come back.
func (rm *Instance) restore(saved *journal.Saved) *proto.Close {
	rules := &rm.game.rules
	records, same := saved.Records, saved.Header.Rules == rules.Version
	if !same && !rules.Persist {
		return &proto.Close{Code: proto.CodeMatchGone, Reason: "the game has new rules by now"}
	}
	if !same && len(records) > 0 { // they were made by other rules
		rm.log.Warn("ticks after the last checkpoint are lost, since the rules are new", zap.Int("ticks", len(records)))
		records = nil
	}
	if err := rm.asCreated(saved.Header.Config); err != nil {
		rm.log.Error("the room could not be restored", zap.Error(err))
		return &proto.Close{Code: proto.CodeInternal, Reason: "the match cannot be restored"}
	}
	// Rows are named by the seed: what clients call a row must still mean it.
	rm.spec.Seed = saved.Header.Seed
	rm.encoder = newEncoder(rm.game, rm.spec.Seed)
	if saved.Header.Created > 0 {
		rm.began = time.UnixMilli(saved.Header.Created)
	}
	err := rm.reenter(saved.Checkpoint, same)
	for i := range records {
		if err == nil {
			err = rm.again(&records[i])
		}
	}
	if err != nil {
		rm.log.Error("the room could not be restored", zap.Uint32("tick", rm.tick), zap.Error(err))
		return &proto.Close{Code: proto.CodeInternal, Reason: "the match cannot be restored"}
	}
	for i := range rm.seats {
		s := &rm.seats[i]
		s.durable, s.events.kept = s.inputs.Processed(), s.events.last
		if s.state == seatPlaying {
			s.state, s.untold = seatGone, rm.tick+rules.ticks(awayFor)
			s.deadline = s.untold + rules.ticks(rules.Grace)
		}
	}
	rm.record.Reset()
	for _, id := range rm.sim.pendingWork() { // who did it is gone
		rm.record.Results = append(rm.record.Results, WorkResult{ID: id, Err: ErrLost.Error()})
	}
	rm.kept.Store(true)
	rm.provesItself()
	rm.metrics.restored.Inc()
	rm.log.Info("the room goes on from its journal", zap.Uint32("checkpoint", saved.Checkpoint.Tick), zap.Uint32("tick", rm.tick))
	return nil
}

// asCreated gives the room the config that it had when it was new, whatever it is opened with now.
func (rm *Instance) asCreated(config []byte) error {
	if bytes.Equal(config, rm.spec.Config) {
		return nil
	}
	if err := rm.game.CheckConfig(config); err != nil {
		return err
	}
	rm.spec.Config = append([]byte(nil), config...)
	rm.sim = rm.game.make(rm.game, rm.spec)
	return nil
}

// reenter brings a new room to a checkpoint.
func (rm *Instance) reenter(cp journal.Checkpoint, sameRules bool) error {
	var st roomState
	err := rm.guarded(func() error { return st.parse(proto.NewReader(cp.Data), rm.sim, rm.game, sameRules) })
	if err != nil {
		return err
	}
	rm.tick = cp.Tick
	if sameRules {
		if err := rm.encoder.RestoreNames(st.names); err != nil {
			return err //nolint:wrapcheck // says what it is
		}
	}
	if err := rm.capture(); err != nil { // inputs that wait name rows as clients do
		return err
	}
	return rm.adopt(&st, sameRules)
}

// adopt takes over the seats of a checkpoint. Under other rules inputs and events have other forms: commands that wait are
// refused, and events that were not acknowledged are forgotten.
func (rm *Instance) adopt(st *roomState, sameRules bool) error {
	rm.emptyAt = st.emptyAt
	rm.shut.Store(st.shut)
	for i := range st.seats {
		saved := &st.seats[i]
		s := &rm.seats[saved.player.Seat]
		s.state = seatPlaying
		if saved.left > 0 {
			s.state, s.deadline = seatGone, rm.tick+saved.left
		}
		saved.player.Team = rm.sim.team(saved.player.Seat) // the simulation has kept it
		rm.occupy(s, saved.player)
		s.expires, s.counter = saved.expires, saved.counter
		if _, err := s.inputs.Restore(saved.inputs); err != nil {
			return err //nolint:wrapcheck // says what it is
		}
		s.events.restore(saved.acked, saved.events)
		if sameRules {
			continue
		}
		s.events.ack(s.events.last)
		waiting := s.inputs.Processed() + 1
		s.inputs.Pass(s.inputs.Seq())
		for seq := waiting; rm.game.rules.Inputs == proto.Commands && seq <= s.inputs.Seq(); seq++ {
			rm.refuse(s.player.Seat, seq, "the game has new rules by now")
		}
	}
	return nil
}

// again runs a recorded tick: its seat changes, its inputs, its step, and the events that came of it.
func (rm *Instance) again(rec *TickRecord) error {
	rm.quiet = true
	defer func() { rm.quiet = false }()
	rm.fx.reset()
	for i := range rec.Seats {
		rm.seatAgain(&rec.Seats[i])
	}
	for i := range rec.Inputs {
		if in := &rec.Inputs[i]; int(in.Seat) < len(rm.seats) {
			rm.seats[in.Seat].inputs.Pass(in.Seq)
		}
	}
	rm.record.Tick = rec.Tick
	if err := rm.guarded(func() error { return rm.sim.step(rec, &rm.fx) }); err != nil {
		return err
	}
	rm.tick = rec.Tick
	rm.record.Reset()
	if err := rm.capture(); err != nil {
		return err
	}
	rm.fx.works = rm.fx.works[:0] // done, or lost
	rm.carryOut()
	if rm.playing.Load() > 0 {
		rm.emptyAt = rm.tick
	}
	return nil
}

// seatAgain applies a recorded change to a seat.
func (rm *Instance) seatAgain(ch *SeatChange) {
	if int(ch.Player.Seat) >= len(rm.seats) || ch.Player.Seat == 0 {
		return
	}
	s := &rm.seats[ch.Player.Seat]
	switch ch.Kind {
	case SeatJoined:
		s.reset(&rm.game.rules)
		rm.occupy(s, ch.Player)
		s.state = seatPlaying
	case SeatDropped:
		s.state, s.deadline = seatGone, rm.tick+rm.game.rules.ticks(rm.game.rules.Grace)
	case SeatResumed:
		s.state = seatPlaying
	case SeatLeft:
		if s.state != seatFree {
			rm.free(s)
		}
	}
}

// startJournal begins to record. resumed says that the room goes on from what is stored.
func (rm *Instance) startJournal(resumed bool) {
	store := rm.host.cfg.Journals
	if store == nil || rm.game.rules.Durability == None {
		return
	}
	rm.journal = journal.NewRecorder(journal.RecorderConfig{
		Store: store, Header: rm.header("journal"), Resume: resumed, After: rm.tick, Every: gather,
		Log: rm.log, Metrics: rm.host.journals,
	})
	rm.durable = rm.tick
}

// noteDurable moves on what clients are told is durable.
func (rm *Instance) noteDurable() {
	if rm.journal == nil {
		return
	}
	rm.durable = rm.journal.Durable()
	for i := range rm.seats {
		if s := &rm.seats[i]; s.state != seatFree {
			s.marks.note(rm.tick, s.inputs.Processed(), s.durable)
			s.durable = s.marks.upTo(rm.durable, s.durable)
		}
	}
}

// mayTell is the newest tick whose events may leave: what a failover could take back must not be told, unless the room
// goes on without its journal.
func (rm *Instance) mayTell() uint32 {
	if rm.journal == nil || rm.game.rules.Durability != Journal || rm.ending || rm.behind() {
		return rm.tick
	}
	return rm.durable
}

// behind says whether the journal is so far behind that the room goes on without it, or pauses.
func (rm *Instance) behind() bool {
	return rm.journal != nil && rm.journal.Behind() > rm.game.rules.ticks(behindFor)
}

// durableSeq is what a seat's head says is durable.
func (rm *Instance) durableSeq(s *seat) uint32 {
	if rm.journal == nil {
		return s.inputs.Processed()
	}
	return s.durable
}

// closeJournal stores what is still to be stored; nothing is recorded after it.
func (rm *Instance) closeJournal() {
	if rm.journal == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(rm.working), flushTimeout)
	defer cancel()
	if err := rm.journal.Close(ctx); err != nil {
		rm.log.Warn("the end of the journal was not stored", zap.Error(err))
	}
}

// dropJournal ends the recorder of a room that is another's by now; what waits is forgotten.
func (rm *Instance) dropJournal() {
	if rm.journal == nil {
		return
	}
	rm.journal.Fence()
	_ = rm.journal.Close(context.Background()) // says that it is fenced
}

// marks are ticks at which a seat's processed input changed and which are not durable yet, the oldest first.
type marks struct {
	list []mark
}

type mark struct{ tick, seq uint32 }

// maxMarks bounds them; with more the newest two become one, and what is durable is said a little later.
const maxMarks = 256

func (m *marks) note(tick, seq, durable uint32) {
	n := len(m.list)
	switch {
	case n > 0 && m.list[n-1].seq == seq, n == 0 && seq == durable:
	case n == maxMarks:
		m.list[n-1] = mark{tick, seq}
	default:
		m.list = append(m.list, mark{tick, seq})
	}
}

// upTo returns the newest input that was processed by a durable tick; was is what it was before.
func (m *marks) upTo(durable, was uint32) uint32 {
	n := 0
	for n < len(m.list) && m.list[n].tick <= durable {
		was = m.list[n].seq
		n++
	}
	if n > 0 {
		m.list = m.list[:copy(m.list, m.list[n:])]
	}
	return was
}
