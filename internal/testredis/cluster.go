package testredis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/needs"
	"muster/internal/testport"
	"muster/match/cluster"
)

const (
	slots = 16384
	// joinTimeout bounds how long servers take to become a Cluster. A new master waits two seconds by itself.
	joinTimeout = 20 * time.Second
	joinPoll    = 20 * time.Millisecond
)

// clusterArgs are options of a server of a Cluster, which finds out in about a second that another is gone. Slots of one
// that is gone do not keep the others from serving theirs. --cluster-port is not among them.
var clusterArgs = []string{
	"--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-node-timeout", "1000",
	"--cluster-require-full-coverage", "no", "--cluster-allow-pubsubshard-when-down", "yes",
}

// Cluster is a Redis Cluster of one test. It ends with the test.
type Cluster struct {
	Masters  []*Server // each has its share of the slots, in their order
	Replicas []*Server // one of each master, in their order; none but of StartReplicatedCluster

	t            testing.TB
	args         []string
	buses        []string
	replicaBuses []string
}

// StartCluster starts a Redis Cluster of so many masters without replicas, with further options of redis-server. It takes
// about two seconds: see [Each] for tests that can share one.
func StartCluster(t testing.TB, masters int, args ...string) *Cluster {
	t.Helper()
	if scheme(args) == "rediss" {
		args = append([]string{"--tls-cluster", "yes"}, args...)
	}
	c := &Cluster{t: t, args: args}
	for range masters {
		s, bus := c.startServer()
		c.Masters, c.buses = append(c.Masters, s), append(c.buses, bus)
	}
	if err := form(c.addrs(), c.buses, c.args); err != nil {
		t.Fatal(err)
	}
	return c
}

// startServer starts one server, which belongs to no Cluster yet, and says at which port others like it reach it.
func (c *Cluster) startServer() (s *Server, bus string) {
	c.t.Helper()
	_, bus, _ = net.SplitHostPort(testport.Held(c.t))
	return Start(c.t, slices.Concat(clusterArgs, []string{"--cluster-port", bus}, c.args)...), bus
}

func (c *Cluster) addrs() []string { return serverAddrs(c.Masters) }

// URL is the Cluster's address for a setting.
func (c *Cluster) URL() string { return clusterURL(scheme(c.args), c.addrs()) }

func clusterURL(scheme string, addrs []string) string {
	return scheme + "+cluster://" + strings.Join(addrs, ",")
}

// Connect returns a client, which is closed with the test.
func (c *Cluster) Connect() redis.UniversalClient {
	c.t.Helper()
	return connect(c.t, c.URL())
}

// Wait waits until all servers serve all slots, after one was started again.
func (c *Cluster) Wait() {
	c.t.Helper()
	if err := formed(c.addrs(), c.args); err != nil {
		c.t.Fatal(err)
	}
}

// Owner returns the master that has a key.
func (c *Cluster) Owner(key string) *Server {
	c.t.Helper()
	slot, err := int64(0), errors.New("no master")
	list := each(c.addrs(), c.args)
	defer list.close()
	for _, rdb := range list { // any that lives
		if slot, err = rdb.ClusterKeySlot(context.Background(), key).Result(); err == nil {
			break
		}
	}
	if err != nil {
		c.t.Fatal(err)
	}
	for i := range c.Masters {
		if first, last := share(i, len(c.Masters)); first <= int(slot) && int(slot) <= last {
			return c.Masters[i]
		}
	}
	c.t.Fatalf("slot %d is nobody's", slot)
	return nil
}

// share is the range of slots of the ith of n masters.
func share(i, n int) (first, last int) { return slots * i / n, slots*(i+1)/n - 1 }

// clients are of the servers of a Cluster with some options, each for itself.
type clients []*redis.Client

func each(addrs, args []string) (list clients) {
	for _, a := range addrs {
		list = append(list, redis.NewClient(options(a, args)))
	}
	return list
}

func (c clients) close() {
	for _, rdb := range c {
		_ = rdb.Close()
	}
}

