package door

import "net/http"

// Secure says whether a client reached this server by TLS. X-Forwarded-Proto is a trusted proxy's word: who serves the
// port takes out that of anybody else.
func Secure(r *http.Request) bool {
	return r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"
}
