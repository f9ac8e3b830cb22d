// Watches a public match from a page: what everybody may see, without a seat, by as much later as the game's rules say.
import { APIError, CloseError, Lobby, Match, type Shown } from "@muster/client";
import type { State } from "./dots.js";

const lobby = new Lobby(location.origin);
await lobby.guest("walter"); // of a development server; else: new Lobby(url, { token })

/** Watches a room. A token to watch is good for one socket: who was told to come again asks for another. */
async function watch(room: string, tries = 0): Promise<void> {
  const again = (n: number) =>
    setTimeout(() => watch(room, n), Math.min(1000 * 2 ** n, 15_000) * (0.5 + Math.random())); // not all at once
  try {
    follow(await Match.connect<State>(await lobby.rooms.spectate(room), {
      refresh: () => lobby.refresh(),
      onEnd: (placements) => console.log("the match is over", placements),
      onClose: ({ action, reason }) => {
        if (action === "reconnect") again(0);
        else console.log(reason);
      },
    }));
  } catch (error) { // a lobby that is away, or has too much to do, is there again soon
    const isFinal = error instanceof CloseError ? error.info.action !== "reconnect" : error instanceof APIError && !error.temporary;
    if (isFinal) console.error(error);
    else again(tries + 1);
  }
}

function follow(match: Match<State>): void {
  const frame = () => {
    if (match.state === "closed") return;
    const shown = match.view(); // undefined until something is old enough to be shown
    if (shown) draw(shown);
    requestAnimationFrame(frame);
  };
  frame();
}

function draw(shown: Shown<State>): void {
  for (const [id, dot] of shown.tables.Dots) console.log(id, dot.X, dot.Y);
}

const { rooms } = await lobby.rooms.list({ game: "dots" });
if (rooms[0]) await watch(rooms[0].id);
else console.log("nobody plays now");