// form makes servers a Cluster.
func form(addrs, buses, args []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), joinTimeout)
	defer cancel()
	list := each(addrs, args)
	defer list.close()
	host, port, err := net.SplitHostPort(addrs[0])
	if err != nil {
		return err
	}
	for i, rdb := range list {
		first, last := share(i, len(list))
		if err := rdb.Do(ctx, "cluster", "set-config-epoch", i+1).Err(); err != nil {
			return fmt.Errorf("forming a Cluster: %w", err)
		}
		if err := rdb.ClusterAddSlotsRange(ctx, first, last).Err(); err != nil {
			return fmt.Errorf("forming a Cluster: %w", err)
		}
		if i > 0 {
			if err := rdb.Do(ctx, "cluster", "meet", host, port, buses[0]).Err(); err != nil {
				return fmt.Errorf("forming a Cluster: %w", err)
			}
		}
	}
	return formed(addrs, args)
}

// formed waits until each server knows all others and who has which slots.
func formed(addrs, args []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), joinTimeout)
	defer cancel()
	list := each(addrs, args)
	defer list.close()
	for _, rdb := range list {
		for {
			info, err := rdb.ClusterInfo(ctx).Result()
			if err == nil && strings.Contains(info, "cluster_state:ok") && strings.Contains(info, fmt.Sprintf("cluster_slots_ok:%d", slots)) &&
				strings.Contains(info, fmt.Sprintf("cluster_size:%d", len(addrs))) {
				break
			}
			if ctx.Err() != nil {
				return fmt.Errorf("no Cluster after %v: %w\n%s", joinTimeout, err, info)
			}
			time.Sleep(joinPoll)
		}
	}
	return nil
}

// shared is the Cluster that all tests of a process use, one after the other. Nobody ends it: the shell that runs its
// servers reads from a pipe of this process, and ends them when that is closed, however this process ends.
var shared struct {
	mu    sync.Mutex
	addrs []string
	stdin *os.File
}

const keeper = `
for port in $PORTS; do
	mkdir "$DIR/${port%:*}" && (cd "$DIR/${port%:*}" && exec redis-server --bind 127.0.0.1 --port ${port%:*} --cluster-port ${port#*:} "$@" >log 2>&1 </dev/null) &
	pids="$pids $!"
done
read -r forever
kill -9 $pids
wait
rm -rf "$DIR"
`

// sharedCluster returns a client of the shared Cluster, emptied, which is closed with the test.
func sharedCluster(t testing.TB) redis.UniversalClient {
	t.Helper()
	needs.Program(t, "redis-server")
	shared.mu.Lock()
	defer shared.mu.Unlock()
	for try := 0; shared.addrs == nil; try++ {
		if err := startShared(t); err != nil && try == attempts {
			t.Fatal(err)
		}
	}
	rdb, servers := patient(t, connect(t, clusterURL("redis", shared.addrs))), each(shared.addrs, nil)
	t.Cleanup(servers.close)
	rdb.AddHook(whole{servers})
	if err := rdb.FlushAll(context.Background()).Err(); err != nil {
		t.Fatal(err)
	}
	return rdb
}

func startShared(t testing.TB) error {
	t.Helper()
	dir, err := os.MkdirTemp("", "testredis") //nolint:usetesting // it outlives this test
	if err != nil {
		return err
	}
	var addrs, ports, buses []string
	for range 3 {
		addr := testport.Held(t)
		_, port, _ := net.SplitHostPort(addr)
		_, bus, _ := net.SplitHostPort(testport.Held(t))
		addrs, buses, ports = append(addrs, addr), append(buses, bus), append(ports, port+":"+bus)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	args := append([]string{"-c", keeper, "keeper", "--save", "", "--appendonly", "no"}, clusterArgs...)
	cmd := exec.Command("sh", args...) //nolint:gosec // the text is ours
	cmd.Env = append(os.Environ(), "PORTS="+strings.Join(ports, " "), "DIR="+dir)
	cmd.Stdin = r
	if err := cmd.Start(); err != nil {
		_ = w.Close()
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	list := each(addrs, args)
	defer list.close()
	for _, rdb := range list {
		for rdb.Ping(ctx).Err() != nil {
			if ctx.Err() != nil {
				_ = w.Close()
				return fmt.Errorf("no Cluster was ready after %v", startTimeout)
			}
			time.Sleep(joinPoll)
		}
	}
	if err := form(addrs, buses, nil); err != nil {
		_ = w.Close()
		return err
	}
	shared.addrs, shared.stdin = addrs, w
	return nil
}

func connect(t testing.TB, url string) redis.UniversalClient {
	t.Helper()
	rdb, err := cluster.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rdb.Close() }) // the test may have closed it
	return rdb
}
