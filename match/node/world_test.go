package node_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/match"
	"muster/match/cluster"
	"muster/match/node"
	"muster/netcode"
	"muster/proto"
)

const ns = "test"

// lease is how long the others take to see that a process is dead.
const lease = 1500 * time.Millisecond

// world is a deployment: processes on one Redis, and what they know of each other's leases.
type world struct {
	t     *testing.T
	rdb   redis.UniversalClient
	dir   *cluster.Directory
	games []match.Game
	waits chan struct{}
	// patience is for how long seats are kept for who is to come.
	patience time.Duration

	mu    sync.Mutex
	procs []*process
	dead  map[string]bool
	n     int
}

// process is one of them.
type process struct {
	w      *world
	id     string
	line   *line
	host   *match.Host
	rooms  *node.Rooms
	claims *node.Claimer
	weight float64
	region string            // guarded by w.mu
	tags   map[string]string // guarded by w.mu
	killed bool              // guarded by w.mu
	over   bool              // fenced
	shaky  atomic.Bool       // it has not held its lease for a whole one
}

// inWorld runs a test in virtual time with n processes.
func inWorld(t *testing.T, n int, rules match.Rules, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		rdb, stop := cluster.Embedded()
		defer stop()
		w := &world{t: t, rdb: rdb, dir: cluster.NewDirectory(rdb, ns), dead: map[string]bool{}, waits: make(chan struct{}, 1), patience: 10 * time.Second}
		for _, g := range []struct {
			name       string
			durability match.Durability
			persist    bool
		}{{"journal", match.Journal, false}, {"checkpoint", match.Checkpoint, false}, {"none", match.None, false}, {"persistent", match.Checkpoint, true}} {
			r := rules
			r.Durability, r.Persist, r.CheckpointEvery, r.Grace = g.durability, g.persist, time.Second, time.Minute
			w.games = append(w.games, ledgerGame(t, g.name, r))
		}
		for range n {
			w.start()
		}
		defer w.stop()
		test(t, w)
	})
}

// line is a process's way to Redis. A killed process writes nothing any more.
type line struct {
	mu    sync.Mutex
	cut   bool
	away  bool // Redis does not answer
	full  bool // its memory is
	calls int
	dies  func(call int, before bool) bool // whether the process dies before or after a call
	die   func()
	fails func(before bool) bool // whether a call fails before it is made, or its answer is lost
	slow  func()                 // what each call waits for
}

var (
	errCut  = errors.New("the process is dead")
	errAway = errors.New("no answer from Redis")
	errFull = errors.New("OOM command not allowed when used memory > 'maxmemory'")
)

func (l *line) isCut() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cut
}

// lose cuts a process off from Redis, or brings it back.
func (l *line) lose(away bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.away, l.fails = away, nil
}

// fill has Redis refuse what would need more memory; only the index of a node's rooms asks for that here.
func (l *line) fill(full bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.full = full
}

func (l *line) refuses(cmds []redis.Cmder) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.full && slices.ContainsFunc(cmds, func(c redis.Cmder) bool { return c.Name() == "sadd" })
}

func (l *line) call(f func() error) error {
	l.mu.Lock()
	if l.cut {
		l.mu.Unlock()
		return errCut
	}
	if l.away {
		l.mu.Unlock()
		return errAway
	}
	l.calls++
	n := l.calls
	if l.dies != nil && l.dies(n, true) {
		l.cut = true
		l.mu.Unlock()
		l.die()
		return errCut
	}
	if l.fails != nil && l.fails(true) {
		l.mu.Unlock()
		return errAway
	}
	slow := l.slow
	l.mu.Unlock()
	if slow != nil {
		slow()
	}
	err := f()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut {
		return errCut // nobody hears the answer
	}
	if l.dies != nil && l.dies(n, false) {
		l.cut = true
		l.die()
		return errCut
	}
	if l.fails != nil && l.fails(false) {
		return errAway
	}
	return err
}

