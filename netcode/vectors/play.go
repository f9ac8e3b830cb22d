package vectors

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"

	"muster/netcode"
	"muster/proto"
)

// Options say what is held against the recording. The zero value holds everything against it that the client can own.
type Options struct {
	// Ignore says of a difference that the step cannot know better: it is passed over, and the server's state counts from
	// there on. Nil: none is.
	Ignore func(netcode.Miss) bool
}

// ErrDiffers is wrapped by the error that reports the first difference.
var ErrDiffers = errors.New("the step differs from the recorded rules")

// Result is what was compared.
type Result struct {
	Ticks   int // played
	Ignored int // differences
}

// Play runs a step in a client that has no delay over a recording. An error is the first difference, or says that the
// file is none of this schema's. Events that the step emits must be among those that the server sent in the tick; those
// that it does not emit are no difference.
func Play[S, In any](f *File, sc *netcode.Schema, step func(*netcode.Step[S, In]), o Options) (Result, error) {
	var res Result
	if f.Schema != hex.EncodeToString(sc.Binary()) {
		return res, errors.New("playing step vectors: recorded with another schema")
	}
	mode := proto.Samples
	if f.Inputs == "commands" {
		mode = proto.Commands
	}
	var truth S
	var untrue error
	p, err := netcode.NewPrediction(sc, &truth, step, netcode.PredictionConfig{
		Rate: f.Rate, Mode: mode, Seat: netcode.Seat(f.Seat), Window: 1,
		Unconfirmed: func(event any, tick uint32) {
			if untrue == nil {
				untrue = fmt.Errorf("tick %d: %w: an event that the server did not send: %T%+v", tick, ErrDiffers, event, event)
			}
		},
	})
	if err != nil {
		return res, fmt.Errorf("playing step vectors: %w", err)
	}
	dec := netcode.NewDecoder(sc)
	var frame proto.Frame
	var seq uint32
	for i := range f.Ticks {
		t := &f.Ticks[i]
		if err := apply(&frame, dec, t.Frame); err != nil {
			return res, fmt.Errorf("playing step vectors, tick %d: %w", i, err)
		}
		if err := dec.Load(&truth); err != nil {
			return res, fmt.Errorf("playing step vectors, tick %d: %w", i, err)
		}
		tick := frame.Head.Tick
		for _, body := range t.Inputs {
			in, err := inputOf[In](sc, body)
			if err != nil {
				return res, fmt.Errorf("playing step vectors, tick %d: %w", i, err)
			}
			seq++
			view := math.Floor(t.View)
			p.Input(seq, tick, uint32(view), uint8((t.View-view)*256), in)
		}
		if i > 0 {
			if p.Advance(float64(tick)); p.Tick() != tick {
				return res, fmt.Errorf("playing step vectors: tick %d does not follow the last one", tick)
			}
			var miss *netcode.Miss
			p.Misses(func(m netcode.Miss) bool {
				if o.Ignore != nil && o.Ignore(m) {
					res.Ignored++
					return true
				}
				miss = &m
				return false
			})
			if miss != nil {
				return res, fmt.Errorf("%w: %v", ErrDiffers, miss)
			}
			res.Ticks++
		}
		for _, body := range t.Events {
			b, err := hex.DecodeString(body)
			if err != nil {
				return res, fmt.Errorf("playing step vectors, tick %d: %w", i, err)
			}
			event, err := sc.ReadEvent(b)
			if err != nil {
				return res, fmt.Errorf("playing step vectors, tick %d: %w", i, err)
			}
			p.Confirm(event, tick)
		}
		if p.Reconcile(tick, seq); untrue != nil {
			return res, untrue
		}
	}
	// The events of the last ticks are still awaited. So far ahead nothing is run any more.
	p.Reconcile(frame.Head.Tick+uint32(f.Rate)+2, seq) //nolint:gosec // NewPrediction has checked it
	return res, untrue
}

func apply(f *proto.Frame, dec *netcode.Decoder, text string) error {
	b, err := hex.DecodeString(text)
	if err != nil {
		return fmt.Errorf("a frame: %w", err)
	}
	r := proto.NewReader(b)
	kind, n, err := proto.ServerKind(r)
	if err != nil {
		return fmt.Errorf("a frame: %w", err)
	}
	if err := f.Parse(r, kind, n); err != nil {
		return fmt.Errorf("a frame: %w", err)
	}
	if err := dec.Apply(f); err != nil {
		return fmt.Errorf("a frame: %w", err)
	}
	return nil
}

func inputOf[In any](sc *netcode.Schema, text string) (*In, error) {
	b, err := hex.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("an input: %w", err)
	}
	in := new(In)
	if err := sc.ReadInput(b, in); err != nil {
		return nil, fmt.Errorf("an input: %w", err)
	}
	return in, nil
}
