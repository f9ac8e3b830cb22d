package client

import (
	"errors"
	"fmt"
	"time"

	"muster/netcode"
	"muster/proto"
)

const (
	ackEvery    = 100 * time.Millisecond // without inputs, the server is told this often what has arrived
	shedAfter   = 500 * time.Millisecond // a server that has said nothing for so long does not get each sample
	resyncEvery = time.Second            // at most one request for a keyframe of a scope in this time
	// clockJump: a frame that is off by more from when the one before says that it comes: this process slept, or the room
	// hung. An estimate would take long to follow.
	clockJump = 5 * time.Second
)

// received counts a message.
func (c *Conn[S, In]) received(msg message) {
	n := framed(len(msg.data), false)
	c.stats.BytesIn += int64(n)
	if f := c.opts.Observe.Bytes; f != nil {
		f(msg.at, n)
	}
}

// handle acts on one message and says whether it was a frame.
func (c *Conn[S, In]) handle(msg message) (frame bool, err error) {
	c.received(msg)
	c.reader.Reset(msg.data)
	kind, n, err := proto.ServerKind(c.reader)
	if err != nil {
		return false, fmt.Errorf("reading the server's message: %w", err)
	}
	switch {
	case kind >= proto.KindFrame && kind < proto.KindFrame+16:
		return true, c.applyFrame(msg, kind, n)
	case kind == proto.KindEvents:
		err = c.applyEvents(n)
	case kind == proto.KindPong:
		err = c.pong(msg, n)
	case kind == proto.KindRefreshed:
		err = c.readRefreshed(msg, n)
	case kind == proto.KindEnd:
		c.end = &proto.End{}
		err = c.end.Parse(c.reader, n)
	case kind == proto.KindBye:
		var bye proto.Bye
		if err = bye.Parse(c.reader, n); err == nil {
			return false, fromBye(&bye)
		}
	}
	// A kind that is unknown here comes from a newer server and is passed over.
	if err != nil {
		return false, fmt.Errorf("reading the server's message of kind %d: %w", kind, err)
	}
	return false, nil
}

func (c *Conn[S, In]) applyFrame(msg message, kind, n int) error {
	if err := c.parsed.Parse(c.reader, kind, n); err != nil {
		return fmt.Errorf("reading a frame: %w", err)
	}
	h := &c.parsed.Head
	if h.Epoch < c.epoch {
		return &CloseError{Code: codeLost, Err: errEpoch}
	}
	another := h.Epoch > c.epoch
	if another { // a host took the match over, behind the same socket
		c.epoch, c.info.Epoch, c.rebase = h.Epoch, h.Epoch, true
		c.out.room = h.Processed
	}
	anew := another || c.jumped(h, msg.at)
	if anew {
		c.clock.Restart()
		c.forget()
	}
	if err := c.decode(msg.at); err != nil {
		return err
	}
	if c.have {
		c.stats.FrameGap = msg.at.Sub(c.frame.At)
	}
	c.stats.reckon(&c.frame, h, msg.at)
	c.frame = Frame{
		Epoch: h.Epoch, Tick: h.Tick, Processed: h.Processed, Durable: h.Durable, Lead: h.Lead,
		Bytes: framed(len(msg.data), false), At: msg.at,
	}
	c.have = true
	c.stats.Frames++
	c.clock.Frame(h.Tick, c.ms(msg.at))
	if anew {
		c.out.restamp(c.clock.Target(c.ms(msg.at)))
	}
	c.push(msg.at)
	c.predicted.state(&c.frame)
	if h.Processed > c.out.processed {
		c.clock.Lead(h.Lead)
		c.stats.Lead = int(h.Lead)
	}
	c.out.ack(h.Processed, h.Durable, c.acked)
	if f := c.opts.Observe.Frame; f != nil {
		f(msg.at)
	}
	c.upkeep(msg.at)
	return nil
}

// jumped says whether the local time or the room's has jumped since the newest frame, which may be of a socket before.
func (c *Conn[S, In]) jumped(h *proto.Head, at time.Time) bool {
	if c.stats.Frames == 0 || c.frame.Epoch != h.Epoch {
		return false
	}
	ticks := int64(h.Tick) - int64(c.frame.Tick)
	off := at.Sub(c.frame.At) - time.Duration(ticks)*time.Second/time.Duration(c.info.Rate)
	return off > clockJump || off < -clockJump
}

