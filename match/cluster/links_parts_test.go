package cluster

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/internal/golden"
)

var linkKey = []byte("a key of thirty-two bytes or more")

// sealed returns an envelope with messages.
func sealed(key []byte, from, to string, stream uint32, seq uint64, msgs ...string) []byte {
	b := appendEnvelope(nil, from, to, stream, seq)
	for _, m := range msgs {
		b = appendMessage(b, []byte(m))
	}
	newSealer(key).seal(b)
	return b
}

// messagesOf returns an envelope's messages.
func messagesOf(e envelope) (list []string) {
	for rest := e.messages; len(rest) > 0; {
		var m []byte
		m, rest, _ = cutMessage(rest)
		list = append(list, string(m))
	}
	return list
}

func TestEnvelopesLookAsTheyAlwaysDid(t *testing.T) {
	var b strings.Builder
	for _, e := range []struct {
		what string
		data []byte
	}{
		{"a sign of life: a to b, stream 1, seq 1", sealed(linkKey, "a", "b", 1, 1)},
		{"node-1 to node-22, stream 7, seq 2^40, messages 'one', '', 200 x", sealed(linkKey, "node-1", "node-22", 7, 1<<40, "one", "", strings.Repeat("x", 200))},
	} {
		fmt.Fprintf(&b, "%s\n%s", e.what, hex.Dump(e.data))
	}
	const file = "testdata/envelopes.txt"
	golden.Check(t, file, []byte(b.String()), "its version must change, too: go test ./match/cluster -update")
}

func TestEnvelopeIsReadAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.StringN(1, 16, maxNodeID)
		from, to := id.Draw(t, "from"), id.Draw(t, "to")
		stream, seq := rapid.Uint32().Draw(t, "stream"), rapid.Uint64().Draw(t, "seq")
		msgs := rapid.SliceOfN(rapid.StringN(0, 300, -1), 0, 5).Draw(t, "messages")
		e, err := newSealer(linkKey).open(sealed(linkKey, from, to, stream, seq, msgs...))
		if err != nil || string(e.from) != from || string(e.to) != to || e.stream != stream || e.seq != seq {
			t.Fatalf("read %+v, %v", e, err)
		}
		if got := messagesOf(e); fmt.Sprint(got) != fmt.Sprint(msgs) || len(got) != len(msgs) {
			t.Fatalf("read %q, want %q", got, msgs)
		}
	})
}

func TestEnvelopeThatWasTouchedAnywhereIsRefused(t *testing.T) {
	good := sealed(linkKey, "a", "b", 1, 2, "message")
	s := newSealer(linkKey)
	if _, err := s.open(good); err != nil {
		t.Fatal(err)
	}
	for i := range good {
		for bit := range 8 {
			bad := bytes.Clone(good)
			bad[i] ^= 1 << bit
			want := errEnvelopeMAC
			if i == 0 {
				want = errEnvelopeVersion
			}
			if _, err := s.open(bad); !errors.Is(err, want) {
				t.Errorf("bit %d of byte %d turned: %v, want %v", bit, i, err, want)
			}
		}
		if _, err := s.open(good[:i]); err == nil {
			t.Errorf("%d of %d bytes were taken", i, len(good))
		}
	}
	if _, err := s.open(append(bytes.Clone(good), 0)); !errors.Is(err, errEnvelopeMAC) {
		t.Errorf("a byte more: %v", err)
	}
	if _, err := newSealer([]byte("another key")).open(good); !errors.Is(err, errEnvelopeMAC) {
		t.Errorf("with another key: %v", err)
	}
}

