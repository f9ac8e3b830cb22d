// A hook for tests and for the curious: what the page shows, to read and not to change, and nothing secret.
//
//   muster.screen       "landing", "live", "replay" or "message"
//   muster.tick         the newest tick that was received, of a replay the recorded one
//   muster.replay       how the replay stands, as the server said last; undefined without one
//   muster.seen         the newest 600 frames: { tick, ships: { seat: [x, y] } }, as they were received, of the arena
//   muster.stats        what the match counts; undefined without one

import type { MatchStats, ReplayState } from "@muster/client";
import { hook } from "../shared/hook.ts";

export interface Seen {
  tick: number;
  ships: Record<number, [number, number]>;
}

export interface Snapshot {
  readonly screen: string;
  readonly tick: number;
  readonly replay: ReplayState | undefined;
  readonly seen: readonly Seen[];
  readonly stats: Readonly<MatchStats> | undefined;
}

/** Puts the hook on the window. */
export function expose(read: () => Snapshot): void {
  hook(["screen", "tick", "replay", "seen", "stats"], read);
}
