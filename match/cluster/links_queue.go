package cluster

const (
	// envelopeSize is how large an envelope grows by further messages. One message alone may be larger.
	envelopeSize = 256 << 10
	// MaxLinkMessage bounds a message between nodes, in bytes.
	MaxLinkMessage = 1 << 20
	// linkQueueBytes bounds what waits for one peer.
	linkQueueBytes = 4 << 20
	// linkSpare is how many used envelopes of one peer are kept for reuse.
	linkSpare = 4
)

// linkQueue is what waits for one peer: envelopes that are finished but for their MACs.
type linkQueue struct {
	from, to string
	stream   uint32

	seq   uint64 // of the newest envelope, or of what was lost after it
	list  [][]byte
	open  bool // the last of them may have further messages
	bytes int  // of all of them
	spare [][]byte
}

// add copies a message into the queue. Where it is full the message is dropped and a sequence number with it, so that the
// other side knows.
func (q *linkQueue) add(msg []byte) bool {
	if q.bytes+len(msg) > linkQueueBytes || len(msg) > MaxLinkMessage {
		q.lose()
		return false
	}
	if n := len(q.list); !q.open || len(q.list[n-1])+len(msg) > envelopeSize {
		q.begin()
	}
	last := &q.list[len(q.list)-1]
	before := len(*last)
	*last = appendMessage(*last, msg)
	q.bytes += len(*last) - before
	return true
}

// lose leaves a hole in the sequence behind what waits now.
func (q *linkQueue) lose() {
	if q.open || len(q.list) == 0 { // else the hole is there already
		q.seq++
	}
	q.open = false
}

// sign puts a sign of life into an empty queue.
func (q *linkQueue) sign() {
	if len(q.list) == 0 {
		q.begin()
	}
}

func (q *linkQueue) begin() {
	var b []byte
	if n := len(q.spare); n > 0 {
		b, q.spare = q.spare[n-1][:0], q.spare[:n-1]
	}
	q.seq++
	b = appendEnvelope(b, q.from, q.to, q.stream, q.seq)
	q.list = append(q.list, b)
	q.bytes += len(b)
	q.open = true
}

// take appends envelopes, the oldest first, to list until these have limit bytes, and returns how many bytes they have.
func (q *linkQueue) take(list [][]byte, limit int) (_ [][]byte, size int) {
	n := 0
	for n < len(q.list) && size < limit {
		size += len(q.list[n])
		n++
	}
	list = append(list, q.list[:n]...)
	kept := copy(q.list, q.list[n:])
	clear(q.list[kept:])
	q.list = q.list[:kept]
	q.open = q.open && kept > 0
	q.bytes -= size
	return list, size
}

// recycle gives an envelope back that was sent.
func (q *linkQueue) recycle(b []byte) {
	if len(q.spare) < linkSpare && cap(b) <= 2*envelopeSize {
		q.spare = append(q.spare, b)
	}
}
