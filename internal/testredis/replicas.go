package testredis

import (
	"context"
	"net"
	"strings"
	"testing"
)

// replicaArgs are options of servers that are replicas, or have some: they are in step soon after they have met.
var replicaArgs = []string{"--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"}

// StartReplicatedCluster is StartCluster with one replica for each master. It takes some seconds.
func StartReplicatedCluster(t testing.TB, masters int, args ...string) *Cluster {
	t.Helper()
	args = append(args[:len(args):len(args)], replicaArgs...)
	c := StartCluster(t, masters, args...)
	for range masters {
		s, bus := c.startServer()
		c.Replicas, c.replicaBuses = append(c.Replicas, s), append(c.replicaBuses, bus)
	}
	ctx := context.Background()
	list, first := each(serverAddrs(c.Replicas), c.args), each(c.addrs(), c.args)
	defer list.close()
	defer first.close()
	host, port, err := net.SplitHostPort(c.Masters[0].Addr)
	must(t, err)
	for i, rdb := range list {
		must(t, rdb.Do(ctx, "cluster", "meet", host, port, c.buses[0]).Err())
		id, err := first[i].Do(ctx, "cluster", "myid").Text()
		must(t, err)
		until(t, joinTimeout, "the replica knows its master", func() bool { return rdb.ClusterReplicate(ctx, id).Err() == nil })
	}
	c.synced()
	return c
}

// Promote makes the replica of the ith master the master, as an operator does: nothing is lost. They change places.
func (c *Cluster) Promote(i int) {
	c.t.Helper()
	list := each([]string{c.Replicas[i].Addr}, c.args)
	defer list.close()
	must(c.t, list[0].ClusterFailover(context.Background()).Err())
	c.exchange(i)
	c.synced()
}

// Lose kills the ith master and waits until the others have made its replica the master. They change places: Rejoin
// starts the old one.
func (c *Cluster) Lose(i int) {
	c.t.Helper()
	c.Masters[i].Kill()
	c.exchange(i)
}

// exchange waits until the replica of the ith master is the master for everybody, and lets them change places.
func (c *Cluster) exchange(i int) {
	c.t.Helper()
	c.Masters[i], c.Replicas[i] = c.Replicas[i], c.Masters[i]
	c.buses[i], c.replicaBuses[i] = c.replicaBuses[i], c.buses[i]
	until(c.t, failoverTimeout, "the replica is the master", func() bool {
		return strings.Contains(info(c.Masters[i].Addr, c.args), "role:master")
	})
	c.Wait()
}

// Rejoin starts the server that was the ith master before Lose, and waits until it is a replica that has everything.
func (c *Cluster) Rejoin(i int) {
	c.t.Helper()
	c.Replicas[i].Restart()
	c.synced()
}

// synced waits until every replica is in step with its master, and everybody knows it.
func (c *Cluster) synced() {
	c.t.Helper()
	for i, s := range c.Replicas {
		_, port, err := net.SplitHostPort(c.Masters[i].Addr)
		must(c.t, err)
		until(c.t, failoverTimeout, "the replica is in step", func() bool {
			text := info(s.Addr, c.args)
			return strings.Contains(text, "role:slave") && strings.Contains(text, "master_link_status:up") && strings.Contains(text, "master_port:"+port)
		})
	}
	c.Wait()
}

func serverAddrs(servers []*Server) (list []string) {
	for _, s := range servers {
		list = append(list, s.Addr)
	}
	return list
}

// info is what a server says of its replication, or "".
func info(addr string, args []string) string {
	list := each([]string{addr}, args)
	defer list.close()
	text, _ := list[0].Info(context.Background(), "replication").Result() // none is what until waits out
	return text
}
