package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/pause"
	"muster/proto/token"
)

const (
	// fillers is how many of the waiting tickets are created at a time.
	fillers = 32
	// drainFor is how long the tickets of the window have to be answered after it.
	drainFor = 10 * time.Second
)

// bench is one run.
type bench struct {
	options

	rdb     redis.UniversalClient
	pids    map[string]int // of the parts
	clients clients
	report  *report

	waiters sync.WaitGroup
	open    sync.Map      // tokens of the window's tickets that are not answered yet, by their ids
	stop    chan struct{} // ends the polls of those who wait
}

// run starts everything, measures, and ends it.
func run(ctx context.Context, o options, dir string) (*report, error) {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	text := []byte(hex.EncodeToString(secret))
	err := errors.Join(
		os.WriteFile(filepath.Join(dir, "key"), text, 0o600),
		os.WriteFile(filepath.Join(dir, "queues.yaml"), []byte(queueFile), 0o600),
	)
	if err != nil {
		return nil, err
	}
	keys, err := token.New(text, nil)
	if err != nil {
		return nil, err
	}
	db, rdb, url, err := startRedis(ctx, &o, dir)
	if err != nil {
		return nil, err
	}
	defer db.Kill()
	defer func() { _ = rdb.Close() }()
	waiting, coming, err := players(ctx, rdb, keys, &o)
	if err != nil {
		return nil, fmt.Errorf("making the players: %w", err)
	}
	server, addr, err := startServer(ctx, &o, dir, url)
	if err != nil {
		return nil, err
	}
	defer server.Kill()
	b := &bench{
		options: o, rdb: rdb, clients: clients{addr: addr}, report: newReport(o), stop: make(chan struct{}),
		pids: map[string]int{"redis": db.PID(), "server": server.PID(), "clients": os.Getpid()},
	}
	defer b.clients.close()
	err = b.fill(ctx, waiting)
	if err == nil {
		err = b.idle(ctx)
	}
	if err == nil {
		err = b.load(ctx, coming)
	}
	close(b.stop)
	server.Kill() // and with it the polls
	b.waiters.Wait()
	b.report.conns = b.clients.made
	return b.report, err
}

// fill creates the tickets that wait, and asks for each until the end.
func (b *bench) fill(ctx context.Context, waiting []player) error {
	var wg sync.WaitGroup
	next, failed := make(chan player), make(chan error, fillers)
	for range fillers {
		wg.Go(func() {
			for p := range next {
				if err := b.fillOne(&p); err != nil {
					select {
					case failed <- err:
					default:
					}
				}
			}
		})
	}
	var err error
	for _, p := range waiting {
		select {
		case next <- p:
			continue
		case err = <-failed:
		case <-ctx.Done():
			err = ctx.Err()
		}
		break
	}
	close(next)
	wg.Wait()
	select {
	case err = <-failed:
	default:
	}
	if err != nil {
		return fmt.Errorf("filling the queue: %w", err)
	}
	return nil
}

func (b *bench) fillOne(p *player) error {
	c, err := b.clients.get()
	if err != nil {
		return err
	}
	a, err := c.ask(create(b.clients.addr, p.token))
	if err == nil && a.status != 201 {
		err = fmt.Errorf("status %d: %s", a.status, a.text)
	}
	if err != nil {
		_ = c.Close()
		return err
	}
	request := poll(b.clients.addr, p.token, a.ticket.ID)
	b.waiters.Go(func() {
		defer func() { _ = c.Close() }()
		for {
			a, err := c.ask(request)
			select {
			case <-b.stop:
				return
			default:
			}
			if err != nil || a.status != 200 || a.ticket.State != "waiting" {
				b.report.failed("waiting", a, err, false)
				return
			}
		}
	})
	return nil
}

// idle measures what the waiting tickets cost by themselves.
func (b *bench) idle(ctx context.Context) error {
	before, err := b.look(ctx)
	if err != nil {
		return err
	}
	if err := pause.For(ctx, b.Idle); err != nil {
		return err
	}
	after, err := b.look(ctx)
	b.report.idle = after.since(before)
	return err
}

// load creates tickets at the rate and measures those of the window. It goes on at the rate until all of those are
// answered, since the last of them need somebody to be matched with.
func (b *bench) load(ctx context.Context, coming []player) error {
	rng := mrand.New(mrand.NewPCG(b.Seed, 1)) //nolint:gosec // a benchmark
	began := time.Now()
	from, until := began.Add(b.Warm), began.Add(b.Warm+b.For)
	var before, after *look
	next := began
	for i := range coming {
		next = next.Add(time.Duration(rng.ExpFloat64() / float64(b.Rate) * float64(time.Second)))
		at := next
		err := pause.For(ctx, time.Until(at))
		if err == nil && before == nil && !at.Before(from) {
			before, err = b.look(ctx)
		}
		if err == nil && after == nil && !at.Before(until) {
			after, err = b.look(ctx)
		}
		if err != nil {
			return err
		}
		counts := before != nil && after == nil
		if counts {
			b.report.late(time.Since(at))
		}
		if after != nil && (b.report.complete() || at.Sub(until) > drainFor) {
			break
		}
		b.waiters.Go(func() { b.one(&coming[i], at, counts) }) // they end with the server
	}
	b.report.cut() // what is left is counted as unanswered
	b.open.Range(func(id, token any) bool {
		b.report.why = append(b.report.why, b.explain(id.(string), token.(string))) //nolint:forcetypeassert // see one
		return len(b.report.why) < 3
	})
	if before == nil || after == nil {
		return errors.New("the window did not end")
	}
	b.report.load = after.since(before)
	b.report.window(before.at, after.at)
	return nil
}

// explain asks why a ticket waits.
func (b *bench) explain(id, token string) string {
	c, err := b.clients.get()
	if err != nil {
		return err.Error()
	}
	defer b.clients.drop(c)
	_, err = c.ask(fmt.Appendf(nil, "GET /v1/tickets/%s/explain HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", id, b.clients.addr, token))
	return fmt.Sprintf("%s: %s %v", id, c.body, err)
}

// one is a player's whole wait.
func (b *bench) one(p *player, at time.Time, counts bool) {
	c, err := b.clients.get()
	if err != nil {
		b.report.failed("connecting", answer{}, err, counts)
		return
	}
	a, err := c.ask(create(b.clients.addr, p.token))
	if err != nil || a.status != 201 {
		b.report.failed("creating", a, err, counts)
		b.back(c, err)
		return
	}
	if counts {
		b.report.created(time.Since(at))
		b.open.Store(a.ticket.ID, p.token)
		defer b.open.Delete(a.ticket.ID)
	}
	for {
		a, err = c.ask(poll(b.clients.addr, p.token, a.ticket.ID))
		if err != nil || a.status != 200 {
			b.report.failed("asking", a, err, counts)
			b.back(c, err)
			return
		}
		if a.ticket.State == "waiting" {
			continue
		}
		break
	}
	now := time.Now()
	b.clients.put(c)
	if a.ticket.State != "matched" || a.ticket.Match == nil || a.ticket.Match.Token == "" {
		b.report.failed("waited", a, nil, counts)
		return
	}
	b.report.answered(a.ticket.Match.Room, at, now, counts)
}

func (b *bench) back(c *conn, err error) {
	if err != nil {
		b.clients.drop(c)
		return
	}
	b.clients.put(c)
}
