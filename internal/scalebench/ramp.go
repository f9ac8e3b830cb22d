package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"muster/internal/benchproc"
	"muster/internal/pause"
	"muster/match/cluster"
	"muster/match/journal"
)

const (
	// tooLate ends a ramp: what is written later than this after its tick keeps events waiting that players should see.
	tooLate = 50 * time.Millisecond
	// full is how much of a core Redis may use.
	full = 0.95
	// recordBytes is what a tick of some players' commands leaves in a journal, gathered as long as the recorder does.
	recordBytes = 120
	gather      = 100 * time.Millisecond
	// stateBytes is a small room's checkpoint, checkpointEvery how often one comes.
	stateBytes      = 2 << 10
	checkpointEvery = 10 * time.Second
	// frameBytes is a tick's message for an edge.
	frameBytes = 500
)

// step is one load of a ramp.
type step struct {
	rooms    int
	p50, p99 time.Duration
	redis    float64 // cores, of the busiest server
	self     float64
	others   float64
	failed   int64
	done     float64 // of what was to be done
}

func (s step) ends() string {
	switch {
	case s.p99 > tooLate:
		return fmt.Sprintf("p99 above %v", tooLate)
	case s.redis > full:
		return "a core of Redis is full"
	case s.failed > 0:
		return "calls failed"
	case s.done < 0.95:
		return fmt.Sprintf("only %.0f %% of it was done", 100*s.done)
	}
	return ""
}

// ramp raises the rooms by half until something ends it, and returns all steps.
func (o *options) ramp(ctx context.Context, what string, from int, one func(ctx context.Context, rooms int) (step, error)) (list []step, err error) {
	for rooms := from; rooms <= max(o.Most, from); rooms += rooms / 2 {
		s, err := one(ctx, rooms)
		if err == nil && s.ends() != "" { // another program may have been in the way
			again, err2 := one(ctx, rooms)
			if err = err2; again.p99 < s.p99 {
				s = again
			}
		}
		if err != nil {
			return list, err
		}
		o.say("%s: %d rooms: p50 %v, p99 %v, Redis %.2f cores, load %.2f, others %.2f %s", what, rooms, s.p50, s.p99, s.redis, s.self, s.others, s.ends())
		list = append(list, s)
		if s.ends() != "" {
			break
		}
	}
	return list, nil
}

// rampTable prints steps.
func rampTable(b *strings.Builder, list []step) {
	fmt.Fprintf(b, "| rooms | p50, ms | p99, ms | Redis, cores | µs of Redis for a room and second | the load itself, cores | others, cores |\n|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, s := range list {
		fmt.Fprintf(b, "| %d | %.1f | %.1f | %.2f | %.0f | %.2f | %.2f |\n", s.rooms, ms(s.p50), ms(s.p99), s.redis, 1e6*s.redis/float64(s.rooms), s.self, s.others)
	}
	last := list[len(list)-1]
	end := last.ends()
	if end == "" {
		end = "no step further was tried"
	}
	fmt.Fprintf(b, "\nThe end: %s.\n\n", end)
}

// servers are Redis processes that are measured together.
type servers struct {
	procs []*benchproc.Process
	rdb   redis.UniversalClient
}

func (s *servers) close() {
	if s.rdb != nil {
		_ = s.rdb.Close()
	}
	for _, p := range s.procs {
		p.Kill()
	}
}

func oneServer(ctx context.Context, o *options) (*servers, error) {
	p, addr, err := benchproc.Redis(ctx, o.Dir)
	if err != nil {
		return nil, err
	}
	rdb, err := cluster.Connect(ctx, "redis://"+addr)
	if err != nil {
		p.Kill()
		return nil, err
	}
	return &servers{[]*benchproc.Process{p}, rdb}, nil
}

// clusterOf starts a Redis Cluster of so many masters.
func clusterOf(ctx context.Context, o *options, masters int) (*servers, error) {
	s, addrs, firstBus := &servers{}, []string(nil), ""
	err := error(nil)
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	for i := range masters {
		var dir, bus, addr string
		var p *benchproc.Process
		if dir, err = os.MkdirTemp(o.Dir, "cluster-*"); err != nil {
			return nil, err
		}
		if bus, err = benchproc.FreeAddr(); err != nil {
			return nil, err
		}
		_, bus, _ = strings.Cut(bus, ":")
		if p, addr, err = benchproc.Redis(ctx, dir, "--cluster-enabled", "yes", "--cluster-port", bus); err != nil {
			return nil, err
		}
		s.procs, addrs = append(s.procs, p), append(addrs, addr)
		if i == 0 {
			firstBus = bus
		}
		if err = join(ctx, i, masters, addrs, firstBus); err != nil {
			return nil, fmt.Errorf("making a cluster: %w", err)
		}
	}
	if s.rdb, err = cluster.Connect(ctx, "redis+cluster://"+strings.Join(addrs, ",")); err != nil {
		return nil, err
	}
	for range 100 { // until all know each other
		info, ierr := s.rdb.Do(ctx, "cluster", "info").Text()
		if ierr == nil && strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_slots_ok:16384") {
			break
		}
		if err = pause.For(ctx, 100*time.Millisecond); err != nil {
			return nil, err
		}
	}
	err = pause.For(ctx, 2*time.Second)
	return s, err
}

