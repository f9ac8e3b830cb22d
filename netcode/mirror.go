package netcode

import "muster/proto"

// NewMirror returns an encoder that has no state: instead of Capture, Receive feeds it with what another encoder, of the
// same schema, prepared for a [View] that stands for all of the mirror's viewers. Prepare and Hashes are as ever, for
// scopes that the heads of frames say: Scopes, PublicScopes, Local, WriteEvent and names are the other encoder's. Viewers
// in step with what is received get the very bytes that came; what others need is encoded here. cfg.Ring should be the
// other encoder's; cfg.Key has no meaning.
func NewMirror(sc *Schema, cfg EncoderConfig) *Encoder {
	return NewEncoder(sc, cfg)
}

// Receive brings the mirror to the frame's tick: of its head it uses the epoch, the tick, which is greater than any
// before in the epoch, and the scopes, which contain those of all viewers (see [Union]). It keeps nothing of f.
//
// A scope that the mirror has no state of at this tick gives its viewers no block, and no silence that they would take
// for no change; Prepare then says so to those that must be told. Another epoch makes the mirror forget everything, and
// the views of its viewers must be Reset.
//
// The error is a *[ScopeError], or several joined, see Failed: those scopes must be sent anew (View.Resync at the other
// encoder); all others are there. Further blocks of theirs are passed over, and are no errors, until a keyframe comes.
// An error that is no ScopeError says that the frame is not one that can follow, and nothing has changed.
func (e *Encoder) Receive(f *proto.Frame) error { return nil }

// Failed lists the scopes that the last Receive found broken.
func (e *Encoder) Failed() []*ScopeError { return nil }

// Lost tells a mirror that frames before the next one may be missing: that a scope has no block does not mean any more
// that it has not changed, until a block of it comes. Who calls it makes all scopes come anew (View.Reset at the other
// encoder). Viewers are left with what they have and are then brought to what came by as few bytes as without a mirror.
func (e *Encoder) Lost() {}

// Union adds more to a list of watches that is sorted by scopes, as the result is: each scope once, due at least whenever
// it is due for one of both.
func Union(list, more []proto.Watch) []proto.Watch { return append(list, more...) }