// failOnce makes one call fail: the n-th, from 1, of those made while counts says so; before it is made, or with its answer
// lost.
func (l *line) failOnce(n int, before bool, counts func() bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	calls := 0
	l.fails = func(b bool) bool {
		if b && counts() {
			calls++
		}
		failed := b == before && calls == n
		if failed && !b {
			calls++ // once
		}
		return failed
	}
}

// awayFrom has Redis not answer from the n-th call on, from 1.
func (l *line) awayFrom(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n += l.calls
	l.fails = func(before bool) bool {
		l.away = l.away || before && l.calls == n
		return l.away && before
	}
}

func (l *line) DialHook(next redis.DialHook) redis.DialHook { return next }

func (l *line) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := l.call(func() error { return next(ctx, cmd) })
		if errors.Is(err, errCut) || errors.Is(err, errAway) {
			cmd.SetErr(err)
		}
		return err
	}
}

func (l *line) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := l.call(func() error {
			if l.refuses(cmds) {
				return errFull
			}
			return next(ctx, cmds)
		})
		if errors.Is(err, errCut) || errors.Is(err, errAway) || errors.Is(err, errFull) {
			for _, c := range cmds {
				c.SetErr(err)
			}
		}
		return err
	}
}

func (w *world) rules() map[string]match.Rules {
	m := map[string]match.Rules{}
	for _, g := range w.games {
		m[g.Name()] = g.Rules()
	}
	return m
}

// start starts another process.
func (w *world) start() *process {
	w.mu.Lock()
	w.n++
	p := &process{w: w, id: fmt.Sprint("n", w.n), line: &line{}, weight: 1}
	w.procs = append(w.procs, p)
	dead := slices.Sorted(maps.Keys(w.dead))
	w.mu.Unlock()
	p.line.die = func() { go w.killed(p) }
	o := *w.rdb.(*redis.Client).Options()
	rdb := redis.NewClient(&o)
	rdb.AddHook(p.line)
	w.t.Cleanup(func() { _ = rdb.Close() })
	dir := cluster.NewDirectory(rdb, ns)
	dir.Ordered = func(room string) { p.host.Ordered(room, true) }
	own := node.NewDirectory(dir)
	journals := cluster.NewJournal(rdb, ns, cluster.JournalConfig{})
	var err error
	p.host, err = match.NewHost(match.HostConfig{Games: w.games, Directory: own, Ended: own.Ended, Journals: journals, Orders: node.Orders{Dir: dir}})
	if err != nil {
		w.t.Fatal(err)
	}
	opener := &node.Opener{Host: p.host, Dir: dir, Own: own, Self: p.self, Games: w.rules()}
	p.claims = node.NewClaimer(node.ClaimerConfig{Opener: opener, Live: w.live, Journals: journals, Weight: w.weight})
	for _, id := range dead {
		p.claims.Dead(id)
	}
	p.claims.Start(p)
	p.rooms = &node.Rooms{Opener: opener, Claims: p.claims, Nodes: cluster.NewNodes(rdb, ns, nil)}
	return p
}

func (w *world) weight(n cluster.Node) float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.procs {
		if p.id == n.ID {
			return p.weight
		}
	}
	return 1
}

// live is the register.
func (w *world) live(context.Context) (map[string]cluster.Node, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m, games := map[string]cluster.Node{}, map[string]string{}
	for _, g := range w.games {
		games[g.Name()] = g.Rules().Version
	}
	for _, p := range w.procs {
		if !p.over {
			m[p.id] = cluster.Node{ID: p.id, Region: p.region, Tags: p.tags, Games: games, Full: p.host.Full(), Ends: p.host.Unfit() != ""}
		}
	}
	return m, nil
}

// self is what the process is called now.
func (p *process) self() string {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	return p.id
}

