package cluster

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"muster/match/cluster/ownership"
	"muster/proto"
)

// A probe is a question that one node asks another one directly, by POST to ProbePath of its peer URL, when Redis does not
// say enough. Both ways carry a MAC of the deployment's key, and nothing else is needed to be answered: whoever has no MAC
// gets 403 and learns nothing. A question names the incarnation that it is for and a number that rises, so that one that was
// recorded is good for nothing later; an answer's MAC covers the question's.

// ProbePath is where nodes answer each other's probes.
const ProbePath = "/internal/probe"

const (
	// maxProbe bounds a question and an answer, in bytes.
	maxProbe = 256
	// probeTimeout bounds one exchange.
	probeTimeout = 300 * time.Millisecond
	probeVersion = 1
	nonceLen     = 16
	// maxProbeID bounds an incarnation's id, maxProbeTTL a lease.
	maxProbeID  = 64
	maxProbeTTL = time.Minute
)

// question is what one incarnation asks another one.
type question struct {
	kind   ownership.Question
	asker  string
	asked  string
	number uint64 // rises with each question of the asker
	ttl    time.Duration
	nonce  [nonceLen]byte
}

func (q *question) appendTo(w *proto.Writer) {
	w.Array(7)
	w.Uint(probeVersion)
	w.Uint(uint64(q.kind))
	w.Str(q.asker)
	w.Str(q.asked)
	w.Uint(q.number)
	w.Uint(uint64(q.ttl / time.Millisecond)) //nolint:gosec // bounded
	w.Bin(q.nonce[:])
}

func (q *question) parse(r *proto.Reader) error {
	r.Fixed("question", 7)
	if v := r.Uint("version", 1<<16); r.Err() == nil && v != probeVersion {
		r.Fail("version", fmt.Sprintf("%d, want %d", v, probeVersion))
	}
	q.kind = ownership.Question(r.Uint("kind", uint64(ownership.AreYouThere))) //nolint:gosec // bounded
	q.asker, q.asked = r.Str("asker", maxProbeID), r.Str("asked", maxProbeID)
	q.number = r.Uint("number", 1<<63)
	q.ttl = time.Duration(r.Uint("ttl", uint64(maxProbeTTL/time.Millisecond))) * time.Millisecond //nolint:gosec // bounded
	nonce := r.Bin("nonce", nonceLen)
	if r.Err() == nil && (len(nonce) != nonceLen || q.kind == 0 || q.asker == "" || q.asked == "") {
		r.Fail("question", "a part is empty")
	}
	copy(q.nonce[:], nonce)
	return r.Done() //nolint:wrapcheck // says what it is
}

// seal returns msg with its MAC behind it. of is what the MAC covers besides: the question, where msg is an answer.
func seal(key []byte, what string, of, msg []byte) []byte {
	return append(msg[:len(msg):len(msg)], probeMAC(key, what, of, msg)...)
}

func probeMAC(key []byte, what string, of, msg []byte) []byte {
	mac := hmac.New(sha256.New, key)
	_, _ = fmt.Fprintf(mac, "%s %d %d\x00", what, len(of), len(msg))
	_, _ = mac.Write(of)
	_, _ = mac.Write(msg)
	return mac.Sum(nil)
}

// open returns what seal was given, if the MAC is right.
func open(key []byte, what string, of, sealed []byte) (msg []byte, ok bool) {
	n := len(sealed) - sha256.Size
	if n <= 0 || len(sealed) > maxProbe || len(key) == 0 {
		return nil, false
	}
	return sealed[:n], hmac.Equal(sealed[n:], probeMAC(key, what, of, sealed[:n]))
}

// probes asks and answers. Any goroutine may use it.
type probes struct {
	key    []byte
	client *http.Client
	number atomic.Uint64
	counts *leaseMetrics
}

