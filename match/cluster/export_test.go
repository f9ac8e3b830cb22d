package cluster

import "time"

// SetGone changes after how long without a sign a lobby counts as gone, for servers whose clock is not the test's.
func (o *Outbox) SetGone(d time.Duration) { o.gone = d }

// SomeHost is someHost.
var SomeHost = someHost
