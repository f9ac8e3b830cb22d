package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"muster/client"
	"muster/proto"
)

// hang asks one room's rules to hang. The room is tried twice and then ended; no other room ends, whatever becomes of
// the servers that tried it.
func (w *world) hang() {
	w.t.Helper()
	room := w.c.rooms()[0]
	hung := w.c.in(room)
	hung[0].what.Store(int32(hangRules))
	asked := time.Now()
	for _, b := range hung {
		until(w.t, b.name+"'s match ends", func() bool { w.nurse(); return b.over() })
		if code := b.code(); code != proto.CodeRulesFailed {
			w.t.Errorf("%s's match ended with %v, want %d", b.name, b.notes.ended, proto.CodeRulesFailed)
		}
		if n := len(b.notes.epochs); n > 2 {
			w.t.Errorf("%s saw %d hosts of a room that hangs", b.name, n)
		}
	}
	w.t.Logf("the room ended %v after it hung, after %d hosts", since(asked), w.c.courts.of(room).hosts)
	w.c.bots = slices.DeleteFunc(w.c.bots, func(b *bot) bool { return b.match.Room == room })
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); {
		w.nurse()
		pass(w.t, 100*time.Millisecond)
	}
	w.c.play("after a room hung", time.Now(), w.c.bots)
	w.reckon()
}

// nurse does what looks after processes: it starts again what says that it is not healthy.
func (w *world) nurse() {
	w.t.Helper()
	for _, n := range w.f.nodes {
		status, _, err := w.f.get(n, "/livez")
		if err == nil && status == http.StatusServiceUnavailable {
			w.t.Logf("server %d says that it is not healthy, and is started again", n.n)
			w.f.kill(n)
			w.f.start(n)
		}
	}
}

// end lets all matches end within two seconds and kills a host meanwhile, with a Redis that is slow enough for what is
// between an end and its result to be long: each match has one result.
func (w *world) end() {
	w.t.Helper()
	for _, n := range w.f.nodes {
		if n.line != nil {
			n.line.Slow(60 * time.Millisecond)
		}
	}
	rooms := w.c.rooms()
	host, _ := w.f.busiest(rooms)
	kill := w.rng.IntN(len(rooms))
	for i, room := range rooms {
		if i == kill {
			w.f.kill(host)
		}
		w.c.in(room)[0].what.Store(int32(endMatch))
		pass(w.t, time.Duration(w.rng.IntN(100))*time.Millisecond)
	}
	ended, told := time.Now(), 0
	for _, b := range w.c.bots {
		until(w.t, b.name+"'s match ends", b.over)
		switch b.code() {
		case proto.CodeDone:
			told++
		case proto.CodeMatchGone: // it ended while he was away
		default:
			w.t.Errorf("%s's match ended with %v", b.name, b.notes.ended)
		}
		w.c.notes(b)
	}
	for _, n := range w.f.nodes {
		if n.line != nil {
			n.line.Slow(0)
		}
	}
	w.t.Logf("server %d was killed after %d of %d matches were asked to end; %d of %d bots were told the end, the last after %v", host.n, kill, len(rooms), told, len(w.c.bots), since(ended))
	w.f.start(host)
	for _, b := range w.c.bots {
		w.result(b)
	}
	pass(w.t, 3*time.Second) // whatever would come twice
	for _, b := range w.c.bots {
		w.result(b)
	}
}

// result checks that a bot's match has one result, as its player sees it.
func (w *world) result(b *bot) {
	w.t.Helper()
	l := w.f.lobby(b.name)
	var res client.Result
	until(w.t, "match "+b.match.Room+" has a result", func() (ok bool) {
		ctx, cancel := context.WithTimeout(w.t.Context(), 3*time.Second)
		defer cancel()
		var err error
		res, err = l.Result(ctx, b.match.Room)
		return err == nil
	})
	if end := b.conn.End(); end != nil && end.Tick != res.Tick {
		w.t.Errorf("%s was told that its match ended at tick %d, and the result says %d", b.name, end.Tick, res.Tick)
	}
	var list struct {
		Matches []struct {
			ID string `json:"id"`
		} `json:"matches"`
	}
	until(w.t, b.name+" has the match", func() bool {
		_, body, err := w.f.ask(b.name, "/v1/me/matches")
		return err == nil && json.Unmarshal(body, &list) == nil && len(list.Matches) > 0
	})
	if len(list.Matches) != 1 {
		w.t.Errorf("%s played one match, and has %d: %+v", b.name, len(list.Matches), list.Matches)
	}
}

