package match

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"muster/proto"
	"muster/proto/token"
)

const (
	// maxSpectators bounds Rules.Spectators.
	maxSpectators = 100_000
	// maxWatches is how many connections one player may watch a room by, so that nobody takes all places.
	maxWatches = 2
	// maxDelay bounds Rules.SpectatorDelay.
	maxDelay = 10 * time.Minute
	// maxKept bounds the casts that a room keeps, in bytes: those that wait for the delay, and those that another edge
	// begins with. While there is no place for more, frames are left out, and at last events.
	maxKept = 32 << 20
	// showEvery is how often what waits for the delay is looked at while somebody watches, and idleEvery while nobody does.
	showEvery = 25 * time.Millisecond
	idleEvery = time.Second
)

// broadcast is what a room's goroutine and those who watch have in common. The room puts casts into it; nothing that it
// does for those who watch is more than that, and nothing that they do reaches the room. It outlives the room by the
// delay.
type broadcast struct {
	delay   time.Duration
	most    int // Rules.Spectators
	metrics *metrics
	rules   *Rules
	greet   func() proto.Welcome // what a welcome says to everybody, but for its numbers
	poke    func()               // makes a room that sleeps tick once
	bound   int                  // maxKept, but in tests
	budget  *keptBudget          // the host's, of all rooms

	// wanted is not 0 while casts are to be made; another number than before means that they begin anew.
	wanted atomic.Uint32
	full   atomic.Bool  // no place for frames; the last eighth is for events
	packed atomic.Bool  // no place for events either
	weight atomic.Int64 // bytes, for the room

	mu       sync.Mutex
	watchers map[Viewer]watcher
	byPlayer map[string]int
	feeds    []*feed
	kept     []kept // the first is where a new feed begins, or before that
	shown    int    // how many of them are old enough, and handed to all feeds
	tick     uint32 // of the newest that was shown
	told     uint32 // the newest event that was
	bytes    int
	seq      uint64
	gen      uint32
	words    *Cast         // what is said with the last one, which has no number yet
	closing  bool          // the room has ended: no more casts come
	over     chan struct{} // closed when all is shown, or nothing will be any more
	overOnce sync.Once
	wake     chan struct{} // of run
}

// watcher is a spectator's connection.
type watcher struct {
	player string
	feed   *feed
}

// feed is an audience and how many connections it is for.
type feed struct {
	audience Audience
	n        int
}

func newBroadcast(rm *Instance) *broadcast {
	rules := &rm.game.rules
	b := &broadcast{
		delay: rules.SpectatorDelay, most: rules.Spectators, metrics: rm.metrics, rules: rules, bound: maxKept,
		budget:   &rm.host.kept,
		poke:     func() { rm.inbox.put(message{kind: msgWatch}) },
		watchers: map[Viewer]watcher{}, byPlayer: map[string]int{}, over: make(chan struct{}), wake: make(chan struct{}, 1),
	}
	schema := rm.schema
	b.greet = func() proto.Welcome {
		return proto.Welcome{
			Version: proto.Version, Room: rm.spec.ID, Game: rm.game.name, Rules: rules.Version,
			Epoch: rm.spec.Epoch, Rate: uint8(rules.TickRate), Inputs: rules.Inputs, Schema: schema, //nolint:gosec // 1 to 128
		}
	}
	if b.delayed() {
		b.gen = 1
		b.wanted.Store(1)
	}
	return b
}

// delayed says whether casts wait, so that they are made also while nobody watches: who comes is to see at once what was.
func (b *broadcast) delayed() bool { return b.most > 0 && b.delay > 0 }

// admit answers a connection that wants to watch. It is false when the room is over for those who watch, too.
func (b *broadcast) admit(a *Attach) bool {
	b.mu.Lock()
	switch reason := b.refuses(a); {
	case b.closing && b.isOver():
		b.mu.Unlock()
		return false
	case reason != "":
		b.mu.Unlock()
		a.Viewer.Close(proto.Close{Code: proto.CodeMatchFull, Reason: reason})
		return true
	}
	defer b.mu.Unlock()
	f := b.feed(a.Audience)
	first := f == nil
	if first {
		f = &feed{audience: a.Audience}
		b.feeds = append(b.feeds, f)
	}
	f.n++
	b.watchers[a.Viewer] = watcher{a.Player.ID, f}
	b.byPlayer[a.Player.ID]++
	b.metrics.spectators.Inc()
	if b.wanted.Load() == 0 {
		b.gen++
		b.wanted.Store(b.gen)
		b.poke()
	}
	m := b.greet()
	m.Player = a.Player.ID
	m.Tick, m.Event = b.tick, b.told
	a.Viewer.Welcome(&m, token.Resume{Room: m.Room, Player: m.Player, PlayerExpires: a.PlayerExpires})
	if first {
		b.give(f, b.newest(b.shown))
		b.rouse()
	}
	return true
}

