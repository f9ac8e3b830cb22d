package cluster_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"muster/internal/testmetric"
	"muster/internal/testredis"
	"muster/match/cluster"
)

// linkEnd is a node's end of its links and what it heard.
type linkEnd struct {
	*cluster.Links
	id  atomic.Pointer[string]
	reg *prometheus.Registry

	mu    sync.Mutex
	heard []string // "FROM: MESSAGE", "gap FROM", "gone FROM"
}

var linksKey = []byte("the key of the cluster, 32 bytes")

func newEnd(t *testing.T, rdb redis.UniversalClient, id string, key []byte) *linkEnd {
	t.Helper()
	e := &linkEnd{reg: prometheus.NewRegistry()}
	e.id.Store(&id)
	e.Links = cluster.NewLinks(cluster.LinksConfig{
		Redis: rdb, Namespace: ns, Key: key, Self: func() string { return *e.id.Load() }, Log: zap.NewNop(), Registerer: e.reg,
		Receive: func(from string, msg []byte) { e.note(from + ": " + string(msg)) },
		Gap:     func(from string) { e.note("gap " + from) },
		Gone:    func(from string) { e.note("gone " + from) },
	})
	e.Start()
	t.Cleanup(e.Close)
	return e
}

// linkedEnds returns nodes that hear each other.
func linkedEnds(t *testing.T, rdb redis.UniversalClient, ids ...string) []*linkEnd {
	t.Helper()
	var list []*linkEnd
	for _, id := range ids {
		list = append(list, newEnd(t, rdb, id, linksKey))
	}
	for _, e := range list {
		<-e.Ready()
	}
	return list
}

func (e *linkEnd) note(what string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = append(e.heard, what)
}

func (e *linkEnd) all() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.heard)
}

func (e *linkEnd) count(what string) (n int) {
	for _, h := range e.all() {
		if h == what {
			n++
		}
	}
	return n
}

func (e *linkEnd) send(t *testing.T, to, msg string) {
	t.Helper()
	if !e.Send(to, []byte(msg)) {
		t.Fatalf("a message to %s was dropped", to)
	}
}

func (e *linkEnd) wants(t *testing.T, want ...string) {
	t.Helper()
	if got := e.all(); !slices.Equal(got, want) {
		t.Errorf("%s heard %q, want %q", *e.id.Load(), got, want)
	}
}

// dropped returns how many envelopes or messages were dropped for a reason.
func (e *linkEnd) dropped(t *testing.T, reason string) float64 {
	t.Helper()
	return testmetric.Value(t, e.reg, "muster_links_dropped_total", "reason="+reason)
}

func TestMessagesReachTheirNodesInOrder(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		ends := linkedEnds(t, rdb, "a", "b", "c")
		want := map[int][]string{}
		for n := range 300 {
			from, to := n%3, (n+1+n/3%2)%3
			msg := fmt.Sprint(n)
			ends[from].send(t, *ends[to].id.Load(), msg)
			want[to*3+from] = append(want[to*3+from], *ends[from].id.Load()+": "+msg)
		}
		for i, e := range ends {
			until(t, "every message has come", func() bool { return len(e.all()) == 100 })
			for from, f := range ends {
				var got []string
				for _, h := range e.all() {
					if strings.HasPrefix(h, *f.id.Load()+": ") {
						got = append(got, h)
					}
				}
				if !slices.Equal(got, want[i*3+from]) {
					t.Errorf("from %d to %d: %q, want %q", from, i, got, want[i*3+from])
				}
			}
		}
	})
}

func TestLargeMessagesArriveWhole(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		ends := linkedEnds(t, rdb, "a", "b")
		var want []string
		for _, size := range []int{0, 1, 127, 128, 100_000, 255_000, 300_000, cluster.MaxLinkMessage} {
			msg := strings.Repeat("x", size)
			ends[0].send(t, "b", msg)
			want = append(want, "a: "+msg)
		}
		until(t, "every message has come", func() bool { return len(ends[1].all()) >= len(want) })
		if !slices.Equal(ends[1].all(), want) {
			t.Error("they came otherwise than they were sent")
		}
	})
}

