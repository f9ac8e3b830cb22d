package node

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"muster/match"
	"muster/match/cluster"
	"muster/match/journal"
	"muster/proto"
)

// Owners is this process's place among the nodes: a [cluster.Member].
type Owners interface {
	// Steady says that this process holds its lease, and has for as long as one lasts: it may take rooms over.
	Steady() bool
	// Gone says whether an incarnation is fenced: it will never run its rooms again.
	Gone(ctx context.Context, id string) (bool, error)
	// Peers are the other nodes that are there, as it knows without asking.
	Peers() []cluster.Node
	// Epoch is the highest epoch that any node is known to have seen: a claim's is higher. Saw notes one.
	Epoch() uint64
	Saw(epoch uint64)
}

// ClaimerConfig is what a Claimer needs. The zero value of a field that is not required means its default.
type ClaimerConfig struct {
	Opener *Opener // required
	// Live returns the nodes that are there, by id: it is [cluster.Nodes].Live. Required.
	Live func(context.Context) (map[string]cluster.Node, error)
	// Crashed says whether a node that is gone has lost its process: then a room of it may be to blame. Nil: each has.
	Crashed func(context.Context, cluster.Node) bool
	// Journals is where the rooms' journals are: nil is nowhere.
	Journals journal.Store
	// Weight is how much a node can take, compared with others. Nil: [cluster.Weight].
	Weight func(cluster.Node) float64
	Log    *zap.Logger
}

const (
	// claimEvery is how often it is looked for rooms of nodes that are gone.
	claimEvery = 200 * time.Millisecond
	// claimTimeout bounds one look, and what is asked of a room before it is taken.
	claimTimeout = 5 * time.Second
	// takeTimeout bounds one room once it is its turn: some twenty calls, which a slow Redis may answer after half a second.
	takeTimeout = 20 * time.Second
	// claimBatch rooms are taken over in each claimPace at most, and so many at a time are being restored.
	claimBatch   = 20
	claimPace    = 100 * time.Millisecond
	claimAtOnce  = 8
	readyTimeout = time.Second
	// claimRead records are read at a time.
	claimRead = 100
	// anyAfter is for how long a room is left to the node that it falls to. Then any may take it, and one that is
	// overloaded after twice that.
	anyAfter = time.Second
	// farAfter is for how long a room is left to the nodes of its region and with its tags, while one is there that could
	// have it.
	farAfter = 3 * time.Second
	// versionWait is how long a room is kept for a node with its game's version, of which there is none now.
	versionWait = 10 * time.Second
	// furtherBy is how much of a room its host may have run and its journal not have, when that host stops.
	furtherBy = 500 * time.Millisecond
	// quietAfter is after how long nothing more is expected of a node that is over, which is then looked at each quietEvery.
	quietAfter = 10 * time.Second
	quietEvery = 5 * time.Second
)

// Claimer takes over the rooms of nodes that are gone. Whatever it does may be done twice, and by several at once: a
// room's record decides. When it dies in between, its own rooms are claimed as those of the node before it were: a room is
// in the claimer's index before it is its own, and stays in the index of the other until it runs or is over.
type Claimer struct {
	ClaimerConfig

	owners Owners
	stop   context.CancelFunc
	wg     sync.WaitGroup

	mu    sync.Mutex
	nodes map[string]*deadNode
	peers map[string]cluster.Node // as they were when they were there
	since map[string]time.Time    // since when a room is seen to be without a host
	mine  map[string]job          // rooms with whose claim this node is not done, see note
	notes uint64                  // how many there ever were
	news  chan struct{}           // closed at the next news
}

type deadNode struct {
	since, looked time.Time
	had           bool // rooms, when it was looked at last
	ask           sync.Once
	crashed       bool // once it is asked
}

// NewClaimer returns a Claimer that does nothing before Start.
func NewClaimer(cfg ClaimerConfig) *Claimer {
	if cfg.Weight == nil {
		cfg.Weight = cluster.Weight
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	return &Claimer{ClaimerConfig: cfg, nodes: map[string]*deadNode{}, peers: map[string]cluster.Node{}, since: map[string]time.Time{}, mine: map[string]job{}, news: make(chan struct{})}
}

// Start lets it take rooms over, as one of the nodes, until Close. It is called once.
func (c *Claimer) Start(owners Owners) {
	c.owners = owners
	ctx, stop := context.WithCancel(context.Background())
	c.stop = stop
	c.wg.Go(func() { c.run(ctx) })
}

// Dead says that an incarnation is fenced, so that its rooms are to be taken over. It may be called before Start, and more
// than once, and does not block.
func (c *Claimer) Dead(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.nodes[id] == nil {
		c.nodes[id] = &deadNode{since: time.Now()}
	}
	close(c.news)
	c.news = make(chan struct{})
}

// News is closed when the next node is known to be over.
func (c *Claimer) News() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.news
}

