// Watches the replay of a match from a page: a server runs it again by the game's rules, with seek and speed.
import { Lobby, Match, type ReplayControl } from "@muster/client";

const room = new URLSearchParams(location.search).get("match") ?? "";
const lobby = new Lobby(location.origin);
await lobby.guest("walter"); // of a development server; else: new Lobby(url, { token })

const session = await lobby.request("POST /v1/replays", { match: room });
const seat = { room: session.id, url: session.url, token: session.token };
const match = await Match.connect(seat, {
  onFrame: ({ processed }) => console.log(`tick ${processed} of ${session.to}`), // the recorded tick that is shown
});

const control = (change: ReplayControl) => lobby.request("PATCH /v1/replays/{id}", { id: session.id, ...change });
await control({ tick: 1200, paused: false, speed: 2 });

match.onEvent("*", (fields, { name }) => console.log(name, fields)); // of ticks that are played; none of a seek's
