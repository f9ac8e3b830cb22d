// Package canvas is a room for people who write and draw together: one text, one board, and the cursors of those who are
// here. A room goes on as it was left, for as long as its name is used.
//
// The server orders commands. It names no positions: a character has a name for good, its author and a number ([Place]),
// which its author's client chooses before the server has answered. So a command means the same whatever others did
// meanwhile, and a client can show its own at once, send the next one that builds on it, and put both behind what others
// have written when that comes (web/src/canvas/model.ts).
//
// state.go is what the room holds and how it is sent. step.go applies commands, text.go those of the text, runs.go is the
// list that the text is, forget.go says how long deleted characters keep their places, board.go is the drawing, index.go
// finds things. These see state, commands and a tick and import netcode alone. room.go is what only a server does, bot.go
// a player for load tests.
package canvas
