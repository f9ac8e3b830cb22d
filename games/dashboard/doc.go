// Package dashboard is what operators watch: the servers of a deployment, their games and queues, and how they did lately,
// as a room like any other. The room has its numbers gathered once a second by Room.Do, keeps five minutes of them for who
// comes later, and sends what has changed. Nobody may send it inputs, and while nobody watches it sleeps.
//
// Where the numbers come from is the server's business: see [Source].
package dashboard
