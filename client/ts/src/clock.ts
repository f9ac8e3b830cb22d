// What an estimate of the room's time lacks (jitter, a slow room) is its slack, in ticks, steered by the lead that
// frames report: up at once when an input came late, down slowly while they come early.
const SLACK_FIRST = 0.5;
const SLACK_MOST = 16;
const SLACK_UP = 0.5;
const SLACK_DOWN = 0.01;
const SLACK_HOLD = 200; // frames for which it is not lowered after a late input

const FOLLOW = 0.01; // how fast, per observation, the origin follows what comes later than it says
const FOLLOW_STRAY = 0.1; // the same for what comes very late: a room that fell behind; one early arrival undoes it
const SLEW = 0.1; // how much faster or slower than time serverTick may run, as a part
const STRAY_MS = 500; // an error above this is not slewed away
const MOST_MS = 60_000; // no round trip is longer

/**
 * Estimates the room's tick time, from the arrivals of frames and pongs. It reads no clock: its caller says when things
 * happened, in milliseconds of one steady clock.
 *
 * The arrivals say when ticks happen, late by the way here; the least late ones count.
 */
export class TickClock {
  readonly #perMs: number; // ticks
  #origin: number | undefined; // when tick 0 would have arrived here
  #rtt = 0; // smoothed
  #leastRtt = 0;
  #jitter = 0;
  #lastOffset: number | undefined;
  #slack = SLACK_FIRST;
  #hold = 0;
  #shown = 0;
  #shownAt: number | undefined;

  /** @param rate ticks per second */
  constructor(rate: number) {
    this.#perMs = rate / 1000;
  }

  /** The round trip, smoothed, in milliseconds; 0 before the first pong. */
  get rttMs(): number {
    return this.#rtt;
  }

  /** How much the way here varies from frame to frame, smoothed, in milliseconds. */
  get jitterMs(): number {
    return this.#jitter;
  }

  /** Notes that the frame of a tick arrived. */
  frame(tick: number, at: number): void {
    const offset = at - tick / this.#perMs;
    if (this.#lastOffset !== undefined) this.#jitter += (Math.abs(offset - this.#lastOffset) - this.#jitter) / 16;
    this.#lastOffset = offset;
    this.#observe(offset);
  }

  /** Notes a pong: a round trip in milliseconds, and the room's tick time when it was sent. */
  pong(rtt: number, tick: number, at: number): void {
    if (!(rtt >= 0 && rtt <= MOST_MS)) return;
    this.#rtt += this.#rtt === 0 ? rtt : (rtt - this.#rtt) / 8;
    this.#leastRtt = this.#leastRtt === 0 ? rtt : Math.min(rtt, this.#leastRtt + (rtt - this.#leastRtt) * FOLLOW);
    this.#observe(at - tick / this.#perMs);
  }

  /** Notes how many ticks a newly used input came before its use; negative is too late. */
  lead(ticks: number): void {
    if (ticks < 0) {
      this.#slack = Math.min(SLACK_MOST, this.#slack + SLACK_UP);
      this.#hold = SLACK_HOLD;
    } else if (this.#hold > 0) {
      this.#hold--;
    } else if (ticks > 0) {
      this.#slack = Math.max(0, this.#slack - SLACK_DOWN);
    }
  }

  /** The tick that an input sent now should be for: it is there one round trip later, by the count of arrivals. */
  target(now: number): number {
    if (this.#origin === undefined) return 0;
    const ticks = (now - this.#origin + this.#rtt) * this.#perMs + this.#slack;
    return Math.max(0, Math.min(Math.floor(ticks) + 1, 0xffffffff));
  }

  /**
   * The room's tick time now, with its fraction. It never goes back; small errors are made up for by running a little
   * faster or slower, a large one by a jump ahead or by standing still.
   */
  serverTick(now: number): number {
    if (this.#origin === undefined) return this.#shown;
    const estimate = (now - this.#origin + this.#leastRtt / 2) * this.#perMs;
    if (this.#shownAt === undefined) {
      this.#shown = Math.max(0, estimate);
    } else {
      const passed = Math.max(0, now - this.#shownAt) * this.#perMs;
      const error = estimate - (this.#shown + passed);
      const stray = STRAY_MS * this.#perMs;
      if (error > stray) this.#shown = estimate;
      else if (error >= -stray) this.#shown += passed + Math.max(-SLEW * passed, Math.min(error, SLEW * passed));
    }
    this.#shownAt = now;
    return this.#shown;
  }

  /** A new socket: its ways may take another time. What serverTick showed goes on. */
  reopen(): void {
    this.#origin = this.#lastOffset = undefined;
    this.#rtt = this.#leastRtt = 0;
    this.#slack = SLACK_FIRST;
    this.#hold = 0;
  }

  /** A new epoch, in which ticks may count from an earlier one. What ways take stays. */
  restart(): void {
    this.#origin = this.#lastOffset = this.#shownAt = undefined;
  }

  #observe(offset: number): void {
    const late = this.#origin === undefined ? -1 : offset - this.#origin;
    this.#origin = late < 0 ? offset : this.#origin! + late * (late > STRAY_MS ? FOLLOW_STRAY : FOLLOW);
  }
}