// fence has the others, and the process itself, hear that its lease was over, though it lives: it goes on as a new one.
func (p *process) fence() {
	p.w.mu.Lock()
	old := p.id
	p.w.n++
	p.id, p.w.dead[old] = fmt.Sprint("n", p.w.n), true
	all := slices.Clone(p.w.procs)
	p.w.mu.Unlock()
	p.host.Abandon("fenced")
	for _, o := range all {
		o.claims.Dead(old)
	}
}

// leaves has the others hear that a process whose host is closed has given its lease back.
func (p *process) leaves() {
	p.w.mu.Lock()
	p.killed, p.over, p.w.dead[p.id] = true, true, true
	all := slices.Clone(p.w.procs)
	p.w.mu.Unlock()
	for _, o := range all {
		o.claims.Dead(p.id)
	}
}

func (p *process) Steady() bool { return !p.shaky.Load() }

func (p *process) Gone(_ context.Context, id string) (bool, error) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	return p.w.dead[id], nil
}

func (p *process) Peers() []cluster.Node { return nil }
func (p *process) Epoch() uint64         { return 0 }
func (p *process) Saw(uint64)            {}

// kill ends a process as kill -9 does. The others see it when its lease is over.
func (p *process) kill() {
	p.line.mu.Lock()
	p.line.cut = true
	p.line.mu.Unlock()
	p.w.killed(p)
}

func (w *world) killed(p *process) {
	w.mu.Lock()
	if p.killed {
		w.mu.Unlock()
		return
	}
	p.killed = true
	w.mu.Unlock()
	p.host.Abandon("killed") // its sockets are gone
	p.claims.Close()
	if err := p.host.Close(context.Background()); err != nil {
		w.t.Error(err)
	}
	time.Sleep(lease)
	w.waits <- struct{}{} // two may die in the same moment, and one at a time may wait
	synctest.Wait()
	<-w.waits
	w.mu.Lock()
	p.over, w.dead[p.id] = true, true
	others := slices.Clone(w.procs)
	w.mu.Unlock()
	for _, o := range others {
		o.claims.Dead(p.id)
	}
}

// alive returns the processes that were not killed.
func (w *world) alive() (list []*process) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.procs {
		if !p.killed {
			list = append(list, p)
		}
	}
	return list
}

func (w *world) stop() {
	for _, p := range w.alive() {
		w.mu.Lock()
		p.killed = true
		w.mu.Unlock()
		p.claims.Close()
		if err := p.host.Close(context.Background()); err != nil {
			w.t.Error(err)
		}
	}
	time.Sleep(time.Minute) // whoever died in the background is done
	synctest.Wait()
}

