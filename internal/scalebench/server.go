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
	"time"

	"github.com/redis/go-redis/v9"

	"muster/client"
	"muster/internal/benchproc"
	"muster/internal/pause"
	"muster/match/cluster"
	"muster/proto/token"
)

// secret signs for the servers of the benchmark.
const secret = "a signing key for benchmarks, 32 bytes or more" //nolint:gosec // of servers that run for minutes, on the loopback

// stage is a Redis and servers on it.
type stage struct {
	o     *options
	keys  *token.Keys
	redis *benchproc.Process
	rdb   redis.UniversalClient
	url   string // of Redis
	nodes []*node
	http  *http.Client
	names int // players so far
}

// node is a server.
type node struct {
	*benchproc.Process
	host string // HOST:PORT
}

func newStage(ctx context.Context, o *options) (*stage, error) {
	keys, err := token.New([]byte(secret), nil)
	if err != nil {
		return nil, err
	}
	db, addr, err := benchproc.Redis(ctx, o.Dir)
	if err != nil {
		return nil, err
	}
	s := &stage{o: o, keys: keys, redis: db, url: "redis://" + addr, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}}
	if s.rdb, err = cluster.Connect(ctx, s.url); err != nil {
		db.Kill()
		return nil, err
	}
	return s, nil
}

// close ends everything.
func (s *stage) close() {
	for _, n := range s.nodes {
		n.Kill()
	}
	s.http.CloseIdleConnections()
	_ = s.rdb.Close()
	s.redis.Kill()
}

// serve starts one more server.
func (s *stage) serve(ctx context.Context, role string) (*node, error) {
	log, err := os.Create(filepath.Join(s.o.Dir, "server-"+strconv.Itoa(len(s.nodes))+".log"))
	if err != nil {
		return nil, err
	}
	p, line, err := benchproc.Start(ctx, log, "http://", s.o.Self, "serve", "--listen", "127.0.0.1:0", "--redis", s.url, "--role", role,
		"--key-file", filepath.Join(s.o.Dir, "key"), "--log-level", "warn", "--address-rate", "100000")
	if err != nil {
		return nil, err
	}
	_, rest, _ := strings.Cut(line, "http://")
	host := strings.FieldsFunc(rest, func(r rune) bool { return r == '/' || r == ' ' })[0]
	n := &node{p, host}
	s.nodes = append(s.nodes, n)
	return n, nil
}

// ask makes a request as a player of a lobby.
func (s *stage) ask(ctx context.Context, n *node, player, path string, body any, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	bearer, err := s.keys.SignPlayer(token.Player{ID: player, Name: player}, time.Hour)
	if err != nil {
		return err
	}
	for tries := 0; ; tries++ {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+n.host+path, bytes.NewReader(text))
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+bearer)
		req.Header.Set("Content-Type", "application/json")
		res, err := s.http.Do(req)
		if err != nil {
			return err
		}
		answer, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		switch {
		case err != nil:
			return err
		case res.StatusCode/100 == 2:
			return json.Unmarshal(answer, into)
		case res.StatusCode == http.StatusServiceUnavailable && tries < 50: // it has just started
			if err := pause.For(ctx, 200*time.Millisecond); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s: status %d: %s", path, res.StatusCode, answer)
		}
	}
}

// metric reads one of a server's; 0 where there is none.
func (s *stage) metric(ctx context.Context, n *node, name string) (float64, error) {
	bearer, err := s.keys.SignPlayer(token.Player{ID: "operator", Name: "operator", Roles: []string{"admin"}}, time.Hour)
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.host+"/metrics", http.NoBody)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	res, err := s.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("metrics: status %d", res.StatusCode)
	}
	_, rest, _ := strings.Cut(string(text), "\n"+name+" ")
	value, _, _ := strings.Cut(rest, "\n")
	v, _ := strconv.ParseFloat(strings.TrimSpace(value), 64) // absent: none
	return v, err
}

// made is a room of the benchmark.
type made struct {
	Room struct {
		ID string `json:"id"`
	} `json:"room"`
	Match client.Match `json:"match"`
}

