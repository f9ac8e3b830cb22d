package testport

import (
	"net"
	"testing"
)

// Hundreds of others listen and connect at ports that the system chooses: none of them is a held one.
func TestHeldAddressIsGivenToNobodyElse(t *testing.T) {
	held := map[string]bool{}
	for range 200 {
		addr := Held(t)
		if held[addr] {
			t.Fatalf("%s is held twice", addr)
		}
		held[addr] = true
	}
	for range 500 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		for _, addr := range []string{l.Addr().String(), c.LocalAddr().String()} {
			if held[addr] {
				t.Errorf("%s was given to another", addr)
			}
		}
	}
}
