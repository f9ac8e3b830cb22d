package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"muster/proto/token"

	musterclient "muster/client"
	wire "muster/proto"
)

// musterProto goes the whole way of a player: a player token, a ticket at the lobby, the long poll, the seat token, the
// match's socket; then input packets with repeats of what is not acknowledged, and frames read as far as every block.
//
// Player tokens are signed here with the server's key, as an identity provider would: guests' logins are limited for
// each address, and all clients have one.
type musterProto struct {
	keys  *token.Keys
	lobby string
	http  *http.Client
	r     *wire.Reader // of the loop, as what follows
	w     *wire.Writer
	out   wire.InputPacket
}

// musterConn is what the protocol keeps of a connection.
type musterConn struct {
	frame wire.Frame
	epoch uint64
	event uint32
	sent  []wire.Input // not acknowledged, the newest first
}

// maxRepeats keeps a packet within what the load client writes in one short WebSocket frame.
const maxRepeats = 5

func newMusterProto(host string) *musterProto {
	file := os.Getenv("MUSTER_KEY_FILE")
	key, err := os.ReadFile(file) //nolint:gosec // the caller names it
	if err != nil {
		log.Fatalf("the server's key is needed in MUSTER_KEY_FILE: %v", err)
	}
	keys, err := token.New([]byte(strings.TrimSpace(string(key))), nil)
	if err != nil {
		log.Fatalf("%s: %v", file, err)
	}
	return &musterProto{
		keys: keys, lobby: "http://" + host, r: wire.NewReader(nil), w: wire.NewWriter(),
		http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}, Timeout: 30 * time.Second},
	}
}

// open implements proto. The lobby chooses the room.
func (m *musterProto) open(room, idx int) (path, headers string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	l := &musterclient.Lobby{URL: m.lobby, HTTP: m.http}
	if l.Token, err = m.keys.SignPlayer(token.Player{ID: fmt.Sprintf("p-%d-%d", room, idx), Name: "load"}, time.Hour); err != nil {
		return "", "", err
	}
	ticket, err := l.CreateTicket(ctx, "bench")
	if err != nil {
		return "", "", err
	}
	match, err := l.WaitTicket(ctx, ticket.ID)
	if err != nil {
		return "", "", err
	}
	u, err := url.Parse(match.URL)
	if err != nil {
		return "", "", fmt.Errorf("the match's address: %w", err)
	}
	return u.Path, "Authorization: Bearer " + match.Token + "\r\nSec-WebSocket-Protocol: " + wire.Subprotocol + "\r\n", nil
}

func (m *musterProto) first(int) uint32 { return 0 }

func (m *musterProto) input(b []byte, c *conn, dx, dy int, seq uint32) ([]byte, byte) {
	s := &c.muster
	if len(s.sent) > maxRepeats {
		s.sent = s.sent[:maxRepeats]
	}
	tick := s.frame.Head.Tick
	s.sent = append(s.sent, wire.Input{})
	copy(s.sent[1:], s.sent)
	// As the peers do, the server uses it at its next tick.
	s.sent[0] = wire.Input{Seq: seq, Tick: tick + 1, View: tick, Body: []byte{0x92, byte(int8(dx)), byte(int8(dy))}}
	m.out = wire.InputPacket{Epoch: s.epoch, Last: tick, Event: s.event, Inputs: s.sent}
	m.w.Reset()
	m.out.Append(m.w)
	return append(b, m.w.Bytes()...), 2
}

// message implements proto: it reads the message as strictly as a client does.
func (m *musterProto) message(c *conn, _ byte, p []byte) bool {
	s := &c.muster
	m.r.Reset(p)
	kind, n, err := wire.ServerKind(m.r)
	if err != nil {
		c.fail(err.Error())
		return false
	}
	switch {
	case kind >= wire.KindFrame && kind < wire.KindFrame+16:
		if err = s.frame.Parse(m.r, kind, n); err == nil {
			for len(s.sent) > 0 && s.sent[len(s.sent)-1].Seq <= s.frame.Head.Processed {
				s.sent = s.sent[:len(s.sent)-1]
			}
			return true
		}
	case kind == wire.KindWelcome:
		var w wire.Welcome
		if err = w.Parse(m.r, n); err == nil {
			s.epoch, s.frame.Head.Tick, s.event = w.Epoch, w.Tick, w.Event
			c.ready.Store(true)
		}
	case kind == wire.KindBye:
		var bye wire.Bye
		if err = bye.Parse(m.r, n); err == nil {
			err = fmt.Errorf("bye %d: %s", bye.Code, bye.Reason)
		}
	default:
		err = fmt.Errorf("an unexpected message of kind %d", kind)
	}
	if err != nil {
		c.fail(err.Error())
	}
	return false
}

// acked implements proto: the frame's head says which inputs its state contains.
func (m *musterProto) acked(c *conn, _ []byte, seq uint32) bool {
	return c.muster.frame.Head.Processed >= seq
}
