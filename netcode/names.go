package netcode

import (
	"encoding/binary"
	"fmt"
)

// AppendNames appends what decides how rows are named on the wire beside the encoder's key: how often each came into a
// hidden scope. Another encoder of the same key and schema, given it before its first capture, names the same rows alike;
// so what clients and waiting inputs call a row still means it.
func (e *Encoder) AppendNames(dst []byte) []byte {
	for i := range e.placed {
		salt := e.placed[i].salt
		n := 0
		for _, s := range salt {
			if s != 0 {
				n++
			}
		}
		dst = binary.AppendUvarint(dst, uint64(n))
		for slot, s := range salt {
			if s != 0 {
				dst = binary.AppendUvarint(dst, uint64(slot))
				dst = binary.AppendUvarint(dst, uint64(s))
			}
		}
	}
	return dst
}

// RestoreNames takes up what AppendNames wrote, before the first capture. Nothing at all stands for rows that have all
// kept their first names. The bytes may be damaged: an error wraps [ErrCheckpoint], and the encoder is not to be used.
func (e *Encoder) RestoreNames(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	r := exactReader{b: data}
	for i := range e.placed {
		most := e.sc.Tables[i].Max
		last := -1
		for range r.uint("names", uint64(most)) { //nolint:gosec // a table's bound
			slot := int(r.uint("slot", uint64(most-1))) //nolint:gosec // a table's bound
			salt := uint16(r.uint("name", 1<<16-1))     //nolint:gosec // bounded
			if r.err == nil && (slot <= last || salt == 0) {
				r.fail("names of %s out of order", e.sc.Tables[i].Name)
			}
			if r.err != nil {
				break
			}
			last = slot
			p := &e.placed[i]
			p.salt = resize(p.salt, max(len(p.salt), slot+1))
			p.salt[slot] = salt
		}
	}
	if err := r.done(); err != nil {
		return fmt.Errorf("restoring rows' names: %w", err)
	}
	return nil
}
