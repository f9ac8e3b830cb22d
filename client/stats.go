package client

import (
	"maps"
	"time"

	"muster/netcode"
	"muster/proto"
)

// Stats count what a [Conn] has seen since Dial, over all its sockets. Bytes are those of the WebSocket messages with
// their framing, without TLS, TCP and IP.
type Stats struct {
	Frames         int64
	BytesIn        int64
	BytesOut       int64
	Events         int64
	EventGaps      int64 // event messages that did not follow the last one; the server sends them again
	DecodeErrors   int64 // blocks that could not be applied
	HashMismatches int64 // scopes whose view hash differed
	Resyncs        int64 // keyframes asked for
	Resumes        int64 // sockets lost and taken up again
	Refreshes      int64 // newer tokens that the server took
	RefreshErrors  int64 // times that Options.Refresh gave none
	InputsSent     int64
	InputsDropped  int64         // samples given up for newer ones, unacknowledged
	InputsShed     int64         // samples that were not sent when they were made: the server was silent
	RTT            time.Duration // of the newest ping; 0 before the first
	FrameGap       time.Duration // between the two newest frames
	Lead           int           // of the inputs that were used last, as Frame.Lead
	Takeover       Takeover      // what the newest host cost; zero while the match has had one alone
	Ack            AckStats
	Prediction     netcode.PredictionStats // zero without one
}

// Takeover is what it cost that another host took the match over.
type Takeover struct {
	Count      int           // how many there were so far, with this one
	Paused     time.Duration // between the last frame of the host before and the first one of this
	RolledBack int           // by how many ticks the latter is earlier: so much of what was seen was played anew
}

// reckon notes what another host cost, whether behind the same socket or on a new one.
func (s *Stats) reckon(last *Frame, h *proto.Head, at time.Time) {
	if s.Frames > 0 && h.Epoch > last.Epoch {
		back := max(0, int64(last.Tick)-int64(h.Tick))
		s.Takeover = Takeover{Count: s.Takeover.Count + 1, Paused: at.Sub(last.At), RolledBack: int(back)}
	}
}

// Traffic says what the bytes of states were for, since Dial. The blocks alone are counted, without heads and framing.
type Traffic struct {
	Scopes map[uint16]int64 // bytes by scope; 0 is the room's, seats' have their numbers
	Tables map[string]int64 // bytes by table, of the compact form; a block's own head is no table's
}

// Traffic returns what was counted so far.
func (c *Conn[S, In]) Traffic() Traffic {
	t := Traffic{Scopes: maps.Clone(c.scopeBytes), Tables: map[string]int64{}}
	for i := range c.schema.Tables {
		bits := c.tableBits[i]
		if c.decoder != nil {
			bits += c.decoder.Bits(i)
		}
		t.Tables[c.schema.Tables[i].Name] = bits / 8
	}
	return t
}

// keepBits keeps what a decoder has counted that is given up.
func (c *Conn[S, In]) keepBits() {
	for i := range c.tableBits {
		if c.decoder != nil {
			c.tableBits[i] += c.decoder.Bits(i)
		}
	}
}

// AckStats sum up how long inputs took from Send to the frame that contains them.
type AckStats struct {
	Count int64
	Sum   time.Duration
	Max   time.Duration
}

// Mean returns the mean; 0 when there was none.
func (a AckStats) Mean() time.Duration {
	if a.Count == 0 {
		return 0
	}
	return a.Sum / time.Duration(a.Count)
}

func (a *AckStats) add(d time.Duration) {
	a.Count++
	a.Sum += d
	a.Max = max(a.Max, d)
}

// Observer is told what happens on a [Conn], on the goroutine that uses it. Any of its functions may be nil; none may
// call the Conn.
type Observer struct {
	Joined  func(Info)                // a welcome was accepted, the first or that of a resume
	Frame   func(at time.Time)        // a frame arrived
	Bytes   func(at time.Time, n int) // a message of n bytes arrived; a negative n was sent
	Ack     func(sent, at time.Time)  // an input is contained in the frame that arrived at at
	Unacked func(sent, at time.Time)  // an input was still unacknowledged when the connection ended at at
	RTT     func(at time.Time, d time.Duration)
}
