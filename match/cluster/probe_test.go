package cluster_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"muster/internal/golden"
	"muster/match/cluster"
	"muster/match/cluster/ownership"
)

var probeKey = []byte("the deployment's key")

func someQuestion() cluster.Question {
	return cluster.Question{
		Kind: ownership.MayIGoOn, Asker: "asker", Asked: "a", Number: 7, TTL: lease, Nonce: [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
	}
}

// post sends bytes to a member as a peer would.
func post(m http.Handler, body []byte) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	m.ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), http.MethodPost, cluster.ProbePath, bytes.NewReader(body)))
	return w
}

func TestQuestionHasTheFormThatPeersOfOtherReleasesKnow(t *testing.T) {
	got := cluster.SealQuestion(probeKey, someQuestion())
	const file = "testdata/probe.hex"
	if golden.Update() {
		must(t, os.WriteFile(file, []byte(hexLines(got)), 0o600))
	}
	want, err := os.ReadFile(file)
	must(t, err)
	if diff := cmp.Diff(string(want), hexLines(got)); diff != "" {
		t.Errorf("the question's form differs (-file +now):\n%s", diff)
	}
}

func hexLines(b []byte) string {
	var s strings.Builder
	for chunk := range slices.Chunk(b, 16) {
		for i, c := range chunk {
			if i > 0 {
				s.WriteByte(' ')
			}
			const digits = "0123456789abcdef"
			s.WriteByte(digits[c>>4])
			s.WriteByte(digits[c&15])
		}
		s.WriteByte('\n')
	}
	return s.String()
}

// Whoever has not the deployment's key learns nothing and changes nothing, whatever he sends.
func TestProbesOfStrangersAreRefusedAlike(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		n := newPeerNet()
		a := n.join(t, rdb, "a")
		good := cluster.SealQuestion(probeKey, someQuestion())
		if w := post(a, good); w.Code != http.StatusOK || w.Body.Len() != 33 {
			t.Fatalf("a peer's question is answered with %d, %d bytes", w.Code, w.Body.Len())
		}
		flipped := func(i int) []byte {
			b := slices.Clone(good)
			b[i] ^= 1
			return b
		}
		long := someQuestion()
		long.Asker = strings.Repeat("x", 65)
		other := someQuestion()
		other.Kind = 9
		late := someQuestion()
		late.TTL = 2 * time.Minute
		for name, body := range map[string][]byte{
			"nothing": nil, "garbage": []byte("garbage"), "another key's": cluster.SealQuestion([]byte("another key"), someQuestion()),
			"a flipped bit": flipped(5), "a flipped bit of the MAC": flipped(len(good) - 1), "cut short": good[:len(good)-1],
			"too long": append(slices.Clone(good), 0), "huge": bytes.Repeat([]byte{0x93}, 1<<20), "of a long id": cluster.SealQuestion(probeKey, long),
			"of an unknown kind": cluster.SealQuestion(probeKey, other), "of a lease too long": cluster.SealQuestion(probeKey, late),
			"an answer": post(a, cluster.SealQuestion(probeKey, cluster.Question{Kind: ownership.AreYouThere, Asker: "x", Asked: "a", Number: 1, TTL: lease})).Body.Bytes(),
		} {
			w := post(a, body)
			if w.Code != http.StatusForbidden || w.Body.String() != "forbidden\n" {
				t.Errorf("%s: %d %q, want 403 and nothing else", name, w.Code, w.Body)
			}
		}
		if _, err := cluster.NewNodes(rdb, ns, nil).Live(t.Context()); err != nil || !a.runs() {
			t.Errorf("the node runs: %v (%v)", a.runs(), err)
		}
	})
}

// A question counts once, for the incarnation that it names: else whoever has recorded one could keep a node from ever
// being fenced, or paused.
func TestRecordedQuestionIsGoodForNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		n := newPeerNet()
		a := n.join(t, rdb, "a")
		ask := func(q cluster.Question) ownership.Reply {
			sealed := cluster.SealQuestion(probeKey, q)
			w := post(a, sealed)
			r, ok := cluster.OpenAnswer(probeKey, sealed, w.Body.Bytes())
			if !ok {
				t.Fatalf("%d %q", w.Code, w.Body)
			}
			if other := cluster.SealQuestion(probeKey, cluster.Question{Kind: q.Kind, Asker: q.Asker, Asked: q.Asked, Number: q.Number + 1, TTL: lease}); true {
				if _, ok := cluster.OpenAnswer(probeKey, other, w.Body.Bytes()); ok {
					t.Error("the answer is good for another question")
				}
			}
			return r
		}
		q := cluster.Question{Kind: ownership.AreYouThere, Asker: "peer", Asked: "a", Number: 5, TTL: lease}
		if r := ask(q); r != ownership.Running {
			t.Errorf("a new question: %v", r)
		}
		for what, change := range map[string]func(*cluster.Question){
			"the same": func(*cluster.Question) {}, "an older": func(q *cluster.Question) { q.Number = 4 },
			"one for another incarnation": func(q *cluster.Question) { q.Number, q.Asked = 6, "b" },
			"one of its own":              func(q *cluster.Question) { q.Number, q.Asker = 6, "a" },
		} {
			again := q
			change(&again)
			if r := ask(again); r != ownership.Silence {
				t.Errorf("%s question is answered: %v", what, r)
			}
		}
		q.Number = 7
		if r := ask(q); r != ownership.Running {
			t.Errorf("the next question: %v", r)
		}
		answered := 0
		for range 1000 {
			q.Number++
			if ask(q) == ownership.Running {
				answered++
			}
		}
		if answered > 50 {
			t.Errorf("%d of 1000 questions at once were answered", answered)
		}
		time.Sleep(time.Second)
		q.Number++
		if r := ask(q); r != ownership.Running {
			t.Errorf("a second later: %v", r)
		}
	})
}

// Answers of whoever listens where a peer should be are nothing.
func TestWhatIsNoPeersAnswerIsSilence(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"an error":     func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusTeapot) },
		"nothing":      func(http.ResponseWriter, *http.Request) {},
		"a promise":    func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte{byte(ownership.Promise)}) },
		"the question": func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) },
		"an endless one": func(w http.ResponseWriter, _ *http.Request) {
			for range 1 << 10 {
				_, _ = w.Write(make([]byte, 1<<10))
			}
		},
		"another place": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://elsewhere/", http.StatusTemporaryRedirect)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rdb, stop := cluster.Embedded()
				t.Cleanup(stop)
				n := newPeerNet()
				a, b := n.join(t, rdb, "a"), n.join(t, rdb, "b")
				time.Sleep(3 * lease)
				b.front.mu.Lock()
				b.front.handler = answer
				b.front.mu.Unlock()
				a.wires.swallowAll(true)
				b.wires.swallowAll(true)
				within(t, lease, "a's rooms wait, since b says nothing", func() bool { return !a.runs() })
				always(t, lease, "b, whom a answers, goes on", b.runs)
			})
		})
	}
}

func FuzzQuestion(f *testing.F) {
	q := someQuestion()
	f.Add(cluster.AppendQuestion(nil, q))
	f.Add([]byte{0x97, 1, 1, 0xa1, 'x'})
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := cluster.ParseQuestion(b)
		if err != nil {
			return
		}
		again, err := cluster.ParseQuestion(cluster.AppendQuestion(nil, q))
		if err != nil || again != q {
			t.Errorf("%+v became %+v (%v)", q, again, err)
		}
	})
}
