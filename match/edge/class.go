package edge

// classes are the viewers' classes by how good their way is: each is sent every so many ticks' frame, at the ticks that
// the number divides, so that all of a class share what is encoded.
var classes = [...]uint32{1, 2, 3, 6}

// Times of a pace, in seconds.
const (
	paceWindow    = 5  // the least lag is that of one to two of these
	paceSettle    = 2  // a class in which nothing is acknowledged is judged after this
	paceCongested = 2  // two congestions within this are too many
	paceFirst     = 2  // how long a viewer must do well before it is moved up
	paceMost      = 30 // the same after moves up that failed, each of which doubles it
	paceGood      = 60 // a move up that lasted as long did not fail, and halves it for each of these
)

// pace decides which class one viewer is in, from what it acknowledges and from its socket. It is a function of what
// next is told, tick by tick; the zero value is in the best class.
//
// A viewer whose way is too narrow lags: the network's queues fill with frames, which are old when they arrive. What
// counts is how much it lags more than it did at least within the last seconds, so a way that is long but not full is no
// reason to send less.
type pace struct {
	class   int    // index into classes
	changed uint32 // the tick at which it came into it
	mark    uint32 // the excess that it had then, or when it was last judged; 0 when it was moved up
	most    uint32 // the most excess since then

	seen     uint32 // the newest tick that was acknowledged
	delay    uint32 // how long after its tick that was, in ticks
	least    [2]uint32
	windowAt uint32 // when the window of least[0] began

	congested   bool
	congestedAt uint32 // when the last congestion began; 0 for none since the class was changed

	calm  bool
	since uint32 // calm: since when
	wait  uint32 // how long it must be calm to be moved up, in ticks
	upAt  uint32 // when it was last moved up; 0 when it was moved down since
}

// next returns how many ticks the viewer's frames are apart from now on. It is called each tick with the newest tick
// that was sent to the viewer and the newest that it acknowledged, whether its socket takes nothing now, and the room's
// rate. One that has acknowledged nothing, or what was never sent, is not judged at all.
func (p *pace) next(tick, sent, seen uint32, congested bool, rate uint32) (every uint32) {
	if seen == 0 || seen > sent {
		*p = pace{}
		return classes[0]
	}
	p.measure(tick, seen, rate)
	excess := p.excess(tick, sent, rate)
	switch {
	case p.often(tick, congested, rate):
		p.down(tick, excess, rate)
	case excess > max(rate/2, 2):
		p.calm = false
		p.judge(tick, excess, rate)
	case congested || excess > max(rate/4, 1):
		p.calm = false
	default:
		p.up(tick, rate)
	}
	return classes[p.class]
}

// measure notes how long an acknowledgement took, and the least of that.
func (p *pace) measure(tick, seen, rate uint32) {
	if seen == p.seen {
		return
	}
	first := p.seen == 0
	p.seen, p.delay = seen, tick-min(seen, tick)
	switch {
	case first:
		p.least, p.windowAt = [2]uint32{p.delay, p.delay}, tick
	case tick-p.windowAt >= paceWindow*rate:
		p.least, p.windowAt = [2]uint32{p.delay, p.least[0]}, tick
	default:
		p.least[0] = min(p.least[0], p.delay)
	}
}

// excess returns by how many ticks the viewer lags more than its way explains. A second is the most that any way
// explains, so that a queue which never empties does not pass for one.
func (p *pace) excess(tick, sent, rate uint32) uint32 {
	lag := p.delay
	// Frames may have been as far apart as in the worst class: what was sent first of those that are missing came that
	// much later at most.
	if missing := p.seen + classes[len(classes)-1]; sent > p.seen && tick > missing {
		lag = max(lag, tick-missing)
	}
	return lag - min(lag, p.least[0], p.least[1], rate)
}

// often says whether this is the second congestion within a short time.
func (p *pace) often(tick uint32, congested bool, rate uint32) bool {
	began := congested && !p.congested
	p.congested = congested
	if !began {
		return false
	}
	before := p.congestedAt
	p.congestedAt = tick
	return before != 0 && tick-before <= paceCongested*rate
}

// judge moves a viewer that lags down. What is sent in a class shows in what is acknowledged a lag later, so one that was
// moved down is given the time for that, unless it lags a third of a second more meanwhile. Then it is enough that it lags
// less than before, though by less than a second.
func (p *pace) judge(tick, excess, rate uint32) {
	if p.mark > 0 && excess < p.mark+max(rate/3, 4) {
		if p.seen < p.changed+rate/2 && tick-p.changed < paceSettle*rate {
			p.most = max(p.most, excess)
			return
		}
		if excess < p.most && excess <= rate {
			p.mark, p.most, p.changed = excess, excess, tick
			return
		}
	}
	p.down(tick, excess, rate)
}

func (p *pace) down(tick, excess, rate uint32) {
	switch lasted := (tick - p.upAt) / (paceGood * rate); {
	case p.upAt == 0:
	case lasted == 0: // the move up has failed
		p.wait = min(2*max(p.wait, paceFirst*rate), paceMost*rate)
	default:
		p.wait >>= min(lasted, 31)
	}
	p.upAt, p.calm = 0, false
	p.class = min(p.class+1, len(classes)-1)
	p.changed, p.mark, p.most, p.congestedAt = tick, max(excess, 1), max(excess, 1), 0
}

// up moves a viewer that does well up, once it has for long enough.
func (p *pace) up(tick, rate uint32) {
	if !p.calm {
		p.calm, p.since = true, tick
	}
	if p.class == 0 || tick-p.since < max(p.wait, paceFirst*rate) {
		return
	}
	p.class--
	p.since, p.changed, p.mark, p.congestedAt, p.upAt = tick, tick, 0, 0, tick
}
