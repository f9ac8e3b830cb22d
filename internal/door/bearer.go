package door

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"muster/proto"
)

// Bearer returns the token of a request, and whether it came in the Authorization header. It is never in the URL.
func Bearer(r *http.Request) (secret string, header bool) {
	if scheme, value, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(value), true
	}
	for _, offer := range offered(r) {
		if value, ok := strings.CutPrefix(offer, proto.BearerPrefix); ok {
			return value, false
		}
	}
	return "", false
}

// offered returns the subprotocols of a request.
func offered(r *http.Request) (list []string) {
	for _, offer := range strings.Split(r.Header.Get("Sec-Websocket-Protocol"), ",") {
		if offer = strings.TrimSpace(offer); offer != "" {
			list = append(list, offer)
		}
	}
	return list
}

// Choose returns the first of ours that a client offers, "" where it offers none at all. Where it offers others only,
// they are named in foreign, for people, and chosen is one of them: what its socket is opened with before it is told
// 4426. A browser gives up a socket for which none of its protocols was chosen, and then its page cannot read why.
func Choose(r *http.Request, ours ...string) (chosen, foreign string) {
	offers := offered(r)
	for _, o := range ours {
		if slices.Contains(offers, o) {
			return o, ""
		}
	}
	if len(offers) == 0 {
		return "", ""
	}
	if s := stranger(offers); s != "" {
		return s, s
	}
	return "", "none that can be named"
}

// plainName is what a protocol's name may be to be repeated to its client.
var plainName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,24}$`)

// stranger returns the first protocol that a client offers, "" where it offers none.
func stranger(offers []string) string {
	for _, o := range offers {
		if !strings.HasPrefix(o, proto.BearerPrefix) && plainName.MatchString(o) {
			return o
		}
	}
	return ""
}
