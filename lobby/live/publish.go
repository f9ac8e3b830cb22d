package live

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"muster/internal/strictjson"
	"muster/match/cluster"
	"muster/proto"
)

// What is published to players is told to those who are there, and kept nowhere: a client that is away, or has not read
// what was written before, does not hear of it.

const (
	// NoticePublished is the kind of the notice that has what is published.
	NoticePublished = "published"
	// MaxPublished bounds what is published at once, in bytes of JSON.
	MaxPublished = 6 << 10
	// maxPublishedTo bounds the players of one notice.
	maxPublishedTo = 1000
	// maxPublishing is how many notices wait to be told to this process's sockets.
	maxPublishing = 256
)

// Published is something that players are told who have a socket now.
type Published struct {
	ID   string          `json:"id"`
	Kind string          `json:"kind"`
	At   time.Time       `json:"at"`
	Body json.RawMessage `json:"body"`
}

type publishedMessage struct {
	Published *Published `json:"published"`
}

// PublishNotices are the notices by which every lobby tells players, or all where players is nil. Errors: it is too long,
// or no JSON.
func PublishNotices(p *Published, players []string) ([]cluster.Notice, error) {
	text, err := strictjson.Plain(publishedMessage{p})
	if err == nil && len(text) > MaxPublished {
		err = fmt.Errorf("%d bytes, at most %d allowed", len(text), MaxPublished)
	}
	if err != nil {
		return nil, fmt.Errorf("publishing an event: %w", err)
	}
	var list []cluster.Notice
	for first := true; first || len(players) > 0; first = false {
		n := min(len(players), maxPublishedTo)
		w := proto.NewWriter()
		w.Array(3)
		w.Bool(players == nil)
		w.Array(n)
		for _, id := range players[:n] {
			w.Str(digestOf(id))
		}
		w.Str(string(text))
		list = append(list, cluster.Notice{Kind: NoticePublished, ID: p.ID, Body: string(w.Bytes())})
		if players = players[n:]; n == 0 {
			break
		}
	}
	return list, nil
}

// published is what a notice has.
type published struct {
	all     bool
	players []string // digests
	text    []byte
}

func parsePublished(body string) (p published, err error) {
	r := proto.NewReader([]byte(body))
	r.Fixed("published", 3)
	p.all = r.Bool("all")
	for range r.Array("players", maxPublishedTo) {
		if p.players = append(p.players, r.Str("player", 64)); r.Err() != nil {
			break
		}
	}
	p.text = []byte(r.Str("text", MaxPublished))
	if err := r.Done(); err != nil {
		return published{}, fmt.Errorf("what is published: %w", err)
	}
	return p, nil
}

// publishSoon has the publisher tell what a notice has. It does not block.
func (s *Server) publishSoon(body string) {
	p, err := parsePublished(body)
	if err == nil && s.ctx.Err() == nil {
		select {
		case s.publishing <- p:
			return
		default:
			err = errors.New("too much is published at once")
		}
	}
	if err != nil {
		s.metrics.unpublished.Inc()
		s.log.Warn("something that was published is told nobody here", zap.Error(err))
	}
}

// publisher tells this process's sockets what is published.
func (s *Server) publisher() {
	var to []*conn
	for {
		select {
		case <-s.ctx.Done():
			return
		case p := <-s.publishing:
			to = s.publishedTo(&p, to[:0])
			for _, c := range to {
				if c.offer(p.text) {
					s.metrics.published.Inc()
				} else {
					s.metrics.unpublished.Inc()
				}
			}
			clear(to)
		}
	}
}

// publishedTo appends the sockets that something is for.
func (s *Server) publishedTo(p *published, to []*conn) []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.all {
		for c := range s.conns {
			to = append(to, c)
		}
	}
	for _, player := range p.players {
		to = append(to, s.byPlayer[player]...)
	}
	return to
}

// offer writes a message that may be lost, to a client that has heard hello and has read all that was written.
func (c *conn) offer(text []byte) bool {
	return c.wasTold() && !c.replying.Load() && !c.Pipe.Congested() && c.write(text) == nil
}
