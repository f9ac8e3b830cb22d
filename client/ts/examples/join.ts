// Joins a match from a page, tells what happens there, and steers.
import { Lobby, Match } from "@muster/client";
import type { Input, State } from "./dots.js";

const lobby = new Lobby(location.origin);
await lobby.guest("alice"); // of a development server; else: new Lobby(url, { token })
const seat = await lobby.play("dots", { onProgress: (ticket) => console.log(ticket.state, ticket.reason) });

const match = await Match.connect<State, Input>(seat, {
  refresh: () => lobby.refresh(), // or the match ends when the token does
  onFrame: () => match.send({ DX: 127, DY: 0 }), // once a tick is enough
  onClose: ({ action, reason }) => console.log(action, reason), // "requeue": ask for a new ticket
});
match.onAdd("Dots", (id, dot) => console.log(`${dot.Owner === match.info.seat ? "mine" : "another's"}: ${id}`));
match.onChange("Dots", "X", (id, x, before) => console.log(`dot ${id} went from ${before} to ${x}`));
match.onRemove("Dots", (id) => console.log(`dot ${id} has left`));
