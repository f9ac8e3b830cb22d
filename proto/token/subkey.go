package token

import (
	"crypto/hmac"
	"crypto/sha256"
)

// Subkey returns a key of 32 bytes for one purpose, which follows from the deployment's key and tells nothing of it.
func (k *Keys) Subkey(purpose string) []byte {
	mac := hmac.New(sha256.New, k.key)
	_, _ = mac.Write([]byte("muster key\x00" + purpose))
	return mac.Sum(nil)
}
