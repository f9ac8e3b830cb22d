package journaltest

import (
	"bytes"
	"sync"

	"muster/match/journal"
)

// Warm uses the compressor once. It makes its channels then, and a bubble of testing/synctest may not use those of another:
// tests that use journals in bubbles call it first.
var Warm = sync.OnceFunc(func() {
	var b bytes.Buffer
	w, err := journal.NewWriter(&b, journal.Header{Room: "warm", Game: "warm"})
	if err == nil {
		err = w.Close()
	}
	if err == nil {
		_, err = journal.NewReader(bytes.NewReader(b.Bytes()))
	}
	if err != nil {
		panic(err)
	}
})
