package live

import (
	"context"
	"encoding/json"
	"time"

	"go.uber.org/zap"

	"muster/lobby/inbox"
	"muster/lobby/presence"
	"muster/match/cluster"
)

const (
	// workers is how many goroutines read inboxes and write to sockets, share how many sockets one serves at once.
	workers = 4
	share   = 64
	// page is how many events are read of an inbox at once.
	page = 32
	// readTimeout bounds one exchange with Redis.
	readTimeout = 2 * time.Second
	// lookEvery is after how long an inbox is read unasked: notices can be lost. lookWhoEvery is the same for who is
	// watched; it is also how long a process that has died leaves its players shown as there, once their time is over.
	lookEvery    = 5 * time.Second
	lookWhoEvery = 20 * time.Second
	// againAfter is when what failed is tried again.
	againAfter = time.Second
)

// want is what a worker is to do for a socket.
type want uint8

const (
	wantInbox want = 1 << iota
	wantWho
)

// marks says where a socket stands with the workers.
type marks uint8

const (
	unmarked marks = iota
	isMarked       // it is in Server.marked
	served         // a worker has it
)

// Notice hears from the bus that something is worth reading again. It does not block.
func (s *Server) Notice(n cluster.Notice) {
	if n.Kind == NoticePublished {
		s.publishSoon(n.Body)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch n.Kind {
	case inbox.Notice:
		if n.ID == inbox.All {
			for c := range s.conns {
				s.markLocked(c, wantInbox)
			}
		}
		for _, c := range s.byPlayer[n.ID] {
			s.markLocked(c, wantInbox)
		}
	case presence.Notice:
		for c, player := range s.watchers[n.ID] {
			c.change(player)
			s.markLocked(c, wantWho)
		}
	}
}

// Gap hears from the bus that notices may be missing: everything is looked at again. It does not block.
func (s *Server) Gap() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		s.markLocked(c, wantInbox)
	}
	for _, conns := range s.watchers {
		for c, player := range conns {
			c.change(player)
			s.markLocked(c, wantWho)
		}
	}
}

// mark puts a socket on the workers' list.
func (s *Server) mark(c *conn, w want) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.markLocked(c, w)
}

func (s *Server) markLocked(c *conn, w want) {
	if !c.greeted.Load() || c.ended.Load() {
		return
	}
	c.pending |= w
	if c.state == unmarked {
		c.state = isMarked
		s.marked = append(s.marked, c)
		s.work.Signal()
	}
}

// drained is called when nothing waits for the client any more: what was held back for that goes on.
func (c *conn) drained() {
	select {
	case c.empty <- struct{}{}:
	default:
	}
	c.server.mark(c, wantInbox|wantWho)
}

// task is one socket's turn.
type task struct {
	c    *conn
	want want
	who  []string // that are to be looked at
}

// take waits for sockets that are marked; none at the end.
func (s *Server) take(tasks []task) []task {
	tasks = tasks[:0]
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.marked) == 0 && s.ctx.Err() == nil {
		s.work.Wait()
	}
	if s.ctx.Err() != nil {
		return nil
	}
	n := min(share, len(s.marked))
	for _, c := range s.marked[:n] {
		t := task{c: c, want: c.pending}
		for player := range c.changed {
			t.who = append(t.who, player)
		}
		clear(c.changed)
		c.state, c.pending = served, 0
		tasks = append(tasks, t)
	}
	s.marked = s.marked[:copy(s.marked, s.marked[n:])]
	return tasks
}

// release gives sockets back that were served; those that were marked meanwhile have another turn.
func (s *Server) release(tasks []task) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range tasks {
		c := tasks[i].c
		c.state = unmarked
		if c.pending != 0 {
			s.markLocked(c, 0)
		}
	}
}

// deliver is a worker.
func (s *Server) deliver() {
	tasks := make([]task, 0, share)
	for {
		if tasks = s.take(tasks); len(tasks) == 0 {
			return
		}
		s.readInboxes(tasks)
		for i := range tasks {
			if t := &tasks[i]; t.want&wantWho != 0 {
				t.c.lookWhoIsThere(t.who)
			}
		}
		s.release(tasks)
	}
}

