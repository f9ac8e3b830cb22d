// Package ticket keeps tickets in Redis and makes matches of them, with any number of lobby processes on one Redis.
//
// The life of a ticket:
//
//  1. [Service.Create] claims an entry at each player's own keys (which queues he waits in, whether a penalty keeps him
//     out) and then, in one script on the queue's keys, makes the ticket, the players' marks (one ticket for each player
//     and queue) and an entry of the queue's log. The ticket is waiting.
//  2. Every process follows each queue's log into a [queue.Pool]: it begins with a snapshot, reads on, and begins anew
//     where the log's numbers have a gap. So each process can explain why a ticket waits.
//  3. One process leads a queue, by a lease of two seconds with an epoch. It alone asks Pool.Match for matches, and
//     proposes each by one script, which a leader of before fails: all tickets still wait, they leave the queue, and a
//     match attempt is recorded. The ticket is confirming, or, where the queue asks nobody, about to be matched.
//  4. Any process carries an attempt on, from what its record says: it waits for the players' word, marks them as busy so
//     that no other attempt has them, makes the room by the attempt's id, reserves seats under tokens that follow from
//     attempt and player, and in one script makes the tickets matched. What else their players waited with by then ends
//     before anybody asks whether they have come. Every step may be done twice. Whoever carries an attempt on has it
//     for three seconds; then another may.
//  5. When the players have come, the match has started, and the ticket is final. Where too few come in time the match is
//     off: who did not come is out, with a penalty that grows, and the tickets of the others wait again, as old as they
//     were and before all others.
//
// A ticket ends in one of three ways: matched in a match that started, cancelled, or expired (it waited too long, or
// nobody asked for it for half a minute). All times are Redis's. All keys end by themselves, also when every process dies.
package ticket
