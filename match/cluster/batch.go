package cluster

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// batchesAtOnce is how many exchanges of batched commands are under way at a time: while one is answered the next is
	// sent. Whoever comes meanwhile waits and goes with those who wait already, so that a batch is as large as there is
	// need, and nobody waits where there is none.
	batchesAtOnce = 2
	// batchLimit is how many commands end a batch, and batchLarge how many of one caller go alone: who asks for little
	// does not wait for the answers to much.
	batchLimit = 256
	batchLarge = 64
	// batchBytes is how many bytes of arguments end a batch, and batchAlone how many of one caller go alone, in his own
	// time: behind a checkpoint of megabytes the small writes of other rooms would fail with it.
	batchBytes = 1 << 20
	batchAlone = 64 << 10
	// batchWaiting bounds how many callers wait: more than a process has connections, all of which may ask at once.
	batchWaiting = 1 << 15
	// batchTimeout bounds one exchange. The context of one caller does not end what others asked for; who has less time,
	// as leases and signs of life have, goes alone and waits for nobody.
	// The journal's calls have two seconds, and go with others.
	batchTimeout = callTimeout + replicaWait
)

// errWaiting means that too many wait for Redis.
var errWaiting = errors.New("too many commands wait for Redis")

// Batched returns a client that asks rdb, which it is closed with. Scripts, notices and small pipelines of goroutines that
// are busy at the same time go to Redis together: an exchange costs both sides more than a command. All other commands go
// as they are, and so do in a Cluster those that are for several of its masters: what is for one of them goes together. Like
// those of a retried pipeline, commands may run twice.
func Batched(rdb redis.UniversalClient) redis.UniversalClient { return &batched{UniversalClient: rdb} }

// batched is what Batched returns.
type batched struct {
	redis.UniversalClient

	replica bool  // what was written counts when a replica has it, see waited
	lanes   lanes // of a Cluster's masters

	mu      sync.Mutex
	running int
	waiting []*batchCall
	unused  sync.Pool // of *batchCall
}

// batchCall is what one caller asks for.
type batchCall struct {
	cmds []redis.Cmder
	size int
	turn chan bool // true: send the next batch; false: it was sent
}

// EvalSha runs a script that Redis knows.
func (b *batched) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	return b.eval(ctx, "evalsha", sha, keys, args)
}

// Eval runs a script.
func (b *batched) Eval(ctx context.Context, script string, keys []string, args ...any) *redis.Cmd {
	return b.eval(ctx, "eval", script, keys, args)
}

func (b *batched) eval(ctx context.Context, name, script string, keys []string, args []any) *redis.Cmd {
	all := make([]any, 0, 3+len(keys)+len(args))
	all = append(all, name, script, len(keys))
	for _, k := range keys {
		all = append(all, k)
	}
	cmd := redis.NewCmd(ctx, append(all, args...)...)
	if len(keys) > 0 {
		cmd.SetFirstKeyPos(3)
	}
	b.do(ctx, []redis.Cmder{cmd})
	return cmd
}

// Publish sends a notice.
func (b *batched) Publish(ctx context.Context, channel string, message any) *redis.IntCmd {
	cmd := redis.NewIntCmd(ctx, "publish", channel, message)
	b.do(ctx, []redis.Cmder{cmd})
	return cmd
}

// Pipeline returns a pipeline.
func (b *batched) Pipeline() redis.Pipeliner { return &batchedPipe{b.UniversalClient.Pipeline(), b} }

// batchedPipe is a pipeline that goes with others.
type batchedPipe struct {
	redis.Pipeliner

	b *batched
}

// Exec sends what is in the pipeline, nothing where it is empty. Its error is the first command's that has one.
func (p *batchedPipe) Exec(ctx context.Context) ([]redis.Cmder, error) {
	cmds := p.Cmds()
	if len(cmds) == 0 || len(cmds) > batchLarge {
		return p.Pipeliner.Exec(ctx) //nolint:wrapcheck // it is what it stands for
	}
	p.Pipeliner = p.b.UniversalClient.Pipeline()
	p.b.do(ctx, cmds)
	for _, cmd := range cmds {
		if err := cmd.Err(); err != nil {
			return cmds, err
		}
	}
	return cmds, nil
}

