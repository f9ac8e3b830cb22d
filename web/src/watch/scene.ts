// What shows a match on the page: the arena as its players see it, or any other game as tables.

import type { FrameInfo, Match } from "@muster/client";

/** Where the page is in time. Of a live match the tick is the frame's, of a replay the recorded one. */
export interface Moment {
  tick: number;
  rate: number;
  replay: boolean;
}

/** One way of showing. It fills an element that is its own. */
export interface MatchScene {
  /** A match that is watched from now on, in the place of one before. */
  begin(match: Match): void;
  /** After each frame. jumped says that the replay went elsewhere in time: nothing glides. */
  frame(frame: FrameInfo, at: Moment, jumped: boolean): void;
  /** At each picture. */
  draw(now: number): void;
  close(): void;
}
