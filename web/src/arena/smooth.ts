// Motion between states. The server sends where things are twenty times a second; a screen draws sixty times and more.
// A Track keeps the last few states of one thing and says where it was at any moment between them; a Playhead decides
// which moment is shown: a little in the past, so that there is nearly always a state on either side of it.

import { turn, type Pose } from "./pose.ts";

interface Sample extends Pose {
  tick: number;
  /** The thing was put here, it did not fly here: nothing is drawn on the way. */
  cut: boolean;
}

const KEPT = 12;

export interface TrackOptions {
  /** The farthest that the thing can fly in a tick, in units; a longer way is a jump. */
  reach: number;
  /** How many ticks it is drawn on beyond its newest state, when the next one is late. */
  ahead: number;
}

/** The recent way of one ship or bullet. */
export class Track {
  readonly #samples: Sample[] = [];
  readonly #options: TrackOptions;

  constructor(options: TrackOptions) {
    this.#options = options;
  }

  /** The tick of the newest state, or undefined while there is none. */
  get newest(): number | undefined {
    return this.#samples.at(-1)?.tick;
  }

  /** The tick of the oldest state that is kept. */
  get oldest(): number | undefined {
    return this.#samples[0]?.tick;
  }

  /** Adds a state. States that are not newer than the last are dropped: they say nothing new. */
  push(tick: number, pose: Pose, cut = false): void {
    const last = this.#samples.at(-1);
    if (last && tick <= last.tick) return;
    const jumped = last !== undefined && Math.hypot(pose.x - last.x, pose.y - last.y) > this.#options.reach * (tick - last.tick);
    this.#samples.push({ tick, x: pose.x, y: pose.y, angle: pose.angle, cut: cut || jumped });
    if (this.#samples.length > KEPT) this.#samples.shift();
  }

  /** Forgets what came before, as after a new start of the room. */
  clear(): void {
    this.#samples.length = 0;
  }

  /** The pose at a tick with its fraction, or undefined while there is no state. */
  at(tick: number): Pose | undefined {
    const samples = this.#samples;
    const last = samples.at(-1);
    if (!last) return undefined;
    if (tick >= last.tick) return this.#beyond(last, samples.at(-2), tick);
    let after = samples.length - 1;
    while (after > 0 && samples[after - 1]!.tick > tick) after--;
    const b = samples[after]!;
    const a = samples[after - 1];
    if (!a) return { x: b.x, y: b.y, angle: b.angle };
    // Up to a cut, the thing stays where it was.
    return b.cut ? { x: a.x, y: a.y, angle: a.angle } : between(a, b, (tick - a.tick) / (b.tick - a.tick));
  }

  /** Goes on as the thing did last, for a short while; then it stands still until news comes. */
  #beyond(last: Sample, before: Sample | undefined, tick: number): Pose {
    if (!before || last.cut) return { x: last.x, y: last.y, angle: last.angle };
    const ahead = Math.min(tick - last.tick, this.#options.ahead);
    return between(before, last, 1 + ahead / (last.tick - before.tick));
  }
}

function between(a: Pose, b: Pose, part: number): Pose {
  return {
    x: a.x + (b.x - a.x) * part,
    y: a.y + (b.y - a.y) * part,
    angle: a.angle + turn(a.angle, b.angle) * part,
  };
}

const LEAST_DELAY = 1.4; // ticks behind the room, when the network is at its best
const MOST_DELAY = 10;
const MARGIN = 0.25; // ticks of jitter that are forgiven
// With each frame after it a late one counts less: by this much in ticks, or by this part of what it was later, so that
// an ordinary jitter is remembered for a while and a stall soon forgotten.
const FORGET = 0.02;
const FORGET_PART = 0.03;
const SNAP = 4; // ticks off the mark from which the playhead jumps instead of hurrying

/** Which tick is on the screen: behind the room by what frames need to get here, and evenly moving. */
export class Playhead {
  #late = 0;
  #tick: number | undefined;
  #newest = 0;

  /** How far behind the room the playhead wants to be, in ticks. */
  get delay(): number {
    return Math.min(MOST_DELAY, Math.max(LEAST_DELAY, this.#late + 1 + MARGIN));
  }

  /** The tick that is on the screen, or undefined before the first frame. */
  get tick(): number | undefined {
    return this.#tick;
  }

  /** Notes that the frame of a tick came when the room was at another. */
  frame(tick: number, roomTick: number): void {
    if (tick < this.#newest) this.#tick = undefined; // the room began anew, from an earlier state
    this.#newest = tick;
    const late = Math.max(0, roomTick - tick);
    const over = this.#late - late;
    this.#late = over < 0 ? late : Math.max(late, this.#late - Math.max(FORGET, over * FORGET_PART));
  }

  /** Moves on by some time, given in ticks, and returns the tick to draw. It never goes back, except by a jump. */
  advance(roomTick: number, ticks: number): number {
    const goal = roomTick - this.delay;
    if (this.#tick === undefined || Math.abs(goal - this.#tick - ticks) > SNAP) {
      this.#tick = goal;
      return goal;
    }
    const off = goal - (this.#tick + ticks);
    // A tenth of the error for each tick: too little to see, enough to be there within a second.
    this.#tick += Math.max(0, ticks + off * Math.min(1, 0.1 * ticks));
    return this.#tick;
  }
}
