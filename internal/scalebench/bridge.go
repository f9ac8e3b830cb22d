package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"muster/internal/pause"
)

// arrivals note when the frames of a tick arrive by two ways.
type arrivals struct {
	mu    sync.Mutex
	first map[string]time.Time // of a room and tick, at the first direct player
	late  []time.Duration      // how much later at each bridged one
	wait  map[string][]time.Time
	on    bool
}

func (a *arrivals) direct(room string, tick uint32, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := fmt.Sprintf("%s/%d", room, tick)
	if _, ok := a.first[key]; ok || !a.on {
		return
	}
	a.first[key] = at
	for _, t := range a.wait[key] {
		a.late = append(a.late, t.Sub(at))
	}
	delete(a.wait, key)
}

func (a *arrivals) bridged(room string, tick uint32, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := fmt.Sprintf("%s/%d", room, tick)
	switch first, ok := a.first[key]; {
	case !a.on:
	case ok:
		a.late = append(a.late, at.Sub(first))
	default:
		a.wait[key] = append(a.wait[key], at)
	}
}

func (a *arrivals) measure(on bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.on = on
}

// measureBridge compares players whose sockets are at their room's server with players whose sockets are at another one.
func measureBridge(ctx context.Context, o *options) (string, error) {
	var b strings.Builder
	for _, game := range []string{gamePlain, gameKept} {
		text, err := o.bridge(ctx, game)
		if err != nil {
			return "", err
		}
		b.WriteString(text)
	}
	text, err := o.bridgeMany(ctx)
	return b.String() + text, err
}

// bridgeStage is a stage of a server that runs rooms and one that only has sockets.
func bridgeStage(ctx context.Context, o *options) (s *stage, host, edge *node, err error) {
	if s, err = newStage(ctx, o); err != nil {
		return nil, nil, nil, err
	}
	if host, err = s.serve(ctx, "all"); err == nil {
		edge, err = s.serve(ctx, "lobby")
	}
	if err != nil {
		s.close()
		return nil, nil, nil, err
	}
	return s, host, edge, nil
}

// bridgeMany counts what is sent for many rooms of few players, all bridged: what is sent together then is sent once.
func (o *options) bridgeMany(ctx context.Context) (string, error) {
	const each = 3
	many := *o
	many.Rooms = 10 * o.Rooms
	s, host, edge, err := bridgeStage(ctx, &many)
	if err != nil {
		return "", err
	}
	defer s.close()
	o.say("bridge: %d rooms", many.Rooms)
	h, err := s.open(ctx, host, gameKept, many.Rooms)
	if err != nil {
		return "", err
	}
	guests, err := h.come(ctx, edge, each, &kind{}, nil)
	if err != nil {
		return "", err
	}
	w, err := s.window(ctx)
	if err != nil {
		return "", err
	}
	if err := leaveAll(append(guests, h.all...)); err != nil {
		return "", err
	}
	ticks := float64(many.Rooms * rate)
	var b strings.Builder
	fmt.Fprintf(&b, "%d rooms with a journal, one player each at the host and %d at one edge: %.2f commands that servers send to Redis for a room and "+
		"tick, of which %.2f go from the host to the edge and %.2f from the edge to the host. Host %.2f cores, edge %.2f, Redis %.2f, others %.2f.\n\n",
		many.Rooms, each, w.sent/ticks, w.links[0]/ticks, w.links[1]/ticks, w.nodes[0], w.nodes[1], w.redis, w.others)
	return b.String(), nil
}

func (o *options) bridge(ctx context.Context, game string) (string, error) {
	each := o.Each
	s, host, edge, err := bridgeStage(ctx, o)
	if err != nil {
		return "", err
	}
	defer s.close()
	h, err := s.open(ctx, host, game, o.Rooms)
	if err == nil {
		err = pause.For(ctx, o.Settle)
	}
	if err != nil {
		return "", err
	}
	direct, bridged, seen := &kind{}, &kind{}, &arrivals{first: map[string]time.Time{}, wait: map[string][]time.Time{}}
	var base, here, there []spent
	for turn := range o.Turns {
		o.say("bridge (%s), turn %d of %d", game, turn+1, o.Turns)
		w, err := s.window(ctx)
		if err != nil {
			return "", err
		}
		base = append(base, w)
		for _, way := range []struct {
			door *node
			to   *[]spent
		}{{host, &here}, {edge, &there}} {
			guests, err := h.come(ctx, way.door, each, &kind{}, nil)
			if err != nil {
				return "", err
			}
			if w, err = s.window(ctx); err != nil {
				return "", err
			}
			*way.to = append(*way.to, w)
			if err := leaveAll(guests); err != nil {
				return "", err
			}
			if err := pause.For(ctx, o.Settle); err != nil {
				return "", err
			}
		}
	}
	// For how long things take both kinds play at the same time, in the same rooms.
	o.say("bridge (%s): both at once", game)
	a, err := h.come(ctx, host, each/2, direct, seen.direct)
	if err != nil {
		return "", err
	}
	z, err := h.come(ctx, edge, each/2, bridged, seen.bridged)
	if err != nil {
		return "", err
	}
	if err := pause.For(ctx, o.Warm); err != nil {
		return "", err
	}
	measure := func(on bool) { direct.measure(on); bridged.measure(on); seen.measure(on) }
	measure(true)
	var both []spent
	for range o.Turns {
		w, err := s.window(ctx)
		if err != nil {
			return "", err
		}
		both = append(both, w)
	}
	measure(false)
	if err := leaveAll(append(append(a, z...), h.all...)); err != nil {
		return "", err
	}
	return o.bridgeTable(game, each, base, here, there, both, direct, bridged, seen), nil
}

