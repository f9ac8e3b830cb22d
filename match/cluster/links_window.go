package cluster

// window is how far a peer's envelopes have come. Redis Pub/Sub delivers at most once, but a client that lost an answer
// sends again, and what is late may be overtaken on the way.
type window struct {
	known  bool
	stream uint32
	seq    uint64
}

// take says whether an envelope is to be used, and whether others are missing before it. One that was used before, or
// that a later one has overtaken, is not: its place was given up for lost.
func (w *window) take(stream uint32, seq uint64) (ok, gap bool) {
	switch {
	case !w.known:
		gap = seq != 1
	case stream < w.stream || stream == w.stream && seq <= w.seq:
		return false, false
	default:
		gap = stream != w.stream || seq != w.seq+1
	}
	w.known, w.stream, w.seq = true, stream, seq
	return true, gap
}
