package proto_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"muster/internal/golden"
	"muster/netcode"
	"muster/proto"
)

// example makes the messages of PROTOCOL.md's worked example, by name.
func example(t *testing.T) map[string][]byte {
	t.Helper()
	type (
		Dot struct {
			X      float32 `net:"range=0:100,step=0.5"`
			Facing float32 `net:"angle,bits=8"`
			Owner  netcode.Seat
			Name   string `net:"max=8"`
			Ammo   uint8  `net:"owner"`
			Plan   uint32 `net:"server"`
		}
		Round struct{ Left uint16 }
		World struct {
			Dots  netcode.Table[Dot] `net:"max=4"`
			Round netcode.Value[Round]
		}
		Input struct {
			DX   int8
			Fire bool
		}
		Hit struct{ By netcode.Seat }
	)
	schema, err := netcode.Compile[World, Input](Hit{})
	if err != nil {
		t.Fatal(err)
	}
	made := map[string][]byte{"schema": schema.Binary()}
	made["welcome"] = encode(&proto.Welcome{
		Version: proto.Version, Room: "r1", Game: "dots", Rules: "1", Seat: 2, Player: "ada", Epoch: 9, Tick: 300, Rate: 20,
		Inputs: proto.Samples, Seq: 0, Event: 0, Schema: schema.Binary(), Resume: "a.b.c", Expires: 3600,
	})

	var world World
	enc, view, plain := netcode.NewEncoder(schema, netcode.EncoderConfig{}), netcode.View{}, netcode.View{Plain: true}
	var prev *proto.Head
	frame := func(name string, h proto.Head, hashes bool) {
		enc.Capture(h.Tick, &world)
		h.Epoch, h.Scopes = 9, enc.Scopes(2)
		blocks := enc.Prepare(&view, h.Scopes)
		var sums []proto.Hash
		if hashes {
			sums = enc.Hashes(&view)
		}
		w := proto.NewWriter()
		h.Append(w, prev, sums, len(blocks))
		for _, b := range blocks {
			b.Append(w)
			made[fmt.Sprintf("%s%d", map[uint16]string{0: "room", 2: "seat"}[b.Scope], h.Tick)] = append([]byte(nil), b.Data...)
		}
		made[name], prev = w.Bytes(), &h
		if h.Tick > 302 {
			return
		}
		for _, b := range enc.Prepare(&plain, h.Scopes) {
			made[fmt.Sprintf("plain%s%d", map[uint16]string{0: "Room", 2: "Seat"}[b.Scope], h.Tick)] = append([]byte(nil), b.Data...)
		}
	}
	bob := world.Dots.Add(Dot{X: 10, Owner: 1, Name: "bob", Ammo: 3})
	ada := world.Dots.Add(Dot{X: 99.6, Facing: 1.6, Owner: 2, Name: "ada", Ammo: 7, Plan: 1})
	world.Round.V.Left = 600
	frame("keyframe", proto.Head{Tick: 300}, false)

	body := proto.NewWriter()
	if err := schema.WriteInput(body, &Input{DX: -1, Fire: true}); err != nil {
		t.Fatal(err)
	}
	made["input"] = encode(&proto.InputPacket{Epoch: 9, Last: 300, Event: 0, Inputs: []proto.Input{
		{Seq: 1, Tick: 302, View: 300, Frac: 128, Body: body.Bytes()},
	}})

	row := world.Dots.Get(ada)
	row.X, row.Facing, row.Ammo = 99, -0.1, 6
	world.Dots.Remove(bob)
	frame("change", proto.Head{Tick: 302, Processed: 1, Durable: 1, Lead: 1}, true)
	row.X, row.Facing, row.Ammo = 98.5, -0.2, 5
	frame("onward", proto.Head{Tick: 304, Processed: 1, Durable: 1}, false)
	frame("still", proto.Head{Tick: 305, Processed: 1, Durable: 1}, false)

	body.Reset()
	if err := schema.WriteEvent(body, Hit{By: 2}); err != nil {
		t.Fatal(err)
	}
	made["events"] = encode(&proto.Events{Tick: 302, First: 1, List: [][]byte{body.Bytes()}})
	made["bye"] = encode(&proto.Bye{Code: proto.CodeNodeLeaving, Reason: "deploy", AfterMS: 250})
	return made
}

const page = "PROTOCOL.md"

// TestTheWorkedExampleIsWhatTheCodeMakes compares each block of hex, and of bits, on the page.
func TestTheWorkedExampleIsWhatTheCodeMakes(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	made := example(t)
	shown := map[string][]byte{}
	for _, block := range exampleBlock.FindAllStringSubmatch(string(text), -1) {
		name, parse := block[2], parseHex
		if block[1] == "bits" {
			parse = parseBits
		}
		b, err := parse(block[3], shown)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		shown[name] = b
		if !bytes.Equal(b, made[name]) {
			t.Errorf("%s is on the page as\n% x\nand the code makes\n% x", name, b, made[name])
		}
	}
	for name := range made {
		if shown[name] == nil {
			t.Errorf("%s is not on the page: % x", name, made[name])
		}
	}
}