// Close stops it, and waits for what it is about.
func (c *Claimer) Close() {
	if c.stop != nil {
		c.stop()
	}
	c.wg.Wait()
}

func (c *Claimer) run(ctx context.Context) {
	ticker := time.NewTicker(claimEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if !c.healthy() {
			continue
		}
		if err := c.look(ctx); err != nil && ctx.Err() == nil {
			c.Log.Warn("looking for rooms without a host failed", zap.Error(err))
		}
	}
}

// healthy says whether this process may take rooms over at all.
func (c *Claimer) healthy() bool { return c.owners.Steady() && c.Opener.Host.Unfit() == "" }

// look takes over what falls to this node.
func (c *Claimer) look(work context.Context) error {
	ctx, cancel := context.WithTimeout(work, claimTimeout)
	defer cancel()
	c.meet()
	owned, err := c.Opener.Dir.Owned(ctx, c.due()...)
	if err != nil {
		return err //nolint:wrapcheck // says what it did
	}
	jobs := c.jobs(owned)
	if len(jobs) == 0 {
		return nil
	}
	live, err := c.Live(ctx)
	if err != nil {
		return err
	}
	c.all(work, jobs, live)
	return nil
}

// meet remembers where the others are reached.
func (c *Claimer) meet() {
	peers := c.owners.Peers()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.peers) > maxPeers {
		clear(c.peers)
	}
	for _, p := range peers {
		c.peers[p.ID] = p
	}
}

// maxPeers bounds how many nodes are remembered, which come and go.
const maxPeers = 4096

// blames says what a room of a node that is gone is blamed for: nil where it cannot be what stopped it. One that was handed
// over says so itself. The first who wants to know asks for the node, and the others wait for the answer: whoever claims a
// room must have it.
func (c *Claimer) blames(ctx context.Context, from string, rec *cluster.Room) *cluster.Blame {
	if from != cluster.Released {
		n, peer, known := c.deadNode(from)
		n.ask.Do(func() {
			n.crashed = c.Crashed == nil || known && c.Crashed(context.WithoutCancel(ctx), peer)
		})
		if !n.crashed {
			return nil
		}
	}
	return &cluster.Blame{Further: int(furtherBy * time.Duration(c.Opener.Games[rec.Game].TickRate) / time.Second)}
}

// deadNode is what is known of a node that is over.
func (c *Claimer) deadNode(id string) (n *deadNode, peer cluster.Node, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n = c.nodes[id]; n == nil {
		n = &deadNode{since: time.Now()}
		c.nodes[id] = n
	}
	peer, known = c.peers[id]
	return n, peer, known
}

// deadFor is how long a node that is over is looked at: longer than anything is kept that it has left.
const deadFor = time.Hour

// due returns the nodes that are to be looked at.
func (c *Claimer) due() (due []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	for id, n := range c.nodes {
		if now.Sub(n.since) > deadFor && !n.had {
			delete(c.nodes, id)
		} else if n.had || now.Sub(n.since) < quietAfter || now.Sub(n.looked) >= quietEvery {
			n.looked = now
			due = append(due, id)
		}
	}
	return append(due, cluster.Released)
}

// job is a room that may be taken over.
type job struct {
	from, room string
	since      time.Time // it is seen to be without a host
	note       uint64    // the number under which this node has noted it; 0: it has not
}

// jobs lists the rooms that were found, and those with whose claim this node is not done, in whose index ever they are by now.
func (c *Claimer) jobs(owned map[string][]string) (jobs []job) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, seen := time.Now(), map[string]time.Time{}
	since := func(room string) time.Time {
		at, ok := c.since[room]
		if !ok {
			at = now
		}
		seen[room] = at
		return at
	}
	for id, n := range c.nodes {
		n.had = len(owned[id]) > 0
	}
	for from, rooms := range owned {
		for _, room := range rooms {
			if _, mine := c.mine[room]; !mine {
				jobs = append(jobs, job{from: from, room: room, since: since(room)})
			}
		}
	}
	for room, j := range c.mine {
		j.since = since(room)
		jobs = append(jobs, j)
	}
	c.since = seen
	return jobs
}

