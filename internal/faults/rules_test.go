package faults

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/client"
	"muster/internal/pause"
	"muster/internal/race"
	"muster/internal/testpace"
	"muster/internal/testprocess"
	"muster/proto"
)

// town is the muster command in a process of its own, with good rooms in which players watch how evenly they tick.
type town struct {
	t      *testing.T
	server *testprocess.Process
	url    string
	route  *route

	mu   sync.Mutex
	late []time.Duration // of the good rooms' ticks since the last look
}

func startTown(t *testing.T, neighbours int, env ...string) *town {
	t.Helper()
	env = append(env, "HOME="+t.TempDir(), "XDG_CONFIG_HOME=")
	tw := &town{t: t, server: testprocess.Start(t, "serve", []string{"serve", "--listen", "127.0.0.1:0"}, env...)}
	tw.url = strings.TrimSuffix(tw.server.After(t, "lobby "), "/v1")
	tw.route = newRoute(t, strings.TrimPrefix(tw.url, "http://"))
	for n := range neighbours {
		m := tw.comes(fmt.Sprint("neighbour", n), "neighbour")
		conn, err := client.Dial[neighbourWorld, neighbourInput](t.Context(), m, client.Options{HTTP: tw.route.http})
		must(t, err)
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for {
				if _, err := conn.Next(ctx); err != nil {
					if ctx.Err() == nil {
						t.Errorf("a neighbour's match ended: %v", err)
					}
					return
				}
				tw.mu.Lock()
				tw.late = append(tw.late, time.Duration(conn.State().Pulse.V.Late)*time.Microsecond)
				tw.mu.Unlock()
			}
		}()
		t.Cleanup(func() { stop(); <-ended; _ = conn.Close() })
	}
	return tw
}

// match brings a guest to a match.
func (tw *town) match(ctx context.Context, name, queue string) (client.Match, error) {
	l := &client.Lobby{URL: tw.url, HTTP: tw.route.http}
	if _, err := l.Guest(ctx, name); err != nil {
		return client.Match{}, err
	}
	ticket, err := l.CreateTicket(ctx, queue)
	if err != nil {
		return client.Match{}, err
	}
	return l.WaitTicket(ctx, ticket.ID)
}

// comes is match for a player who comes again where the server takes no new rooms at the moment: on a busy machine its
// ticks are late now and then.
func (tw *town) comes(name, queue string) (m client.Match) {
	tw.t.Helper()
	until(tw.t, "a new room is to be had", func() bool {
		var err error
		m, err = tw.match(tw.t.Context(), name, queue)
		var refused *client.APIError
		if errors.As(err, &refused) && refused.Status == http.StatusServiceUnavailable {
			_ = pause.For(tw.t.Context(), 200*time.Millisecond)
			return false
		}
		must(tw.t, err)
		return true
	})
	return m
}

// refusesRooms says whether a player who needs a new room waits in vain, or is told to come again.
func (tw *town) refusesRooms() bool {
	ctx, cancel := context.WithTimeout(tw.t.Context(), 700*time.Millisecond)
	defer cancel()
	_, err := tw.match(ctx, "newcomer", "neighbour")
	var refused *client.APIError
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &refused) && refused.Status == http.StatusServiceUnavailable
}

// get asks the server for a page.
func (tw *town) get(path string) (status int, text string) {
	tw.t.Helper()
	res, err := tw.route.http.Get(tw.url + path)
	must(tw.t, err)
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	must(tw.t, err)
	return res.StatusCode, string(b)
}

// metric is one of the server's.
func (tw *town) metric(name string) float64 {
	tw.t.Helper()
	_, text := tw.get("/metrics")
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			must(tw.t, err)
			return v
		}
	}
	tw.t.Fatalf("there is no metric %s", name)
	return 0
}

// lateness watches the good rooms for a time and returns the 99th percentile of their ticks' lateness.
func (tw *town) lateness(long time.Duration) time.Duration {
	tw.t.Helper()
	return tw.latenessWhile(long, func() {})
}