// seat brings a player into a room, a new one where room is nil, by the lobby of n, and dials it at the server door.
func (s *stage) seat(ctx context.Context, n, door *node, game string, room *made) (client.Match, *made, error) {
	s.names++
	name := "p" + strconv.Itoa(s.names)
	if room == nil {
		room = &made{}
		if err := s.ask(ctx, n, name, "/v1/rooms", map[string]any{"game": game, "public": true}, room); err != nil {
			return client.Match{}, nil, err
		}
		return at(room.Match, door), room, nil
	}
	var m client.Match
	err := s.ask(ctx, n, name, "/v1/rooms/"+room.Room.ID+"/join", map[string]any{}, &m)
	return at(m, door), room, err
}

// at is a match by another door.
func at(m client.Match, door *node) client.Match {
	scheme, rest, _ := strings.Cut(m.URL, "://")
	_, path, _ := strings.Cut(rest, "/")
	m.URL = scheme + "://" + door.host + "/" + path
	return m
}

// usage is what everything has used.
type usage struct {
	at       time.Time
	nodes    []time.Duration
	redis    time.Duration
	self     time.Duration
	machine  time.Duration
	sent     int64     // commands that came to Redis by themselves
	commands int64     // those within scripts, too
	links    []float64 // envelopes that each server sent to the others
}

func (s *stage) usage(ctx context.Context) (u usage, err error) {
	for _, n := range s.nodes {
		one, err := benchproc.UsageOf(n.PID())
		if err != nil {
			return u, err
		}
		u.nodes = append(u.nodes, one.CPU)
	}
	self, err1 := benchproc.UsageOf(os.Getpid())
	db, err2 := benchproc.UsageOf(s.redis.PID())
	busy, err3 := benchproc.MachineBusy()
	u.self, u.redis, u.machine, u.at = self.CPU, db.CPU, busy, time.Now()
	by, err4 := commandStats(ctx, s.rdb)
	for _, n := range s.nodes {
		sent, err := s.metric(ctx, n, "muster_links_sent_total")
		if err != nil {
			return u, err
		}
		u.links = append(u.links, sent)
	}
	for name, n := range by {
		u.commands += n
		if direct[name] {
			u.sent += n
		}
	}
	return u, errors.Join(err1, err2, err3, err4)
}

// direct are commands that servers send and no script of theirs does.
var direct = map[string]bool{"evalsha": true, "eval": true, "publish": true, "spublish": true, "ping": true}

// commandStats are how often each command ran.
func commandStats(ctx context.Context, rdb redis.UniversalClient) (map[string]int64, error) {
	text, err := rdb.Info(ctx, "commandstats").Result()
	if err != nil {
		return nil, fmt.Errorf("reading what Redis ran: %w", err)
	}
	by := map[string]int64{}
	for line := range strings.Lines(text) {
		name, rest, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "cmdstat_"), ":calls=")
		count, _, _ := strings.Cut(rest, ",")
		if n, err := strconv.ParseInt(count, 10, 64); ok && err == nil {
			by[name] = n
		}
	}
	return by, nil
}

// spent is what was used between two looks, by the second.
type spent struct {
	secs                float64
	nodes               []float64 // cores
	redis, self, others float64   // cores
	sent, commands      float64   // a second
	links               []float64 // a second
}

func (u usage) since(before usage) spent {
	s := spent{secs: u.at.Sub(before.at).Seconds()}
	all := 0.0
	for i := range u.nodes {
		n := (u.nodes[i] - before.nodes[i]).Seconds() / s.secs
		s.nodes, all = append(s.nodes, n), all+n
		s.links = append(s.links, (u.links[i]-before.links[i])/s.secs)
	}
	s.redis, s.self = (u.redis-before.redis).Seconds()/s.secs, (u.self-before.self).Seconds()/s.secs
	s.others = max(0, (u.machine-before.machine).Seconds()/s.secs-all-s.redis-s.self)
	s.sent, s.commands = float64(u.sent-before.sent)/s.secs, float64(u.commands-before.commands)/s.secs
	return s
}

// window measures for the time of one window.
func (s *stage) window(ctx context.Context) (spent, error) {
	before, err := s.usage(ctx)
	if err == nil {
		err = pause.For(ctx, s.o.Window)
	}
	if err != nil {
		return spent{}, err
	}
	after, err := s.usage(ctx)
	return after.since(before), err
}