// lose kills a host of matches that keep nothing: they end, and their players' tickets wait again, as old as they were.
func (w *world) lose() {
	w.t.Helper()
	host, n := w.f.busiest(w.c.rooms())
	at, err := w.f.hosts(w.c.rooms())
	must(w.t, err)
	var lost []*bot
	for room, nd := range at {
		if nd == host {
			lost = append(lost, w.c.in(room)...)
		}
	}
	var others []*bot
	for _, b := range w.c.bots {
		if !slices.Contains(lost, b) {
			others = append(others, b)
		}
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	created := map[string]time.Time{}
	for _, b := range lost {
		created[b.ticket] = w.ticket(b).Created
	}
	w.f.kill(host)
	killed := time.Now()
	for _, b := range lost {
		until(w.t, b.name+"'s match ends", b.over)
		if code := b.code(); code != proto.CodeMatchGone {
			w.t.Errorf("%s's match ended with %v, want %d", b.name, b.notes.ended, proto.CodeMatchGone)
		}
	}
	w.t.Logf("server %d was killed with %d of %d rooms; the last player was told after %v", host.n, n, w.sc.rooms, since(killed))
	w.f.start(host)
	var again []*bot
	for _, b := range lost {
		next := w.f.newBot(w.sc.game, b.name)
		next.ticket = b.ticket
		w.c.notes(b)
		var t ticketSeen
		for deadline := time.Now().Add(15 * time.Second); t.State != "matched" || t.Match.Room == b.match.Room; {
			if t = w.ticket(b); time.Now().After(deadline) {
				w.t.Fatalf("%s's ticket has no other match: %+v, after %s", b.name, t, b.match.Room)
			}
			pass(w.t, 50*time.Millisecond)
		}
		must(w.t, next.seek(ctx, &w.c.courts))
		again = append(again, next)
		if !t.Created.Equal(created[b.ticket]) {
			w.t.Errorf("%s's ticket was made at %v, and says %v", b.name, created[b.ticket], t.Created)
		}
	}
	w.t.Logf("all %d players have other matches after %v", len(lost), since(killed))
	w.c.bots = slices.Concat(others, again)
	w.c.play("after matches were lost", time.Now(), w.c.bots)
	w.reckon()
}

// ticketSeen is a ticket as its player sees it.
type ticketSeen struct {
	client.Ticket

	Match *client.Match `json:"match"`
}

func (w *world) ticket(b *bot) (t ticketSeen) {
	w.t.Helper()
	until(w.t, b.name+"'s ticket can be read", func() bool {
		status, body, err := w.f.ask(b.name, "/v1/tickets/"+b.ticket)
		return err == nil && status == http.StatusOK && json.Unmarshal(body, &t) == nil
	})
	return t
}

// over says whether the bot's connection has ended.
func (b *bot) over() bool {
	select {
	case <-b.done:
		return true
	default:
		return false
	}
}

// code is what a bot's connection ended with; 0 is something else.
func (b *bot) code() proto.Code {
	var ce *client.CloseError
	if !errors.As(b.notes.ended, &ce) {
		return 0
	}
	return ce.Code
}

// notes shows what a bot complained of, that has ended.
func (c *crowd) notes(b *bot) {
	c.f.t.Helper()
	for _, w := range b.notes.wrong {
		c.f.t.Error(w)
	}
	if st := b.conn.Stats(); st.HashMismatches > 0 || st.DecodeErrors > 0 {
		c.f.t.Errorf("%s: %d hashes of views differ, %d blocks could not be read", b.name, st.HashMismatches, st.DecodeErrors)
	}
}
