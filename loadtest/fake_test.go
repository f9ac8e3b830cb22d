package loadtest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"muster/client"
	"muster/netcode"
	"muster/proto"
)

type (
	world struct {
		Dots netcode.Table[dot] `net:"max=8"`
	}
	dot   struct{ X int16 }
	input struct{ DX int8 }
)

const fakeRate = 100 // ticks a second: tests are short

// fakeServer is a lobby and a match node, with a room for every ticket.
type fakeServer struct {
	t       *testing.T
	srv     *httptest.Server
	schema  *netcode.Schema
	tickets atomic.Int64
	deaf    bool       // inputs are never acknowledged
	refuse  func() int // a status for POST /v1/guests, 0 for none
	url     string     // of matches, instead of its own
	lasts   int        // ticks after which a match ends; 0 never
	ends    *proto.Bye // with what
	left    atomic.Int64
}

func startServer(t *testing.T) *fakeServer {
	t.Helper()
	schema, err := netcode.Compile[world, input]()
	if err != nil {
		t.Fatal(err)
	}
	s := &fakeServer{t: t, schema: schema}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/guests", func(w http.ResponseWriter, _ *http.Request) {
		if s.refuse != nil {
			if status := s.refuse(); status != 0 {
				answer(w, status, map[string]any{"title": "no", "detail": "not now"})
				return
			}
		}
		answer(w, 201, map[string]any{"token": "guest"})
	})
	mux.HandleFunc("POST /v1/tickets", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 201, map[string]any{"id": fmt.Sprint("t-", s.tickets.Add(1)), "state": "waiting"})
	})
	mux.HandleFunc("GET /v1/tickets/{id}", func(w http.ResponseWriter, _ *http.Request) {
		url := s.url
		if url == "" {
			url = "ws" + strings.TrimPrefix(s.srv.URL, "http") + "/match"
		}
		answer(w, 200, map[string]any{"state": "matched", "match": map[string]any{"room": "r", "url": url, "token": "seat"}})
	})
	mux.HandleFunc("DELETE /v1/tickets/{id}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })
	mux.HandleFunc("GET /match", s.play)
	s.srv = httptest.NewServer(mux)
	t.Cleanup(s.srv.Close)
	return s
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// play is one match of one player.
func (s *fakeServer) play(w http.ResponseWriter, r *http.Request) {
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{proto.Subprotocol}})
	if err != nil {
		return
	}
	defer func() { _ = ws.CloseNow() }()
	out := proto.NewWriter()
	send := func() bool { return ws.Write(r.Context(), websocket.MessageBinary, out.Bytes()) == nil }
	(&proto.Welcome{
		Version: proto.Version, Room: "r", Game: "dots", Seat: 1, Epoch: 1, Rate: fakeRate, Schema: s.schema.Binary(), Resume: "x",
	}).Append(out)
	if !send() {
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	var newest atomic.Uint32
	var leaving atomic.Bool
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer cancel()
		s.read(ws, &newest, &leaving)
	}()
	enc, view := netcode.NewEncoder(s.schema, netcode.EncoderConfig{}), netcode.View{}
	var state world
	id := state.Dots.Add(dot{})
	var prev *proto.Head
	ticks := time.NewTicker(time.Second / fakeRate)
	defer ticks.Stop()
	bye := &proto.Bye{Code: proto.CodeDone, Reason: "you left the match"}
	for tick := uint32(1); ctx.Err() == nil; tick++ {
		state.Dots.Get(id).X++
		enc.Capture(tick, &state)
		head := &proto.Head{Epoch: 1, Tick: tick, Scopes: []proto.Watch{0}}
		if !s.deaf {
			head.Processed = newest.Load()
			head.Durable = head.Processed
		}
		blocks := enc.Prepare(&view, head.Scopes)
		out.Reset()
		head.Append(out, prev, nil, len(blocks))
		for _, b := range blocks {
			b.Append(out)
		}
		prev = head
		if !send() || leaving.Load() {
			break
		}
		if s.lasts > 0 && int(tick) >= s.lasts {
			bye = s.ends
			break
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
		}
	}
	out.Reset()
	bye.Append(out)
	send()
	_ = ws.CloseNow()
	<-read
}

func (s *fakeServer) read(ws *websocket.Conn, newest *atomic.Uint32, leaving *atomic.Bool) {
	in := proto.NewReader(nil)
	var p proto.InputPacket
	for {
		_, b, err := ws.Read(context.Background())
		if err != nil {
			return
		}
		in.Reset(b)
		switch kind, n, _ := proto.ClientKind(in); kind {
		case proto.KindInput:
			if err := p.Parse(in, n); err != nil {
				s.t.Errorf("a bot sent %x: %v", b, err)
			} else if len(p.Inputs) > 0 {
				newest.Store(p.Inputs[0].Seq)
			}
		case proto.KindLeave:
			s.left.Add(1)
			leaving.Store(true)
		}
	}
}

func testBot() client.Bot {
	return client.NewBot("dots", func() client.Brain[world, input] {
		return func(v *client.BotView[world]) (input, bool) { return input{DX: int8(v.Rand.IntN(3))}, true }
	})
}

// config is a run of half a second.
func (s *fakeServer) config() Config {
	return Config{
		URL: s.srv.URL, Bot: testBot(), Bots: 4, Duration: 400 * time.Millisecond, Warmup: 50 * time.Millisecond,
		Ramp: 20 * time.Millisecond, Join: 5 * time.Second,
	}
}
