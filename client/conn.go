package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"muster/netcode"
	"muster/proto"
)

// Info is what the welcome says of a seat.
type Info struct {
	Room   string
	Game   string
	Rules  string // the version of the game's rules
	Seat   netcode.Seat
	Player string
	Epoch  uint64
	Rate   int // ticks per second
	Inputs proto.InputMode
}

// Frame is what [Conn.Next] has applied to the state.
type Frame struct {
	Epoch     uint64
	Tick      uint32
	Processed uint32    // the newest of this seat's inputs that the state contains
	Durable   uint32    // the newest that no failover can take back
	Lead      int8      // ticks that the inputs used last came before their tick, the least; negative: too late
	Bytes     int       // of the message, with its framing
	At        time.Time // when it arrived
}

// Conn plays in a match with the game's types. One goroutine uses it; Close may come from any.
type Conn[S, In any] struct {
	schema *netcode.Schema
	opts   Options
	http   *http.Client
	match  Match
	ctx    context.Context //nolint:containedctx // ends when the owner closes
	cancel context.CancelFunc

	mu   sync.Mutex // guards sock against Close
	sock *socket    // nil after the end

	// What a socket's welcome begins.
	info    Info
	resume  string // the resume secret
	epoch   uint64 // the highest seen
	decoder *netcode.Decoder
	parsed  proto.Frame    // the last frame's head is what the next one's differs from
	have    bool           // a frame was applied since the welcome
	clock   *netcode.Clock // nil before the first welcome
	event   uint32
	rebase  bool // a new epoch may number its events from 1 again

	state     S
	frame     Frame
	out       outbox
	viewer    viewer[S]
	predicted *Predicted[S, In] // nil: nothing is
	handlers  handlers
	rows      map[string]rowsTold // by table
	view      uint32              // what SetView said, for the frame with tick viewAt
	frac      uint8
	viewAt    uint32
	end       *proto.End

	reader     *proto.Reader
	writer     *proto.Writer
	events     proto.Events
	started    time.Time // pings carry the time since
	pinged     time.Time
	written    time.Time // when the last input packet was
	resynced   map[uint16]time.Time
	scopeBytes map[uint16]int64 // of blocks
	tableBits  []int64          // by table, of decoders before the present one
	stats      Stats
	newest     encoded[In] // what Send was given; a field, so that it need not move to the heap each time
	spare      encoded[In] // what the next is encoded in
	holds      bool        // newest is a sample that waits for its time
	sampleAt   time.Time   // from when on another sample may be sent
	refusals   refusals[In]
	ended      error // what Next goes on returning

	refresher refresher

	// While the socket is lost:
	cause  *CloseError
	lostAt time.Time
	retry  retry
	opened chan opened    // what the attempt that is under way brings
	wg     sync.WaitGroup // goroutines that Close waits for

	acked       func(sent time.Time)
	writePacket func(*proto.InputPacket) error
}

// encoded is an input, and how it is sent.
type encoded[In any] struct {
	in   In
	body *proto.Writer
}

func newConn[S, In any](schema *netcode.Schema, m Match, o Options) *Conn[S, In] {
	c := &Conn[S, In]{
		schema: schema, opts: o, http: straight(o.HTTP), match: m,
		reader: proto.NewReader(nil), writer: proto.NewWriter(),
		newest: encoded[In]{body: proto.NewWriter()}, spare: encoded[In]{body: proto.NewWriter()},
		started: time.Now(), resynced: map[uint16]time.Time{}, handlers: handlers{}, rows: map[string]rowsTold{},
		scopeBytes: map[uint16]int64{}, tableBits: make([]int64, len(schema.Tables)),
		refresher: refresher{answer: make(chan refreshAnswer, 1)}, opened: make(chan opened, 1),
	}
	c.ctx, c.cancel = context.WithCancel(context.Background()) //nolint:gosec // Close calls it
	c.writePacket = c.sendPacket
	c.acked = func(sent time.Time) {
		c.stats.Ack.add(c.frame.At.Sub(sent))
		if f := c.opts.Observe.Ack; f != nil {
			f(sent, c.frame.At)
		}
	}
	return c
}

// begin starts over with a welcome: the frames of a new socket build on nothing that came before.
func (c *Conn[S, In]) begin(w *proto.Welcome, at time.Time) {
	c.info = Info{
		Room: w.Room, Game: w.Game, Rules: w.Rules, Seat: netcode.Seat(w.Seat), Player: w.Player,
		Epoch: w.Epoch, Rate: int(w.Rate), Inputs: w.Inputs,
	}
	if w.Epoch != c.epoch { // what was told after those was taken back
		c.event = min(c.event, w.Kept)
	}
	if c.clock == nil || w.Epoch != c.epoch {
		c.clock = netcode.NewClock(int(w.Rate))
	} else {
		c.clock.Reopen()
	}
	if w.Tick > 0 { // else one who watches is shown nothing yet
		c.clock.Frame(w.Tick, c.ms(at)) // it is sent with that tick's frame
	}
	c.unview()
	if w.Epoch != c.epoch {
		c.out.restamp(c.clock.Target(c.ms(at)))
		c.forget()
	}
	c.predicted.resume()
	c.epoch, c.event, c.rebase = w.Epoch, max(c.event, w.Event), false
	c.resume = w.Resume
	c.refresher.schedule(w.Expires, at)
	c.keepBits()
	decoder := netcode.NewDecoder(c.schema)
	if c.opts.Plain {
		decoder = netcode.NewPlainDecoder(c.schema)
	}
	if c.decoder != nil {
		decoder.Follow(c.decoder)
	}
	c.decoder, c.parsed, c.have = decoder, proto.Frame{}, false
	c.out.welcome(w.Inputs, w.Seq)
	c.pinged, c.written = time.Time{}, time.Time{} // both follow the first frame
	clear(c.resynced)
	if f := c.opts.Observe.Joined; f != nil {
		f(c.info)
	}
}