func TestNoTimePassesBetweenSendAndReceive(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		ends := linkedEnds(t, rdb, "a", "b")
		for range 3 {
			ends[0].send(t, "b", "x")
			synctest.Wait() // no time passes
			time.Sleep(time.Minute)
		}
		began := time.Now()
		ends[0].send(t, "b", "y")
		synctest.Wait()
		if ends[1].count("a: y") != 1 || time.Since(began) != 0 {
			t.Errorf("after %v b heard %q", time.Since(began), ends[1].all())
		}
	})
}

func TestSilenceOfNodesThatHaveNothingToSayIsNoLossAndEndsTheirSigns(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		ends := linkedEnds(t, rdb, "a", "b")
		ends[0].send(t, "b", "x")
		time.Sleep(25 * time.Second)
		if n := sent(t, ends[1]); n < 20 {
			t.Errorf("b gave %v signs of life in 25 s", n)
		}
		time.Sleep(time.Hour)
		if n := sent(t, ends[0]) + sent(t, ends[1]); n > 160 {
			t.Errorf("they gave %v signs in an hour of silence", n)
		}
		if n := peers(t, ends[0]) + peers(t, ends[1]); n != 0 {
			t.Errorf("%v peers are known after an hour of silence", n)
		}
		ends[0].send(t, "b", "y")
		synctest.Wait()
		ends[0].wants(t)
		ends[1].wants(t, "a: x", "a: y")
	})
}

func gathered(t *testing.T, e *linkEnd, name string) float64 {
	t.Helper()
	return testmetric.Value(t, e.reg, name)
}

func sent(t *testing.T, e *linkEnd) float64 {
	t.Helper()
	return gathered(t, e, "muster_links_sent_total")
}

func peers(t *testing.T, e *linkEnd) float64 { t.Helper(); return gathered(t, e, "muster_links_peers") }

func TestSilentPeerIsGoneAfterFiveSecondsAndHeardAgainAfterAGap(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		ends := linkedEnds(t, rdb, "a", "b")
		ends[0].send(t, "b", "x")
		ends[1].send(t, "a", "y")
		time.Sleep(10 * time.Second)
		ends[0].wants(t, "b: y")
		cut := newEnd(t, rdb, "c", linksKey) // which says something and then nothing, as if it had died
		cut.send(t, "a", "z")
		synctest.Wait()
		cut.Close()
		began := time.Now()
		time.Sleep(4900 * time.Millisecond)
		if n := ends[0].count("gone c"); n != 0 {
			t.Errorf("c was given up %v after its last sign", time.Since(began))
		}
		within(t, 1200*time.Millisecond, "c is gone", func() bool { return ends[0].count("gone c") == 1 })
		time.Sleep(time.Minute)
		ends[0].wants(t, "b: y", "c: z", "gone c")
		again := newEnd(t, rdb, "c2", linksKey)
		again.send(t, "a", "w")
		synctest.Wait()
		if got := ends[0].all(); got[len(got)-1] != "c2: w" {
			t.Errorf("a heard %q", got)
		}
	})
}

// What stands still for ten seconds hears afterwards what was said meanwhile; its own pause is nobody's silence.
func TestProcessThatStoodStillGivesNobodyUp(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		ends := linkedEnds(t, rdb, "b", "c", "d")
		var gone atomic.Int32
		still := cluster.NewLinks(cluster.LinksConfig{
			Redis: rdb, Namespace: ns, Key: linksKey, Self: func() string { return "a" }, Log: zap.NewNop(),
			Receive: func(_ string, msg []byte) {
				if string(msg) == "stop" {
					time.Sleep(10 * time.Second)
				}
			},
			Gap: func(string) {}, Gone: func(string) { gone.Add(1) },
		})
		still.Start()
		t.Cleanup(still.Close)
		<-still.Ready()
		for range 10 {
			for i, e := range ends {
				e.send(t, "a", []string{"x", "x", "stop"}[i])
			}
			time.Sleep(15 * time.Second)
		}
		if n := gone.Load(); n != 0 {
			t.Errorf("%d peers were given up", n)
		}
	})
}

