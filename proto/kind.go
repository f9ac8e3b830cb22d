package proto

// ClientKind reads the head of a message from a client: its kind and the array's length, kind included. The caller
// then parses the message of that kind from the same Reader. A kind that does not exist is returned as it is; the
// caller refuses it.
func ClientKind(r *Reader) (kind, n int, err error) { return readKind(r, 16) }

// ServerKind is [ClientKind] for a message from a server. Kinds from [KindFrame] to KindFrame+15 are frames.
func ServerKind(r *Reader) (kind, n int, err error) { return readKind(r, MaxServerMessage) }

func readKind(r *Reader, max int) (kind, n int, err error) {
	n = r.Array("message", max)
	if r.err == nil && n == 0 {
		r.Fail("message", "no kind")
	}
	return int(r.Uint8("kind")), n, r.err
}
