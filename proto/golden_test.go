package proto_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"strconv"
	"testing"

	"muster/internal/golden"
	"muster/proto"
)

// vector is one golden message. The TypeScript client checks itself against the same file.
type vector struct {
	Name  string `json:"name"`
	From  string `json:"from"`
	About string `json:"about"`
	Hex   string `json:"hex"`
	// Value is the message as JSON: byte strings are {"bin": hex}, integers beyond ±2^53 are {"int": decimal}.
	Value any `json:"value"`
	// After names the frame whose head this frame's differs from, and Head is the absolute result. Frames only.
	After string      `json:"after,omitempty"`
	Head  *vectorHead `json:"head,omitempty"`
}

type vectorHead struct {
	Epoch     uint64        `json:"epoch"`
	Tick      uint32        `json:"tick"`
	Processed uint32        `json:"processed"`
	Durable   uint32        `json:"durable"`
	Lead      int8          `json:"lead"`
	Scopes    []proto.Watch `json:"scopes"`
}

func vectors(t *testing.T) []vector {
	var list []vector
	for _, s := range samples() {
		b := encode(s.msg)
		list = append(list, vector{Name: s.name, From: s.from, About: s.about, Hex: hex.EncodeToString(b), Value: jsonValue(t, b)})
	}
	var prev *proto.Head
	after := ""
	for _, s := range frameSamples() {
		b := encodeFrame(&s.frame, prev)
		h := s.frame.Head
		list = append(list, vector{
			Name: s.name, From: "server", About: s.about, Hex: hex.EncodeToString(b), Value: jsonValue(t, b), After: after,
			Head: &vectorHead{h.Epoch, h.Tick, h.Processed, h.Durable, h.Lead, h.Scopes},
		})
		prev, after = &h, s.name
	}
	return list
}

// jsonValue converts MessagePack to JSON by its codes alone, apart from the Reader's typed methods.
func jsonValue(t *testing.T, b []byte) any {
	t.Helper()
	r := proto.NewReader(b)
	var read func() any
	read = func() any {
		switch c := b[len(b)-r.Left()]; {
		case c&0xf0 == 0x90, c == 0xdc, c == 0xdd:
			list := []any{}
			for range r.Array("", len(b)) {
				list = append(list, read())
			}
			return list
		case c&0xe0 == 0xa0, c >= 0xd9 && c <= 0xdb:
			return r.Str("", len(b))
		case c >= 0xc4 && c <= 0xc6:
			return map[string]string{"bin": hex.EncodeToString(r.Bin("", len(b)))}
		case c == 0xc2, c == 0xc3:
			return r.Bool("")
		case c <= 0x7f, c >= 0xcc && c <= 0xcf:
			v := r.Uint("", math.MaxUint64)
			if v <= 1<<53 {
				return v
			}
			return map[string]string{"int": strconv.FormatUint(v, 10)}
		default:
			return r.Int("", -1<<53, 1<<53)
		}
	}
	v := read()
	if err := r.Done(); err != nil {
		t.Fatalf("%x: %v", b, err)
	}
	return v
}

// wantGolden compares what is made from the code with the file, or writes the file.
func wantGolden(t *testing.T, file string, v any) {
	t.Helper()
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	golden.Check(t, file, buf.Bytes(), "run go test ./proto -update: the wire has changed")
}

func TestMessagesAreTheGoldenBytes(t *testing.T) {
	wantGolden(t, "testdata/messages.json", vectors(t))
}

func TestGoldenBytesParse(t *testing.T) {
	b, err := os.ReadFile("testdata/messages.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []vector
	if err := json.Unmarshal(b, &list); err != nil {
		t.Fatal(err)
	}
	var f proto.Frame
	for _, v := range list {
		msg, err := hex.DecodeString(v.Hex)
		if err != nil {
			t.Fatal(err)
		}
		if v.Head == nil {
			if _, err := parse(v.From, msg); err != nil {
				t.Errorf("%s: %v", v.Name, err)
			}
			continue
		}
		if err := parseFrame(msg, &f); err != nil {
			t.Errorf("%s: %v", v.Name, err)
		}
		h := vectorHead{f.Head.Epoch, f.Head.Tick, f.Head.Processed, f.Head.Durable, f.Head.Lead, f.Head.Scopes}
		if g, w := show(t, h), show(t, v.Head); g != w {
			t.Errorf("%s: head %s, want %s", v.Name, g, w)
		}
	}
}
