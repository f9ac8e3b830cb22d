// Watches a public match from a page: what everybody may see, without a seat, by as much later as the game's rules say.
import { Lobby, Match, type Shown } from "@muster/client";
import type { State } from "./dots.js";

const lobby = new Lobby(location.origin);
await lobby.guest("walter"); // of a development server; else: new Lobby(url, { token })

const watch = async (room: string): Promise<Match<State>> =>
  Match.connect<State>(await lobby.rooms.spectate(room), {
    refresh: () => lobby.refresh(),
    onEnd: (placements) => console.log("the match is over", placements),
    onClose: ({ action, reason }) => {
      // A token to watch is good for one socket: who was told to come again asks for another.
      if (action === "reconnect") setTimeout(() => watch(room).then(follow, console.error), 1000);
      else console.log(reason);
    },
  });

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
if (rooms[0]) follow(await watch(rooms[0].id));
else console.log("nobody plays now");
