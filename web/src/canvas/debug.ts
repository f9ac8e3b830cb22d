// A hook for tests and for the curious: what the page shows, to read and not to change, and nothing secret.

import { hook } from "../shared/hook.ts";

/** What there is to read at window.muster. */
export interface Snapshot {
  /** The match's: "connecting", "playing", "reconnecting", "closed"; "" without one. */
  state: string;
  /** Whether the room can be drawn and written in. */
  ready: boolean;
  /** What the page says of it: "joining", "saved", "saving", "away". */
  saved: string;
  room: string;
  seat: number;
  author: number;
  tick: number;
  /** As it is shown. */
  text: string;
  /** How many lines are shown, and how many of the room's are in the picture. */
  lines: number;
  /** The line that lies above all others. */
  top: { colour: number; width: number; points: number } | undefined;
  /** Whether the picture has all lines where the camera is. */
  settled: boolean;
  scale: number;
  /** Others' pointers: their names, and where they are shown in units of the board. */
  cursors: { name: string; x: number; y: number }[];
  /** Others' carets: their names, and where they are in the text. */
  carets: { name: string; at: number }[];
  resumes: number;
}

/** Puts the hook on the window. */
export function expose(read: () => Snapshot): void {
  hook(Object.keys(read()) as (keyof Snapshot)[], read);
}