func newProbes(key []byte, transport http.RoundTripper, counts *leaseMetrics) *probes {
	if transport == nil {
		transport = &http.Transport{ // no proxy: a peer is asked directly, or not at all
			MaxIdleConnsPerHost: 1, IdleConnTimeout: 10 * time.Second, DisableCompression: true, MaxResponseHeaderBytes: 4 << 10,
		}
	}
	return &probes{key: key, counts: counts, client: &http.Client{
		Timeout: probeTimeout, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (p *probes) close() { p.client.CloseIdleConnections() }

// ask asks the incarnation that is reached by the URL. Whatever is not its answer is silence.
func (p *probes) ask(ctx context.Context, url, asker, asked string, ttl time.Duration, kind ownership.Question) ownership.Reply {
	r := ownership.Silence
	if url != "" && len(p.key) > 0 {
		r = p.exchange(ctx, url, &question{kind: kind, asker: asker, asked: asked, number: p.number.Add(1), ttl: ttl})
	}
	p.counts.asked(r)
	return r
}

func (p *probes) exchange(ctx context.Context, url string, q *question) ownership.Reply {
	_, _ = rand.Read(q.nonce[:]) // never fails
	w := proto.NewWriter()
	q.appendTo(w)
	sealed := seal(p.key, "question", nil, w.Bytes())
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(url, "/")+ProbePath, bytes.NewReader(sealed))
	if err != nil {
		return ownership.Silence
	}
	res, err := p.client.Do(req)
	if err != nil {
		return ownership.Silence
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxProbe+1))
	if err != nil || res.StatusCode != http.StatusOK {
		return ownership.Silence
	}
	msg, ok := open(p.key, "answer", sealed, body)
	if !ok || len(msg) != 1 || msg[0] > byte(ownership.Paused) {
		return ownership.Silence
	}
	return ownership.Reply(msg[0])
}

// ServeHTTP answers other nodes' probes. What is not one, or not of this deployment, gets 403.
func (b *Member) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sealed, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxProbe))
	var q question
	msg, ok := open(b.cfg.Key, "question", nil, sealed)
	if ok = ok && err == nil; ok {
		ok = q.parse(proto.NewReader(msg)) == nil
	}
	if !ok {
		b.counts.refused.Inc()
		http.Error(w, "forbidden", http.StatusForbidden)
		return
	}
	reply := b.answer(&q)
	b.counts.answered(reply)
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write(seal(b.cfg.Key, "answer", sealed, []byte{byte(reply)}))
}

// answer answers a question that is one. One that is for another incarnation, or has come before, is not answered, nor are
// more than a peer has reason to ask.
func (b *Member) answer(q *question) ownership.Reply {
	b.mu.Lock()
	defer b.mu.Unlock()
	if q.asked != b.m.ID() || q.asker == q.asked || !b.askers.admit(q.asker, q.number, b.since()) {
		return ownership.Silence
	}
	reply := b.m.Asked(b.since(), q.asker, q.ttl, q.kind)
	b.counts.note(b.m, b.since())
	return reply
}

const (
	// maxAskers bounds how many askers are remembered, askerRate how many questions of each are answered in a second, and
	// askerBurst how many at once.
	maxAskers  = 1024
	askerRate  = 20
	askerBurst = 40
)

// askers remembers the askers of one incarnation, so that no question counts twice.
type askers struct {
	list map[string]*asker
}

type asker struct {
	number uint64
	tokens float64
	at     time.Duration
}

// admit says whether a question counts.
func (a *askers) admit(id string, number uint64, now time.Duration) bool {
	if a.list == nil {
		a.list = map[string]*asker{}
	}
	k := a.list[id]
	if k == nil {
		if len(a.list) >= maxAskers {
			a.forget()
		}
		k = &asker{tokens: askerBurst, at: now}
		a.list[id] = k
	}
	if number <= k.number {
		return false
	}
	k.number = number
	k.tokens = min(askerBurst, k.tokens+(now-k.at).Seconds()*askerRate)
	k.at = now
	if k.tokens < 1 {
		return false
	}
	k.tokens--
	return true
}

// forget forgets who has been silent for longest.
func (a *askers) forget() {
	oldest := ""
	for id, k := range a.list {
		if oldest == "" || k.at < a.list[oldest].at {
			oldest = id
		}
	}
	delete(a.list, oldest)
}
