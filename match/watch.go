package match

import (
	"muster/proto"
	"muster/proto/token"
)

// A spectator has a connection and no seat: it is sent what everybody may see and is otherwise nobody. The rules do not
// know of it, records do not name it, no room stays open or awake for it.

const (
	// maxSpectators bounds Rules.Spectators: each is sent every frame.
	maxSpectators = 1000
	// maxWatches is how many connections one player may watch a room by, so that nobody takes all places.
	maxWatches = 2
	// maxPublicBytes is how much of the events for everyone may wait for the journal, in bytes.
	maxPublicBytes = 64 << 10
)

// watcher is a spectator's connection.
type watcher struct {
	viewer   Viewer
	attach   *Attach
	welcomed bool
}

// watch answers a connection that wants to watch.
func (rm *Instance) watch(a *Attach) {
	same := count(len(rm.watchers), func(i int) bool { return rm.watchers[i].attach.Player.ID == a.Player.ID })
	switch {
	case rm.game.rules.Spectators == 0:
		a.Viewer.Close(proto.Close{Code: proto.CodeMatchFull, Reason: "the match has no spectators"})
		return
	case len(rm.watchers) >= rm.game.rules.Spectators:
		a.Viewer.Close(proto.Close{Code: proto.CodeMatchFull, Reason: "no place for another spectator is free"})
		return
	case same >= maxWatches:
		a.Viewer.Close(proto.Close{Code: proto.CodeMatchFull, Reason: "you watch this match already"})
		return
	}
	rm.watchers = append(rm.watchers, watcher{viewer: a.Viewer, attach: a})
	rm.watching.Add(1)
	rm.metrics.spectators.Inc()
}

// unwatch forgets a spectator's connection, and says whether it was one.
func (rm *Instance) unwatch(v Viewer) bool {
	for i := range rm.watchers {
		if rm.watchers[i].viewer != v {
			continue
		}
		last := len(rm.watchers) - 1
		rm.watchers[i] = rm.watchers[last]
		rm.watchers[last] = watcher{}
		rm.watchers = rm.watchers[:last]
		rm.watching.Add(-1)
		rm.metrics.spectators.Dec()
		if last == 0 {
			rm.public.ack(rm.public.last) // nobody is there to be told
		}
		return true
	}
	return false
}

// sendWatchers hands the tick to those who watch: welcomes for those who are new, events, and their part of the frame.
func (rm *Instance) sendWatchers() {
	for i := range rm.watchers {
		if w := &rm.watchers[i]; !w.welcomed {
			w.welcomed = true
			rm.welcomeWatcher(w)
		}
	}
	rm.tellWatchers()
	if rm.tick%rm.host.load.sendEvery() != 0 {
		return
	}
	for i := range rm.watchers {
		f := rm.frame(rm.watchers[i].viewer.Edge())
		f.Views = append(f.Views, View{rm.watchers[i].viewer, proto.Head{
			Epoch: rm.spec.Epoch, Tick: rm.tick, Scopes: rm.encoder.PublicScopes(),
		}})
	}
}

// welcomeWatcher tells a connection that it watches: it has no seat, and no secret to come back by.
func (rm *Instance) welcomeWatcher(w *watcher) {
	m := rm.greeting()
	m.Player, m.Event = w.attach.Player.ID, rm.public.acked
	w.viewer.Welcome(&m, token.Resume{Room: rm.spec.ID, Player: m.Player, PlayerExpires: w.attach.PlayerExpires})
}

// publish keeps an event for those who watch, until it may be told.
func (rm *Instance) publish(body []byte) {
	if len(rm.watchers) == 0 {
		return
	}
	if rm.public.bytes+len(body) > maxPublicBytes {
		rm.metrics.eventsForgotten.Inc() // it gets no number: what comes later follows what came before
		return
	}
	rm.public.add(rm.tick, body)
}

// tellWatchers sends all who watch the events that may be told. Nobody acknowledges them, and they are not repeated.
func (rm *Instance) tellWatchers() {
	if len(rm.public.list) == 0 {
		return
	}
	rm.public.unsent(&rm.events, rm.mayTell(), func(m *proto.Events) {
		rm.out.Reset()
		m.Append(rm.out)
		rm.messageWatchers(rm.out.Bytes())
	})
	rm.public.ack(rm.public.sent)
}

// messageWatchers sends a message to all who watch and know it.
func (rm *Instance) messageWatchers(msg []byte) {
	for i := range rm.watchers {
		if w := &rm.watchers[i]; w.welcomed {
			w.viewer.Message(msg)
		}
	}
}
