package token

import (
	"bytes"
	"testing"
)

func TestSubkeysFollowFromKeyAndPurpose(t *testing.T) {
	a, err := New(bytes.Repeat([]byte("a"), 32), nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := New(bytes.Repeat([]byte("b"), 32), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Subkey("links"), a.Subkey("links")) {
		t.Error("the same key and purpose give two keys")
	}
	if bytes.Equal(a.Subkey("links"), a.Subkey("probes")) || bytes.Equal(a.Subkey("links"), b.Subkey("links")) {
		t.Error("another purpose or key gives the same key")
	}
}
