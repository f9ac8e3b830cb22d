// Package client is the Go client of Muster: the lobby, a match and bots.
//
// A program gets a seat from the lobby and plays with the game's own types:
//
//	lobby := &client.Lobby{URL: "http://127.0.0.1:8080"}
//	if _, err := lobby.Guest(ctx, "alice"); err != nil { … }
//	ticket, err := lobby.CreateTicket(ctx, "arena")
//	match, err := lobby.WaitTicket(ctx, ticket.ID)
//	conn, err := client.Dial[arena.World, arena.Input](ctx, match, client.Options{Reconnect: true})
//	defer conn.Close()
//	for {
//		frame, err := conn.Next(ctx) // the newest state, decoded into conn.State()
//		if err != nil { … }          // *client.CloseError says what to do next
//		draw(conn.State(), frame.Tick)
//		err = conn.Send(arena.Input{Thrust: 1})
//	}
//
// One goroutine uses a [Conn] (Close may come from any); behind it one more reads the socket, and ends before Close
// returns. What it has read waits in a queue of eight messages; when that is full it stops reading, and the server
// then skips frames for this client: the state that arrives next is the newest one. Inputs that the server has not
// made durable wait in a queue of 32 samples or 256 commands; see [Conn.Send].
//
// Requests go to the addresses that the caller gave and to no other: redirects are refused, and the address that a
// moved match names is used only when Options.Moved allows it. No token is ever part of an error or an address.
package client
