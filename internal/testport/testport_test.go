package testport

import (
	"net"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestNobodyListensAtAHeldAddressUntilSomebodyAsksForIt(t *testing.T) {
	addr := Held(t)
	for range 3 { // a server that comes back
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			t.Fatal("somebody listens")
		}
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Close(), l.Close()
	}
}
