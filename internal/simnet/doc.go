// Package simnet is a network in memory for tests: pairs of net.Conn and a net.Listener with latency, jitter, a
// bandwidth, stalls, black holes and cuts.
//
//	synctest.Test(t, func(t *testing.T) {
//		l := simnet.Listen(simnet.Link{Latency: 40 * time.Millisecond, Jitter: 10 * time.Millisecond, Seed: 1})
//		defer l.Close()
//		go serve(l)
//		c, err := l.Dial(t.Context())
//		…
//		c.Stall() // what c writes stays on the way until c.Resume()
//	})
//
// It is made for testing/synctest bubbles, where minutes of play pass in milliseconds: it starts no goroutine, and what
// waits, waits on channels and timers alone. Connections behave as TCP's do: bytes arrive in order and none is lost
// while the connection lasts. The same seeds and the same calls give the same delays.
package simnet
