package testredis

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	sentinels = 3
	// masterName is the master's name among its Sentinels.
	masterName = "muster"
	// failoverTimeout bounds how long Sentinels take to make a replica the master.
	failoverTimeout = 20 * time.Second
)

// Sentinel is a master with a replica, watched by three Sentinels, of one test. It ends with the test.
type Sentinel struct {
	Master, Replica *Server // after Failover the other way round

	t     testing.TB
	args  []string
	addrs []string
}

// StartSentinel starts a master, its replica and their Sentinels, with further options of redis-server for both. It
// takes a few seconds.
func StartSentinel(t testing.TB, args ...string) *Sentinel {
	t.Helper()
	args = append(replicaArgs[:len(replicaArgs):len(replicaArgs)], args...)
	s := &Sentinel{t: t, args: args, Master: Start(t, args...)}
	host, port, err := net.SplitHostPort(s.Master.Addr)
	if err != nil {
		t.Fatal(err)
	}
	s.Replica = Start(t, append([]string{"--replicaof", host + " " + port}, args...)...)
	login, own := "", []string(nil) // what Sentinels need of the options
	if password := option(args, "--requirepass"); password != "" {
		login = "sentinel auth-pass " + masterName + " " + password + "\nrequirepass " + password + "\n"
	}
	if i := slices.Index(args, caFlag); i >= 0 {
		own = args[i : i+tlsArgs]
	}
	for range sentinels {
		file := filepath.Join(t.TempDir(), "sentinel.conf") // which a Sentinel writes to
		config := fmt.Sprintf(`
sentinel monitor %[1]s %[2]s %[3]s 2
sentinel down-after-milliseconds %[1]s 500
sentinel failover-timeout %[1]s 3000
%[4]s`, masterName, host, port, login)
		if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		s.addrs = append(s.addrs, startReady(t, "Sentinel ID is", []string{file, "--sentinel"}, own).Addr)
	}
	s.wait(joinTimeout, "the Sentinels know each other and the replica", func(ctx context.Context, c *redis.SentinelClient) bool {
		m, err := c.Master(ctx, masterName).Result()
		return err == nil && m["num-other-sentinels"] == fmt.Sprint(sentinels-1) && m["num-slaves"] == "1" && m["flags"] == "master"
	})
	until(t, joinTimeout, "the replica has what its master has", func() bool { return strings.Contains(s.info(s.Replica), "master_link_status:up") })
	return s
}

// URL is the address for a setting.
func (s *Sentinel) URL() string {
	return scheme(s.args) + "+sentinel://" + strings.Join(s.addrs, ",") + "/" + masterName
}

// Connect returns a client, which is closed with the test.
func (s *Sentinel) Connect() redis.UniversalClient {
	s.t.Helper()
	return connect(s.t, s.URL())
}

// Failover kills the master and waits until the Sentinels have made its replica the master.
func (s *Sentinel) Failover() {
	s.t.Helper()
	s.Master.Kill()
	s.wait(failoverTimeout, "the replica is the master", func(ctx context.Context, c *redis.SentinelClient) bool {
		at, err := c.GetMasterAddrByName(ctx, masterName).Result()
		return err == nil && len(at) == 2 && net.JoinHostPort(at[0], at[1]) == s.Replica.Addr
	})
	until(s.t, failoverTimeout, "the master knows that it is", func() bool { return strings.Contains(s.info(s.Replica), "role:master") })
	s.Master, s.Replica = s.Replica, s.Master
}

// Rejoin starts the server that was the master before Failover, and waits until the Sentinels have made it a replica that
// has what the master has.
func (s *Sentinel) Rejoin() {
	s.t.Helper()
	s.Replica.Restart()
	until(s.t, failoverTimeout, "the old master is a replica", func() bool {
		info := s.info(s.Replica)
		return strings.Contains(info, "role:slave") && strings.Contains(info, "master_link_status:up")
	})
}

func (s *Sentinel) info(of *Server) string { return info(of.Addr, s.args) }

// wait waits until all Sentinels agree.
func (s *Sentinel) wait(d time.Duration, what string, done func(context.Context, *redis.SentinelClient) bool) {
	s.t.Helper()
	for _, addr := range s.addrs {
		c := redis.NewSentinelClient(options(addr, s.args))
		until(s.t, d, what, func() bool { return done(context.Background(), c) })
		_ = c.Close()
	}
}

func until(t testing.TB, d time.Duration, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(d); !done(); time.Sleep(joinPoll) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", d, what)
		}
	}
}
