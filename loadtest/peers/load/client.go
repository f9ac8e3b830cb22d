package main

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	inputEvery = 100 * time.Millisecond
	tickRate   = 20
	samples    = 8 // players per room whose input-to-state latency is taken
)

type pending struct {
	seq uint32
	at  int64
}

type conn struct {
	fd        int
	room, idx int
	cl        *client
	ready     atomic.Bool
	rest      []byte
	extra     int
	last      int64
	seq       uint32
	wait      []pending
	rng       uint64
	muster    musterConn
}

// hist counts durations in 0.1 ms steps up to 4 s.
type hist struct {
	n [40001]uint32
	t int
}

func (h *hist) add(ns int64) {
	i := max(0, min(ns/100_000, 40000))
	h.n[i]++
	h.t++
}

func (h *hist) q(f float64) float64 {
	if h.t == 0 {
		return 0
	}
	k, s := int(f*float64(h.t-1)), 0
	for i, v := range h.n {
		if s += int(v); s > k {
			return float64(i) / 10
		}
	}
	return 4000
}

// client is one epoll loop that reads every connection and sends every input.
type client struct {
	host  string
	p     proto
	ep    int
	idle  bool // connect and stay silent
	mu    sync.Mutex
	conns []*conn // guarded by mu
	byFd  [65536]*conn
	fails atomic.Int64
	stop  atomic.Bool

	// in is set while a window is measured; what follows is written by the loop
	// while it is set and read after it is cleared.
	in          atomic.Bool
	frames      int64
	bytes, wire int64
	inputs      int64
	gaps, lats  hist
}

func newClient(host, protocol string) *client {
	ep, err := syscall.EpollCreate1(0)
	if err != nil {
		log.Fatal(err)
	}
	return &client{host: host, p: newProto(protocol, host), ep: ep}
}

func (c *conn) fail(why string) {
	if c.cl.fails.Add(1) < 5 {
		log.Printf("client %d/%d: %s", c.room, c.idx, why)
	}
}

// send writes one masked frame (mask 0); a full socket counts as a failure.
func (c *conn) send(op byte, p []byte) {
	var a [256]byte
	b := append(a[:0], 0x80|op, 0x80|byte(len(p)), 0, 0, 0, 0)
	if len(p) > 125 {
		panic("long input")
	}
	b = append(b, p...)
	if n, err := syscall.Write(c.fd, b); err != nil || n != len(b) {
		c.fail(fmt.Sprint("write ", n, err))
	}
}