// join gives the newest server its share of the slots and lets it meet the first.
func join(ctx context.Context, i, masters int, addrs []string, firstBus string) error {
	const slots = 16384
	one := redis.NewClient(&redis.Options{Addr: addrs[i]})
	defer func() { _ = one.Close() }()
	host, port, _ := strings.Cut(addrs[0], ":")
	err := errors.Join(
		one.Do(ctx, "cluster", "set-config-epoch", i+1).Err(),
		one.ClusterAddSlotsRange(ctx, slots*i/masters, slots*(i+1)/masters-1).Err(),
	)
	if err == nil && i > 0 {
		err = one.Do(ctx, "cluster", "meet", host, port, firstBus).Err()
	}
	return err
}

// load runs f, which does so much a second, for a window and says what was used meanwhile.
func (s *servers) load(ctx context.Context, o *options, rooms int, perSecond float64, f func(ctx context.Context, took *times)) (step, error) {
	took := &times{}
	running, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { f(running, took) })
	defer wg.Wait()
	defer stop()
	if err := pause.For(ctx, o.Settle); err != nil {
		return step{}, err
	}
	look := func() (cpus []time.Duration, self, busy time.Duration, err error) {
		for _, p := range s.procs {
			u, err := benchproc.UsageOf(p.PID())
			if err != nil {
				return nil, 0, 0, err
			}
			cpus = append(cpus, u.CPU)
		}
		u, err1 := benchproc.UsageOf(os.Getpid())
		busy, err2 := benchproc.MachineBusy()
		return cpus, u.CPU, busy, errors.Join(err1, err2)
	}
	before, self, busy, err := look()
	if err != nil {
		return step{}, err
	}
	took.measure(true)
	began := time.Now()
	if err := pause.For(ctx, o.Window); err != nil {
		return step{}, err
	}
	took.measure(false)
	secs := time.Since(began).Seconds()
	after, self2, busy2, err := look()
	st := step{rooms: rooms, self: (self2 - self).Seconds() / secs, failed: took.failed}
	all := 0.0
	for i := range after {
		used := (after[i] - before[i]).Seconds() / secs
		st.redis, all = max(st.redis, used), all+used
	}
	st.others = max(0, (busy2-busy).Seconds()/secs-all-st.self)
	st.done = float64(len(took.list)) / secs / perSecond
	st.p50, st.p99 = quantile(took.list, 0.5), quantile(took.list, 0.99)
	return st, err
}

// times are how long things took.
type times struct {
	mu     sync.Mutex
	on     bool
	list   []time.Duration
	failed int64
}

func (t *times) measure(on bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.on = on
}

func (t *times) add(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.on {
		t.list = append(t.list, d)
	}
}

func (t *times) fail() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.on {
		t.failed++
	}
}

// measureJournals raises the number of rooms with journals on one Redis.
func measureJournals(ctx context.Context, o *options) (string, error) {
	s, err := oneServer(ctx, o)
	if err != nil {
		return "", err
	}
	defer s.close()
	list, err := o.ramp(ctx, "journals", 100, func(ctx context.Context, rooms int) (step, error) {
		if err := s.rdb.FlushDB(ctx).Err(); err != nil {
			return step{}, fmt.Errorf("emptying Redis: %w", err)
		}
		store := cluster.NewJournal(s.rdb, "bench", cluster.JournalConfig{})
		return s.load(ctx, o, rooms, float64(rooms)*float64(time.Second/gather), func(ctx context.Context, took *times) {
			var wg sync.WaitGroup
			began := time.Now()
			for i := range rooms {
				wg.Go(func() {
					keepJournal(ctx, store, fmt.Sprint("room", i), began.Add(gather*time.Duration(i)/time.Duration(rooms)), took)
				})
			}
			wg.Wait()
		})
	})
	if err != nil || len(list) == 0 {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Journals alone: each room stores %d ticks of %d bytes together each %v, as the recorder does, and a checkpoint of %d bytes each %v. "+
		"A time is from when it was to be stored until Redis had it.\n\n", rate/int(time.Second/gather), recordBytes, gather, stateBytes, checkpointEvery)
	rampTable(&b, list)
	return b.String(), nil
}

