// The own ship, ahead of the server. A control that shows only when the server's answer is here feels like steering a
// barge, so the own ship is drawn where it will be once the inputs that are under way have been applied. What the
// guess gets wrong (a collision, an input that came too late) is taken back over a few frames, not at once.

import { turn, type Pose } from "./pose.ts";
import { DRAG, FULL, MAX_SPEED, RADIUS, SIZE, THRUST, TURN_RATE, WALL_BOUNCE, type Input } from "./world.ts";

/** What the simulation needs of a ship. */
export interface Body extends Pose {
  vx: number;
  vy: number;
}

/** Advances a ship by one tick of dt seconds, as games/arena's steer and move do. Ships it meets are not considered. */
export function advance(body: Body, input: Input, dt: number): Body {
  const steer = Math.max(-1, input.Turn / FULL);
  let push = Math.max(-1, input.Thrust / FULL);
  if (push < 0) push /= 2;
  const angle = body.angle + steer * TURN_RATE * dt;
  const slow = Math.max(0, 1 - DRAG * dt);
  let vx = body.vx * slow + push * THRUST * dt * Math.cos(angle);
  let vy = body.vy * slow + push * THRUST * dt * Math.sin(angle);
  const speed = Math.hypot(vx, vy);
  if (speed > MAX_SPEED) {
    vx *= MAX_SPEED / speed;
    vy *= MAX_SPEED / speed;
  }
  const [x, fx] = bounce(body.x + vx * dt, vx);
  const [y, fy] = bounce(body.y + vy * dt, vy);
  return { x, y, angle, vx: fx, vy: fy };
}

function bounce(at: number, v: number): [number, number] {
  if (at < RADIUS) return [RADIUS, Math.max(v, -v * WALL_BOUNCE)];
  if (at > SIZE - RADIUS) return [SIZE - RADIUS, Math.min(v, -v * WALL_BOUNCE)];
  return [at, v];
}

/** More inputs than this under way mean that the link is stuck; guessing on would only lead astray. */
const MOST_PENDING = 12;
/** A guess that was farther off than this, in units, was wrong about something else: the ship was put elsewhere. */
const LOST = 80;
/** How far an input may be off the beat, in ticks, and how much of that the beat follows. */
const MOST_OFFBEAT = 0.6;
const FOLLOW = 0.1;
/** How fast an error fades, as the part that is left after a second. */
const FADE = 0.002;

/** Guesses where the own ship is now. Inputs go in as they are sent, states as they come. */
export class Predictor {
  readonly #dt: number;
  readonly #rate: number;
  #pending: { number: number; input: Input }[] = [];
  #sent = 0;
  #before: Body | undefined; // the guess before the newest input, from which the drawing comes
  #now: Body | undefined; // the guess after it
  #beat = 0; // ms: when the newest input was due, by the steady beat of those before it
  #error: Pose = { x: 0, y: 0, angle: 0 };
  #errorAt = 0; // ms

  /** rate is the room's ticks in a second. */
  constructor(rate: number) {
    this.#rate = rate;
    this.#dt = 1 / rate;
  }

  /** How many inputs are under way: by how many ticks the guess is ahead of the newest state. */
  get ahead(): number {
    return this.#pending.length;
  }

  /** Notes an input as it is sent, at a time in ms. */
  sent(input: Input, at: number): void {
    this.#pending.push({ number: ++this.#sent, input });
    if (this.#pending.length > MOST_PENDING) this.#pending.shift();
    this.#before = this.#now;
    if (this.#now) this.#now = advance(this.#now, input, this.#dt);
    // Timers are late now and then, motion must not be: the drawing keeps to the beat and follows the timer slowly.
    const due = this.#beat + 1000 * this.#dt;
    this.#beat = Math.abs(at - due) < MOST_OFFBEAT * 1000 * this.#dt ? due + (at - due) * FOLLOW : at;
  }

  /**
   * Takes a new state, and how many of the sent inputs it contains. The velocity is not sent; as ships move by their
   * velocity in each tick, two positions tell it.
   */
  state(body: Body, processed: number, at: number): void {
    const shown = this.pose(at);
    // Another page of this player sent these, or inputs were numbered before this predictor was there.
    if (processed > this.#sent) this.#sent = processed;
    this.#pending = this.#pending.filter((p) => p.number > processed);
    this.#replay(body);
    const guess = this.#drawn(at);
    if (!shown || !guess || Math.hypot(shown.x - guess.x, shown.y - guess.y) > LOST) {
      this.#error = { x: 0, y: 0, angle: 0 };
    } else {
      this.#error = { x: shown.x - guess.x, y: shown.y - guess.y, angle: turn(guess.angle, shown.angle) };
    }
    this.#errorAt = at;
  }

  /** Forgets everything but the count of inputs: the ship is destroyed, or put elsewhere. */
  clear(): void {
    this.#before = this.#now = undefined;
    this.#error = { x: 0, y: 0, angle: 0 };
  }

  /** Where to draw the ship at a time in ms, or undefined when there is nothing to go by. */
  pose(at: number): Pose | undefined {
    const guess = this.#drawn(at);
    if (!guess) return undefined;
    const left = FADE ** (Math.max(0, at - this.#errorAt) / 1000);
    return {
      x: guess.x + this.#error.x * left,
      y: guess.y + this.#error.y * left,
      angle: guess.angle + this.#error.angle * left,
    };
  }

  #replay(base: Body): void {
    let body = base;
    // With nothing under way the ship is still being drawn on its way from the guess before.
    if (this.#pending.length > 0) this.#before = base;
    this.#before ??= base;
    for (const { input } of this.#pending) {
      this.#before = body;
      body = advance(body, input, this.#dt);
    }
    this.#now = body;
  }

  /** The guess without the errors of earlier ones: between the last two inputs, as time goes from one to the next. */
  #drawn(at: number): Pose | undefined {
    const a = this.#before;
    const b = this.#now;
    if (!a || !b) return undefined;
    const part = Math.min(1 + MOST_OFFBEAT, Math.max(-MOST_OFFBEAT, ((at - this.#beat) / 1000) * this.#rate));
    return { x: a.x + (b.x - a.x) * part, y: a.y + (b.y - a.y) * part, angle: a.angle + turn(a.angle, b.angle) * part };
  }
}
