// Package joincode makes the codes that people tell each other to come together, in rooms and in parties: six letters and
// digits, without vowels, which would make words of them, and nothing that looks like another.
package joincode

import (
	"crypto/rand"
	"crypto/sha256"
	"strings"
)

const (
	// Letters are those of a code. There are 481 million codes.
	Letters = "BCDFGHJKLMNPQRSTVWXZ23456789"
	// Len is how many a code has.
	Len = 6
)

// New returns a random code.
func New() string {
	code := make([]byte, 0, Len)
	for len(code) < Len {
		var b [1]byte
		_, _ = rand.Read(b[:])                     // never fails
		if i := int(b[0] & 31); i < len(Letters) { // each letter as likely as the others
			code = append(code, Letters[i])
		}
	}
	return string(code)
}

// Of returns the code that belongs to a secret, always the same.
func Of(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	code := make([]byte, Len)
	for i := range code {
		code[i] = Letters[int(sum[i])%len(Letters)]
	}
	return string(code)
}

// Plain is a code as it was made, of one as somebody has typed it: in capitals or not. ok says whether it can be one.
func Plain(typed string) (code string, ok bool) {
	code = strings.ToUpper(typed)
	return code, len(code) == Len && strings.Trim(code, Letters) == ""
}