// ms is a time as the clock counts it.
func (c *Conn[S, In]) ms(at time.Time) float64 {
	return float64(at.Sub(c.started)) / float64(time.Millisecond)
}

// adopt makes sock the connection's own unless it was closed meanwhile.
func (c *Conn[S, In]) adopt(sock *socket) bool {
	c.mu.Lock()
	ok := c.ctx.Err() == nil
	if ok {
		c.sock = sock
	}
	c.mu.Unlock()
	if !ok {
		sock.close()
	}
	return ok
}

// Info returns what the newest welcome said.
func (c *Conn[S, In]) Info() Info { return c.info }

// Seat returns the own seat; 0 for one who only watches.
func (c *Conn[S, In]) Seat() netcode.Seat { return c.info.Seat }

// State returns the newest state. It is the same memory for the life of the Conn; Next changes it. While a lost socket is
// taken up again it stays as it was, and so do rows that the new socket has not brought yet: many come over some frames.
func (c *Conn[S, In]) State() *S { return &c.state }

// Tick returns the tick of State; 0 before the first frame.
func (c *Conn[S, In]) Tick() uint32 { return c.frame.Tick }

// Synced says whether State is what the present socket brings: it is not from a resume's welcome until the first frame.
func (c *Conn[S, In]) Synced() bool { return c.have && c.cause == nil }

// End returns the match's result once it has arrived, shortly before Next returns a [CloseError] with
// proto.CodeDone; nil until then.
func (c *Conn[S, In]) End() *proto.End { return c.end }

// Unprocessed is an input that the server has not been heard to process.
type Unprocessed[In any] struct {
	Seq   uint32 // as Options.OnRefused names it
	Input In
}

// Unprocessed returns, oldest first, the inputs of Send that no frame has contained, and that Send did not give up for
// newer ones. While the Conn plays they are sent until they are processed; once Next has returned an error they are
// sent no more: whether the room took them is not known. Commands that were given up because another program took the
// seat and sent its own are among them. At most 512.
func (c *Conn[S, In]) Unprocessed() (list []Unprocessed[In]) {
	c.out.unprocessed(func(seq uint32, body []byte) {
		u := Unprocessed[In]{Seq: seq}
		if c.schema.ReadInput(body, &u.Input) == nil { // Send wrote it
			list = append(list, u)
		}
	})
	return list
}

// Stats returns the counts so far.
func (c *Conn[S, In]) Stats() Stats {
	s := c.stats
	if c.predicted != nil {
		s.Prediction = c.predicted.Stats()
	}
	return s
}

// Target returns the tick that an input sent now would be for.
func (c *Conn[S, In]) Target() uint32 { return max(c.out.tick, c.clock.Target(c.ms(time.Now()))) }

// SetView says what the player looks at from now on, for games that compensate lag: the tick and the fraction of the
// way to the next one, in 1/256. It holds until the next frame; without it the view is what View showed last, or the
// newest frame's tick where View is not used.
func (c *Conn[S, In]) SetView(tick uint32, frac uint8) {
	c.view, c.frac, c.viewAt = tick, frac, c.frame.Tick
}

// finish ends the connection for good with what Next returns from now on.
func (c *Conn[S, In]) finish(err error) error {
	if c.ended != nil {
		return c.ended
	}
	if c.ended = err; c.ctx.Err() != nil {
		c.ended = ErrClosed
	}
	_ = c.Close()
	if f := c.opts.Observe.Unacked; f != nil {
		now := time.Now()
		c.out.unacked(func(sent time.Time) { f(sent, now) })
	}
	return c.ended
}

// Close ends the connection without giving the seat up: the server holds it for a while. It waits for the reader's
// end and for Options.Refresh, whose context has ended. Any goroutine may call it, any number of times.
func (c *Conn[S, In]) Close() error {
	c.mu.Lock()
	c.cancel()
	sock := c.sock
	c.mu.Unlock()
	if sock != nil {
		sock.close()
	}
	c.wg.Wait()
	select {
	case o := <-c.opened:
		o.close()
	default:
	}
	return nil
}

// Leave gives the seat up for good, waits until the server has taken note (it closes the socket) and closes the
// connection. The error is ctx's when that ends first, or that of a socket which was lost on the way: the server then
// holds the seat for a while.
func (c *Conn[S, In]) Leave(ctx context.Context) error {
	if c.ended != nil {
		return nil
	}
	defer func() { _ = c.finish(ErrClosed) }()
	if c.cause != nil {
		return fmt.Errorf("leaving match %s: %w", c.match.Room, c.cause)
	}
	c.writer.Reset()
	(&proto.Leave{}).Append(c.writer)
	_ = c.write() // where it fails the socket ends, and what came before says why
	var err error
	for err == nil {
		select {
		case msg, ok := <-c.sock.msgs:
			if !ok {
				err = c.sock.closeError()
				break
			}
			_, err = c.handle(msg)
			c.sock.done(msg)
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	var ce *CloseError
	if errors.As(err, &ce) && ce.Action() == proto.ActionDone {
		return nil
	}
	return fmt.Errorf("leaving match %s: %w", c.match.Room, err)
}
