package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/testprocess"
	"muster/internal/testredis"
	"muster/match"
	"muster/match/cluster"
	"muster/proto/token"
)

// pairGame is what is played in matches of two.
var pairGame = match.Define[neighbourWorld, neighbourInput]("pair", neighbour{}, match.Rules{Seats: 4})

// hallQueues are two queues of the same kind, in which one player may wait at once, one of parties, and one in which nobody
// finds another.
const hallQueues = `queues:
  pair: {game: pair, team_size: 2, connect: 15s}
  other: {game: pair, team_size: 2, connect: 15s}
  four: {game: pair, team_size: 4, connect: 15s}
  alone: {game: pair, team_size: 2, attributes: {mode: {rule: equal, required: true}}}
`

// testSecret is the key of testKeys.
const testSecret = "a signing key for these tests, 32 bytes or more"

// hall is lobbies on one Redis, each a muster process of its own, and players who ask any of them.
type hall struct {
	t     *testing.T
	store *testredis.Server
	rdb   redis.UniversalClient
	dir   *cluster.Directory
	http  *http.Client
	keys  *token.Keys
	key   string // a file
	file  string // of queues

	mu      sync.Mutex
	lobbies []*lobbyProcess

	again atomic.Int64 // requests that were made again
}

// lobbyProcess is one of them.
type lobbyProcess struct {
	*testprocess.Process

	url string
}

// openHall starts a Redis with these options, and lobbies.
func openHall(t *testing.T, lobbies int, args ...string) *hall {
	t.Helper()
	store := testredis.Start(t, args...)
	transport := &http.Transport{MaxIdleConnsPerHost: 256}
	h := &hall{
		t: t, store: store, rdb: store.Connect(), http: &http.Client{Transport: transport}, keys: testKeys(),
		key: filepath.Join(t.TempDir(), "key"), file: filepath.Join(t.TempDir(), "queues.yaml"),
	}
	t.Cleanup(transport.CloseIdleConnections)
	h.dir = cluster.NewDirectory(h.rdb, "muster")
	must(t, os.WriteFile(h.key, []byte(testSecret), 0o600))
	must(t, os.WriteFile(h.file, []byte(hallQueues), 0o600))
	for range lobbies {
		h.start()
	}
	return h
}

// start starts one more lobby.
func (h *hall) start() *lobbyProcess {
	h.t.Helper()
	l := &lobbyProcess{Process: testprocess.Start(h.t, "serve", []string{
		"serve", "--listen", "127.0.0.1:0", "--redis", h.store.URL(), "--key-file", h.key, "--queues", h.file,
		"--address-rate", "100000",
	})}
	l.url = strings.TrimSuffix(l.After(h.t, "lobby "), "/v1")
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lobbies = append(h.lobbies, l)
	return l
}

// end kills a lobby with kill -9.
func (h *hall) end(l *lobbyProcess) {
	h.mu.Lock()
	h.lobbies = slices.DeleteFunc(h.lobbies, func(o *lobbyProcess) bool { return o == l })
	h.mu.Unlock()
	l.Kill()
}

// any is a lobby that lives.
func (h *hall) any() *lobbyProcess {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.lobbies) == 0 {
		return nil
	}
	return h.lobbies[rand.IntN(len(h.lobbies))]
}

// bearer is a player's token.
func (h *hall) bearer(player string, roles ...string) string {
	text, err := h.keys.SignPlayer(token.Player{ID: player, Name: player, Roles: roles}, time.Hour)
	if err != nil {
		panic(err)
	}
	return text
}

// answer is what a lobby said.
type answer struct {
	status int
	header http.Header
	text   []byte
	ticket seenTicket
}

// seenTicket is a ticket as the API shows it.
type seenTicket struct {
	ID     string `json:"id"`
	State  string `json:"state"`
	Reason string `json:"reason"`
	Match  *struct {
		Room  string `json:"room"`
		Token string `json:"token"`
	} `json:"match"`
}

