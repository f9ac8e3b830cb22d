package cluster

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
)

// An envelope is what one PUBLISH carries from one node to another:
//
//	version   1 byte
//	MAC      16 bytes: the first half of HMAC-SHA256 over all other bytes in their order
//	stream    4 bytes, the highest first: which of the sender's streams to this node, they only rise
//	seq       8 bytes, the highest first: the envelope's place in the stream, the first is 1
//	from, to  each a byte that says how long it is, 1 to 64, and a node's id
//	messages  each a varint that says how long it is, and that many bytes; none in a sign of life
//
// The MAC stands in the second place so that what it covers is two pieces and the rest needs no copy.
const (
	envelopeVersion = 1
	macSize         = 16
	envelopeHead    = 1 + macSize + 4 + 8 // bytes before the ids
	maxNodeID       = 64                  // bytes
)

// Why an envelope is not taken.
var (
	errEnvelopeVersion = errors.New("an envelope of another version")
	errEnvelopeMAC     = errors.New("an envelope that is not of this cluster")
	errEnvelope        = errors.New("a malformed envelope")
)

// envelope is one that was read. Its parts are parts of what it was read from.
type envelope struct {
	stream   uint32
	seq      uint64
	from, to []byte
	messages []byte
}

// sealer makes and checks MACs. One goroutine at a time may use it.
type sealer struct {
	mac hash.Hash
	sum [sha256.Size]byte
}

func newSealer(key []byte) *sealer { return &sealer{mac: hmac.New(sha256.New, key)} }

func (s *sealer) of(b []byte) []byte {
	s.mac.Reset()
	s.mac.Write(b[:1])
	s.mac.Write(b[1+macSize:])
	return s.mac.Sum(s.sum[:0])[:macSize]
}

// seal writes the MAC of an envelope that is otherwise finished.
func (s *sealer) seal(b []byte) { copy(b[1:], s.of(b)) }

// appendEnvelope appends an envelope without messages, which appendMessage adds and seal ends.
func appendEnvelope(b []byte, from, to string, stream uint32, seq uint64) []byte {
	b = append(b, envelopeVersion)
	var mac [macSize]byte
	b = append(b, mac[:]...)
	b = binary.BigEndian.AppendUint32(b, stream)
	b = binary.BigEndian.AppendUint64(b, seq)
	b = append(b, byte(len(from))) //nolint:gosec // at most maxNodeID
	b = append(b, from...)
	b = append(b, byte(len(to))) //nolint:gosec // at most maxNodeID
	return append(b, to...)
}

// appendMessage appends a message to an envelope.
func appendMessage(b, msg []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(msg)))
	return append(b, msg...)
}

// open reads an envelope. Nothing of it is believed before its MAC is checked.
func (s *sealer) open(b []byte) (e envelope, err error) {
	if len(b) < envelopeHead {
		return e, errEnvelope
	}
	if b[0] != envelopeVersion {
		return e, errEnvelopeVersion
	}
	if !hmac.Equal(s.of(b), b[1:1+macSize]) {
		return e, errEnvelopeMAC
	}
	e.stream = binary.BigEndian.Uint32(b[1+macSize:])
	e.seq = binary.BigEndian.Uint64(b[1+macSize+4:])
	rest := b[envelopeHead:]
	for _, id := range []*[]byte{&e.from, &e.to} {
		if len(rest) == 0 || rest[0] == 0 || rest[0] > maxNodeID || len(rest) <= int(rest[0]) {
			return envelope{}, errEnvelope
		}
		*id, rest = rest[1:1+rest[0]], rest[1+rest[0]:]
	}
	e.messages = rest
	for len(rest) > 0 {
		var ok bool
		if _, rest, ok = cutMessage(rest); !ok {
			return envelope{}, errEnvelope
		}
	}
	return e, nil
}

// cutMessage cuts the first message off.
func cutMessage(b []byte) (msg, rest []byte, ok bool) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) { //nolint:gosec // n is no more than there is
		return nil, nil, false
	}
	return b[n : n+int(size)], b[n+int(size):], true //nolint:gosec // at most what is left
}
