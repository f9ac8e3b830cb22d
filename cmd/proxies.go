package cmd

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// maxHops bounds how far back the way of a request through proxies is followed.
const maxHops = 16

// proxies are the networks whose word on where a request comes from is taken.
type proxies []netip.Prefix

// parseProxies reads networks like 10.0.0.0/8, and single addresses.
func parseProxies(list []string) (proxies, error) {
	var p proxies
	for _, s := range list {
		prefix, err := netip.ParsePrefix(s)
		if a, aerr := netip.ParseAddr(s); err != nil && aerr == nil && a.Zone() == "" {
			prefix, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("--trusted-proxy %q: want a network like 10.0.0.0/8 or an address", s)
		}
		if prefix.Addr().Is4In6() && prefix.Bits() >= 96 {
			prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
		}
		p = append(p, prefix.Masked())
	}
	return p, nil
}

func (p proxies) trust(a netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(a) {
			return true
		}
	}
	return false
}

// client returns from where a request comes: the nearest address on its way that is no trusted proxy. remote is the
// connection's other end, and forwarded what X-Forwarded-For says, to which each proxy appends whom it heard; what is
// before the nearest stranger anybody may have made up. ok is false where remote stays what it is.
func (p proxies) client(remote string, forwarded []string) (a netip.Addr, ok bool) {
	ap, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}, false
	}
	a = ap.Addr().Unmap()
	rest := strings.Join(forwarded, ",")
	for range maxHops {
		if !p.trust(a) || rest == "" {
			break
		}
		i := strings.LastIndexByte(rest, ',')
		hop := strings.TrimSpace(rest[i+1:])
		rest = rest[:max(i, 0)]
		next, err := netip.ParseAddr(hop)
		if err != nil {
			withPort, perr := netip.ParseAddrPort(hop)
			if perr != nil {
				break // the proxy does not know, or is none: its own address is the nearest that is certain
			}
			next = withPort.Addr()
		}
		a, ok = next.Unmap().WithZone(""), true
	}
	return a, ok
}

// forwardedProto is the header in which a proxy says how its client reached it: "http" or "https".
const forwardedProto = "X-Forwarded-Proto"

// behind makes requests that come through trusted proxies come from their clients. Nothing behind it reads
// X-Forwarded-For: limits and logs know a request's address alone. X-Forwarded-Proto stays where a trusted proxy said it.
func behind(p proxies, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.Header[forwardedProto]) > 0 && !p.near(r.RemoteAddr) {
			r2 := *r
			r2.Header = r.Header.Clone()
			r2.Header.Del(forwardedProto)
			r = &r2
		}
		if a, ok := p.client(r.RemoteAddr, r.Header.Values("X-Forwarded-For")); ok {
			r2 := *r
			r2.RemoteAddr = net.JoinHostPort(a.String(), "0")
			r = &r2
		}
		next.ServeHTTP(w, r)
	})
}

// near says whether a connection's other end is a trusted proxy.
func (p proxies) near(remote string) bool {
	ap, err := netip.ParseAddrPort(remote)
	return err == nil && p.trust(ap.Addr().Unmap())
}
