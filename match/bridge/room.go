package bridge

import (
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"muster/match"
	"muster/match/edge"
	"muster/netcode"
	"muster/proto"
)

// room is the edge's half of a session: it stands for a room at another node.
type room struct {
	b       *Bridge
	place   place
	line    *line // of its host
	session uint64
	open    bool // it was to be opened where it did not run

	// ready is closed when err says why it cannot be used, or when it is nil and what follows is set.
	ready  chan struct{}
	err    error
	ans    answer
	schema *netcode.Schema

	clock clock
	mail  mailbox
	have  atomic.Uint64 // the newest numbered message of the host's that was carried out

	mu       sync.Mutex // held for each message that is sent; nothing of a viewer's is called with it
	writer   *proto.Writer
	out      outbox
	guests   map[match.Viewer]*guest
	byID     map[uint64]*guest
	last     uint64         // the newest guest's number
	players  int            // guests that have a seat
	audience match.Audience // those that have none
	used     time.Time      // when somebody last came, went or asked for the room
	ended    bool
	failed   bool // too much has not come
	batch    batch

	feed feed // of the room's goroutine
}

// guest is a viewer that is attached to a room.
type guest struct {
	id      uint64
	viewer  match.Viewer
	watches bool

	// Of the room's goroutine.
	welcomed, closed bool
	scopes           []proto.Watch
}

var _ edge.Room = (*room)(nil)

// elsewhere makes a client come again, and then find where its room is now.
var elsewhere = proto.Close{Code: proto.CodeNodeLeaving, Reason: "the match goes on elsewhere"}

func newRoom(b *Bridge, p place, session uint64, open bool) *room {
	rm := &room{
		b: b, place: p, session: session, open: open, ready: make(chan struct{}), mail: newMailbox(b.metrics.unread.Inc),
		writer: proto.NewWriter(), guests: map[match.Viewer]*guest{}, byID: map[uint64]*guest{}, used: time.Now(), feed: newFeed(),
	}
	rm.batch.writer = proto.NewWriter()
	rm.batch.packet = proto.NewWriter()
	rm.clock.trip = tripAtFirst
	return rm
}

// ID implements [edge.Room].
func (rm *room) ID() string { return rm.place.room }

// Epoch implements [edge.Room].
func (rm *room) Epoch() uint64 { return rm.ans.epoch }

// Schema implements [edge.Room].
func (rm *room) Schema() *netcode.Schema { return rm.schema }

// Rate implements [edge.Room].
func (rm *room) Rate() int { return int(rm.ans.rate) }

// Mode implements [edge.Room].
func (rm *room) Mode() proto.InputMode { return rm.ans.inputs }

// Lossy implements [edge.Room].
func (rm *room) Lossy() bool { return true }

// Clock implements [edge.Room]: the host's clock, late by the way from there.
func (rm *room) Clock() (tick uint32, frac uint16) { return rm.clock.now() }

// use notes that somebody wants the room, and says whether it can be had.
func (rm *room) use() bool {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	rm.used = time.Now()
	return !rm.ended
}

// Behind implements [edge.Room].
func (rm *room) Behind() time.Duration { return rm.ans.behind }

// Attach implements [edge.Room]. Who comes when the session is over comes again.
func (rm *room) Attach(a match.Attach) bool {
	if !rm.attach(&a) {
		a.Viewer.Close(elsewhere)
	}
	return true
}

func (rm *room) attach(a *match.Attach) bool {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	if rm.ended {
		return false
	}
	rm.last++
	g := &guest{id: rm.last, viewer: a.Viewer, watches: a.Watch}
	if a.Watch {
		rm.audience = a.Audience
	} else {
		rm.players++
	}
	rm.guests[a.Viewer], rm.byID[g.id] = g, g
	rm.used = time.Now()
	rm.b.metrics.viewers[edgeHalf].Inc()
	appendAttach(rm.writer, rm.session, rm.out.last+1, g.id, a)
	rm.post()
	return true
}

// Detach implements [edge.Room].
func (rm *room) Detach(v match.Viewer) {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	g := rm.guests[v]
	if g == nil {
		return
	}
	delete(rm.guests, v)
	delete(rm.byID, g.id)
	if !g.watches {
		rm.players--
	}
	rm.used = time.Now()
	rm.b.metrics.viewers[edgeHalf].Dec()
	rm.sendBatch() // what he has sent goes before
	numbered(rm.writer, 4, kindDetach, rm.session, rm.out.last+1, g.id)
	rm.post()
}