// found is since when a room is seen to be without a host: now, where it is not yet.
func (c *Claimer) found(room string) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, ok := c.since[room]; ok {
		return at
	}
	return time.Now()
}

// all takes rooms over, paced.
func (c *Claimer) all(work context.Context, jobs []job, live map[string]cluster.Node) {
	var wg sync.WaitGroup
	defer wg.Wait()
	slots := make(chan struct{}, claimAtOnce)
	pace := time.NewTicker(claimPace)
	defer pace.Stop()
	var found []cluster.Found // the records of the first jobs
	for taken := 0; len(jobs) > 0; jobs, found = jobs[1:], found[1:] {
		if len(found) == 0 {
			found = c.read(work, jobs[:min(len(jobs), claimRead)])
		}
		if taken == claimBatch {
			select {
			case <-work.Done():
				return
			case <-pace.C:
			}
			taken = 0
		}
		j := jobs[0]
		rec := found[0].Room
		take, err := c.decide(work, j, &rec, found[0].Err, live)
		if err != nil || !take {
			c.failed(work, j.room, err)
			continue
		}
		taken++
		select {
		case <-work.Done():
			return
		case slots <- struct{}{}:
		}
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(work, takeTimeout)
			defer cancel()
			_, err := c.take(ctx, j, rec)
			c.failed(work, j.room, err)
			<-slots
		})
	}
}

// failed logs an error that is not just that somebody else was faster.
func (c *Claimer) failed(work context.Context, room string, err error) {
	var told *proto.Close
	if err != nil && work.Err() == nil && !errors.As(err, &told) {
		c.Log.Warn("taking a room over failed; it is tried again", zap.String("room", room), zap.Error(err))
	}
}

// read reads the records of jobs' rooms. They may be older than what is done by them: a claim looks again.
func (c *Claimer) read(work context.Context, jobs []job) []cluster.Found {
	ctx, cancel := context.WithTimeout(work, claimTimeout)
	defer cancel()
	ids := make([]string, len(jobs))
	for i := range jobs {
		ids[i] = jobs[i].room
	}
	return c.Opener.Dir.Rooms(ctx, ids...)
}

// Claim takes a room over whose node is over, since one of its players has come here, and returns it. It is nil where
// there is nothing to take over, or not for this node: then its record says where it is. Errors are *proto.Close where a
// client is to hear them.
func (c *Claimer) Claim(ctx context.Context, rec cluster.Room) (*match.Instance, error) {
	if cl := closed(&rec); cl != nil {
		return nil, cl
	}
	if !c.healthy() {
		return nil, nil //nolint:nilnil // not for this node
	}
	if rec.Node != cluster.Released {
		if gone, err := c.owners.Gone(ctx, rec.Node); err != nil || !gone {
			return nil, err //nolint:wrapcheck // says what it did
		}
	}
	if c.survives(&rec) {
		if (rec.Region != "" || len(rec.On) > 0) && !rec.Off { // a player may have come by a node that another one is better than
			live, err := c.Live(ctx)
			if err != nil || time.Since(c.found(rec.ID)) < farAfter && c.far(&rec, live) {
				return nil, err
			}
		}
	} else if live, err := c.Live(ctx); err != nil || c.elsewhere(&rec, live, 0) {
		return nil, err
	}
	return c.take(ctx, job{from: rec.Node, room: rec.ID, since: time.Now()}, rec)
}

// take takes a room over and does what is to be done with it. Done again it does the rest of what it has not come to.
func (c *Claimer) take(ctx context.Context, j job, rec cluster.Room) (*match.Instance, error) {
	self, dir := c.Opener.Self(), c.Opener.Dir
	if err := dir.Own(ctx, self, j.room); err != nil {
		return nil, err //nolint:wrapcheck // says what it did
	}
	j = c.note(j) // it may be claimed though that is not heard
	word, rec, err := dir.Claim(ctx, j.room, j.from, self, c.owners.Epoch(), c.blames(ctx, j.from, &rec))
	if errors.Is(err, cluster.ErrFenced) || errors.Is(err, cluster.ErrNoRoom) { // somebody was faster
		c.done(j)
		return nil, errors.Join(elsewhere(), dir.Disown(ctx, self, j.room))
	}
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it did
	}
	c.owners.Saw(rec.Epoch)
	switch {
	case word == cluster.ClaimedRoom && c.survives(&rec):
		return c.open(ctx, j, rec)
	case word == cluster.ClaimedResult:
		if err := c.finish(ctx, &rec); err != nil {
			return nil, err
		}
		return nil, c.disown(ctx, j, true)
	case word == cluster.ClaimedOff:
		return nil, c.disown(ctx, j, true) // its record says so for a while
	}
	over := proto.Close{Code: proto.CodeMatchGone, Reason: "the match's server was lost"}
	if word == cluster.ClaimedOver {
		over = proto.Close{Code: proto.CodeRulesFailed, Reason: "the game's rules failed"}
	} else if rec.Failed != nil {
		over = *rec.Failed
	}
	c.logger(j, &rec).Warn("a match is lost with its server", zap.String("why", over.Reason), zap.Int("attempts", rec.Attempts))
	if err := c.endJournal(ctx, &rec); err != nil {
		return nil, err
	}
	if err := dir.Fail(ctx, j.room, rec.Epoch, over); err != nil {
		return nil, err //nolint:wrapcheck // says what it did
	}
	return nil, errors.Join(&over, c.disown(ctx, j, true))
}

