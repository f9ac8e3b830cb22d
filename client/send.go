package client

import (
	"fmt"
	"time"

	"muster/proto"
)

// sampleSpacing is the time between two samples, as a part of a tick: the rules use one a tick, and a server does not listen
// to many more messages than that. One may be before its time, so that a change does not wait for its turn when what was
// sent before it was more of the same.
const sampleSpacing = 0.6

// Send takes an input and sends it, with repeats of those before it that the server has not acknowledged. It is
// stamped with the tick at which it should arrive just in time, and with the tick that the player looks at.
//
// Once a tick is enough for samples; when they come faster, one waits for its time, and a newer one takes its place: the
// next call of Send, View, Next or Poll after that sends it. A sample displaces the oldest when 32 are waiting; a command is
// refused with [ErrBacklog] when 256 are. What waits is not durable yet: in a room that checkpoints that is some seconds'
// commands. Where more than 32 are not even processed, a command is sent by Next, in its turn. Who only watches gets
// [ErrWatching]. An error of the socket is not an error of Send: the input is kept, and Next sends it again or says that
// the match is lost.
func (c *Conn[S, In]) Send(in In) error {
	if c.ended != nil {
		return c.ended
	}
	if c.info.Seat == 0 {
		return ErrWatching
	}
	if err := c.encode(in); err != nil {
		c.sendHeld() // what was held before stays
		return err
	}
	c.holds = false
	now := time.Now()
	if c.info.Inputs == proto.Samples && now.Before(c.sampleAt) {
		c.holds = true // in c.newest
		return nil
	}
	return c.take(now)
}

// encode makes an input the newest. Where it cannot be written, the newest stays as it is.
func (c *Conn[S, In]) encode(in In) error {
	next := &c.spare
	next.in = in
	next.body.Reset()
	if err := c.schema.WriteInput(next.body, &next.in); err != nil {
		return fmt.Errorf("encoding an input: %w", err)
	}
	if n := next.body.Len(); n > proto.MaxInputBody {
		return fmt.Errorf("encoding an input: %d bytes, at most %d allowed", n, proto.MaxInputBody)
	}
	c.newest, c.spare = c.spare, c.newest
	return nil
}

// sendHeld sends the sample that has waited for its time.
func (c *Conn[S, In]) sendHeld() {
	if !c.holds || c.ended != nil {
		return
	}
	if now := time.Now(); !now.Before(c.sampleAt) {
		c.holds = false
		_ = c.take(now) // of samples there are never too many
	}
}

// take takes the input that Send has encoded.
func (c *Conn[S, In]) take(now time.Time) error {
	view, frac := c.looksAt()
	dropped, err := c.out.add(c.clock.Target(c.ms(now)), view, frac, c.newest.body.Bytes(), now)
	if err != nil {
		return err
	}
	spacing := time.Duration(sampleSpacing * float64(time.Second) / float64(c.info.Rate))
	if c.sampleAt = c.sampleAt.Add(spacing); c.sampleAt.Before(now) {
		c.sampleAt = now
	}
	sent := c.out.at(c.out.n - 1)
	c.refusals.sent(sent.Seq, &c.newest.in)
	c.predicted.input(&c.newest.in, sent.Seq, sent.Tick, view, frac, now)
	c.stats.InputsSent++
	c.stats.InputsDropped += int64(dropped)
	switch {
	case c.sheds(now):
		c.stats.InputsShed++ // it goes with the next
	case !c.out.crowded():
		c.flush(now)
	}
	return nil
}

// sheds says whether a sample waits for the next one: what is sent while the server is silent waits in the machine's
// buffers, and would be old when it gets there. Ten packets a second are enough to be there when it is back.
func (c *Conn[S, In]) sheds(now time.Time) bool {
	return c.info.Inputs == proto.Samples && c.have && now.Sub(c.frame.At) > shedAfter && now.Sub(c.written) < ackEvery
}

// Ping measures the round trip now; its pong shows in Stats after a later Next. Next does it by itself as well.
func (c *Conn[S, In]) Ping() {
	if c.ended == nil {
		c.ping(time.Now())
	}
}

func (c *Conn[S, In]) ping(now time.Time) {
	c.pinged = now
	c.writer.Reset()
	(&proto.Ping{Stamp: uint64(max(0, now.Sub(c.started)))}).Append(c.writer)
	_ = c.write() // a dead socket shows in Next
}

// flushPackets is how many packets one flush brings at most. The room takes commands in order and a server listens to
// two messages a tick, so that more of the newest would only be dropped there.
const flushPackets = 2

// flush sends the inputs that the server may not have, or says what has arrived here when there are none.
func (c *Conn[S, In]) flush(now time.Time) {
	last := c.frame.Tick
	if !c.have {
		last = 0 // this socket has brought nothing yet
	}
	c.written = now
	_ = c.out.packets(flushPackets, c.epoch, last, c.event, c.writePacket) // a dead socket shows in Next
}

func (c *Conn[S, In]) sendPacket(p *proto.InputPacket) error {
	c.writer.Reset()
	p.Append(c.writer)
	return c.write()
}

// write sends what the writer holds. A socket that does not take it is ended, so that its reader notices.
func (c *Conn[S, In]) write() error {
	if c.cause != nil {
		return c.cause
	}
	if err := c.sock.write(c.writer.Bytes()); err != nil {
		c.sock.kill()
		return err
	}
	n := framed(c.writer.Len(), true)
	c.stats.BytesOut += int64(n)
	if f := c.opts.Observe.Bytes; f != nil {
		f(c.written, -n)
	}
	return nil
}
