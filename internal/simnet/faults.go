package simnet

// Stall holds what this end writes, has written and not been read, and its close, on the way until Resume. Writes go on
// until the buffer is full.
func (c *Conn) Stall() { c.fault(func() { c.out.stalled = true }) }

// Resume ends a stall. What should have arrived meanwhile arrives at once.
func (c *Conn) Resume() { c.fault(func() { c.out.stalled = false }) }

// BlackHole swallows whatever either end writes from now on, closes included: writes succeed, nothing arrives, nobody
// is told. So does a middle box that forgot the connection and answers for it. For a peer that does not even take
// bytes, stall both ends.
func (c *Conn) BlackHole() {
	c.fault(func() {
		for _, h := range []*half{c.in, c.out} {
			h.swallow = true
			h.drop()
		}
	})
}

// Cut ends the connection at once: both ends get ECONNRESET and what was on the way is lost.
func (c *Conn) Cut() {
	c.fault(func() {
		c.p.reset = true
		c.in.drop()
		c.out.drop()
	})
}

// SetLink changes how what this end writes from now on travels. It does not overtake what is on the way. The seed is
// not used: the random source goes on.
func (c *Conn) SetLink(l Link) {
	if l.Buffer <= 0 {
		l.Buffer = defaultBuffer
	}
	c.fault(func() { c.out.link = l })
}

func (c *Conn) fault(change func()) {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	change()
	c.p.wake()
}