// latenessWhile is lateness of a time in which something is done, at its beginning.
func (tw *town) latenessWhile(long time.Duration, done func()) time.Duration {
	tw.t.Helper()
	tw.mu.Lock()
	tw.late = tw.late[:0]
	tw.mu.Unlock()
	end := time.Now().Add(long)
	done()
	until(tw.t, "the time is over, and ticks of neighbours were seen", func() bool {
		tw.mu.Lock()
		defer tw.mu.Unlock()
		return time.Now().After(end) && len(tw.late) >= 20
	})
	tw.mu.Lock()
	defer tw.mu.Unlock()
	slices.Sort(tw.late)
	return tw.late[len(tw.late)*99/100]
}

// badRoom opens a room with bad rules.
func (tw *town) badRoom() *client.Conn[badWorld, badInput] {
	tw.t.Helper()
	m := tw.comes("rogue", "bad")
	conn, err := client.Dial[badWorld, badInput](tw.t.Context(), m, client.Options{HTTP: tw.route.http})
	must(tw.t, err)
	tw.t.Cleanup(func() { _ = conn.Close() })
	_, err = conn.Next(tw.t.Context())
	must(tw.t, err)
	return conn
}

// code plays until the match ends, and returns with what.
func code(t *testing.T, conn *client.Conn[badWorld, badInput]) proto.Code {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		if _, err := conn.Next(ctx); err != nil {
			var ce *client.CloseError
			if !errors.As(err, &ce) {
				t.Fatalf("the match ended with %v", err)
			}
			return ce.Code
		}
	}
}

// unharmed compares the good rooms' lateness with what it was, in one spell at least: a machine is busy now and then, and
// what the rules do harms them all the time.
func (tw *town) unharmed(before time.Duration) {
	tw.t.Helper()
	tw.unharmedBy(before, func() {})
}

// unharmedBy is unharmed by what is over in a moment, and so is done anew in each spell.
func (tw *town) unharmedBy(before time.Duration, done func()) {
	tw.t.Helper()
	if race.Enabled { // how late they are is judged where nothing else runs: here they tick at all
		tw.latenessWhile(1500*time.Millisecond, done)
		return
	}
	const tries = 20
	for n := range tries {
		after := tw.latenessWhile(1500*time.Millisecond, done)
		tw.t.Logf("neighbours' p99 lateness: %v without, %v with (%.2f times)", before, after, float64(after)/float64(max(1, before)))
		if after < 2*before+10*time.Millisecond {
			return
		}
		if n == tries-1 {
			tw.t.Errorf("neighbours' ticks are late by %v, %v before", after, before)
		}
	}
}

const neighbours = 8

func TestRulesThatPanicEndTheirRoomAlone(t *testing.T) {
	tw := startTown(t, neighbours)
	before := tw.lateness(1500 * time.Millisecond)
	healed := 0.0
	tw.unharmedBy(before, func() {
		conn := tw.badRoom()
		must(t, conn.Send(badInput{panicking}))
		healed++
		until(t, "the room went on after a panic", func() bool { return tw.metric("muster_rooms_healed_total") == healed })
		must(t, conn.Send(badInput{panicking}))
		if got := code(t, conn); got != proto.CodeRulesFailed {
			t.Errorf("its player is told %d", got)
		}
	})
	if status, _ := tw.get("/livez"); status != http.StatusOK {
		t.Errorf("/livez says %d", status)
	}
	tw.comes("newcomer", "neighbour")
}

