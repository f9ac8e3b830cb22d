package loadtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Phase is what a run is doing.
type Phase string

// The phases of a run, in their order.
const (
	Joining   Phase = "joining"
	WarmingUp Phase = "warming up"
	Measuring Phase = "measuring"
	Leaving   Phase = "leaving"
	Done      Phase = "done"
)

// Progress is told about once a second, and once at the end.
type Progress struct {
	Phase   Phase
	Elapsed time.Duration // since the run began
	Wanted  int
	Joined  int
	Failed  int
	Errors  int64
	FPS     float64 // frames a second for each bot that joined, since the last Progress
	Bytes   float64 // received a second by each of them, since the last Progress
}

// Run plays as cfg says and returns what was measured, with the gates checked. progress, unless nil, is called on
// Run's goroutine. When ctx ends the run is cut short: the report holds what there is, and the error is ctx's. It is
// an error too when not one bot joined.
func Run(ctx context.Context, cfg Config, progress func(Progress)) (*Report, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	r := &run{cfg: &cfg, rec: newRecorder(), progress: progress}
	return r.do(ctx)
}

type run struct {
	cfg      *Config
	rec      *recorder
	progress func(Progress)

	// What the last Progress was made from.
	told          time.Time
	frames, bytes int64
}

func (r *run) do(ctx context.Context) (*Report, error) {
	transport := newTransport()
	defer transport.CloseIdleConnections()
	play, stop := context.WithCancel(ctx)
	defer stop()

	start := time.Now()
	r.told = start
	arrived := make(chan struct{}, r.cfg.Bots)
	var bots sync.WaitGroup
	for i := range r.cfg.Bots {
		b := &bot{i: i, cfg: r.cfg, rec: r.rec, http: &http.Client{Transport: transport}, arrived: func() { arrived <- struct{}{} }}
		bots.Go(func() { b.run(play) })
	}
	for range r.cfg.Bots {
		r.wait(ctx, Joining, arrived)
	}
	joined := time.Since(start)
	transport.CloseIdleConnections() // what joining used

	var from, to time.Time
	if r.rec.joined.Load() > 0 {
		r.sleep(ctx, WarmingUp, r.cfg.Warmup)
		from = time.Now()
		r.rec.begin(from)
		r.sleep(ctx, Measuring, r.cfg.Duration)
		to = time.Now()
		r.rec.finish(to)
	}
	stop()
	left := make(chan struct{})
	go func() {
		bots.Wait()
		close(left)
	}()
	r.wait(context.WithoutCancel(ctx), Leaving, left) // bounded: a bot waits for nothing longer than some seconds
	r.tell(Done)

	rep := r.rec.report()
	rep.URL, rep.Game, rep.Queue = r.cfg.URL, r.cfg.Bot.Game, r.cfg.Queue
	rep.Bots.Wanted, rep.Seconds, rep.JoinTime = r.cfg.Bots, seconds(to.Sub(from)), seconds(joined)
	for _, g := range r.cfg.Gates {
		rep.Gates = append(rep.Gates, g.check(rep))
	}
	switch {
	case ctx.Err() != nil:
		return rep, fmt.Errorf("the load test was cut short: %w", ctx.Err())
	case rep.Bots.Joined == 0 && len(rep.Errors) > 0:
		return rep, fmt.Errorf("no bot joined: %s", rep.Errors[0].First)
	case rep.Bots.Joined == 0:
		return rep, errors.New("no bot joined")
	}
	return rep, nil
}

func (r *run) sleep(ctx context.Context, phase Phase, d time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	r.wait(ctx, phase, nil)
}

// wait waits for done or the end of ctx, and tells of the progress each second.
func (r *run) wait(ctx context.Context, phase Phase, done <-chan struct{}) {
	for {
		next := time.NewTimer(time.Until(r.told.Add(time.Second)))
		select {
		case <-done:
			next.Stop()
			return
		case <-ctx.Done():
			next.Stop()
			return
		case <-next.C:
			r.tell(phase)
		}
	}
}

func (r *run) tell(phase Phase) {
	now := time.Now()
	frames, bytes, joined := r.rec.frames.Load(), r.rec.bytes.Load(), int(r.rec.joined.Load())
	p := Progress{
		Phase: phase, Elapsed: now.Sub(r.rec.base), Wanted: r.cfg.Bots, Joined: joined,
		Failed: int(r.rec.failed.Load()), Errors: r.rec.errCount.Load(),
	}
	if s := now.Sub(r.told).Seconds(); joined > 0 && s > 0 {
		p.FPS, p.Bytes = float64(frames-r.frames)/s/float64(joined), float64(bytes-r.bytes)/s/float64(joined)
	}
	r.told, r.frames, r.bytes = now, frames, bytes
	if r.progress != nil {
		r.progress(p)
	}
}

// newTransport returns a transport of the run's own: http.DefaultTransport keeps two idle connections to a host, and
// hundreds of bots would dial anew for every request.
func newTransport() *http.Transport {
	dialer := net.Dialer{Timeout: 5 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext,
		MaxIdleConnsPerHost: 256, IdleConnTimeout: 15 * time.Second, TLSHandshakeTimeout: 10 * time.Second,
	}
}