// FuzzEnvelope opens what has a good MAC as well as what has none: a node of another release may have made it.
func FuzzEnvelope(f *testing.F) {
	f.Add(sealed(linkKey, "a", "b", 1, 1))
	f.Add(sealed(linkKey, "node-1", "node-22", 7, 9, "one", "", "three"))
	f.Add(append(appendEnvelope(nil, "a", "b", 1, 1), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := newSealer(linkKey)
		_, _ = s.open(b)
		if len(b) < envelopeHead {
			return
		}
		b = bytes.Clone(b)
		b[0] = envelopeVersion
		s.seal(b)
		e, err := s.open(b)
		if err != nil {
			if !errors.Is(err, errEnvelope) {
				t.Errorf("a sealed envelope: %v", err)
			}
			return
		}
		n := len(e.messages)
		for rest := e.messages; len(rest) > 0; {
			m, next, ok := cutMessage(rest)
			if !ok || len(m)+len(next) >= len(rest) {
				t.Fatal("its messages have no end")
			}
			rest, n = next, n-len(rest)+len(next)
		}
		if n != 0 {
			t.Errorf("%d bytes are no message's", n)
		}
	})
}

func TestWindowTakesEachNumberOnceAndKnowsWhatIsMissing(t *testing.T) {
	type step struct {
		stream  uint32
		seq     uint64
		ok, gap bool
	}
	for name, steps := range map[string][]step{
		"in order":              {{1, 1, true, false}, {1, 2, true, false}, {1, 3, true, false}},
		"doubled":               {{1, 1, true, false}, {1, 1, false, false}, {1, 2, true, false}, {1, 1, false, false}},
		"lost":                  {{1, 1, true, false}, {1, 3, true, true}, {1, 4, true, false}},
		"late":                  {{1, 1, true, false}, {1, 3, true, true}, {1, 2, false, false}, {1, 4, true, false}},
		"the first is lost":     {{1, 2, true, true}, {1, 3, true, false}},
		"the peer began anew":   {{1, 1, true, false}, {4, 1, true, true}, {4, 2, true, false}},
		"and its first is lost": {{1, 1, true, false}, {4, 2, true, true}, {4, 3, true, false}},
		"of a stream before":    {{4, 1, true, false}, {1, 9, false, false}, {4, 2, true, false}},
		"the last number":       {{1, ^uint64(0), true, true}, {1, 0, false, false}, {1, 1, false, false}},
	} {
		var w window
		for i, s := range steps {
			if ok, gap := w.take(s.stream, s.seq); ok != s.ok || gap != s.gap {
				t.Errorf("%s, step %d: taken %v, gap %v, want %v, %v", name, i, ok, gap, s.ok, s.gap)
			}
		}
	}
}

func TestForgottenPeersBeginAnewOnlyWithWhatIsNew(t *testing.T) {
	past := pastPeers{}
	w := past.take("a")
	for seq := range uint64(3) {
		w.take(5, seq+1)
	}
	past.add("a", w)
	for name, s := range map[string]struct {
		stream  uint32
		seq     uint64
		ok, gap bool
	}{
		"what came last":         {5, 3, false, false},
		"an older stream":        {4, 9, false, false},
		"the next":               {5, 4, true, false},
		"a later one":            {5, 6, true, true},
		"a new stream":           {9, 1, true, false},
		"a new one's later part": {9, 2, true, true},
	} {
		w := past.take("a")
		past.add("a", w)
		if ok, gap := w.take(s.stream, s.seq); ok != s.ok || gap != s.gap {
			t.Errorf("%s: taken %v, gap %v, want %v, %v", name, ok, gap, s.ok, s.gap)
		}
	}
	past.add("never heard", window{})
	for n := range maxPast + 5 {
		past.add(fmt.Sprint("node-", n), w)
	}
	if n := len(past); n != maxPast {
		t.Errorf("%d are kept", n)
	}
}

