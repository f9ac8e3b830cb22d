// The arena's ways into a match, as the plans by which a seat is taken.

import type { Lobby } from "@muster/client";
import { type Pause, type Plan, type Say, type Seated, takeSeat as take } from "../shared/seating.ts";
import type { Way } from "./ways.ts";
import { CROWD, QUEUE } from "./world.ts";

export { aborted, explain, waiting, type Say, type Seated } from "../shared/seating.ts";

/**
 * Takes a seat in the way that is wanted. Of one's own room round is how long it goes, in seconds, 0 as the game has it,
 * and open says that everybody may join and watch.
 */
export function takeSeat(
  lobby: Lobby, name: string, way: Way, signal: AbortSignal, say: Say, round = 0, pause?: Pause, open = false,
): Promise<Seated> {
  const p = plan(way, round);
  return take(lobby, name, open && "game" in p ? { ...p, open } : p, signal, say, pause);
}

function plan(way: Way, round: number): Plan {
  const length = round > 0 ? { round_seconds: round } : {};
  switch (way.kind) {
    case "players":
      return { queue: QUEUE };
    case "crowd":
      return { queue: CROWD };
    case "bots":
      return { game: QUEUE, config: { bots: way.bots, ...length }, saying: "Waking the bots …" };
    case "friends":
      return way.code ? { code: way.code } : { game: QUEUE, config: length, saying: "Making a room …" };
  }
}