// do sends commands and waits for their answers, which they have then.
func (b *batched) do(ctx context.Context, cmds []redis.Cmder) {
	c, ok := b.UniversalClient.(*redis.ClusterClient)
	if !ok {
		b.join(ctx, cmds)
	} else if lane := b.lane(ctx, c, cmds); lane != nil {
		lane.join(ctx, cmds)
	} else {
		b.send(ctx, cmds)
	}
}

// join sends commands together with those of others.
func (b *batched) join(ctx context.Context, cmds []redis.Cmder) {
	deadline, ok := ctx.Deadline()
	size := argBytes(cmds)
	if ctx.Err() != nil || ok && time.Until(deadline) < batchTimeout || size > batchAlone {
		b.send(ctx, cmds)
		return
	}
	b.mu.Lock()
	if b.running < batchesAtOnce {
		b.running++
		b.mu.Unlock()
		b.lead(ctx, cmds, size)
		return
	}
	if len(b.waiting) >= batchWaiting {
		b.mu.Unlock()
		for _, cmd := range cmds {
			cmd.SetErr(errWaiting)
		}
		return
	}
	c, ok := b.unused.Get().(*batchCall)
	if !ok {
		c = &batchCall{turn: make(chan bool, 1)}
	}
	c.cmds, c.size = cmds, size
	b.waiting = append(b.waiting, c)
	b.mu.Unlock()
	if <-c.turn {
		b.lead(ctx, cmds, size)
	}
	c.cmds = nil
	b.unused.Put(c)
}

// lead sends commands with those of others who wait, and hands its place over to the first whom it left.
func (b *batched) lead(ctx context.Context, cmds []redis.Cmder, size int) {
	b.mu.Lock()
	all, n := cmds, 0
	for n < len(b.waiting) && len(all) < batchLimit && size < batchBytes {
		if n == 0 {
			all = append(make([]redis.Cmder, 0, 2*len(b.waiting)+len(cmds)), cmds...)
		}
		all = append(all, b.waiting[n].cmds...)
		size += b.waiting[n].size
		n++
	}
	with := b.take(n)
	b.mu.Unlock()
	defer func() {
		for _, c := range with {
			c.turn <- false
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		if len(b.waiting) == 0 {
			b.running--
			return
		}
		b.take(1)[0].turn <- true
	}()
	if n > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), batchTimeout)
		defer cancel()
	}
	b.send(ctx, all)
	if err := all[0].Err(); isTimeout(err) {
		b.fail(err)
	}
}

// fail ends all who wait: behind an exchange that got no answer in time, each further one would let them wait as long again.
func (b *batched) fail(err error) {
	b.mu.Lock()
	rest := b.take(len(b.waiting))
	b.mu.Unlock()
	for _, c := range rest {
		for _, cmd := range c.cmds {
			cmd.SetErr(err)
		}
		c.turn <- false
	}
}

// argBytes is about how many bytes commands have.
func argBytes(cmds []redis.Cmder) (n int) {
	for _, cmd := range cmds {
		for _, arg := range cmd.Args() {
			switch v := arg.(type) {
			case string:
				n += len(v)
			case []byte:
				n += len(v)
			default: // a number
				n += 8
			}
		}
	}
	return n
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// take takes the first n of those who wait. The caller holds the lock.
func (b *batched) take(n int) []*batchCall {
	list := append([]*batchCall(nil), b.waiting[:n]...)
	kept := copy(b.waiting, b.waiting[n:])
	clear(b.waiting[kept:])
	b.waiting = b.waiting[:kept]
	return list
}

// send makes the exchange. What fails the commands say themselves.
func (b *batched) send(ctx context.Context, cmds []redis.Cmder) {
	if b.replica {
		waited(ctx, b.UniversalClient, cmds)
		return
	}
	if len(cmds) == 1 {
		_ = b.Process(ctx, cmds[0])
		return
	}
	pipe := b.UniversalClient.Pipeline()
	_ = pipe.BatchProcess(ctx, cmds...)
	_, _ = pipe.Exec(ctx)
}
