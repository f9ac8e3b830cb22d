package cluster

// window is how far a peer's envelopes have come. Redis Pub/Sub delivers at most once, but a client that lost an answer
// sends again, what is late may be overtaken on the way, and a stranger with a way to Redis may say again what he heard.
type window struct {
	known  bool // else what it has begun since may be none of ours
	stream uint32
	seq    uint64
}

// take says whether an envelope is to be used, and whether others are missing before it. One that was used before, or
// that a later one has overtaken, is not: its place was given up for lost. Streams and numbers begin at 1.
func (w *window) take(stream uint32, seq uint64) (ok, gap bool) {
	switch {
	case stream < w.stream || stream == w.stream && seq <= w.seq:
		return false, false
	case stream == w.stream:
		gap = seq != w.seq+1
	default:
		gap = w.known || seq != 1
	}
	w.known, w.stream, w.seq = true, stream, seq
	return true, gap
}

// pastPeers is how far the envelopes of peers had come that are forgotten, so that those do not count a second time. A node
// has another id each time that it begins, so there is one for each that this one ever heard; of too many any goes.
type pastPeers map[string]window

// maxPast bounds them.
const maxPast = 1 << 14

// add keeps a window. When the peer is heard again what it began since is nothing that is missing here.
func (p pastPeers) add(id string, w window) {
	if w.stream == 0 {
		return
	}
	if len(p) >= maxPast {
		for old := range p {
			delete(p, old)
			break
		}
	}
	w.known = false
	p[id] = w
}

// take returns a peer's window.
func (p pastPeers) take(id string) window {
	w := p[id]
	delete(p, id)
	return w
}
