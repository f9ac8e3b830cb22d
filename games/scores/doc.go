// Package scores is a board of live scores: what a studio's backend knows reaches everybody who looks, by the Feed hook and
// nothing else. Players have no say. What the backend was told is done survives the room's server.
//
// It is the game of docs/uses/SERVER_API.md.
package scores
