package proto_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"muster/proto"
)

// message is what every message but the frame has.
type message interface {
	Append(w *proto.Writer)
	Parse(r *proto.Reader, n int) error
}

// sample is one message of the protocol with something in each of its elements.
type sample struct {
	name  string
	from  string // "client" or "server"
	about string
	msg   message
}

func samples() []sample {
	return []sample{
		{name: "input", from: "client", about: "two inputs, the newest first, sequences 7 and 6", msg: &proto.InputPacket{
			Epoch: 1_790_000_000_123, Last: 300, Event: 4, Inputs: []proto.Input{
				{Seq: 7, Tick: 303, View: 298, Frac: 128, Body: []byte{0x93, 0xff, 0x01, 0xc3}},
				{Seq: 6, Tick: 302, View: 297, Frac: 0, Body: []byte{0x93, 0x00, 0x01, 0xc2}},
			},
		}},
		{name: "input-empty", from: "client", about: "no input, only what was received", msg: &proto.InputPacket{
			Epoch: 9, Last: 70_000, Event: 0,
		}},
		{name: "ping", from: "client", about: "stamp 2^53+1: a reader must not round it", msg: &proto.Ping{Stamp: 1<<53 + 1}},
		{name: "resync", from: "client", about: "asks for scope 300", msg: &proto.Resync{Scope: 300}},
		{name: "leave", from: "client", about: "gives the seat up", msg: &proto.Leave{}},
		{name: "refresh", from: "client", about: "a newer token of the player", msg: &proto.Refresh{Token: "ddd.eee.fff"}},
		{name: "welcome", from: "server", about: "seat 2 of an arena, an hour before the player's token ends", msg: &proto.Welcome{
			Version: 1, Room: "arena-d1", Game: "arena", Rules: "1", Seat: 2, Player: "alice",
			Epoch: 1_790_000_000_123, Tick: 299, Rate: 20, Inputs: proto.Samples, Seq: 5, Event: 4,
			Schema: []byte{1, 2, 3}, Resume: "aaa.bbb.ccc", Expires: 3600, Kept: 7,
		}},
		{name: "welcome-commands", from: "server", about: "a game of commands; names that are not ASCII", msg: &proto.Welcome{
			Version: 1, Room: "c", Game: "cards", Rules: "2.1", Seat: 0, Player: "Åsa 🂡",
			Epoch: math.MaxUint64, Tick: math.MaxUint32, Rate: 128, Inputs: proto.Commands, Seq: math.MaxUint32,
			Event: math.MaxUint32, Schema: []byte{}, Resume: "", Kept: math.MaxUint32,
		}},
		{name: "events", from: "server", about: "events 5 and 6 of tick 300; the second is a refusal of command 7", msg: &proto.Events{
			Tick: 300, First: 5, List: [][]byte{
				{0x93, 0x01, 0x02, 0x03},
				append([]byte{0x93, 0x00, 0x07, 0xa9}, "not yours"...),
			},
		}},
		{name: "pong", from: "server", about: "tick 300 began half a tick ago", msg: &proto.Pong{
			Stamp: 1<<53 + 1, Tick: 300, Frac: 32768,
		}},
		{name: "end", from: "server", about: "two placements, one with a negative score", msg: &proto.End{
			Tick: 3600, Placements: []proto.Placement{
				{Seat: 2, Player: "alice", Team: 0, Rank: 1, Score: 12},
				{Seat: 1, Player: "bob", Team: 3, Rank: 2, Score: -4},
			},
		}},
		{name: "bye", from: "server", about: "moved to another node", msg: &proto.Bye{
			Code: proto.CodeMoved, Reason: "the match moved", AfterMS: 250, URL: "wss://b.example/v1/match/arena-d1",
		}},
		{name: "refreshed", from: "server", about: "the newer token ends in a day", msg: &proto.Refreshed{Expires: 86_400}},
	}
}

// frameSample is one frame of a socket's sequence: each head differs from the one before.
type frameSample struct {
	name, about string
	frame       proto.Frame
}

