// Package cluster is what the processes of a deployment know of each other: nodes, rooms and their seats, results on
// their way to the lobby, and notices. All of it lies in Redis; the package invents no consensus of its own.
//
//	rdb, err := cluster.Connect(ctx, "redis://127.0.0.1:6379")
//	dir := cluster.NewDirectory(rdb, "muster")
//	room, err := dir.Create(ctx, cluster.NewRoom{Game: "arena", Queue: "arena", Node: node.ID, Seats: 16})
//	seats, err := dir.Reserve(ctx, room.ID, 15*time.Second, []cluster.Claim{{Player: "alice", Token: id}})
//
// A [Directory] keeps rooms: the lobby creates them and reserves seats, the host that a room's record names opens it
// when the first player comes, burns seat tokens, and says which seats became free. [Nodes] says which hosts there are.
// A [Bus] carries notices over Pub/Sub; they may be lost, which is told, so whoever listens reads the truth from keys
// again. An [Outbox] carries results, which may not be lost. [Links] carry what nodes say to each other many times a
// second; what is lost of it is known to be lost.
//
// What must be one act is one Lua script on keys of one hash slot, and every script may run twice: go-redis repeats a
// command whose answer was lost. The package runs no room and writes to no client.
package cluster
