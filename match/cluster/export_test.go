package cluster

import "time"

// SetGone changes after how long without a sign a lobby counts as gone, for servers whose clock is not the test's.
func (o *Outbox) SetGone(d time.Duration) { o.gone = d }

// SomeHost is someHost.
var SomeHost = someHost

// Limit takes the place of the limits by which a room is to blame.
func (d *Directory) Limit(attempts, crashes int) { d.limits = limits{attempts, crashes} }