// once makes one request of one lobby.
func (h *hall) once(ctx context.Context, l *lobbyProcess, method, path, player, body, key string) (a answer, err error) {
	req, err := http.NewRequestWithContext(ctx, method, l.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return a, err
	}
	req.Header.Set("Authorization", "Bearer "+h.bearer(player, "admin"))
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := h.http.Do(req)
	if err != nil {
		return a, err
	}
	defer func() { _ = res.Body.Close() }()
	a.status, a.header = res.StatusCode, res.Header
	if a.text, err = io.ReadAll(res.Body); err == nil && strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
		err = json.Unmarshal(a.text, &a.ticket)
	}
	return a, err
}

// ask makes a request of any lobby, and again of another while none answers, or the answer is to come again.
func (h *hall) ask(ctx context.Context, method, path, player, body, key string) (answer, error) {
	for {
		l := h.any()
		if l != nil {
			a, err := h.once(ctx, l, method, path, player, body, key)
			if err == nil && a.status != http.StatusServiceUnavailable && a.status != http.StatusTooManyRequests {
				return a, nil
			}
		}
		h.again.Add(1)
		select {
		case <-ctx.Done():
			return answer{}, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// leader is the lobby that leads a queue, and with which epoch; nil where none says so.
func (h *hall) leader(queue string) (*lobbyProcess, int64) {
	epoch, err := h.rdb.HGet(h.t.Context(), "muster:{queue:"+queue+"}:leader", "epoch").Int64()
	if err != nil {
		return nil, 0
	}
	h.mu.Lock()
	list := slices.Clone(h.lobbies)
	h.mu.Unlock()
	for _, l := range list {
		if int64(h.metric(l, `muster_queue_epoch{queue="`+queue+`"}`)) == epoch {
			return l, epoch
		}
	}
	return nil, 0
}

// metric is one of a lobby's; 0 where there is none.
func (h *hall) metric(l *lobbyProcess, name string) float64 {
	a, err := h.once(h.t.Context(), l, http.MethodGet, "/metrics", "operator", "", "")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(a.text)) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			must(h.t, err)
			return v
		}
	}
	return 0
}

// come takes the seat of a matched ticket, as the token says that the lobby signed. No socket is opened: a match that is
// at a killed process is as good as another for what is counted here.
func (h *hall) come(ctx context.Context, t *seenTicket, player string) error {
	seat, err := h.keys.VerifySeat(t.Match.Token)
	if err != nil {
		return fmt.Errorf("the seat token: %w", err)
	}
	if seat.Room != t.Match.Room || seat.Player != player {
		return fmt.Errorf("the seat token is of %s in %s, want %s in %s", seat.Player, seat.Room, player, t.Match.Room)
	}
	_, err = h.dir.TakeSeat(ctx, seat.Room, seat.Seat, player, seat.ID)
	return err //nolint:wrapcheck // says what it did
}

// fields reads a ticket as Redis has it.
func (h *hall) fields(id string) map[string]string {
	h.t.Helper()
	queue, _, _ := strings.Cut(id, ".")
	f, err := h.rdb.HGetAll(h.t.Context(), "muster:{queue:"+queue+"}:ticket:"+id).Result()
	must(h.t, err)
	return f
}

// kept are keys of which there is one, that does not end.
var kept = []string{
	"muster:{nodes}:live", "muster:{nodes}:info", "muster:{nodes}:leases", // the register: whoever is gone is fenced, and taken out
	"muster:{nodes}:fenced",   // the newest 4096: one who was away for long must hear that he is fenced
	"muster:{nodes}:epoch",    // one number: were it forgotten, epochs could fall
	"muster:{outbox}:results", // capped
}

// endless are the keys that do not end by themselves, but for those that are kept.
func (h *hall) endless() (list []string) {
	h.t.Helper()
	iter := h.rdb.Scan(h.t.Context(), 0, "*", 1000).Iterator()
	for iter.Next(h.t.Context()) {
		key := iter.Val()
		if !slices.Contains(kept, key) && h.rdb.PTTL(h.t.Context(), key).Val() == -1 {
			list = append(list, key)
		}
	}
	must(h.t, iter.Err())
	return list
}
