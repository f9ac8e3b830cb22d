package main

import (
	"bufio"
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"muster/proto/token"
)

// cumulated is a Prometheus histogram: how many values were at most so many seconds.
type cumulated struct {
	most  []float64
	count []float64
}

// bound gives the least bound that a part q of the values between two readings was within, in milliseconds; 0 where there
// are none.
func bound(a, b cumulated, q float64) float64 {
	if len(a.count) == 0 || len(a.count) != len(b.count) {
		return 0
	}
	last := len(b.count) - 1
	all := b.count[last] - a.count[last]
	for i := range b.count {
		if all > 0 && b.count[i]-a.count[i] >= q*all {
			return min(b.most[i], 1) * 1000
		}
	}
	return 0
}

// lateness reads how late the server's ticks began, where it says so.
func (cl *client) lateness() cumulated {
	m, ok := cl.p.(*musterProto)
	if !ok {
		return cumulated{}
	}
	return m.lateness()
}

func (m *musterProto) lateness() (h cumulated) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	secret, err := m.keys.SignPlayer(token.Player{ID: "load", Roles: []string{"metrics"}}, time.Minute)
	if err != nil {
		return h
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.lobby+"/metrics", http.NoBody)
	if err != nil {
		return h
	}
	req.Header.Set("Authorization", "Bearer "+secret)
	res, err := m.http.Do(req)
	if err != nil {
		return h
	}
	defer res.Body.Close()
	for s := bufio.NewScanner(res.Body); s.Scan(); {
		rest, ok := strings.CutPrefix(s.Text(), `muster_tick_lateness_seconds_bucket{le="`)
		if !ok {
			continue
		}
		le, count, _ := strings.Cut(rest, `"} `)
		most, err1 := strconv.ParseFloat(le, 64) // +Inf, too
		n, err2 := strconv.ParseFloat(count, 64)
		if err1 == nil && err2 == nil {
			h.most, h.count = append(h.most, most), append(h.count, n)
		}
	}
	return h
}