// Leave implements [edge.Room].
func (rm *room) Leave(v match.Viewer) {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	if g := rm.guests[v]; g != nil {
		rm.sendBatch() // what he has sent goes before
		numbered(rm.writer, 4, kindLeave, rm.session, rm.out.last+1, g.id)
		rm.post()
	}
}

// Refresh implements [edge.Room].
func (rm *room) Refresh(v match.Viewer, expires time.Time) {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	if g := rm.guests[v]; g != nil {
		appendRefresh(rm.writer, rm.session, rm.out.last+1, g.id, expires)
		rm.post()
	}
}

// Resync implements [edge.Room]. The keyframe is made here.
func (rm *room) Resync(match.Viewer, uint16) { rm.b.metrics.keyframes.Inc() }

// post sends the numbered message that was written. rm.mu is held.
func (rm *room) post() {
	if rm.ended || rm.failed {
		return
	}
	if !rm.out.keep(rm.writer.Bytes(), time.Now()) {
		rm.failed = true // the goroutine sees to it
		return
	}
	rm.b.send(rm.place.host, rm.writer.Bytes())
}

// run is the room's goroutine, from the hello to the end.
func (rm *room) run() {
	defer rm.b.forget(rm)
	if rm.err = rm.ask(); rm.err != nil {
		rm.mu.Lock()
		rm.ended = true
		rm.mu.Unlock()
		close(rm.ready)
		return
	}
	close(rm.ready)
	rm.end(rm.follow())
}

// ask asks the host for the room until it answers.
func (rm *room) ask() error {
	late := time.NewTimer(openTimeout)
	defer late.Stop()
	again := time.NewTicker(lookEvery)
	defer again.Stop()
	rm.hello()
	for {
		select {
		case <-rm.b.ctx.Done():
			return &proto.Close{Code: proto.CodeNodeLeaving, Reason: "the server is shutting down"}
		case <-late.C:
			return &proto.Close{Code: proto.CodeOverloaded, Reason: "the match's server does not answer now"}
		case <-again.C:
			rm.hello()
		case <-rm.mail.wake:
			done, err := rm.readAnswer()
			if done || err != nil {
				return err
			}
		}
	}
}

func (rm *room) hello() {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	m := hello{gen: rm.feed.gen, room: rm.place.room, open: rm.open}
	m.append(rm.writer, rm.session)
	rm.b.send(rm.place.host, rm.writer.Bytes())
}

// readAnswer looks for the host's answer in what has come.
func (rm *room) readAnswer() (done bool, err error) {
	list, _, gone := rm.mail.take(rm.feed.mail)
	rm.feed.mail = list
	if gone {
		return false, &elsewhere
	}
	for _, msg := range list {
		rm.feed.reader.Reset(msg)
		h, err := readHead(rm.feed.reader)
		if err != nil || h.kind != kindAnswer {
			continue
		}
		if err := rm.ans.parse(rm.feed.reader, h.n); err != nil {
			return false, err
		}
		if rm.ans.refused.Code != 0 {
			return false, &rm.ans.refused
		}
		if rm.schema, err = netcode.ParseSchema(rm.ans.schema); err != nil {
			return false, err //nolint:wrapcheck // says where already
		}
		rm.clock.rate = int64(rm.ans.rate)
		rm.feed.begin(rm.schema, rm.Rate())
		return true, nil
	}
	return false, nil
}

// end closes what still hangs on the session, and says goodbye to the host.
func (rm *room) end(c proto.Close) {
	rm.mu.Lock()
	rm.ended = true
	rm.batch.stop()
	rm.line.remove(rm) // else it is kept until a room of this host has inputs again
	list := make([]*guest, 0, len(rm.guests))
	for _, g := range rm.guests {
		list = append(list, g)
	}
	clear(rm.guests)
	clear(rm.byID)
	begin(rm.writer, 2, kindBye, rm.session)
	rm.b.send(rm.place.host, rm.writer.Bytes())
	rm.mu.Unlock()
	rm.b.metrics.viewers[edgeHalf].Sub(float64(len(list)))
	for _, g := range list {
		if !g.watches || !rm.feed.shown { // else they are told when they have been shown the rest
			g.viewer.Close(c)
		}
	}
	if len(list) > 0 {
		rm.b.log.Info("a bridged room's clients come again", zap.String("room", rm.place.room), zap.String("node", rm.place.host),
			zap.Int("clients", len(list)), zap.String("because", c.Reason))
	}
}
