package lobby_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// count returns a metric's value, or a histogram's count, of the labels given as NAME=VALUE.
func (p *place) count(name string, labels ...string) float64 {
	p.t.Helper()
	families, err := p.metrics.Gather()
	must(p.t, err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var has []string
			for _, l := range m.GetLabel() {
				has = append(has, l.GetName()+"="+l.GetValue())
			}
			if f.GetName() == name && slices.Equal(has, labels) {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return -1
}

func TestMetricsCountWhatHappens(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		p.enqueue("alice", "duel")
		p.enqueue("gone", "arena")
		time.Sleep(40 * time.Second)
		defer join(t, rdb, someNode)()
		p.play("bob", "arena")
		p.enqueue("carol", "duel")
		p.send(request{method: "GET", path: "/v1/tickets/duel.x", token: "nobody"})
		for range 40 {
			p.send(request{method: "GET", path: "/v1/tickets/duel.x", token: p.player("mallory")})
		}
		time.Sleep(2 * time.Second)
		for _, c := range []struct {
			want   float64
			name   string
			labels []string
		}{
			{2, "muster_tickets_total", []string{"queue=arena", "state=waiting"}},
			{1, "muster_tickets_total", []string{"queue=arena", "state=matched"}},
			{1, "muster_tickets_total", []string{"queue=arena", "state=expired"}},
			{1, "muster_tickets_total", []string{"queue=duel", "state=expired"}},
			{1, "muster_tickets_waiting", []string{"queue=duel"}},
			{0, "muster_tickets_waiting", []string{"queue=arena"}},
			{1, "muster_ticket_wait_seconds", nil},
			{1, "muster_requests_unauthorized_total", nil},
		} {
			if got := p.count(c.name, c.labels...); got != c.want {
				t.Errorf("%s%v is %v, want %v", c.name, c.labels, got, c.want)
			}
		}
		if got := p.count("muster_requests_limited_total"); got < 10 || got > 11 {
			t.Errorf("muster_requests_limited_total is %v, want 10", got)
		}
		if got := p.count("muster_lobby_failures_total"); got < 1 {
			t.Errorf("muster_lobby_failures_total is %v, want some of the time without a node", got)
		}
		families, err := p.metrics.Gather()
		must(t, err)
		for _, f := range families {
			if !strings.HasPrefix(f.GetName(), "muster_") || f.GetHelp() == "" {
				t.Errorf("metric %s, help %q", f.GetName(), f.GetHelp())
			}
			for _, m := range f.GetMetric() {
				for _, l := range m.GetLabel() {
					if !slices.Contains([]string{"queue", "state", "game", "code", "do", "outcome", "reason", "what"}, l.GetName()) {
						t.Errorf("metric %s has a label %s", f.GetName(), l.GetName())
					}
				}
			}
		}
	})
}