// go-redis writes pings into a connection that swallows them and waits for no answer.
func TestBlackHoledLinkIsNoticedWithinThreeBeatsAndFollowedByOneGap(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		hurt, wires := rewired(t, rdb)
		ends := linkedEnds(t, rdb, "a", "b")
		c := newEnd(t, hurt, "c", linksKey)
		<-c.Ready()
		ends[0].send(t, "c", "1")
		ends[1].send(t, "c", "1")
		time.Sleep(2100 * time.Millisecond) // between two beats
		if n := wires.swallow("subscribe"); n != 1 {
			t.Fatalf("%d subscriptions were hurt, want 1", n)
		}
		ends[0].send(t, "c", "lost")
		within(t, 3*500*time.Millisecond, "c knows that it is deaf", func() bool { return !c.Live() })
		within(t, 500*time.Millisecond, "c hears again", c.Live)
		ends[0].send(t, "c", "2")
		synctest.Wait()
		if n := c.count("gap a"); n != 1 {
			t.Errorf("c heard %q", c.all())
		}
		time.Sleep(2 * time.Second)
		got := c.all()
		if c.count("gap a") != 1 || c.count("gap b") != 1 || c.count("a: lost") != 0 ||
			slices.Index(got, "gap a") > slices.Index(got, "a: 2") || c.count("gone a") != 0 {
			t.Errorf("c heard %q", got)
		}
	})
}

func TestSlowOrderIsKeptWhereRedisTakesHalfASecond(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		client, slow := slowed(t, rdb)
		ends := append(linkedEnds(t, client, "a"), linkedEnds(t, rdb, "b")...)
		ends[0].send(t, "b", "first")
		synctest.Wait()
		slow.set(500 * time.Millisecond)
		want := []string{"a: first"}
		for n := range 200 {
			ends[0].send(t, "b", fmt.Sprint(n))
			want = append(want, fmt.Sprint("a: ", n))
			time.Sleep(50 * time.Millisecond)
		}
		time.Sleep(2 * time.Second)
		ends[1].wants(t, want...)
		if n := sent(t, ends[0]); n > 40 {
			t.Errorf("%v envelopes for 10 s", n)
		}
	})
}

func TestFullQueueDropsAndTheOtherSideKnows(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		client, slow := slowed(t, rdb)
		ends := append(linkedEnds(t, client, "a"), linkedEnds(t, rdb, "b")...)
		ends[0].send(t, "b", "first")
		synctest.Wait()
		slow.set(100 * time.Millisecond)
		ends[0].send(t, "b", "under way")
		synctest.Wait() // nothing is taken out of the queue until this one's exchange is over
		msg := make([]byte, 100_000)
		taken := 0
		for range 100 {
			if ends[0].Send("b", msg) {
				taken++
			}
		}
		if taken == 100 || taken < 40 {
			t.Fatalf("%d of 100 messages found room", taken)
		}
		time.Sleep(5 * time.Second)
		ends[0].send(t, "b", "after")
		time.Sleep(time.Second)
		got := ends[1].all()
		if len(got) != taken+4 || got[taken+2] != "gap a" || got[taken+3] != "a: after" {
			for i, h := range got {
				got[i] = h[:min(len(h), 20)]
			}
			t.Errorf("b heard %d things, want %d messages, a gap and the last: %q", len(got), taken+2, got)
		}
		if n := ends[0].dropped(t, "full"); int(n) != 100-taken {
			t.Errorf("%v are counted, want %d", n, 100-taken)
		}
	})
}

func TestNodeOfAnotherNameGoesOnAndAllHaveAGap(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		ends := linkedEnds(t, rdb, "a", "b")
		a, b := ends[0], ends[1]
		a.send(t, "b", "1")
		b.send(t, "a", "1")
		synctest.Wait()
		next := "a2"
		a.id.Store(&next)
		time.Sleep(2 * time.Second)
		a.wants(t, "b: 1", "gap b")
		a.send(t, "b", "2")
		b.send(t, "a2", "2")
		b.send(t, "a", "to nobody")
		time.Sleep(10 * time.Second)
		b.wants(t, "a: 1", "a2: 2", "gone a")
		if got := a.all(); !slices.Contains(got, "b: 2") || slices.Contains(got, "b: to nobody") || !a.Live() {
			t.Errorf("a2 heard %q", got)
		}
	})
}

func TestNodeThatHasNoNameYetSendsNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		b := linkedEnds(t, rdb, "b")[0]
		name := ""
		a := cluster.NewLinks(cluster.LinksConfig{
			Redis: rdb, Namespace: ns, Key: linksKey, Self: func() string { return name }, Log: zap.NewNop(),
			Receive: func(string, []byte) {}, Gap: func(string) {}, Gone: func(string) {},
		})
		if a.Send("b", []byte("of nobody")) {
			t.Error("a message of nobody was taken")
		}
		name = "a" // it has joined
		a.Start()
		t.Cleanup(a.Close)
		<-a.Ready()
		a.Send("b", []byte("1"))
		synctest.Wait()
		b.wants(t, "a: 1")
	})
}

// tap listens to what is published to a node.
func tap(t *testing.T, rdb redis.UniversalClient, node string) <-chan *redis.Message {
	t.Helper()
	channel, subscribe := ns+":{link:"+node+"}", rdb.Subscribe
	if onCluster(rdb) {
		subscribe = rdb.SSubscribe
	}
	sub := subscribe(t.Context(), channel)
	_, err := sub.Receive(t.Context())
	must(t, err)
	t.Cleanup(func() { _ = sub.Close() })
	return sub.Channel()
}

func TestEnvelopesThatAreDoubledLateForeignOrBrokenAreDroppedAndCounted(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		ends := linkedEnds(t, rdb, "a", "b")
		a, b := ends[0], ends[1]
		said := tap(t, rdb, "b")
		a.send(t, "b", "1")
		var first string
		for m := range said {
			if strings.Contains(m.Payload, "\x01a\x01b") { // not b's own beat
				first = m.Payload
				break
			}
		}
		a.send(t, "b", "2")
		until(t, "both have come", func() bool { return len(b.all()) == 2 })
		again := func(to string, payload []byte) {
			t.Helper()
			publishRaw(t, rdb, ns+":{link:"+to+"}", payload)
		}
		again("b", []byte(first))
		again("b", []byte(first))
		again("b", nil)
		again("b", []byte("\x01garbage"))
		again("b", bytes.Repeat([]byte{1}, cluster.MaxLinkMessage+(1<<20)))
		again("b", append([]byte{9}, first[1:]...))
		forged := []byte(first)
		forged[len(forged)-1] ^= 1
		again("b", forged)
		again("a", []byte(first)) // for b
		stranger := newEnd(t, rdb, "s", []byte("the key of another cluster, 32 b"))
		stranger.send(t, "b", "hello")
		for reason, n := range map[string]float64{"old": 2, "malformed": 3, "version": 1} {
			until(t, reason, func() bool { return b.dropped(t, reason) == n })
		}
		until(t, "the forged and the stranger's", func() bool { return b.dropped(t, "mac") >= 2 })
		until(t, "for b", func() bool { return a.dropped(t, "to") == 1 })
		a.send(t, "b", "3")
		until(t, "the next has come", func() bool { return len(b.all()) >= 3 })
		b.wants(t, "a: 1", "a: 2", "a: 3")
		a.wants(t)
	})
}

func TestWhatWasTakenOnceIsNotTakenAgainAfterItsNodeIsForgotten(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		ends := linkedEnds(t, rdb, "a", "b")
		a, b := ends[0], ends[1]
		said := tap(t, rdb, "b")
		a.send(t, "b", "1")
		synctest.Wait()
		var first string
		for first == "" {
			if m := <-said; strings.Contains(m.Payload, "\x01a\x01b") { // not b's own beat
				first = m.Payload
			}
		}
		go func() {
			for range said { // so that nothing waits for it
			}
		}()
		time.Sleep(time.Hour)
		if n := peers(t, b); n != 0 {
			t.Fatalf("%v peers are known after an hour", n)
		}
		publishRaw(t, rdb, ns+":{link:b}", []byte(first))
		synctest.Wait()
		if n := b.dropped(t, "old"); n != 1 {
			t.Errorf("%v envelopes were dropped as old", n)
		}
		a.send(t, "b", "2")
		synctest.Wait()
		b.wants(t, "a: 1", "a: 2")
	})
}