func (o *options) bridgeTable(game string, each int, base, here, there, both []spent, direct, bridged *kind, seen *arrivals) string {
	n, ticks := float64(o.Rooms*each), float64(o.Rooms*rate)
	var b strings.Builder
	what := "without journal"
	if game == gameKept {
		what = "with a journal in Redis"
	}
	fmt.Fprintf(&b, "%d rooms %s, %d players each; a tick is %d ms.\n\n", o.Rooms, what, each+1, 1000/rate)
	fmt.Fprintf(&b, "| | direct | bridged | |\n|---|---:|---:|---:|\n")
	cost := func(of func(spent) float64, list []spent) float64 {
		return 1e6 * (mid(list, of) - mid(base, of)) / n / rate
	}
	atHost, atEdge := func(s spent) float64 { return s.nodes[0] }, func(s spent) float64 { return s.nodes[1] }
	d, r := cost(atHost, here), cost(atHost, there)
	fmt.Fprintf(&b, "| µs of CPU for a player and tick, at the host | %.1f | %.1f | %.0f %% |\n", d, r, 100*r/d)
	fmt.Fprintf(&b, "| at the edge | – | %.1f | |\n", cost(atEdge, there))
	fmt.Fprintf(&b, "| in Redis | %.2f | %.2f | |\n", cost(func(s spent) float64 { return s.redis }, here), cost(func(s spent) float64 { return s.redis }, there))
	sent := func(list []spent) float64 { return mid(list, func(s spent) float64 { return s.sent }) / ticks }
	fmt.Fprintf(&b, "| commands that servers send to Redis, for a room and tick | %.2f | %.2f | |\n", sent(here), sent(there))
	link := func(list []spent, i int) float64 {
		return mid(list, func(s spent) float64 { return s.links[i] }) / ticks
	}
	fmt.Fprintf(&b, "| of these: messages from the host to the edge, and from the edge to the host | %.2f and %.2f | %.2f and %.2f | |\n",
		link(here, 0), link(here, 1), link(there, 0), link(there, 1))
	all := func(list []spent) float64 { return mid(list, func(s spent) float64 { return s.commands }) / ticks }
	fmt.Fprintf(&b, "| those within scripts included | %.2f | %.2f | |\n", all(here), all(there))
	fmt.Fprintf(&b, "| load of the host and of the edge, cores | %.2f | %.2f and %.2f | |\n", mid(here, atHost), mid(there, atHost), mid(there, atEdge))
	for _, q := range []float64{0.5, 0.99} {
		x, y := quantile(direct.acks, q), quantile(bridged.acks, q)
		fmt.Fprintf(&b, "| a command until its frame, p%.0f, ms | %.1f | %.1f | %+.1f ms |\n", 100*q, ms(x), ms(y), ms(y-x))
	}
	for _, q := range []float64{0.5, 0.99} {
		fmt.Fprintf(&b, "| a tick's frame comes later than to the first direct player, p%.0f, ms | – | %.1f | |\n", 100*q, ms(quantile(seen.late, q)))
	}
	fmt.Fprintf(&b, "\n%d and %d commands; other programs took up to %.2f cores meanwhile.\n\n", len(direct.acks), len(bridged.acks),
		most(slices.Concat(here, there, both), func(s spent) float64 { return s.others }))
	return b.String()
}

func mid(list []spent, of func(spent) float64) float64 {
	v := make([]float64, 0, len(list))
	for _, s := range list {
		v = append(v, of(s))
	}
	slices.Sort(v)
	return v[len(v)/2]
}

func most(list []spent, of func(spent) float64) (max float64) {
	for _, s := range list {
		if v := of(s); v > max {
			max = v
		}
	}
	return max
}

// quantile sorts a list and returns one of its values; 0 of none.
func quantile(list []time.Duration, q float64) time.Duration {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[min(len(list)-1, int(q*float64(len(list))))]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