func TestRulesThatLoopForEverAreFoundAndTheProcessSaysSo(t *testing.T) {
	tw := startTown(t, neighbours)
	before := tw.lateness(1500 * time.Millisecond)
	conn := tw.badRoom()
	machine := testpace.Measure(t)
	quietly := machine.Since(time.Now())
	must(t, conn.Send(badInput{looping}))
	got := code(t, conn)
	took := quietly()
	t.Logf("found after %v", took)
	if got != proto.CodeRulesFailed || took > testpace.Bound(2500*time.Millisecond) { // a second, perhaps begun anew, and the way
		t.Errorf("its player is told %d after %v", got, took)
	}
	quietly = machine.Since(time.Now())
	until(t, "the lobby opens no rooms here", func() bool { took = quietly(); return tw.refusesRooms() })
	t.Logf("no more rooms %v later", took)
	if took > testpace.Bound(2*time.Second) {
		t.Errorf("the lobby opened rooms here for %v", took)
	}
	tw.unharmed(before)
	if status, text := tw.get("/livez"); status != http.StatusServiceUnavailable || !strings.Contains(text, "bad") {
		t.Errorf("/livez says %d: %s", status, text)
	}
	until(t, "the log names the function", func() bool { return strings.Contains(tw.server.Output(), "faults.spin") })
	if n := strings.Count(tw.server.Output(), "the game's rules do not return"); n != 1 {
		t.Errorf("it is logged %d times", n)
	}
}

func TestRulesOfTenTimesTheBudgetDelayTheirRoomAlone(t *testing.T) {
	tw := startTown(t, neighbours)
	before := tw.lateness(1500 * time.Millisecond)
	conn := tw.badRoom()
	must(t, conn.Send(badInput{slow}))
	tw.unharmed(before)
	if tw.metric("muster_tick_overruns_total") == 0 {
		t.Errorf("no overrun is counted")
	}
	if status, text := tw.get("/livez"); status != http.StatusOK {
		t.Errorf("/livez says %d: %s", status, text)
	}
}

func TestRulesThatLeakGoroutinesShowInTheMetric(t *testing.T) {
	tw := startTown(t, neighbours)
	before := tw.lateness(1500 * time.Millisecond)
	quiet := tw.metric("go_goroutines")
	conn := tw.badRoom()
	must(t, conn.Send(badInput{leaking}))
	tw.unharmed(before)
	if now := tw.metric("go_goroutines"); now < quiet+1000 {
		t.Errorf("%v goroutines, %v before", now, quiet)
	}
}

func TestRulesThatGrowAreFollowedByNoMoreRoomsBeforeTheMemoryIsOver(t *testing.T) {
	const limit = 256 << 20
	tw := startTown(t, 2, "GOMEMLIMIT="+strconv.Itoa(limit))
	conn := tw.badRoom() // so rooms are opened at first
	var why string
	for range 20 { // of about fifty
		must(t, conn.Send(badInput{growing}))
	}
	until(t, "new rooms are refused for want of memory", func() bool {
		must(t, conn.Send(badInput{growing}))
		for range 3 { // the server looks at its memory meanwhile
			_, err := conn.Next(t.Context())
			must(t, err)
		}
		var status int
		status, why = tw.get("/readyz")
		return status == http.StatusServiceUnavailable && strings.Contains(why, "memory limit") // ticks may be late as well
	})
	resident, heap := tw.metric("process_resident_memory_bytes"), tw.metric("go_memstats_heap_alloc_bytes")
	t.Logf("refused at %.0f MiB of heap, %.0f MiB in all, of %d MiB: %s", heap/(1<<20), resident/(1<<20), limit>>20, why)
	if heap > limit*1.2 || resident > limit*1.2 && !race.Enabled { // which takes several times as much
		t.Errorf("refused at %.0f bytes, %.0f in all; the limit is %d", heap, resident, limit)
	}
	until(t, "the lobby opens no rooms here", tw.refusesRooms)
	must(t, conn.Leave(t.Context())) // which frees it
	until(t, "its memory keeps it from nothing", func() bool {
		status, why := tw.get("/readyz")
		return status == http.StatusOK || !strings.Contains(why, "memory limit") // ticks may be late
	})
}
