package token_test

import (
	"regexp"
	"testing"
)

func TestDerivedIDsFollowFromKeyAndPartsAlone(t *testing.T) {
	a, _ := newKeys(t, []byte("a key of 32 bytes, for these tests"))
	b, _ := newKeys(t, []byte("another key of 32 bytes, for tests"))
	id := a.Derive("alice", "tickets", "k")
	if !regexp.MustCompile(`^[a-z2-7]{26}$`).MatchString(id) {
		t.Errorf("the id is %q", id)
	}
	if a.Derive("alice", "tickets", "k") != id {
		t.Error("the same parts gave another id")
	}
	for name, other := range map[string]string{
		"another key": b.Derive("alice", "tickets", "k"), "another part": a.Derive("alice", "tickets", "l"),
		"parts cut elsewhere": a.Derive("alicet", "ickets", "k"), "fewer parts": a.Derive("alice", "ticketsk"),
	} {
		if other == id {
			t.Errorf("%s gave the same id", name)
		}
	}
}