// decode brings the state up to date. What is wrong with one scope is healed by a keyframe of that scope.
func (c *Conn[S, In]) decode(at time.Time) error {
	for i := range c.parsed.Blocks {
		b := &c.parsed.Blocks[i]
		c.scopeBytes[b.Scope] += int64(len(b.Data))
	}
	_ = c.decoder.Apply(&c.parsed) // every failure is a scope's
	for _, failed := range c.decoder.Failed() {
		c.heal(failed, at)
	}
	if err := c.decoder.Load(&c.state); err != nil {
		return fmt.Errorf("loading the state of tick %d: %w", c.parsed.Head.Tick, err)
	}
	return nil
}

// heal counts a scope's error and asks for its keyframe. What goes wrong until that can be here is the same error.
func (c *Conn[S, In]) heal(e *netcode.ScopeError, at time.Time) {
	if last, ok := c.resynced[e.Scope]; ok && at.Sub(last) < resyncEvery {
		return
	}
	c.resynced[e.Scope] = at
	if errors.Is(e, netcode.ErrHash) {
		c.stats.HashMismatches++
	} else {
		c.stats.DecodeErrors++
	}
	c.stats.Resyncs++
	c.writer.Reset()
	(&proto.Resync{Scope: e.Scope}).Append(c.writer)
	_ = c.write() // a dead socket shows in Next
}

// applyEvents delivers the events that are new. Those that do not follow the last one are left: they are not
// acknowledged, so the server sends what is missing before them.
func (c *Conn[S, In]) applyEvents(n int) error {
	e := &c.events
	if err := e.Parse(c.reader, n); err != nil {
		return err //nolint:wrapcheck // handle says of what
	}
	if c.rebase {
		if e.First == 1 {
			c.event = 0
		}
		c.rebase = false
	}
	if e.First > c.event+1 {
		c.stats.EventGaps++
		return nil
	}
	for i, body := range e.List {
		number := e.First + uint32(i)
		if number <= c.event {
			continue
		}
		c.event = number
		c.stats.Events++
		if err := c.deliver(e.Tick, number, body); err != nil {
			return err
		}
	}
	return nil
}

func (c *Conn[S, In]) deliver(tick, number uint32, body []byte) error {
	if c.opts.OnEvent == nil && c.opts.OnRefused == nil && len(c.handlers) == 0 && len(c.refusals.told.list) == 0 && !c.predicted.tells() {
		return nil
	}
	value, err := c.schema.ReadEvent(body)
	if err != nil {
		return err //nolint:wrapcheck // handle says of what
	}
	if refused, ok := value.(*netcode.Refused); ok {
		if c.opts.OnRefused != nil {
			c.opts.OnRefused(refused.Seq, refused.Reason)
		}
		c.refusals.tell(tick, number, refused)
		return nil
	}
	if !c.predicted.told(value, tick) {
		c.tell(Event{Tick: tick, Number: number, Value: value})
	}
	return nil
}

func (c *Conn[S, In]) pong(msg message, n int) error {
	var p proto.Pong
	if err := p.Parse(c.reader, n); err != nil {
		return err //nolint:wrapcheck // handle says of what
	}
	now := msg.at.Sub(c.started)
	if p.Stamp > uint64(max(0, now)) {
		return nil // not one of ours
	}
	rtt := now - time.Duration(p.Stamp) //nolint:gosec // at most now
	c.stats.RTT = rtt
	c.clock.Pong(float64(rtt)/float64(time.Millisecond), float64(p.Tick)+float64(p.Frac)/65536, c.ms(msg.at))
	if f := c.opts.Observe.RTT; f != nil {
		f(msg.at, rtt)
	}
	return nil
}

// upkeep sends what is due after a frame: a ping, and inputs or a bare acknowledgement.
func (c *Conn[S, In]) upkeep(at time.Time) {
	if at.Sub(c.pinged) >= c.opts.PingEvery {
		c.ping(at)
	}
	if at.Sub(c.written) >= ackEvery && (c.info.Seat != 0 || c.opts.Plain) { // nobody asks it of others who watch
		c.flush(at)
	}
	c.refresh(at)
}
