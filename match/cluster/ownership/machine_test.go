package ownership

import (
	"testing"
	"time"
)

// What ends by itself in Redis may have ended during an outage that Redis itself outlived.
func TestWhoHadNoLeaseForAWhileWritesItsRecordsAgain(t *testing.T) {
	const lease, margin = time.Second, 100 * time.Millisecond
	m := New("a", Config{TTL: lease, Margin: margin})
	renew := func(sent, answered time.Duration) (forgot bool) {
		m.Renew(sent)
		return m.Renewed(answered, Answer{Lineage: "one", Born: 1})
	}
	for _, c := range []struct {
		what           string
		sent, answered time.Duration
		want           bool
	}{
		{"its first renewal", 0, 0, false},
		{"a renewal in time", 800 * time.Millisecond, 850 * time.Millisecond, false},
		{"one that is answered in the last moment", 1000 * time.Millisecond, 1699 * time.Millisecond, false},
		{"one that is answered when the lease is over", 1800 * time.Millisecond, 1900 * time.Millisecond, true},
		{"the one after it", 2200 * time.Millisecond, 2200 * time.Millisecond, false},
		{"one after two minutes", 2 * time.Minute, 2 * time.Minute, true},
	} {
		if got := renew(c.sent, c.answered); got != c.want {
			t.Errorf("after %s records are to be written again: %v, want %v", c.what, got, c.want)
		}
	}
}