var (
	exampleBlock = regexp.MustCompile("(?s)\n```(hex|bits) (\\w+)\n(.*?)```\n")
	hexLine      = regexp.MustCompile(`^([0-9a-f]{2}(?: [0-9a-f]{2})*)(?:  +\S.*)?$`)
	bitsLine     = regexp.MustCompile(`^([01]+(?: [01]+)*)(?:  +\S.*)?$`)
)

// parseHex reads lines of bytes, each with words behind at least two spaces; @name stands for another block.
func parseHex(text string, blocks map[string][]byte) (out []byte, err error) {
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if name, ok := strings.CutPrefix(line, "@"); ok {
			out = append(out, blocks[name]...)
			continue
		}
		m := hexLine.FindStringSubmatch(line)
		if m == nil {
			return out, fmt.Errorf("no bytes and words: %q", line)
		}
		b, err := hex.DecodeString(strings.ReplaceAll(m[1], " ", ""))
		if err != nil {
			return out, err
		}
		out = append(out, b...)
	}
	return out, nil
}

// parseBits reads lines of bits in the order in which they are sent, each with words behind at least two spaces.
func parseBits(text string, _ map[string][]byte) (out []byte, err error) {
	n := 0
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		m := bitsLine.FindStringSubmatch(line)
		if m == nil {
			return out, fmt.Errorf("no bits and words: %q", line)
		}
		for _, bit := range strings.ReplaceAll(m[1], " ", "") {
			if n%8 == 0 {
				out = append(out, 0)
			}
			if bit == '1' {
				out[n/8] |= 1 << (n % 8)
			}
			n++
		}
	}
	return out, nil
}

// TestThePageHasTheTableOfCodes compares the table of close codes; -update writes it.
func TestThePageHasTheTableOfCodes(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	const from, to = "<!-- codes -->\n", "<!-- end of codes -->\n"
	before, rest, ok1 := strings.Cut(string(text), from)
	table, after, ok2 := strings.Cut(rest, to)
	if !ok1 || !ok2 {
		t.Fatal("the page has no place for the table of codes")
	}
	var want strings.Builder
	want.WriteString("| code | name | a client | meaning |\n|---|---|---|---|\n")
	for _, c := range proto.Codes {
		fmt.Fprintf(&want, "| %d | %s | %s | %s |\n", c.Code, c.Name, c.Code.Action(), c.Meaning)
	}
	if golden.Update() {
		if err := os.WriteFile(page, []byte(before+from+want.String()+to+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if table != want.String() {
		t.Errorf("the table of close codes on the page is\n%s\nand should be\n%s; go test ./proto -update writes it", table, want.String())
	}
}

// TestThePageNamesTheBounds holds the numbers on the page to the constants.
func TestThePageNamesTheBounds(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for what, want := range map[string]int{
		"more than 8 KiB (%d bytes)":                       proto.MaxClientMessage,
		"has at most 1 MiB (%d bytes)":                     proto.MaxServerMessage,
		"| `room` | text(%d) |":                            proto.MaxID,
		"| `schema` | bin(%d) |":                           proto.MaxSchema,
		"| `resume` | text(%d) |":                          proto.MaxToken,
		"`token` text(%d): a newer":                        proto.MaxToken,
		"array of at most %d | newest first":               proto.MaxInputs,
		"| `body` | at most %d bytes":                      proto.MaxInputBody,
		"then 1 to %d events":                              proto.MaxEvents,
		"| `scopes` | scopes | array of at most %d uint24": proto.MaxScopes,
		"`every`,\nfrom 1 to %d":                           proto.MaxEvery,
		"keyframe, of at most\n%d bytes, in parts":         proto.MaxKeyframe,
		"**version %d**":                                   proto.Version,
	} {
		if s := fmt.Sprintf(what, want); !strings.Contains(string(text), s) {
			t.Errorf("the page lacks %q", s)
		}
	}
	for _, s := range []string{"`" + proto.Subprotocol + ", " + proto.BearerPrefix + "TOKEN`"} {
		if !strings.Contains(string(text), s) {
			t.Errorf("the page lacks %q", s)
		}
	}
	last := 0
	for _, m := range regexp.MustCompile(`(?m)^\[(\d+)\] `).FindAllStringSubmatch(string(text), -1) {
		if n, _ := strconv.Atoi(m[1]); n != last+1 {
			t.Errorf("rule %d follows rule %d", n, last)
		} else {
			last = n
		}
	}
	if last == 0 {
		t.Error("the page has no numbered rules")
	}
}
