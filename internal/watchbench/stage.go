package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"muster/client"
	"muster/games/arena"
	"muster/internal/benchproc"
	"muster/internal/pause"
	"muster/proto/token"
)

// secret signs for the server of the benchmark.
const secret = "a signing key for benchmarks, 32 bytes or more" //nolint:gosec // of a server that runs for minutes, on the loopback

// stage is a server and who is there.
type stage struct {
	o      *options
	keys   *token.Keys
	server *benchproc.Process
	host   string // HOST:PORT
	http   *http.Client
	crowds []*benchproc.Process
	slow   *listener

	stop    context.CancelFunc
	playing context.Context //nolint:containedctx // the bots' matches, ended by close
	bots    sync.WaitGroup
	gaps    gaps
}

func newStage(ctx context.Context, o *options) (*stage, error) {
	keys, err := token.New([]byte(secret), nil)
	if err != nil {
		return nil, err
	}
	s := &stage{o: o, keys: keys, slow: &listener{to: o.Err}, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}}
	s.playing, s.stop = context.WithCancel(ctx)
	log, err := os.Create(filepath.Join(o.Dir, "server.log"))
	if err != nil {
		return nil, err
	}
	p, line, err := benchproc.Start(ctx, log, "http://", o.Self, "serve", "--listen", "127.0.0.1:0",
		"--key-file", o.key(), "--log-level", "warn", "--address-rate", "100000", "--slow-after", o.After.String())
	if err != nil {
		s.stop()
		return nil, err
	}
	_, rest, _ := strings.Cut(line, "http://")
	s.server, s.host = p, strings.FieldsFunc(rest, func(r rune) bool { return r == '/' || r == ' ' })[0]
	return s, nil
}

// close ends everything.
func (s *stage) close() {
	s.stop()
	for _, p := range s.crowds {
		p.Kill()
	}
	s.bots.Wait()
	s.server.Kill()
	s.http.CloseIdleConnections()
}

// play fills the rooms with bots, and returns the first.
func (s *stage) play(ctx context.Context) (first string, err error) {
	for r := range s.o.Rooms {
		var made struct {
			Room struct {
				ID string `json:"id"`
			} `json:"room"`
			Match client.Match `json:"match"`
		}
		for p := range 16 {
			name := fmt.Sprintf("p%d-%d", r, p)
			m := made.Match
			if p == 0 {
				err = s.ask(ctx, name, "/v1/rooms", map[string]any{"game": "arena", "public": true}, &made)
				m = made.Match
			} else {
				err = s.ask(ctx, name, "/v1/rooms/"+made.Room.ID+"/join", map[string]any{}, &m)
			}
			if err != nil {
				return "", err
			}
			g := s.gaps.add()
			s.bots.Go(func() {
				_, _ = arena.Bot.Play(s.playing, m, client.Play{ // how it ends is seen by the gaps
					HTTP: s.http, Seed: uint64(p), Observe: client.Observer{Frame: g.frame}, //nolint:gosec // small
				})
			})
		}
		if r == 0 {
			first = made.Room.ID
		}
	}
	return first, nil
}

// watch starts the processes of those who watch a room and are quick.
func (s *stage) watch(ctx context.Context, room string, who int) error {
	for from := 0; from < who; from += perProcess {
		if err := s.crowd(ctx, s.o.Err, room, from, min(perProcess, who-from), 0); err != nil {
			return err
		}
	}
	return nil
}

// watchSlowly starts the process of those who are slow, beside one who is quick, to whom they are compared. It waits until
// keyframes have brought somebody on as often as there are slow ones, or one has been closed, if that is wanted.
func (s *stage) watchSlowly(ctx context.Context, room string, slow int) error {
	before, err := s.metrics(ctx)
	if err != nil {
		return err
	}
	if err := s.crowd(ctx, s.slow, room, s.o.Watch, slow+1, s.o.Rate); err != nil {
		return err
	}
	if err := s.until(ctx, "muster_spectators", float64(s.o.Watch)); err != nil || s.o.Behind == 0 {
		return err
	}
	fmt.Fprintln(s.o.Err, "waiting until the slow ones are brought on")
	for until := time.Now().Add(s.o.Behind); time.Now().Before(until); {
		m, err := s.metrics(ctx)
		if err != nil || broughtOn(before, m, slow) {
			return err
		}
		if err := pause.For(ctx, time.Second); err != nil {
			return err
		}
	}
	fmt.Fprintf(s.o.Err, "within %v fewer were brought on than are slow, and none was closed: is -slow-rate below what is sent?\n", s.o.Behind)
	return nil // the report says how they stand
}

