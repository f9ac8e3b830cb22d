package cluster_test

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"muster/internal/testredis"
	"muster/match/cluster"
)

// linkPair are two nodes; what comes to the second goes to got.
func linkPair(b *testing.B, rdb redis.UniversalClient, got func(msg []byte)) *cluster.Links {
	b.Helper()
	var first *cluster.Links
	for _, id := range []string{"b", "a"} {
		l := cluster.NewLinks(cluster.LinksConfig{
			Redis: rdb, Namespace: ns, Key: linksKey, Self: func() string { return id }, Log: zap.NewNop(),
			Receive: func(_ string, msg []byte) { got(msg) }, Gap: func(string) {}, Gone: func(string) {},
		})
		l.Start()
		b.Cleanup(l.Close)
		<-l.Ready()
		first = l
	}
	return first
}

// BenchmarkLinksLatency is one message of 200 bytes at a time over a Redis on loopback: one way, Send to Receive.
func BenchmarkLinksLatency(b *testing.B) {
	arrived := make(chan time.Time, 1)
	l := linkPair(b, testredis.Start(b).Connect(), func([]byte) { arrived <- time.Now() })
	msg := make([]byte, 200)
	var took []time.Duration
	b.ReportAllocs()
	for b.Loop() {
		began := time.Now()
		l.Send("b", msg)
		took = append(took, (<-arrived).Sub(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}

// BenchmarkLinksLoad is how long messages of 500 bytes are on their way when 40 rooms send one each at 20 Hz, evenly.
func BenchmarkLinksLoad(b *testing.B) {
	const rooms, rate = 40, 20
	took, done := make([]time.Duration, 0, b.N), make(chan struct{})
	base := time.Now()
	l := linkPair(b, testredis.Start(b).Connect(), func(msg []byte) {
		took = append(took, time.Since(base)-time.Duration(binary.LittleEndian.Uint64(msg)))
		if len(took) == b.N {
			close(done)
		}
	})
	msg := make([]byte, 500)
	b.ResetTimer()
	ticker := time.NewTicker(time.Second / rooms / rate)
	defer ticker.Stop()
	for range b.N {
		<-ticker.C
		binary.LittleEndian.PutUint64(msg, uint64(time.Since(base)))
		l.Send("b", msg)
	}
	<-done
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}

// BenchmarkLinksThroughput is as many messages of 500 bytes as go through, 1000 under way at most.
func BenchmarkLinksThroughput(b *testing.B) {
	free := make(chan struct{}, 1000)
	for range cap(free) {
		free <- struct{}{}
	}
	l := linkPair(b, testredis.Start(b).Connect(), func([]byte) { free <- struct{}{} })
	msg := make([]byte, 500)
	b.SetBytes(int64(len(msg)))
	b.ReportAllocs()
	for b.Loop() {
		<-free
		l.Send("b", msg)
	}
}
