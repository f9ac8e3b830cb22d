package cluster

import (
	"crypto/sha256"
	"encoding/hex"
	"net"
	"os"
	"strings"
)

// PlaceOf names a listener of this process such that no other process can have one of the same name at the same time: its
// address within its network namespace within this run of the machine. So whoever has it knows that a process which had it
// before is gone. "" where the system does not say enough.
func PlaceOf(l net.Addr) string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	network, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return ""
	}
	sum := sha256.Sum256([]byte(strings.TrimSpace(string(boot)) + " " + network + " " + l.String()))
	return hex.EncodeToString(sum[:8])
}

// PeerURL is the URL by which other machines reach a listener, where nobody says another one: where it listens on all
// addresses, that of them from which Redis is reached. redisAddress is as for [Connect]; "" is an embedded one.
func PeerURL(l net.Addr, redisAddress string) string {
	host, port, err := net.SplitHostPort(l.String())
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
		if c, err := net.Dial("udp", someHost(redisAddress)); err == nil { // which sends nothing
			host, _, _ = net.SplitHostPort(c.LocalAddr().String())
			_ = c.Close()
		}
	}
	return "http://" + net.JoinHostPort(host, port)
}

// someHost is HOST:PORT of one of the servers that an address of Redis names, or "".
func someHost(redisAddress string) string {
	a, err := parseAddress(redisAddress)
	if err != nil {
		return ""
	}
	return a.hosts[0]
}
