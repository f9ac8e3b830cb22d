package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"muster/internal/benchproc"
	"muster/match/cluster"
)

// startRedis starts a redis-server that keeps nothing on disk.
func startRedis(ctx context.Context, o *options, dir string) (*benchproc.Process, redis.UniversalClient, string, error) {
	p, addr, err := benchproc.Redis(ctx, dir, o.Redis...)
	if err != nil {
		return nil, nil, "", err
	}
	url := "redis://" + addr
	rdb, err := cluster.Connect(ctx, url)
	if err != nil {
		p.Kill()
		return nil, nil, "", err
	}
	return p, rdb, url, nil
}

// startServer starts muster on a free port and returns its address.
func startServer(ctx context.Context, o *options, dir, redisURL string) (*benchproc.Process, string, error) {
	var log io.Writer
	if o.Log != "" {
		f, err := os.Create(o.Log)
		if err != nil {
			return nil, "", err
		}
		log = f // as long as this process
	}
	args := append([]string{}, o.Serve[1:]...)
	args = append(args, "serve", "--listen", "127.0.0.1:0", "--redis", redisURL, "--key-file", filepath.Join(dir, "key"),
		"--queues", filepath.Join(dir, "queues.yaml"), "--journal", "none", "--log-level", "warn",
		"--namespace", namespace, "--address-rate", strconv.Itoa(addressRate))
	p, line, err := benchproc.Start(ctx, log, "/v1 ", o.Serve[0], args...)
	if err != nil {
		return nil, "", err
	}
	_, rest, _ := strings.Cut(line, "http://")
	addr, _, _ := strings.Cut(rest, "/")
	return p, addr, nil
}

// redisStats are counters of Redis.
type redisStats struct{ commands, reads, mem int64 }

func redisInfo(ctx context.Context, rdb redis.UniversalClient) (s redisStats, err error) {
	text, err := rdb.Info(ctx).Result()
	for name, to := range map[string]*int64{
		"total_commands_processed": &s.commands, "total_reads_processed": &s.reads, "used_memory": &s.mem,
	} {
		_, rest, _ := strings.Cut(text, "\n"+name+":")
		value, _, _ := strings.Cut(rest, "\r")
		n, perr := strconv.ParseInt(value, 10, 64)
		*to, err = n, errors.Join(err, perr)
	}
	return s, err
}
