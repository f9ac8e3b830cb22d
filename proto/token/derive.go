package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strings"
)

// Derive returns an id of 26 lower-case letters and digits that follows from parts: the same parts give the same id in
// every process that has the key, and nobody without it can guess it. It makes creation idempotent by the client's key.
func (k *Keys) Derive(parts ...string) string {
	mac := hmac.New(sha256.New, k.key)
	_, _ = mac.Write([]byte("muster id\x00"))
	var n [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(n[:], uint64(len(p))) // so that two lists of parts are never the same bytes
		_, _ = mac.Write(n[:])
		_, _ = mac.Write([]byte(p))
	}
	return strings.ToLower(base32.StdEncoding.EncodeToString(mac.Sum(nil))[:26])
}