// refuses says why one who wants to watch may not; "" where he may. b.mu is held.
func (b *broadcast) refuses(a *Attach) string {
	switch {
	case b.most == 0 || a.Audience == nil:
		return "the match has no spectators"
	case len(b.watchers) >= b.most:
		return "no place for another spectator is free"
	case b.byPlayer[a.Player.ID] >= maxWatches:
		return "you watch this match already"
	}
	return ""
}

func (b *broadcast) isOver() bool {
	select {
	case <-b.over:
		return true
	default:
		return false
	}
}

// feed returns that of an audience, or nil; edges are few. b.mu is held.
func (b *broadcast) feed(a Audience) *feed {
	for _, f := range b.feeds {
		if f.audience == a {
			return f
		}
	}
	return nil
}

// remove forgets a connection, and says whether it was one that watches.
func (b *broadcast) remove(v Viewer) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	w, ok := b.watchers[v]
	if !ok {
		return false
	}
	delete(b.watchers, v)
	b.metrics.spectators.Dec()
	if b.byPlayer[w.player]--; b.byPlayer[w.player] == 0 {
		delete(b.byPlayer, w.player)
	}
	if w.feed.n--; w.feed.n > 0 {
		return true
	}
	for i, f := range b.feeds {
		if f == w.feed {
			last := len(b.feeds) - 1
			b.feeds[i], b.feeds[last] = b.feeds[last], nil
			b.feeds = b.feeds[:last]
			break
		}
	}
	switch {
	case len(b.feeds) > 0:
	case b.closing:
		b.finish() // nobody is there to be shown the rest
	case !b.delayed():
		b.wanted.Store(0)
		b.drop(len(b.kept))
		b.tick, b.told = 0, 0
	}
	return true
}

// watching is how many watch.
func (b *broadcast) watching() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.watchers)
}

// put takes a cast from the room; what is not delayed is handed on at once. gen is what wanted was when it was made.
func (b *broadcast) put(c *Cast, gen uint32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closing || b.wanted.Load() != gen {
		return // nobody watches any more, or others do, who begin with the next one
	}
	b.add(c)
}

// lastWords takes what is said with the end, which is put with it.
func (b *broadcast) lastWords(c *Cast) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.words = c
}

// add keeps a cast; b.mu is held.
func (b *broadcast) add(c *Cast) {
	b.seq++
	c.Seq = b.seq
	b.kept = append(b.kept, kept{c, time.Now()})
	b.count(c.Bytes())
	if b.delay == 0 {
		b.show(time.Now())
	} else if b.shown == len(b.kept)-1 {
		b.rouse()
	}
}

// frames says whether there is place for a frame; waits, whether there was none before. The room asks it too.
func (b *broadcast) frames(waits bool) bool {
	return !b.full.Load() && b.budget.frames(b.weight.Load(), waits)
}

// events says whether there is place for events.
func (b *broadcast) events() bool { return !b.packed.Load() && b.budget.events() }

// count notes that so many bytes more are kept; b.mu is held.
func (b *broadcast) count(n int) {
	b.budget.add(b.bytes, n)
	b.bytes += n
	b.weight.Store(int64(b.bytes))
	b.metrics.keptBytes.Add(float64(n))
	b.full.Store(b.bytes > b.bound-b.bound/8)
	b.packed.Store(b.bytes > b.bound)
}

// drop forgets the first n casts; b.mu is held.
func (b *broadcast) drop(n int) {
	bytes := 0
	for i := range n {
		bytes += b.kept[i].Bytes()
	}
	rest := copy(b.kept, b.kept[n:])
	clear(b.kept[rest:])
	b.kept, b.shown = b.kept[:rest], max(0, b.shown-n)
	b.count(-bytes)
}

