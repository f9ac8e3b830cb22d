//go:build !linux

package testport

import (
	"net"
	"testing"
)

// Held returns an address of the loopback, HOST:PORT, on which nobody listened just now. Here another process may come to
// have it before it is used; on Linux none can.
func Held(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
