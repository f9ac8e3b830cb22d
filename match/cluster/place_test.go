package cluster_test

import (
	"net"
	"testing"

	"muster/match/cluster"
)

// A node that listens on all addresses is reached by the one from which it reaches Redis, whatever Redis is: with a wrong one
// the others take it for gone.
func TestPeersAddressFollowsEveryFormOfRedis(t *testing.T) {
	for address, want := range map[string]string{
		"":                           "",
		"redis://10.0.0.5":           "10.0.0.5:6379",
		"rediss://u:p@10.0.0.5:7/1":  "10.0.0.5:7",
		"redis://[fd00::5]:7":        "[fd00::5]:7",
		"redis+cluster://a:1,b:2":    "a:1",
		"redis+sentinel://a:1,b:2/m": "a:1",
	} {
		if got := cluster.SomeHost(address); got != want {
			t.Errorf("of %q Redis is at %q, want %q", address, got, want)
		}
	}
	for listens, want := range map[string]string{
		"10.0.0.7:80": "http://10.0.0.7:80", "[fd00::7]:80": "http://[fd00::7]:80", "0.0.0.0:80": "http://127.0.0.1:80", "[::]:80": "http://127.0.0.1:80",
	} {
		addr, err := net.ResolveTCPAddr("tcp", listens)
		must(t, err)
		if got := cluster.PeerURL(addr, "redis+cluster://127.0.0.1:1,127.0.0.1:2"); got != want {
			t.Errorf("who listens on %s is reached at %s, want %s", listens, got, want)
		}
	}
}