// show hands on what is old enough, and forgets what nobody can begin with any more. It returns when it should be called
// again, 0 for never. b.mu is held.
func (b *broadcast) show(now time.Time) (next time.Duration) {
	from := b.shown
	for b.shown < len(b.kept) && now.Sub(b.kept[b.shown].at) >= b.delay {
		b.tick, b.told = b.kept[b.shown].Tick, b.kept[b.shown].Told
		b.shown++
	}
	for _, f := range b.feeds {
		b.give(f, from)
	}
	if b.closing && b.shown == len(b.kept) {
		b.finish()
		return 0
	}
	// Of two places to begin the newer one is used; what lies between them is kept for an edge that has missed some.
	n := b.newest(b.newest(b.shown))
	if !b.frames(false) {
		n = b.shown // who comes waits for the next place to begin
	}
	if n > 0 {
		b.drop(n)
	}
	switch {
	case b.shown == len(b.kept):
		return 0
	case len(b.feeds) == 0 && !b.closing:
		return idleEvery
	}
	return max(showEvery, b.delay-now.Sub(b.kept[b.shown].at))
}

// give hands an audience the casts from one on that are shown; b.mu is held.
func (b *broadcast) give(f *feed, from int) {
	for i := max(from, 0); i < b.shown; i++ {
		f.audience.Cast(b.kept[i].Cast)
	}
}

// newest returns the last of the first n casts at which somebody can begin; -1 where there is none. b.mu is held.
func (b *broadcast) newest(n int) int {
	for i := min(n, len(b.kept)) - 1; i >= 0; i-- {
		if b.kept[i].Begins {
			return i
		}
	}
	return -1
}

// again hands an audience what it has missed, from a number on, or from where it can begin.
func (b *broadcast) again(a Audience, from uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.feed(a)
	switch {
	case f == nil || b.shown == 0:
	case from < b.kept[0].Seq || from > b.kept[b.shown-1].Seq:
		b.give(f, b.newest(b.shown))
	default:
		b.give(f, int(from-b.kept[0].Seq)) //nolint:gosec // bounded
	}
}

// end says that the room is over. Those who watch hear it when it is their turn, but at once where they should come again
// and find the room elsewhere.
func (b *broadcast) end(c proto.Close) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closing {
		return
	}
	b.closing = true
	b.wanted.Store(0)
	if len(b.feeds) == 0 {
		b.finish()
		return
	}
	if c.Code.Action() == proto.ActionReconnect {
		b.cast(c)
		b.finish()
		return
	}
	last := b.words
	if last == nil {
		last = &Cast{}
		if n := len(b.kept); n > 0 {
			k := b.kept[n-1]
			last.Tick, last.Event, last.Told = k.Tick, k.Told, k.Told
		}
	}
	last.Close = &c
	b.add(last)
	b.rouse()
}

// cast says to all who watch, at once, that it is over; b.mu is held. It follows what they were shown: who is behind is not
// taken for one who has missed something.
func (b *broadcast) cast(c proto.Close) {
	for _, f := range b.feeds {
		f.audience.Cast(&Cast{Seq: b.seq + 1, Tick: b.tick, Event: b.told, Told: b.told, Close: &c})
	}
}

// cut ends it now, whatever is still to be shown.
func (b *broadcast) cut(c proto.Close) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.isOver() {
		return
	}
	b.closing = true
	b.wanted.Store(0)
	b.cast(c)
	b.finish()
}

// finish forgets everything; b.mu is held.
func (b *broadcast) finish() {
	b.overOnce.Do(func() { close(b.over) })
	b.drop(len(b.kept))
	b.metrics.spectators.Sub(float64(len(b.watchers)))
	clear(b.watchers)
	clear(b.byPlayer)
	b.feeds = nil
}

func (b *broadcast) rouse() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// run shows what waits for the delay, until the room and the delay are over, or ctx is. A room without delay needs none.
func (b *broadcast) run(ctx context.Context) {
	timer := time.NewTimer(idleEvery)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			b.cut(leaving)
			return
		case <-b.over:
			return
		case <-timer.C:
		case <-b.wake:
		}
		b.mu.Lock()
		next := b.show(time.Now())
		b.mu.Unlock()
		if next > 0 {
			timer.Reset(next)
		}
	}
}
