package canvas

import "muster/client"

// Bot writes and draws, for load tests.
var Bot = client.NewBot[World, Input]("canvas", func() client.Brain[World, Input] {
	return func(*client.BotView[World]) (Input, bool) { return Input{}, false }
})