// create makes a room on a process, with a seat for each player.
func (w *world) create(game, id, queue string, on *process, players ...string) cluster.Room {
	w.t.Helper()
	rec, err := w.dir.Create(context.Background(), cluster.NewRoom{
		ID: id, Game: game, Rules: "1", Queue: queue, Node: on.id, Seats: 4, Expect: len(players), ExpectFor: w.patience,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	var claims []cluster.Claim
	for _, p := range players {
		claims = append(claims, cluster.Claim{Player: p, Token: id + "-" + p})
	}
	if len(claims) > 0 {
		if _, err := w.dir.Reserve(context.Background(), rec.ID, w.patience, claims); err != nil {
			w.t.Fatal(err)
		}
	}
	return rec
}

// hosts are the processes in which a room runs.
func (w *world) hosts(room string) (list []*process) {
	for _, p := range w.alive() {
		if p.host.Room(room) != nil {
			list = append(list, p)
		}
	}
	return list
}

// player is somebody who plays in one room, wherever that is.
type player struct {
	w       *world
	id      string
	room    string
	seat    netcode.Seat
	team    uint16
	rm      *match.Instance
	at      *process
	now     *sitting
	seen    map[uint32]paid // events by number
	seq     uint32
	durable uint32 // the newest command that was said to be durable
	pending map[uint32]entry
}

func (w *world) player(id, room string, seat netcode.Seat) *player {
	return &player{w: w, id: id, room: room, seat: seat, seen: map[uint32]paid{}, pending: map[uint32]entry{}}
}

// comes takes his seat at a process.
func (p *player) comes(at *process) error {
	rm, err := at.rooms.Open(context.Background(), p.room)
	if err != nil {
		return err //nolint:wrapcheck // the test's
	}
	token := p.room + "-" + p.id
	team, err := at.rooms.TakeSeat(context.Background(), p.room, uint16(p.seat), p.id, token)
	if err != nil {
		return err //nolint:wrapcheck // the test's
	}
	p.team = team
	p.sits(at, rm.(*match.Instance), match.Attach{Claim: token})
	return nil
}

// begin makes a room as create does, and has the first of its players take the first seat.
func (w *world) begin(game, id, queue string, on *process, players ...string) *player {
	w.t.Helper()
	w.create(game, id, queue, on, players...)
	p := w.player(players[0], id, 1)
	if err := p.comes(on); err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (p *player) sits(at *process, rm *match.Instance, a match.Attach) {
	p.note()
	p.at, p.rm = at, rm
	p.now = &sitting{t: p.w.t, schema: rm.Schema(), seat: p.seat, line: at.line, events: map[uint32]paid{}}
	a.Viewer, a.Player = p.now, match.Player{Seat: p.seat, ID: p.id, Name: p.id, Team: p.team}
	a.PlayerExpires = time.Now().Add(time.Hour)
	rm.Attach(a)
}

// comesBack resumes wherever the room is now.
func (p *player) comesBack() bool {
	for _, at := range p.w.alive() {
		m, resume := p.now.greeted()
		if rm := at.host.Room(p.room); rm != nil && m != nil {
			p.sits(at, rm, match.Attach{Resume: true, Counter: resume.Counter})
			return true
		}
	}
	return false
}

// note takes down what the connection has brought so far.
func (p *player) note() {
	if p.now == nil {
		return
	}
	p.now.mu.Lock()
	defer p.now.mu.Unlock()
	for n, e := range p.now.events {
		if was, ok := p.seen[n]; ok && was != e {
			p.w.t.Errorf("event %d of %s is %+v, and was %+v", n, p.room, e, was)
		}
		p.seen[n] = e
	}
	p.durable = max(p.durable, p.now.head.Durable)
	for seq := range p.pending {
		if seq <= p.durable {
			delete(p.pending, seq)
		}
	}
}

// does sends a command.
func (p *player) does(op, amount uint8) {
	p.note()
	p.seq++
	p.pending[p.seq] = entry{op, amount}
	p.sends()
}

// sends sends all commands that are not durable, as clients do.
func (p *player) sends() {
	p.note()
	p.now.mu.Lock()
	tick, events := p.now.head.Tick, uint32(len(p.now.events))
	p.now.mu.Unlock()
	packet := proto.InputPacket{Epoch: p.rm.Epoch(), Last: tick, Event: max(p.newest(), events)}
	for _, seq := range slices.Backward(slices.Sorted(maps.Keys(p.pending))) {
		out, in := proto.NewWriter(), p.pending[seq]
		if err := p.now.schema.WriteInput(out, &in); err != nil {
			p.w.t.Fatal(err)
		}
		packet.Inputs = append(packet.Inputs, proto.Input{Seq: seq, Tick: tick + 1, View: tick, Body: out.Bytes()})
	}
	p.rm.Input(p.now, &packet)
}

// newest is the newest event that was seen.
func (p *player) newest() (n uint32) {
	for seen := range p.seen {
		n = max(n, seen)
	}
	return n
}

// within waits for what must come about within a time.
func within(t *testing.T, d time.Duration, what string, done func() bool) {
	t.Helper()
	for began := time.Now(); !done(); {
		if time.Since(began) > d {
			t.Fatalf("not within %v: %s", d, what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