// readInboxes reads on for those that want it, in one exchange, and writes what there is.
func (s *Server) readInboxes(tasks []task) {
	var conns []*conn
	var asks []inbox.Ask
	for i := range tasks {
		if c := tasks[i].c; tasks[i].want&wantInbox != 0 && !c.Pipe.Congested() { // else drained marks it
			conns = append(conns, c)
			asks = append(asks, inbox.Ask{Player: c.player, After: c.after, Resume: !c.resumed})
		}
	}
	if len(asks) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(s.ctx, readTimeout)
	defer cancel()
	pages, err := s.cfg.Inbox.Read(ctx, page, asks...)
	soon := time.Since(s.base) + lookEvery
	if err != nil {
		if s.ctx.Err() == nil {
			s.metrics.failures.Inc()
			s.log.Debug("inboxes were not read and are tried again", zap.Error(err))
		}
		soon = time.Since(s.base) + againAfter
	}
	s.mu.Lock()
	for _, c := range conns {
		c.lookAt = soon
	}
	s.mu.Unlock()
	for i := range pages {
		conns[i].give(&pages[i])
	}
}

// greet writes the hello. A client that has it is there from then on for what is published: whoever asks meanwhile waits.
func (c *conn) greet(text []byte) bool {
	c.telling.Lock()
	defer c.telling.Unlock()
	c.told = c.tell(text)
	return c.told
}

// wasTold says whether the client has, or is about to get, the hello.
func (c *conn) wasTold() bool {
	c.telling.Lock()
	defer c.telling.Unlock()
	return c.told
}

// give writes a page of events. Only the worker that serves the socket calls it.
func (c *conn) give(p *inbox.Page) {
	live := c.welcome
	if !c.welcome {
		text, _ := json.Marshal(helloMessage{hello{ // it has no field that could fail
			Player: c.player, Name: c.caller.Load().Player.Name, Time: time.Now().UTC(), Last: p.Newest,
			Expires: c.expires.Left(c.server.cfg.Keys),
		}})
		if c.welcome = c.greet(text); !c.welcome {
			return
		}
	}
	if p.Missed {
		if text, _ := json.Marshal(missedMessage{true, p.From}); !c.tell(text) {
			return
		}
		c.server.metrics.missed.Inc()
	}
	c.after, c.resumed = p.From, true
	for i := range p.Events {
		if !c.event(p.Events[i], live) {
			return
		}
	}
	if len(p.Events) == page {
		c.server.mark(c, wantInbox)
	}
}

// event writes one event, unless the client has not read what was written before: then it is read again once it has.
func (c *conn) event(e inbox.Event, live bool) bool {
	posted := e.At
	if expand := c.server.cfg.Expand; expand != nil {
		e.Body = c.expand(expand, e)
	}
	text, err := json.Marshal(eventMessage{e})
	if err != nil { // the body is no JSON
		c.server.log.Error("an event cannot be written", zap.String("kind", e.Kind), zap.Error(err))
		e.Body = json.RawMessage("null")
		text, _ = json.Marshal(eventMessage{e})
	}
	if !c.tell(text) {
		return false
	}
	c.after = e.ID
	c.server.metrics.events.Inc()
	if live {
		c.server.metrics.latency.Observe(max(0, time.Since(posted)).Seconds())
	}
	return true
}

// expand returns what is written of an event.
func (c *conn) expand(expand func(context.Context, Caller, inbox.Event) (json.RawMessage, error), e inbox.Event) json.RawMessage {
	ctx, cancel := context.WithTimeout(c.ctx, callTimeout)
	defer cancel()
	body, err := expand(ctx, *c.caller.Load(), e)
	switch {
	case err != nil && ctx.Err() == nil:
		c.server.log.Warn("an event goes out as it was posted", zap.String("kind", e.Kind), zap.Error(err))
	case err == nil && body != nil:
		return body
	}
	return e.Body
}