// Metrics that say how slow ones fare.
const (
	skips  = "muster_spectator_skips_total"
	closes = `muster_closes_total{code="slow_reader"}`
)

// broughtOn says whether what a wait is for has happened since before.
func broughtOn(before, now map[string]float64, slow int) bool {
	return now[skips] >= before[skips]+float64(slow) || now[closes] > before[closes]
}

// crowd starts a process of those who watch.
func (s *stage) crowd(ctx context.Context, log io.Writer, room string, from, n, rate int) error {
	p, _, err := benchproc.Start(ctx, log, "coming", s.o.Self, "crowd", "-host", s.host, "-room", room,
		"-from", strconv.Itoa(from), "-n", strconv.Itoa(n), "-rate", strconv.Itoa(rate))
	if err != nil {
		return err
	}
	s.crowds = append(s.crowds, p)
	return nil
}

// until waits until a metric has a value, or nearly: who is closed as slow is about to come again.
func (s *stage) until(ctx context.Context, name string, want float64) error {
	for range 3000 {
		m, err := s.metrics(ctx)
		if err != nil || m[name] >= 0.99*want {
			return err
		}
		if err := pause.For(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s is not %v", name, want)
}

// ask makes a request as a player.
func (s *stage) ask(ctx context.Context, player, path string, body any, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	for range 50 {
		var code int
		var answer []byte
		if code, answer, err = s.do(ctx, http.MethodPost, path, token.Player{ID: player, Name: player}, bytes.NewReader(text)); err != nil {
			return err
		}
		if code/100 == 2 {
			return json.Unmarshal(answer, into)
		}
		err = fmt.Errorf("%s: status %d: %s", path, code, answer)
		if code != http.StatusServiceUnavailable { // else it has just started
			return err
		}
		if e := pause.For(ctx, 200*time.Millisecond); e != nil {
			return e
		}
	}
	return err
}

func (s *stage) do(ctx context.Context, method, path string, as token.Player, body io.Reader) (int, []byte, error) {
	bearer, err := s.keys.SignPlayer(as, time.Hour)
	if err != nil {
		return 0, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+s.host+path, body)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	req.Header.Set("Content-Type", "application/json")
	res, err := s.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	answer, err := io.ReadAll(res.Body)
	return res.StatusCode, answer, errors.Join(err, res.Body.Close())
}

// metrics reads the server's, by name, with labels as they stand there.
func (s *stage) metrics(ctx context.Context) (map[string]float64, error) {
	code, text, err := s.do(ctx, http.MethodGet, "/metrics", token.Player{ID: "operator", Name: "operator", Roles: []string{"admin"}}, http.NoBody)
	if err == nil && code != http.StatusOK {
		err = fmt.Errorf("metrics: status %d", code)
	}
	list := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name != "#" {
			list[name], _ = strconv.ParseFloat(value, 64)
		}
	}
	return list, err
}

// gaps are the longest times between two frames of each bot.
type gaps struct {
	mu   sync.Mutex
	list []*gap
}

type gap struct {
	mu    sync.Mutex
	last  time.Time
	worst time.Duration
}

func (g *gap) frame(at time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.last.IsZero() {
		g.worst = max(g.worst, at.Sub(g.last))
	}
	g.last = at
}

func (g *gaps) add() *gap {
	g.mu.Lock()
	defer g.mu.Unlock()
	one := &gap{}
	g.list = append(g.list, one)
	return one
}

func (g *gaps) each(f func(*gap)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, one := range g.list {
		one.mu.Lock()
		f(one)
		one.mu.Unlock()
	}
}

func (g *gaps) reset() { g.each(func(one *gap) { one.worst = 0 }) }

func (g *gaps) worst() (w time.Duration) {
	g.each(func(one *gap) { w = max(w, one.worst) })
	return w
}
