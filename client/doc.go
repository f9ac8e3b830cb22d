// Package client is the Go client of Muster: the lobby, a match and bots. docs/GOCLIENT.md shows it piece by piece.
//
// A program gets a seat from the lobby and plays with the game's own types:
//
//	lobby := &client.Lobby{URL: "http://127.0.0.1:8080"}
//	if _, err := lobby.Guest(ctx, "alice"); err != nil { … }
//	seat, err := lobby.Play(ctx, client.NewTicket{Queue: "arena"}, client.Queueing{})
//	conn, err := client.Dial[arena.World, arena.Input](ctx, seat, client.Options{Reconnect: true, Refresh: lobby.FreshToken})
//	defer conn.Close()
//	ahead, err := client.Predict(conn, arena.Arena{}, client.PredictOptions{})
//	for { // 60 times a second
//		_, err := conn.Poll() // applies what has come; *client.CloseError says what to do next
//		err = conn.Send(arena.Input{Thrust: 1})
//		shown, ok := conn.View(time.Now()) // others interpolated, own rows predicted
//		draw(shown.State)
//	}
//
// A program without a screen waits with [Conn.Next] and looks at [Conn.State].
//
// One goroutine uses a [Conn], with its [Predicted] and [Rows] (Close may come from any); behind it one more reads the
// socket, one opens another when it was lost and one asks for a newer token: all end before Close returns. What was read
// waits in a queue of eight messages; when that is full the reader stops, and the server then skips frames for this
// client: the state that arrives next is the newest one. Inputs that the server has not made durable wait in a queue of 32
// samples or 256 commands; see [Conn.Send].
//
// Requests go to the addresses that the caller gave and to no other: redirects are refused, and the address that a
// moved match names is used only when Options.Moved allows it. No token is ever part of an error or an address.
package client
