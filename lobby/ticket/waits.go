package ticket

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Band is how long players of a range of ratings have waited lately.
type Band struct {
	From, To float64 // ratings
	P50, P90 time.Duration
	Tickets  int // how many it is worked out from
}

// Stats is how a queue does.
type Stats struct {
	Queue     string
	Players   int     // that wait
	PerMinute float64 // matches made
	Bands     []Band  // by rising rating; none where nobody was matched lately
}

const (
	// statsFor is how long a queue's statistics serve all who ask.
	statsFor = 2 * time.Second
	// bandTickets is how many tickets a band has at least, where there are two bands, and maxBands how many there are.
	bandTickets = 20
	maxBands    = 5
)

// statsMemory are a queue's statistics as they were read.
type statsMemory struct {
	mu sync.Mutex
	Stats

	at time.Time
}

// Queue returns a queue's statistics. Error: ErrNoQueue.
func (s *Service) Queue(ctx context.Context, name string) (Stats, error) {
	e := s.engine(name)
	if e == nil {
		return Stats{}, ErrNoQueue
	}
	m, now := &e.stats, s.clock.now()
	m.mu.Lock()
	known, at := m.Stats, m.at
	m.mu.Unlock()
	if !at.IsZero() && now.Sub(at) <= statsFor && !now.Before(at) {
		return known, nil
	}
	st, err := s.readStats(ctx, e.keys, now)
	if err != nil {
		return Stats{}, err
	}
	st.Players = int(e.players.Load())
	m.mu.Lock()
	defer m.mu.Unlock()
	m.Stats, m.at = st, now
	return st, nil
}

// Queues returns the names of the queues.
func (s *Service) Queues() []string {
	return slices.Sorted(maps.Keys(s.all()))
}

func (s *Service) readStats(ctx context.Context, k queueKeys, now time.Time) (Stats, error) {
	pipe := s.cfg.Redis.Pipeline()
	waits, made := pipe.LRange(ctx, k.waits(), 0, -1), pipe.LRange(ctx, k.made(), 0, -1)
	if _, err := pipe.Exec(ctx); err != nil {
		return Stats{}, fmt.Errorf("reading the waits of queue %s: %w", k.queue, err)
	}
	return Stats{Queue: k.queue, PerMinute: perMinute(made.Val(), now), Bands: bandsOf(waits.Val())}, nil
}

// perMinute is the rate of the times, the newest first, within the last minute.
func perMinute(made []string, now time.Time) float64 {
	n, oldest := 0, now
	for _, m := range made {
		ms, err := strconv.ParseInt(m, 10, 64)
		at := time.UnixMilli(ms)
		if err != nil || now.Sub(at) > time.Minute {
			break
		}
		n, oldest = n+1, at
	}
	if n < len(made) || n < cap1000 {
		return float64(n)
	}
	return float64(n) / max(now.Sub(oldest).Minutes(), 1.0/60) // the list is too short for a whole minute
}

// cap1000 is how many entries the lists have at most, as the script that writes them says.
const cap1000 = 1000

// wait is one ticket's.
type wait struct {
	rating float64
	took   time.Duration
}

// waitsIn reads entries, and leaves out what is none.
func waitsIn(entries []string) []wait {
	list := make([]wait, 0, len(entries))
	for _, entry := range entries {
		r, ms, _ := strings.Cut(entry, ":")
		rating, err1 := strconv.ParseFloat(r, 64)
		took, err2 := strconv.ParseInt(ms, 10, 64)
		if err1 == nil && err2 == nil && !math.IsNaN(rating) {
			list = append(list, wait{rating, time.Duration(took) * time.Millisecond})
		}
	}
	return list
}

// bandsOf makes bands of equally many tickets.
func bandsOf(entries []string) []Band {
	list := waitsIn(entries)
	if len(list) == 0 {
		return nil
	}
	slices.SortFunc(list, func(a, b wait) int { return cmp.Compare(a.rating, b.rating) })
	n := min(maxBands, max(1, len(list)/bandTickets))
	if list[0].rating == list[len(list)-1].rating {
		n = 1
	}
	bands := make([]Band, 0, n)
	for i := range n {
		part := slices.Clone(list[i*len(list)/n : (i+1)*len(list)/n])
		b := Band{From: part[0].rating, To: part[len(part)-1].rating, Tickets: len(part)}
		slices.SortFunc(part, func(a, b wait) int { return cmp.Compare(a.took, b.took) })
		b.P50, b.P90 = part[rank(50, len(part))].took, part[rank(90, len(part))].took
		bands = append(bands, b)
	}
	return bands
}

// rank is the index of a percentile of n sorted values.
func rank(percent, n int) int { return (n*percent+99)/100 - 1 }

// BandOf returns the band that is nearest to a rating; ok is false where there is none.
func BandOf(bands []Band, rating float64) (b Band, ok bool) {
	best := math.Inf(1)
	for _, band := range bands {
		d := max(band.From-rating, rating-band.To, 0)
		if d < best {
			best, b, ok = d, band, true
		}
	}
	return b, ok
}

// RatingOf is the rating by which a ticket's band is found.
func RatingOf(t *Ticket) float64 { return meanRating(&t.Ticket) }