// keepJournal is one room's recorder.
func keepJournal(ctx context.Context, store *cluster.Journal, room string, at time.Time, took *times) {
	const epoch = 1
	header := journal.Header{Room: room, Game: "bench", Rules: "1", TickRate: rate, Seats: 8}
	state := make([]byte, stateBytes)
	record := make([]byte, recordBytes)
	tick, last := uint32(1), uint32(0)
	next := at
	for n := 0; ; n++ {
		if pause.For(ctx, time.Until(next)) != nil {
			return
		}
		var err error
		due := next
		if n%int(checkpointEvery/gather) == 0 {
			err = store.Checkpoint(ctx, room, epoch, header, journal.Checkpoint{Tick: tick, Data: state})
			last = tick
		} else {
			var entries []journal.Entry
			for !next.After(time.Now()) { // with what came up while the last call was under way
				for range rate / int(time.Second/gather) {
					tick++
					entries = append(entries, journal.Entry{Tick: tick, Data: record})
				}
				if next.After(due) {
					took.add(time.Since(next))
				}
				next = next.Add(gather)
			}
			err = store.Append(ctx, room, epoch, last, entries)
			last = tick
			next = next.Add(-gather)
		}
		next = next.Add(gather)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			took.fail()
		default:
			took.add(time.Since(due))
		}
	}
}

// measureLinks raises the number of rooms with one remote edge each on one Redis, and on a cluster.
func measureLinks(ctx context.Context, o *options) (string, error) {
	var b strings.Builder
	for _, c := range []struct {
		what  string
		start func(context.Context, *options) (*servers, error)
	}{
		{"one Redis", oneServer},
		{"a Redis Cluster of 3 masters, sharded Pub/Sub", func(ctx context.Context, o *options) (*servers, error) { return clusterOf(ctx, o, 3) }},
	} {
		s, err := c.start(ctx, o)
		if err != nil {
			return "", err
		}
		list, err := o.ramp(ctx, "links over "+c.what, 200, func(ctx context.Context, rooms int) (step, error) {
			return o.links(ctx, s, rooms)
		})
		s.close()
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "Messages between nodes alone, over %s: %d nodes, each room has one remote edge, which gets %d bytes a tick. A time is "+
			"from Send to Receive. Of several Redis processes the busiest counts.\n\n", c.what, linkNodes, frameBytes)
		rampTable(&b, list)
	}
	return b.String(), nil
}

// linkNodes is how many nodes send to each other.
const linkNodes = 6

func (o *options) links(ctx context.Context, s *servers, rooms int) (step, error) {
	base := time.Now()
	var now struct {
		sync.Mutex
		took *times
	}
	list := make([]*cluster.Links, linkNodes)
	defer func() {
		for _, l := range list {
			if l != nil {
				l.Close()
			}
		}
	}()
	for i := range list {
		list[i] = cluster.NewLinks(cluster.LinksConfig{
			Redis: s.rdb, Namespace: "bench", Key: []byte(secret), Self: func() string { return fmt.Sprint("node", i) }, Log: zap.NewNop(),
			Receive: func(_ string, msg []byte) {
				now.Lock()
				took := now.took
				now.Unlock()
				if took != nil && len(msg) >= 8 {
					took.add(time.Since(base) - time.Duration(binary.LittleEndian.Uint64(msg))) //nolint:gosec // a time of this process
				}
			},
			Gap: func(string) {}, Gone: func(string) {},
		})
		list[i].Start()
		select {
		case <-list[i].Ready():
		case <-ctx.Done():
			return step{}, ctx.Err()
		}
	}
	return s.load(ctx, o, rooms, float64(rooms*rate), func(ctx context.Context, took *times) {
		now.Lock()
		now.took = took
		now.Unlock()
		var wg sync.WaitGroup
		for i, l := range list {
			wg.Go(func() {
				msg := make([]byte, frameBytes)
				mine := max(rooms/linkNodes, 1)
				for tick := 0; ; tick++ {
					for r := range mine {
						due := base.Add(time.Duration(tick)*time.Second/rate + time.Duration(r)*time.Second/time.Duration(rate*mine))
						if late := time.Since(due); late > time.Second { // it began later
							tick += int(late * rate / time.Second)
							break
						} else if late < -200*time.Microsecond && pause.For(ctx, -late) != nil || ctx.Err() != nil {
							return
						}
						binary.LittleEndian.PutUint64(msg, uint64(time.Since(base))) //nolint:gosec // positive
						if !l.Send(fmt.Sprint("node", (i+1+r%(linkNodes-1))%linkNodes), msg) {
							took.fail()
						}
					}
				}
			})
		}
		wg.Wait()
	})
}

// measureTickets runs the matchmaking benchmark at a rate that leaves the machine room, and takes Redis's line of it.
func measureTickets(ctx context.Context, o *options) (string, error) {
	var out strings.Builder
	if err := command(ctx, &out, o.Err, "go", "run", "./internal/lobbybench", "-rate", "300", "-waiting", "500", "-for", "8s"); err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("300 tickets a second beside 500 that wait (`go run ./internal/lobbybench -rate 300 -waiting 500 -for 8s`):\n\n")
	for line := range strings.Lines(out.String()) {
		for _, begin := range []string{"to answer", "CPU of one", "  ", "Redis:", "other programs"} {
			if strings.HasPrefix(line, begin) {
				fmt.Fprintf(&b, "    %s\n", strings.TrimSpace(line))
				break
			}
		}
	}
	b.WriteString("\n")
	return b.String(), nil
}