func (c *Claimer) logger(j job, rec *cluster.Room) *zap.Logger {
	return c.Log.With(zap.String("room", j.room), zap.String("from", j.from), zap.Uint64("epoch", rec.Epoch))
}

// disown takes a room out of the index in which it was found, and out of this node's where it is over: its claim is done.
func (c *Claimer) disown(ctx context.Context, j job, over bool) error {
	var err error
	if over {
		err = c.Opener.Dir.Disown(ctx, c.Opener.Self(), j.room)
	}
	if err = errors.Join(err, c.Opener.Dir.Disown(ctx, j.from, j.room)); err == nil {
		c.done(j)
	}
	return err
}

// note and done keep the list of rooms with whose claim this node is not done: from before the claim until the room runs
// here, is over, or is another's. Where another node looks as well the room may be in no index but this node's, into which
// nobody looks while the node is there. What is done is done by what was read before, so it says nothing of a later note.
func (c *Claimer) note(j job) job {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.notes++
	j.note = c.notes
	c.mine[j.room] = j
	return j
}

func (c *Claimer) done(j job) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mine[j.room].note == j.note {
		delete(c.mine, j.room)
	}
}

// open opens a room that was claimed, and waits a little until it ticks, so that not too many are restored at once. Where
// this host takes none it goes to another.
func (c *Claimer) open(ctx context.Context, j job, rec cluster.Room) (*match.Instance, error) {
	rm, err := c.Opener.Open(ctx, rec)
	var told *proto.Close
	switch {
	case errors.As(err, &told) && told.Code == proto.CodeOverloaded:
		return nil, errors.Join(err, c.handOver(ctx, j, &rec))
	case errors.As(err, &told):
		c.done(j)
		return nil, err
	case err != nil:
		return nil, err
	}
	timer := time.NewTimer(readyTimeout)
	defer timer.Stop()
	select {
	case <-rm.Ready(): // it may be about to end
		switch {
		case rm.Outdated():
			return nil, c.anew(ctx, j, &rec)
		case !rm.Opened():
			return nil, fmt.Errorf("opening room %s: it cannot be restored now", rec.ID)
		}
		c.logger(j, &rec).Info("a room goes on here", zap.Int("attempts", rec.Attempts))
		return rm, c.disown(ctx, j, false)
	case <-timer.C:
	case <-ctx.Done():
	}
	return rm, nil // it may yet not open: a later look sees what has become of it
}

// handOver gives a room that was claimed to another node.
func (c *Claimer) handOver(ctx context.Context, j job, rec *cluster.Room) error {
	err := c.Opener.Dir.HandOver(ctx, rec.ID, rec.Epoch, false)
	if err == nil {
		c.done(j)
	}
	return err //nolint:wrapcheck // says what it did
}

// finish does what its host did not come to after the end of the match.
func (c *Claimer) finish(ctx context.Context, rec *cluster.Room) error {
	err := c.Opener.Dir.PostKept(ctx, *rec)
	if err == nil {
		err = c.endJournal(ctx, rec)
	}
	if err == nil {
		err = c.Opener.Dir.EndRoom(ctx, rec.ID, rec.Epoch)
	}
	return err //nolint:wrapcheck // says what it did
}

// endJournal ends the journal of a room with which nobody goes on. What it has is kept as its replay.
func (c *Claimer) endJournal(ctx context.Context, rec *cluster.Room) error {
	if c.Journals == nil || c.Opener.Games[rec.Game].Persist && rec.Result == "" {
		return nil
	}
	return journal.EndOwn(ctx, c.Journals, rec.ID, rec.Epoch) //nolint:wrapcheck // says what it did
}
