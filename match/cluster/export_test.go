package cluster

import "time"

// SetGone changes after how long without a sign a lobby counts as gone, for servers whose clock is not the test's.
func (o *Outbox) SetGone(d time.Duration) { o.gone = d }

// Tend has the next Drain look for lobbies that are gone, as the first one after an outage does.
func (o *Outbox) Tend() { o.tended = time.Time{} }

// SomeHost is someHost.
var SomeHost = someHost

// Limit takes the place of the limits by which a room is to blame.
func (d *Directory) Limit(attempts, crashes int) { d.limits = limits{attempts, crashes} }