func frameSamples() []frameSample {
	head := proto.Head{Epoch: 7, Tick: 300, Processed: 5, Durable: 5, Lead: 2, Scopes: []proto.Watch{0, 2}}
	next := func(tick, processed, durable uint32, lead int8) proto.Head {
		head.Tick, head.Processed, head.Durable, head.Lead = tick, processed, durable, lead
		return head
	}
	list := []frameSample{
		{"frame-first", "absolute: epoch, tick, processed; scopes 0 and 2; two keyframe blocks", proto.Frame{
			Head:   next(300, 5, 5, 2),
			Blocks: []proto.Block{{Scope: 0, Data: []byte{1, 2, 3, 4}}, {Scope: 2, Data: []byte{9}}},
		}},
		{"frame-steady", "one tick and one input later, one block", proto.Frame{
			Head: next(301, 6, 6, 2), Blocks: []proto.Block{{Scope: 0, Data: []byte{5, 6}}},
		}},
		{"frame-idle", "nothing changed and no input was processed", proto.Frame{Head: next(302, 6, 6, 0)}},
		{"frame-durable", "three ticks skipped; inputs up to 9 processed, up to 7 durable; the newest input was late", proto.Frame{
			Head: next(305, 9, 7, -3), Blocks: []proto.Block{{Scope: 0, Data: []byte{7}}},
		}},
		{"frame-hashes", "durable caught up; view hashes of both scopes", proto.Frame{
			Head:   next(306, 9, 9, 1),
			Hashes: []proto.Hash{{Scope: 0, Sum: math.MaxUint64}, {Scope: 2, Sum: 0}},
			Blocks: []proto.Block{{Scope: 2, Data: []byte{8}}},
		}},
	}
	head.Scopes = []proto.Watch{0, 2, 1000}
	list = append(list, frameSample{"frame-scopes", "a third scope", proto.Frame{
		Head: next(307, 9, 9, 1), Blocks: []proto.Block{{Scope: 1000, Data: []byte{1}}},
	}})
	head.Scopes = []proto.Watch{0, 2, proto.Watching(1000, 3)}
	list = append(list, frameSample{"frame-parts", "the third is sent every third tick; a part of a keyframe", proto.Frame{
		Head:   next(308, 9, 9, 1),
		Blocks: []proto.Block{{Scope: 1000, Data: []byte{5, 6}, Part: proto.Part{Tick: 306, From: 2, Size: 9}}},
	}})
	head.Epoch = 8
	list = append(list, frameSample{"frame-epoch", "a new epoch: absolute again, the tick goes back", proto.Frame{
		Head: next(302, 8, 8, 0), Blocks: []proto.Block{{Scope: 0, Data: []byte{}}},
	}})
	return list
}

func encode(m message) []byte {
	w := proto.NewWriter()
	m.Append(w)
	return w.Bytes()
}

// encodeFrame writes a frame that follows prev on its socket; nil: the first.
func encodeFrame(f *proto.Frame, prev *proto.Head) []byte {
	w := proto.NewWriter()
	f.Head.Append(w, prev, f.Hashes, len(f.Blocks))
	for _, b := range f.Blocks {
		b.Append(w)
	}
	return w.Bytes()
}

// parseClient parses a message as a server does.
func parseClient(b []byte) (message, error) {
	r := proto.NewReader(b)
	kind, n, err := proto.ClientKind(r)
	if err != nil {
		return nil, err
	}
	var m message
	switch kind {
	case proto.KindInput:
		m = &proto.InputPacket{}
	case proto.KindPing:
		m = &proto.Ping{}
	case proto.KindResync:
		m = &proto.Resync{}
	case proto.KindLeave:
		m = &proto.Leave{}
	case proto.KindRefresh:
		m = &proto.Refresh{}
	default:
		return nil, fmt.Errorf("unknown kind %d", kind)
	}
	return m, m.Parse(r, n)
}

// parseServer parses a message that is not a frame as a client does.
func parseServer(b []byte) (message, error) {
	r := proto.NewReader(b)
	kind, n, err := proto.ServerKind(r)
	if err != nil {
		return nil, err
	}
	var m message
	switch kind {
	case proto.KindWelcome:
		m = &proto.Welcome{}
	case proto.KindEvents:
		m = &proto.Events{}
	case proto.KindPong:
		m = &proto.Pong{}
	case proto.KindEnd:
		m = &proto.End{}
	case proto.KindBye:
		m = &proto.Bye{}
	case proto.KindRefreshed:
		m = &proto.Refreshed{}
	default:
		return nil, fmt.Errorf("unknown kind %d", kind)
	}
	return m, m.Parse(r, n)
}

// parseFrame parses a frame into f, which holds the one before.
func parseFrame(b []byte, f *proto.Frame) error {
	r := proto.NewReader(b)
	kind, n, err := proto.ServerKind(r)
	if err != nil {
		return err
	}
	if kind < proto.KindFrame || kind > proto.KindFrame+15 {
		return fmt.Errorf("kind %d is not a frame", kind)
	}
	return f.Parse(r, kind, n)
}

func parse(from string, b []byte) (message, error) {
	if from == "client" {
		return parseClient(b)
	}
	return parseServer(b)
}

// show prints a message in one form, in which nil and empty slices are equal.
func show(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	s := string(b)
	for _, f := range []string{"Inputs", "List", "Placements", "Schema", "Hashes", "Blocks", "Scopes"} {
		s = strings.ReplaceAll(s, `"`+f+`":null`, `"`+f+`":[]`)
		s = strings.ReplaceAll(s, `"`+f+`":""`, `"`+f+`":[]`)
	}
	return s
}