func (cl *client) dial(room, idx int) error {
	path, headers, err := cl.p.open(room, idx)
	if err != nil {
		return err
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	ap := netip.MustParseAddrPort(cl.host)
	if err := syscall.Connect(fd, &syscall.SockaddrInet4{Port: int(ap.Port()), Addr: ap.Addr().As4()}); err != nil {
		return err
	}
	syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	syscall.Write(fd, fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n", path, cl.host, headers))
	var head []byte
	buf := make([]byte, 4096)
	for {
		n, err := syscall.Read(fd, buf)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || n == 0 {
			return fmt.Errorf("handshake: %d bytes, %q: %w", n, head, cmp.Or(err, io.ErrUnexpectedEOF))
		}
		head = append(head, buf[:n]...)
		if i := bytes.Index(head, []byte("\r\n\r\n")); i >= 0 {
			if !bytes.HasPrefix(head, []byte("HTTP/1.1 101")) {
				return fmt.Errorf("handshake: %q", head)
			}
			c := &conn{fd: fd, room: room, idx: idx, cl: cl, rng: uint64(room)*1000003 + uint64(idx)}
			c.rest = append(c.rest, head[i+4:]...)
			c.seq = cl.p.first(idx)
			syscall.SetNonblock(fd, true)
			cl.byFd[fd] = c
			cl.mu.Lock()
			cl.conns = append(cl.conns, c)
			cl.mu.Unlock()
			// EPOLLOUT once, so that bytes read with the handshake are parsed too.
			return syscall.EpollCtl(cl.ep, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLOUT, Fd: int32(fd)})
		}
	}
}

// join fills rooms [from, to) with p players each, the first of a room first.
func (cl *client) join(from, to, p int) error {
	type job struct{ r, i int }
	var first, rest []job
	for r := from; r < to; r++ {
		first = append(first, job{r, 0})
		for i := 1; i < p; i++ {
			rest = append(rest, job{r, i})
		}
	}
	cl.mu.Lock()
	had := len(cl.conns)
	cl.mu.Unlock()
	// Rooms start their timers when their first player joins: space those joins
	// by the golden ratio of a tick, so that rooms tick at evenly spread phases.
	for _, j := range first {
		const period = int64(time.Second / tickRate)
		phase := int64(math.Mod(float64(j.r)*0.6180339887, 1) * float64(period))
		time.Sleep(time.Duration((phase - time.Now().UnixNano()%period + period) % period))
		if err := cl.dial(j.r, j.i); err != nil {
			return err
		}
	}
	for _, jobs := range [][]job{rest} {
		ch := make(chan job, len(jobs))
		for _, j := range jobs {
			ch <- j
		}
		close(ch)
		var wg sync.WaitGroup
		var bad atomic.Value
		for range 6 {
			wg.Go(func() {
				for j := range ch {
					if err := cl.dial(j.r, j.i); err != nil {
						bad.Store(err)
						return
					}
				}
			})
		}
		wg.Wait()
		if err, _ := bad.Load().(error); err != nil {
			return err
		}
	}
	end := time.Now().Add(15 * time.Second)
	for {
		left := 0
		cl.mu.Lock()
		for _, c := range cl.conns[had:] {
			if !c.ready.Load() {
				left++
			}
		}
		cl.mu.Unlock()
		if left == 0 || cl.idle {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("%d clients not ready", left)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (cl *client) loop() {
	runtime.LockOSThread()
	ev := make([]syscall.EpollEvent, 256)
	buf := make([]byte, 1<<20)
	start := time.Now()
	// k counts the inputs sent, over all connections in turn. Each round starts at
	// another connection (rot, up to 25 ms of a round away), so that an input's phase
	// against the server's tick wanders: a fixed phase would bias the latencies.
	var k, rot int64
	due := int64(0)
	for !cl.stop.Load() {
		cl.mu.Lock()
		conns := cl.conns
		cl.mu.Unlock()
		now := int64(time.Since(start))
		wait := 5
		if n := int64(len(conns)); n > 0 && !cl.idle {
			every := int64(inputEvery) / n
			if now-due > int64(time.Second) {
				due = now
			}
			for due <= now {
				if k%n == 0 {
					rot += n + rand.Int64N(n/2+1) - n/4
				}
				c := conns[(k+rot)%n]
				k++
				due += every
				if c.ready.Load() {
					cl.input(c, start)
				}
			}
			wait = int(max(1, min((due-now)/1e6, 5)))
		}
		n, err := syscall.EpollWait(cl.ep, ev, wait)
		if err != nil && err != syscall.EINTR {
			log.Fatal(err)
		}
		for i := 0; i < n; i++ {
			c := cl.byFd[ev[i].Fd]
			m := copy(buf, c.rest)
			if ev[i].Events&syscall.EPOLLOUT != 0 { // the first event of a connection
				syscall.EpollCtl(cl.ep, syscall.EPOLL_CTL_MOD, c.fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(c.fd)})
				left := cl.parse(c, buf[:m], int64(time.Since(start)))
				m = copy(buf, left)
				c.rest = append(c.rest[:0], left...)
			}
			r, err := syscall.Read(c.fd, buf[m:])
			if err == syscall.EAGAIN || err == syscall.EINTR {
				continue
			}
			if err != nil || r == 0 {
				c.fail(fmt.Sprint("closed by the server ", err))
				syscall.EpollCtl(cl.ep, syscall.EPOLL_CTL_DEL, c.fd, nil)
				c.ready.Store(false)
				continue
			}
			left := cl.parse(c, buf[:m+r], int64(time.Since(start)))
			c.rest = append(c.rest[:0], left...)
		}
	}
}

func (cl *client) input(c *conn, start time.Time) {
	c.rng = c.rng*6364136223846793005 + 1442695040888963407
	d := int(c.rng>>33) % 8
	if d >= 4 {
		d++ // never (0,0): every player moves every tick
	}
	c.seq++
	var a [128]byte
	b, op := cl.p.input(a[:0], c, d%3-1, d/3-1, c.seq)
	if c.idx < samples {
		if len(c.wait) >= 32 {
			c.wait = c.wait[1:]
		}
		c.wait = append(c.wait, pending{c.seq, int64(time.Since(start))})
	}
	c.send(op, b)
	if cl.in.Load() {
		cl.inputs++
	}
}

func (cl *client) parse(c *conn, b []byte, now int64) []byte {
	for len(b) >= 2 {
		n, h := int(b[1]&127), 2
		switch n {
		case 126:
			if len(b) < 4 {
				return b
			}
			n, h = int(binary.BigEndian.Uint16(b[2:])), 4
		case 127:
			if len(b) < 10 {
				return b
			}
			n, h = int(binary.BigEndian.Uint64(b[2:])), 10
		}
		if len(b) < h+n {
			return b
		}
		p := b[h : h+n]
		switch op := b[0] & 15; op {
		case 1, 2:
			if len(p) > 0 && cl.p.message(c, op, p) {
				cl.state(c, p, h, now)
			}
		case 8:
			c.fail(fmt.Sprintf("close frame %x", p))
		case 9:
			c.send(10, p)
		case 0:
			c.fail("continuation frame")
		}
		b = b[h+n:]
	}
	return b
}

func (cl *client) state(c *conn, p []byte, head int, now int64) {
	in := cl.in.Load()
	if in {
		cl.frames++
		cl.bytes += int64(len(p) + c.extra)
		cl.wire += int64(len(p) + c.extra + head)
		if c.extra > 0 {
			cl.wire += 2
		}
		if c.last != 0 {
			cl.gaps.add(now - c.last)
		}
	}
	c.extra = 0
	c.last = now
	if len(c.wait) > 0 {
		for i := len(c.wait) - 1; i >= 0; i-- {
			if cl.p.acked(c, p, c.wait[i].seq) {
				for _, w := range c.wait[:i+1] {
					if in {
						cl.lats.add(now - w.at)
					}
				}
				c.wait = append(c.wait[:0], c.wait[i+1:]...)
				break
			}
		}
	}
}

// cpu gives a process's user+system seconds.
func cpu(pid int) float64 {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	u, _ := strconv.ParseFloat(f[11], 64)
	s, _ := strconv.ParseFloat(f[12], 64)
	return (u + s) / 100
}

func rss(pid int) int {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, t, _ := strings.Cut(string(b), "VmRSS:")
	f := strings.Fields(t)
	if len(f) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(f[0])
	return n // KiB
}

// runDelay gives the seconds a process's threads were runnable but not running:
// what other processes on its core cost it.
func runDelay(pid int) (d float64) {
	ts, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	for _, t := range ts {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/schedstat", pid, t.Name()))
		if f := strings.Fields(string(b)); len(f) == 3 {
			n, _ := strconv.ParseFloat(f[1], 64)
			d += n / 1e9
		}
	}
	return d
}

// busy gives the busy seconds of one CPU, interrupts included.
func busy(core string) float64 {
	b, _ := os.ReadFile("/proc/stat")
	for _, l := range strings.Split(string(b), "\n") {
		if f := strings.Fields(l); len(f) > 8 && f[0] == core {
			s := 0.0
			for i, v := range f[1:9] {
				n, _ := strconv.ParseFloat(v, 64)
				if i != 3 && i != 4 {
					s += n
				}
			}
			return s / 100
		}
	}
	return 0
}

type result struct {
	Peer       string  `json:"peer"`
	Kind       string  `json:"kind"`
	Rooms      int     `json:"rooms"`
	Players    int     `json:"players"`
	Secs       float64 `json:"secs"`
	Frames     int64   `json:"frames"`
	Delivered  float64 `json:"delivered"`          // of ideal
	CPU        float64 `json:"cpu"`                // server, share of one core
	Core0      float64 `json:"core0"`              // core 0 busy share, interrupts included
	CPUk       float64 `json:"cpu_s_per_1000"`     // server CPU s per 1000 client-updates
	PerClient  float64 `json:"bytes_per_client_s"` // payload
	WireClient float64 `json:"wire_per_client_s"`  // payload + websocket headers
	PerEntity  float64 `json:"bytes_per_entity_update"`
	GapP50     float64 `json:"gap_p50_ms"`
	GapP99     float64 `json:"gap_p99_ms"`
	LatP50     float64 `json:"lat_p50_ms"`
	LatP99     float64 `json:"lat_p99_ms"`
	LatN       int     `json:"lat_n"`
	RSSIdle    int     `json:"rss_idle_kib"`
	RSS        int     `json:"rss_kib"`
	RSSConn    float64 `json:"rss_kib_per_conn"`
	InputRate  float64 `json:"inputs_per_client_s"`
	ClientCPU  float64 `json:"client_cpu"`                 // load client, share of one core
	Wait       float64 `json:"server_wait"`                // share of the window the server was runnable but not run
	ClientWait float64 `json:"client_wait"`                // the same for the load client
	Foreign    float64 `json:"foreign"`                    // other processes on the two cores, in cores
	TickLate   float64 `json:"tick_late_p99_ms,omitempty"` // a bound of it, from the server's own histogram; muster only
	At         string  `json:"at"`
	Fails      int64   `json:"fails"`
	Note       string  `json:"note,omitempty"`
}

func (cl *client) measure(pid, rooms, players int, d time.Duration) result {
	n := float64(rooms * players)
	cl.frames, cl.bytes, cl.wire, cl.inputs = 0, 0, 0, 0
	cl.gaps, cl.lats = hist{}, hist{}
	me := os.Getpid()
	late0 := cl.lateness()
	t0, c0, k0, s0 := time.Now(), cpu(pid), busy("cpu0"), cpu(me)
	w0, v0, j0 := runDelay(pid), runDelay(me), busy("cpu1")
	cl.in.Store(true)
	time.Sleep(d)
	cl.in.Store(false)
	c1, k1, s1, secs := cpu(pid), busy("cpu0"), cpu(me), time.Since(t0).Seconds()
	w1, v1, j1 := runDelay(pid), runDelay(me), busy("cpu1")
	late := bound(late0, cl.lateness(), .99)
	time.Sleep(20 * time.Millisecond)
	f := float64(max(cl.frames, 1))
	return result{
		Kind: "case", Rooms: rooms, Players: players, Secs: secs, Frames: cl.frames,
		Delivered: f / (n * tickRate * secs), CPU: (c1 - c0) / secs, Core0: (k1 - k0) / secs,
		CPUk: (c1 - c0) / f * 1000, PerClient: float64(cl.bytes) / n / secs,
		WireClient: float64(cl.wire) / n / secs, PerEntity: float64(cl.bytes) / f / float64(players),
		GapP50: cl.gaps.q(.5), GapP99: cl.gaps.q(.99), LatP50: cl.lats.q(.5), LatP99: cl.lats.q(.99),
		LatN: cl.lats.t, RSS: rss(pid), InputRate: float64(cl.inputs) / n / secs,
		ClientCPU: (s1 - s0) / secs, Fails: cl.fails.Load(), At: t0.UTC().Format("15:04:05"),
		TickLate: late, Wait: (w1 - w0) / secs, ClientWait: (v1 - v0) / secs, Foreign: (k1 - k0 + j1 - j0 - (c1 - c0) - (s1 - s0)) / secs,
	}
}

// quiet waits until the two cores are under 8% busy for 2 s; false after d.
func quiet(d time.Duration) bool {
	for end := time.Now().Add(d); ; {
		b := busy("cpu0") + busy("cpu1")
		time.Sleep(2 * time.Second)
		if busy("cpu0")+busy("cpu1")-b < .16*2 {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}

// clean tells whether other processes left this window alone. (Wait is no test of
// it: a runtime's own threads wait for each other on the pinned core.)
func (r result) clean() bool { return r.Foreign < .15 }

func waitPort(host string, d time.Duration) error {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if c, err := net.Dial("tcp", host); err == nil {
			c.Close()
			return nil
		}
	}
	return errors.New("server did not listen on " + host)
}
