// Package playback shows recorded matches: it runs a replay file by the rules of its game, at a speed that its owner
// chooses and from wherever he likes, and sends what comes of it to whoever watches, as a room would.
//
//	sessions := playback.New(playback.Config{Games: games, Process: self})
//	s, err := sessions.Open(ctx, playback.Request{Owner: "alice", File: file})
//	s.Control(playback.Control{Tick: &tick, Speed: &speed})
//
// A session is a room to edges and clients: they need nothing new. Its ticks on the wire are its own, at the game's rate
// and without a gap, however fast or slow or backwards the recording is shown; which recorded tick a frame shows is the
// head's Processed number. What is sent is what its view allows: the public scopes, what a seat saw, or everything.
//
// The file is a stranger's: it is read with the journal's bounds, once as a whole before a session begins and again, block
// by block, as it is played. One goroutine has a session. It runs forward for a part of each tick's time alone, so that
// a seek through an hour neither blocks a player's match nor what else is to be done; the next seek takes its place.
package playback
