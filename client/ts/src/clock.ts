// What an estimate of the room's time lacks (jitter, a slow room) is its slack, in ticks, steered by the lead that
// frames report: up at once when an input came late, down slowly while they come early.
const SLACK_FIRST = 0.5;
const SLACK_MOST = 16;
const SLACK_UP = 0.5;
const SLACK_WINDOW = 200; // inputs that must all have been early, before it is lowered

const FOLLOW = 0.01; // how fast, per observation, the origin follows what comes later than it says
const FOLLOW_STRAY = 0.1; // the same for what comes very late: a room that fell behind; one early arrival undoes it
const SLEW = 0.1; // how much faster or slower than time serverTick may run, as a part
const STRAY_MS = 500; // an error above this is not slewed away
const MOST_RTT = 60_000;
const LATE_MS = 1000; // an answer that took so much longer than another one was read late, as after a tab stood still
const MOST_MS = 2 ** 53; // times beyond it, either way, are none

/** A tick time as it was shown last, and when that was. */
interface Shown {
  tick: number;
  at: number | undefined;
}

/**
 * Estimates the room's tick time, from the arrivals of frames and pongs. It reads no clock: its caller says when things
 * happened, in milliseconds of one steady clock. A time that is not finite, or of more than 2^53 ms, is passed over.
 *
 * Arrivals say when ticks happen, late by the way here; the least late ones count. An input is there one round trip
 * later by that count. It is netcode's Clock, number for number.
 */
export class TickClock {
  readonly #perMs: number; // ticks
  #origin: number | undefined; // when tick 0 would have arrived here
  #rtt = 0; // smoothed; 0 before the first
  #leastRtt = 0;
  #jitter = 0;
  #lastOffset: number | undefined;
  #slack = SLACK_FIRST;
  #used = 0; // inputs since the slack was changed or an input was late
  #leastLead = 127; // of theirs
  readonly #server: Shown = { tick: 0, at: undefined };
  readonly #ahead: Shown = { tick: 0, at: undefined };

  /** @param rate ticks per second, 1 to 128 */
  constructor(rate: number) {
    this.#perMs = Math.max(1, rate) / 1000;
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
    if (!isTime(at)) return;
    const offset = at - tick / this.#perMs;
    if (this.#lastOffset !== undefined) this.#jitter += (Math.abs(offset - this.#lastOffset) - this.#jitter) / 16;
    this.#lastOffset = offset;
    this.#observe(offset);
  }

  /**
   * Notes a pong: the round trip in milliseconds, which above a minute is none, and the room's tick time, with its
   * fraction, when it was sent. One of more than a second above the least counts as one of a second above it, and says
   * nothing of when ticks happen.
   */
  pong(rtt: number, tick: number, at: number): void {
    if (!(rtt >= 0 && rtt <= MOST_RTT) || !(tick >= 0 && tick <= 2 ** 32) || !isTime(at)) return;
    const over = rtt - this.#leastRtt;
    if (this.#rtt === 0 || over < -LATE_MS) { // those before were late
      this.#rtt = this.#leastRtt = rtt;
    } else {
      rtt = Math.min(rtt, this.#leastRtt + LATE_MS);
      this.#rtt += (rtt - this.#rtt) / 8;
      this.#leastRtt = Math.min(rtt, this.#leastRtt + (rtt - this.#leastRtt) * FOLLOW);
      if (over > LATE_MS) return;
    }
    this.#observe(at - tick / this.#perMs);
  }

  /**
   * Notes how many ticks a newly used input came before its use; negative is too late. The slack is lowered by half of
   * what many inputs had to spare, so that none of them would have been late with it.
   */
  lead(ticks: number): void {
    if (ticks < 0) {
      this.#slack = Math.min(SLACK_MOST, this.#slack + SLACK_UP);
      this.#used = 0;
      this.#leastLead = 127;
      return;
    }
    this.#leastLead = Math.min(this.#leastLead, ticks);
    if (++this.#used === SLACK_WINDOW) {
      this.#slack = Math.max(0, this.#slack - Math.max(0, this.#leastLead - 0.5) / 2);
      this.#used = 0;
      this.#leastLead = 127;
    }
  }

  /**
   * The tick that an input sent now should be for; 0 before anything arrived. It may fall by a little when an estimate
   * is corrected.
   */
  target(now: number): number {
    if (this.#origin === undefined || !isTime(now)) return 0;
    const ticks = (now - this.#origin + this.#rtt) * this.#perMs + this.#slack;
    return Math.max(0, Math.min(Math.floor(ticks) + 1, 0xffffffff));
  }

  /**
   * The room's tick time now, with its fraction; 0 before anything arrived. It never goes back, but after restart: small
   * errors are made up for by running a tenth faster or slower, those above half a second by a jump ahead or by standing
   * still.
   */
  serverTick(now: number): number {
    return this.#even(this.#server, now, this.#leastRtt / 2, 0);
  }

  /** The tick time at which an input that is sent now should be used: what target is a whole tick of, as even as serverTick. */
  inputTick(now: number): number {
    return this.#even(this.#ahead, now, this.#rtt, this.#slack);
  }

  /** Forgets what a socket's ways took: a new one was opened. What serverTick said goes on. */
  reopen(): void {
    this.#origin = this.#lastOffset = undefined;
    this.#rtt = this.#leastRtt = 0;
    this.#slack = SLACK_FIRST;
    this.#used = 0;
    this.#leastLead = 127;
  }

  /**
   * Forgets when ticks happen: in a new epoch they may count from an earlier one, and a clock may have jumped. What ways
   * take stays.
   */
  restart(): void {
    this.#origin = this.#lastOffset = this.#server.at = this.#ahead.at = undefined;
  }

  /** What is shown now of an estimate: that of what arrives now, and a time and some ticks more. */
  #even(shown: Shown, now: number, ms: number, ticks: number): number {
    if (this.#origin === undefined || !isTime(now) || now < (shown.at ?? now)) return shown.tick;
    const estimate = (now - this.#origin + ms) * this.#perMs + ticks;
    if (shown.at === undefined) {
      shown.tick = Math.max(0, estimate);
    } else {
      const passed = (now - shown.at) * this.#perMs;
      const late = estimate - (shown.tick + passed);
      const stray = STRAY_MS * this.#perMs;
      const most = SLEW * passed;
      if (late > stray) shown.tick = estimate;
      else if (late >= -stray) shown.tick += passed + Math.max(-most, Math.min(late, most));
    }
    shown.at = now;
    return shown.tick;
  }

  /** Notes when tick 0 would have arrived by what arrived now. */
  #observe(offset: number): void {
    if (this.#origin === undefined || offset < this.#origin) {
      this.#origin = offset;
      return;
    }
    const late = offset - this.#origin;
    this.#origin += late * (late > STRAY_MS ? FOLLOW_STRAY : FOLLOW);
  }
}

function isTime(ms: number): boolean {
  return Math.abs(ms) <= MOST_MS;
}
