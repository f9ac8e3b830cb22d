package testredis

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// whole asks all servers of a Cluster what tests ask of a server as a whole: all its keys, how many, none any longer.
type whole struct{ servers clients }

// DialHook implements redis.Hook.
func (whole) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessPipelineHook implements redis.Hook.
func (whole) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// ProcessHook implements redis.Hook.
func (w whole) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		switch name := cmd.Name(); name {
		case "keys", "dbsize", "flushall", "flushdb":
		default:
			return next(ctx, cmd)
		}
		var keys []string
		var n int64
		for _, s := range w.servers {
			switch cmd := cmd.(type) {
			case *redis.StringSliceCmd:
				one := s.Keys(ctx, cmd.Args()[1].(string)) //nolint:forcetypeassert // a pattern
				keys = append(keys, one.Val()...)
				cmd.SetErr(one.Err())
			case *redis.IntCmd:
				one := s.DBSize(ctx)
				n += one.Val()
				cmd.SetErr(one.Err())
			case *redis.StatusCmd:
				cmd.SetErr(s.FlushAll(ctx).Err())
			}
			if err := cmd.Err(); err != nil {
				return err
			}
		}
		switch cmd := cmd.(type) {
		case *redis.StringSliceCmd:
			cmd.SetVal(keys)
		case *redis.IntCmd:
			cmd.SetVal(n)
		}
		return nil
	}
}
