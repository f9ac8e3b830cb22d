package cluster_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/match/cluster"
)

func TestAddressesOfAllForms(t *testing.T) {
	for text, bad := range map[string]string{
		"redis://localhost:6379": "",
		"redis://":               "",
		"rediss://user:s3cret@redis.example.com/3":                 "",
		"unix:///tmp/redis.sock":                                   "none of",
		"redis+sentinel://a:1,b:2,c:3/mymaster":                    "",
		"rediss+sentinel://:s3cret@a:1/m?db=2&sentinel_password=x": "",
		"redis+sentinel://a:1,b:2":                                 "no master",
		"redis+sentinel://a:1/":                                    "no master",
		"redis+sentinel://a:1/m/x":                                 "no master",
		"redis+sentinel:///m":                                      "not a URL",
		"redis+cluster://a:1,b:2,c:3":                              "",
		"redis+cluster://[::1]:1,b":                                "",
		"rediss+cluster://user:s3cret@a:1":                         "",
		"redis+cluster://a:1,b:2/1":                                "database 0",
		"redis+cluster://a:1,,b:2":                                 "not a URL",
		"redis+cluster://a:1,b:s3cret":                             "not a URL",
		"redis+cluster://":                                         "not a URL",
		"redis://a:1,b:2":                                          "several hosts",
		"redis+ring://a:1":                                         "none of",
		"redis+://a:1":                                             "none of",
		"http+cluster://a:1":                                       "none of",
		"redis+cluster://a:1?no_such=1":                            "unexpected option",
		"":                                                         "none of",
	} {
		err := cluster.Access{URL: text}.Check()
		if bad == "" && err != nil || bad != "" && (err == nil || !strings.Contains(err.Error(), bad)) {
			t.Errorf("%s: %v, want %q", text, err, bad)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: the error shows the password: %v", text, err)
		}
	}
}

func TestMaskedAddressesShowNoPassword(t *testing.T) {
	for text, want := range map[string]string{
		"redis://localhost:6379":                            "redis://localhost:6379",
		"redis://user@localhost:6379/1":                     "redis://user@localhost:6379/1",
		"redis://:s3cret@localhost:6379":                    "redis://:xxxxx@localhost:6379",
		"rediss+cluster://u:s3cret@a:1,b:2":                 "rediss+cluster://u:xxxxx@a:1,b:2",
		"redis+cluster://u:s3c@ret@a:1,b:2":                 "redis+cluster://u:xxxxx@a:1,b:2",
		"redis+sentinel://u:p%40s3cret@a:1,b:2/m?db=1":      "redis+sentinel://u:xxxxx@a:1,b:2/m?db=1",
		"redis+sentinel://a:1/m?sentinel_password=s3cret":   "redis+sentinel://a:1/m?sentinel_password=xxxxx",
		"redis://user:s3cret@127.0.0.1:s3cret":              "(not an address of Redis)",
		"s3cret":                                            "(not an address of Redis)",
		"redis+sentinel://:s3cret@a:1,b:2/m?db=1&db=s3cret": "(not an address of Redis)",
	} {
		if got := cluster.MaskedAddress(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestConnectSaysThatRedisIsOfAnotherMode(t *testing.T) {
	single := testredis.Start(t)
	_, err := cluster.Connect(t.Context(), "redis+cluster://"+single.Addr)
	if err == nil || !strings.Contains(err.Error(), "no Redis Cluster") {
		t.Errorf("a single server as a Cluster: %v", err)
	}
	_, err = cluster.Connect(t.Context(), "redis+sentinel://"+single.Addr+"/m")
	if err == nil || !strings.Contains(err.Error(), single.Addr) {
		t.Errorf("a single server as a Sentinel: %v", err)
	}
	c := testredis.StartCluster(t, 3)
	_, err = cluster.Connect(t.Context(), "redis://"+c.Masters[0].Addr)
	if err == nil || !strings.Contains(err.Error(), "redis+cluster://") {
		t.Errorf("a Cluster as a single server: %v", err)
	}
}

// followed shows that links and notices go on after something befell Redis, and how many gaps the notices have at least.
func followed(t *testing.T, rdb redis.UniversalClient, gaps int, befall, heal func()) {
	t.Helper()
	ends := linkedEnds(t, rdb, "a", "b")
	e := listen(rdb)
	t.Cleanup(e.Close)
	until(t, "the bus listens", e.Live)
	ends[0].send(t, "b", "1")
	ends[1].send(t, "a", "1")
	until(t, "they have come", func() bool { return len(ends[0].all()) == 1 && len(ends[1].all()) == 1 })
	befall()
	ends[0].Send("b", []byte("lost, or not"))
	heal()
	until(t, "all hear again", func() bool { return ends[0].Live() && ends[1].Live() && e.Live() })
	sent := 0
	until(t, "a message", func() bool {
		sent++
		ends[0].Send("b", fmt.Append(nil, "again ", sent))
		return strings.HasPrefix(ends[1].last(), "a: again")
	})
	until(t, "a notice", func() bool {
		_ = e.Publish(t.Context(), cluster.Notice{Kind: "ticket", ID: "x"})
		return e.count("ticket x") > 0
	})
	if e.count("gap") < gaps {
		t.Errorf("the bus heard %q", e.all())
	}
}

func (e *linkEnd) last() string {
	all := e.all()
	return all[len(all)-1]
}

func TestLinksAndNoticesFollowASentinelFailover(t *testing.T) {
	s := testredis.StartSentinel(t)
	followed(t, s.Connect(), 2, s.Failover, func() {})
}

func TestLinksAndNoticesGoOnWhenAMasterOfTheClusterIsBack(t *testing.T) {
	c := testredis.StartCluster(t, 3)
	for _, s := range c.Masters {
		t.Run("", func(t *testing.T) {
			gaps := 1
			if s == c.Owner(ns+":{notices}") {
				gaps = 2
			}
			followed(t, c.Connect(), gaps, s.Kill, func() { s.Restart(); c.Wait() })
		})
	}
}