func TestLinksFollowARestartOfRedis(t *testing.T) {
	s := testredis.Start(t)
	ends := linkedEnds(t, s.Connect(), "a", "b")
	ends[0].send(t, "b", "1")
	until(t, "it has come", func() bool { return len(ends[1].all()) == 1 })
	s.Kill()
	until(t, "both are deaf", func() bool { return !ends[0].Live() && !ends[1].Live() })
	ends[0].Send("b", []byte("lost"))
	s.Restart()
	until(t, "both hear again", func() bool { return ends[0].Live() && ends[1].Live() })
	until(t, "a gap", func() bool { return ends[1].count("gap a") >= 1 })
	until(t, "a message", func() bool {
		ends[0].Send("b", []byte("2"))
		return ends[1].count("a: 2") > 0
	})
	if n := ends[1].count("a: lost"); n != 0 {
		t.Errorf("b heard %q", ends[1].all())
	}
}

func TestLinksCloseInAnyState(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T, w *wires, rdb redis.UniversalClient){
		"connecting": func(*testing.T, *wires, redis.UniversalClient) {},
		"live":       func(*testing.T, *wires, redis.UniversalClient) { time.Sleep(time.Second) },
		"deaf": func(_ *testing.T, w *wires, _ redis.UniversalClient) {
			time.Sleep(time.Second)
			w.swallow("")
			time.Sleep(time.Second)
		},
		"waiting to connect again": func(_ *testing.T, w *wires, _ redis.UniversalClient) {
			time.Sleep(time.Second)
			w.swallow("subscribe")
			time.Sleep(1700 * time.Millisecond)
		},
		"with a closed client": func(t *testing.T, _ *wires, rdb redis.UniversalClient) {
			time.Sleep(time.Second)
			must(t, rdb.Close())
			time.Sleep(10 * time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
				hurt, wires := rewired(t, rdb)
				e := newEnd(t, hurt, "a", linksKey)
				e.Send("b", []byte("x"))
				prepare(t, wires, hurt)
				e.Send("b", []byte("x"))
				began := time.Now()
				e.Close()
				if took := time.Since(began); took > 2*time.Second {
					t.Errorf("closing took %v", took)
				}
				e.Send("b", []byte("x")) // which does nothing
				if e.Live() {
					t.Error("closed links are live")
				}
				_ = hurt.Close() // one of the cases has
			})
		})
	}
}

func TestMorePeersThanTheBoundAreRefusedUntilOthersAreForgotten(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		ends := linkedEnds(t, rdb, "a")
		a := ends[0]
		for n := range 1024 {
			a.send(t, fmt.Sprint("node-", n), "x")
		}
		for _, id := range []string{"one more", "", strings.Repeat("x", 65)} {
			if a.Send(id, []byte("x")) {
				t.Errorf("a message to %q found room", id)
			}
		}
		if n := a.dropped(t, "peers"); n != 3 {
			t.Errorf("%v are counted", n)
		}
		time.Sleep(3 * time.Minute)
		a.send(t, "one more", "x")
		if peers(t, a) != 1 {
			t.Errorf("%v peers are known", peers(t, a))
		}
	})
}

// lagging is a connection on which each answer takes a time.
type lagging struct {
	net.Conn
	by time.Duration
}

func (l lagging) Read(b []byte) (int, error) {
	n, err := l.Conn.Read(b)
	pass(context.Background(), l.by)
	return n, err //nolint:wrapcheck // it is the connection
}

func TestSlowLinksHearThemselvesThoughConnectingTakesMoreThanASecond(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		ends := linkedEnds(t, testredis.Another(t, rdb, 0, func(c net.Conn) net.Conn { return lagging{c, 450 * time.Millisecond} }), "a")
		time.Sleep(5 * time.Second)
		always(t, 20*time.Second, "it hears itself", ends[0].Live)
		ends[0].Close()
		time.Sleep(2 * time.Second) // what reads for the subscription ends later
	})
}