// A line loses, doubles and delays what a queue that is sometimes full makes. What comes out is a part of what went in, in
// its order and once, and a gap stands exactly where something of it is missing.
func TestWhateverTheLineDoesGapsTellWhatIsMissing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := linkQueue{from: "a", to: "b", stream: 1}
		s := newSealer(linkKey)
		var line [][]byte // what is under way
		for n := range rapid.IntRange(1, 60).Draw(t, "messages") {
			if rapid.IntRange(0, 9).Draw(t, "full") == 0 {
				q.lose()
			} else if !q.add([]byte{byte(n)}) {
				t.Fatal("a small message found no room")
			}
			if rapid.IntRange(0, 2).Draw(t, "flush") == 0 {
				line, _ = q.take(line, laneBytes)
			}
		}
		line, _ = q.take(line, laneBytes)
		var w window
		next := 0 // the message that should come next, if none is lost
		for len(line) > 0 {
			i := 0
			if len(line) > 1 && rapid.IntRange(0, 4).Draw(t, "late") == 0 {
				i = 1
			}
			b := line[i]
			switch rapid.IntRange(0, 9).Draw(t, "fate") {
			case 0: // doubled
			case 1: // lost
				line = append(line[:i:i], line[i+1:]...)
				continue
			default:
				line = append(line[:i:i], line[i+1:]...)
			}
			s.seal(b)
			e, err := s.open(b)
			if err != nil {
				t.Fatal(err)
			}
			ok, gap := w.take(e.stream, e.seq)
			if !ok {
				continue
			}
			for _, m := range messagesOf(e) {
				got := int(m[0])
				if got < next {
					t.Fatalf("message %d came after %d", got, next-1)
				}
				if (got > next) != gap {
					t.Fatalf("message %d came, %d was next, gap: %v", got, next, gap)
				}
				next, gap = got+1, false
			}
		}
	})
}

func TestQueueIsBoundedAndWhatItDropsLeavesAHole(t *testing.T) {
	q := linkQueue{from: "a", to: "b", stream: 1}
	big := make([]byte, 100_000)
	n := 0
	for q.add(big) {
		n++
	}
	if q.bytes > linkQueueBytes+envelopeSize || n < linkQueueBytes/len(big)-1 {
		t.Errorf("%d messages, %d bytes wait", n, q.bytes)
	}
	for range 10 {
		if q.add(big) {
			t.Fatal("it has room again")
		}
	}
	list, size := q.take(nil, 1<<30)
	if size < n*len(big) || q.bytes != 0 || len(q.list) != 0 {
		t.Errorf("took %d bytes, %d are left", size, q.bytes)
	}
	if !q.add([]byte("after")) {
		t.Fatal("it has no room")
	}
	list, _ = q.take(list, 1<<30)
	var w window
	s := newSealer(linkKey)
	for i, b := range list {
		s.seal(b)
		e, err := s.open(b)
		if err != nil || len(b) > envelopeSize {
			t.Fatalf("envelope %d of %d bytes: %v", i, len(b), err)
		}
		if ok, gap := w.take(e.stream, e.seq); !ok || gap != (i == len(list)-1) {
			t.Errorf("envelope %d of %d: taken %v, gap %v", i, len(list), ok, gap)
		}
	}
}

func TestMessageMayBeLargerThanAnEnvelopeGrowsButNotWithoutBound(t *testing.T) {
	q := linkQueue{from: "a", to: "b", stream: 1}
	if !q.add([]byte("small")) || !q.add(make([]byte, MaxLinkMessage)) || !q.add([]byte("small")) {
		t.Error("a message of the largest size was dropped")
	}
	if len(q.list) != 3 {
		t.Errorf("%d envelopes, want the large one alone", len(q.list))
	}
	if q.add(make([]byte, MaxLinkMessage+1)) {
		t.Error("a larger one was taken")
	}
}

func TestQueueAndEnvelopeAllocateNothingOnceTheyHaveRun(t *testing.T) {
	q := linkQueue{from: "node-a", to: "node-b", stream: 1}
	s := newSealer(linkKey)
	msg := make([]byte, 500)
	var list [][]byte
	var w window
	n := testing.AllocsPerRun(100, func() {
		for range 20 {
			q.add(msg)
		}
		list, _ = q.take(list[:0], laneBytes)
		for _, b := range list {
			s.seal(b)
			e, err := s.open(b)
			if ok, _ := w.take(e.stream, e.seq); !ok || err != nil {
				t.Fatal(ok, err)
			}
			q.recycle(b)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
