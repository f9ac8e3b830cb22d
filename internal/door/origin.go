package door

import (
	"net/http"
	"net/url"
	"strings"
)

// Origins are the hosts whose pages may open sockets, besides the one that is asked.
type Origins map[string]bool

// NewOrigins returns a set of hosts.
func NewOrigins(hosts []string) Origins {
	o := Origins{}
	for _, h := range hosts {
		o[strings.ToLower(h)] = true
	}
	return o
}

// Allow checks the page that opens a socket. A request without an origin is not a browser's; it must then bring its
// token in a header, which a page cannot.
func (o Origins) Allow(r *http.Request, header bool) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return header
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false
	}
	return strings.EqualFold(u.Host, r.Host) || o[strings.ToLower(u.Host)]
}
