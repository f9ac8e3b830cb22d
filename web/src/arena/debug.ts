// A hook for tests and for the curious: what the page shows, to read and not to change, and nothing secret.
//
//   muster.ready        whether a round is on the screen and the link is up
//   muster.seat         the own seat, 0 without one
//   muster.room         the room, "" without one
//   muster.tick         the newest tick that was received
//   muster.seats        the seats of all ships that are drawn
//   muster.ship(seat)   where a ship is drawn (the own one without a seat): x, y in units and its angle; undefined when
//                       there is none

import type { Pose } from "./smooth.ts";

export interface Snapshot {
  ready: boolean;
  seat: number;
  room: string;
  tick: number;
  seats: number[];
  ship(seat?: number): Pose | undefined;
}

declare global {
  interface Window {
    readonly muster: Readonly<Snapshot>;
  }
}

/** Puts the hook on the window. read gives the game that is played, if any. */
export function expose(read: () => Snapshot | undefined): void {
  const hook: Snapshot = {
    get ready() {
      return read()?.ready ?? false;
    },
    get seat() {
      return read()?.seat ?? 0;
    },
    get room() {
      return read()?.room ?? "";
    },
    get tick() {
      return read()?.tick ?? 0;
    },
    get seats() {
      return read()?.seats ?? [];
    },
    ship: (seat) => read()?.ship(seat),
  };
  Object.defineProperty(window, "muster", { value: Object.freeze(hook), enumerable: true });
}
