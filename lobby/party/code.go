package party

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// A code is six letters and digits of which none looks like another: 887 million codes, and guesses are limited.
const (
	codeLen     = 6
	codeLetters = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
)

// NewCodeText returns a random code.
func NewCodeText() string {
	code := make([]byte, 0, codeLen)
	for len(code) < codeLen {
		var b [1]byte
		_, _ = rand.Read(b[:])                         // never fails
		if i := int(b[0] & 31); i < len(codeLetters) { // each letter as likely as the others
			code = append(code, codeLetters[i])
		}
	}
	return string(code)
}

// plainCode is a code as it was made, of one as somebody has typed it.
func plainCode(typed string) string { return strings.ToUpper(typed) }

// newCode finds a code that nobody has and makes it name a party. It counts once the party's record has it too, so
// that one which comes to nothing is of no use.
func (s *Store) newCode(ctx context.Context, id string) (string, error) {
	for range attempts {
		code := NewCodeText()
		done, err := s.cfg.Redis.SetNX(ctx, s.codeKey(code), id, keepFor).Result()
		if err != nil {
			return "", fmt.Errorf("making a code for party %s: %w", id, err)
		}
		if done {
			return code, nil
		}
	}
	return "", ErrBusy
}

// byCode returns the id of the party that a code names. Errors: ErrNone.
func (s *Store) byCode(ctx context.Context, code string) (string, error) {
	if len(code) != codeLen || strings.Trim(code, codeLetters) != "" {
		return "", ErrNone
	}
	id, err := s.cfg.Redis.Get(ctx, s.codeKey(code)).Result()
	switch {
	case errors.Is(err, redis.Nil):
		return "", ErrNone
	case err != nil:
		return "", fmt.Errorf("looking for a code: %w", err)
	}
	return id, nil
}
