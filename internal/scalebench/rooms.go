package main

import (
	"context"
	"fmt"
	"runtime"
	"strings"

	"muster/internal/pause"
)

// rate is how often a second the rooms of the benchmark tick.
const rate = 20

func goVersion() string { return runtime.Version() }

// hall is rooms and who plays in them.
type hall struct {
	s     *stage
	host  *node
	rooms []*made
	all   []*player
}

// open makes rooms with one player each, who keeps it.
func (s *stage) open(ctx context.Context, host *node, game string, rooms int) (*hall, error) {
	h := &hall{s: s, host: host}
	for range rooms {
		m, room, err := s.seat(ctx, host, host, game, nil)
		if err != nil {
			return nil, err
		}
		p, err := play(ctx, s.http, m, &kind{}, nil)
		if err != nil {
			return nil, err
		}
		h.rooms, h.all = append(h.rooms, room), append(h.all, p)
	}
	return h, nil
}

// come brings so many players into each room by a door.
func (h *hall) come(ctx context.Context, door *node, each int, k *kind, note noted) ([]*player, error) {
	var list []*player
	for range each {
		for _, room := range h.rooms {
			m, _, err := h.s.seat(ctx, h.host, door, "", room)
			if err != nil {
				return list, err
			}
			p, err := play(ctx, h.s.http, m, k, note)
			if err != nil {
				return list, err
			}
			list = append(list, p)
		}
	}
	return list, pause.For(ctx, h.s.o.Settle)
}

// roomCost is what was measured of one kind of room.
type roomCost struct {
	idle, few, many spent
}

// measureRooms measures what rooms and their players cost their server and Redis.
func measureRooms(ctx context.Context, o *options) (string, error) {
	more := o.Each
	costs := map[string]*roomCost{}
	for _, game := range []string{gamePlain, gameKept} {
		c, err := o.roomsOf(ctx, game, more)
		if err != nil {
			return "", err
		}
		costs[game] = c
	}
	var b strings.Builder
	n, ticks := float64(o.Rooms), float64(o.Rooms*rate)
	fmt.Fprintf(&b, "%d rooms at %d ticks a second on one server, with one player each and with %d; each gives ten commands a second.\n\n", o.Rooms, rate, 1+more)
	fmt.Fprintf(&b, "| | without journal | with a journal in Redis |\n|---|---:|---:|\n")
	line := func(what, format string, of func(*roomCost) float64) {
		fmt.Fprintf(&b, "| %s | "+format+" | "+format+" |\n", what, of(costs[gamePlain]), of(costs[gameKept]))
	}
	client := func(c *roomCost) float64 { return (c.many.nodes[0] - c.few.nodes[0]) / (n * float64(more)) }
	line("server: µs of CPU for a player and tick (input, frame, write)", "%.1f", func(c *roomCost) float64 { return 1e6 * client(c) / rate })
	line("server: µs of CPU for a room and tick, beside its players", "%.1f", func(c *roomCost) float64 {
		return 1e6 * ((c.few.nodes[0]-c.idle.nodes[0])/n - client(c)) / rate
	})
	line("Redis: commands that servers send for a room and tick", "%.2f", func(c *roomCost) float64 { return (c.few.sent - c.idle.sent) / ticks })
	line("Redis: those within scripts included", "%.2f", func(c *roomCost) float64 { return (c.few.commands - c.idle.commands) / ticks })
	line("Redis: µs of CPU for a room and second, one player", "%.0f", func(c *roomCost) float64 { return 1e6 * (c.few.redis - c.idle.redis) / n })
	line(fmt.Sprintf("Redis: µs of CPU for a room and second, %d players", 1+more), "%.0f", func(c *roomCost) float64 { return 1e6 * (c.many.redis - c.idle.redis) / n })
	line("Redis: cores that the servers' own signs of life take", "%.3f", func(c *roomCost) float64 { return c.idle.redis })
	line("other programs, in cores (the most of three windows)", "%.2f", func(c *roomCost) float64 { return max(c.idle.others, c.few.others, c.many.others) })
	b.WriteString("\n")
	return b.String(), nil
}

func (o *options) roomsOf(ctx context.Context, game string, more int) (*roomCost, error) {
	s, err := newStage(ctx, o)
	if err != nil {
		return nil, err
	}
	defer s.close()
	host, err := s.serve(ctx, "all")
	if err == nil {
		err = pause.For(ctx, o.Settle)
	}
	if err != nil {
		return nil, err
	}
	c := &roomCost{}
	o.say("rooms (%s): an idle server", game)
	if c.idle, err = s.window(ctx); err != nil {
		return nil, err
	}
	h, err := s.open(ctx, host, game, o.Rooms)
	if err == nil {
		err = pause.For(ctx, o.Settle)
	}
	if err != nil {
		return nil, err
	}
	o.say("rooms (%s): one player each", game)
	if c.few, err = s.window(ctx); err != nil {
		return nil, err
	}
	guests, err := h.come(ctx, host, more, &kind{}, nil)
	if err != nil {
		return nil, err
	}
	o.say("rooms (%s): %d players each", game, 1+more)
	if c.many, err = s.window(ctx); err != nil {
		return nil, err
	}
	return c, leaveAll(append(guests, h.all...))
}
