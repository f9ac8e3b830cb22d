package testport

import (
	"fmt"
	"syscall"
	"testing"
)

// Held returns an address of the loopback, HOST:PORT, on which nobody listens. Until the test's end the system gives its port
// to nobody who asks for any, neither to listen nor to connect from: it is bound all the time. Who asks for this very one
// can listen, as often as he likes.
func Held(t testing.TB) string {
	t.Helper()
	addr, fd, err := hold()
	if err != nil {
		t.Fatalf("holding a port: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	return addr
}

// hold binds a socket that does not listen. Others may listen at its port, since they ask for SO_REUSEADDR as this one does.
func hold() (addr string, fd int, err error) {
	fd, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return "", 0, fmt.Errorf("making a socket: %w", err)
	}
	err = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	if err == nil {
		err = syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	}
	var name syscall.Sockaddr
	if err == nil {
		name, err = syscall.Getsockname(fd)
	}
	if err != nil {
		_ = syscall.Close(fd)
		return "", 0, fmt.Errorf("binding it: %w", err)
	}
	return fmt.Sprint("127.0.0.1:", name.(*syscall.SockaddrInet4).Port), fd, nil //nolint:forcetypeassert // of its own family
}
