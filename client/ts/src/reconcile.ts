import { type Field, type Value } from "./field.js";
import { KIND_ANGLE } from "./kinds.js";
import { halves } from "./fixedmath.js";
import {
  copyOf, difference, distance, mapped, merge, near, type PlannedTable, planOf, type PredictedInput, type PredictedState,
  type PredictedStep, type PredictionOptions, type PredictionStats, rename, sameEvent, type SmoothField, type Told,
} from "./predicted.js";
import type { Row } from "./tables.js";

export type { PredictedEvent, PredictedInput, PredictedState, PredictedStep, PredictionOptions, PredictionStats } from "./predicted.js";

interface Kept<In> extends PredictedInput<In> {
  readonly tick: number;
}

/** Which inputs were used by a tick: those up to a sequence; and the sample that counts, up to a tick. */
interface Cursor<In> {
  seq: number;
  held?: Kept<In> | undefined;
  until: number;
}

interface Spawned {
  readonly table: string;
  readonly id: number;
  tick: number;
  claimed: boolean; // by a row that the rules added
}

const KEPT_INPUTS = 128;
const COMMANDS_A_TICK = 16;
const MOST_SPAWNS = 64;
const MOST_TOLD = 64;
const KEPT_ERRORS = 256;

/**
 * Runs rules ahead of the server's states. A state that comes takes the place of what was predicted, and the inputs that
 * it does not contain are run again, up to the present. An input is used in the tick in which the server will use it,
 * and a sample holds for half a second. What the server does not send of a row goes on as the rules made it, and so does
 * the exact number of what it sends where both are the same on the wire's grid.
 *
 * What it shows is between two ticks, and differs from what it predicts by corrections that decay, so that nothing
 * jumps. The rules must be a function of what they are given. It is netcode's Prediction, number for number where the
 * rules are.
 */
export class Prediction<In> {
  readonly stats: PredictionStats = {
    states: 0, mispredicted: 0, replayed: 0, forgotten: 0, error: 0, confirmed: 0, unconfirmed: 0, adopted: 0, withdrawn: 0,
  };

  readonly #step: (step: PredictedStep<In>) => void;
  readonly #tables: readonly PlannedTable[];
  readonly #options: PredictionOptions;
  readonly #hold: number; // ticks
  readonly #ahead: number;
  readonly #window: number;

  #have = false;
  #base: PredictedState; // at the tick of the newest state: that, and what only the rules know
  #before: PredictedState; // at the tick before the predicted one
  #state: PredictedState;
  #tick = 0; // of the predicted state
  #time = 0; // what is shown, in ticks
  #lived = 0; // the newest tick that ran live
  #truth = 0; // of the newest state that came
  #processed = 0; // in that
  #resumed = false; // the next state comes after a time without a connection

  #kept: Kept<In>[] = []; // the oldest first
  #baseAt: Cursor<In> = { seq: 0, until: 0 };
  #beforeAt = this.#baseAt;
  #at = this.#baseAt;

  #spawns: Spawned[] = [];
  #spawned = 0; // so far
  #told: Told[] = [];
  readonly #errors: number[] = []; // of the newest states, in a ring
  #measured = 0;

  /** @param tables those of the schema that the rules need */
  constructor(
    tables: readonly { readonly name: string; readonly fields: readonly Field[] }[],
    step: (step: PredictedStep<In>) => void,
    options: PredictionOptions,
  ) {
    this.#step = step;
    this.#tables = tables.map(planOf);
    this.#base = this.#before = this.#state = this.#empty();
    this.#options = options;
    this.#hold = Math.max(1, Math.floor(options.rate / 2));
    this.#ahead = options.ahead ?? options.rate;
    this.#window = options.window ?? Math.max(1, Math.floor(options.rate / 5));
  }

  /** The tick of state; 0 before the first reconcile. */
  get tick(): number {
    return this.#tick;
  }

  /** What is predicted; the caller only reads it. */
  get state(): PredictedState {
    return this.#state;
  }

  /** The error that a part of the newest 256 states had at most: 0.5 for the median, 0.99 for all but the worst. */
  errorAt(part: number): number {
    const sorted = [...this.#errors].sort((a, b) => a - b);
    return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0;
  }

  /**
   * Notes an input of the own seat that was sent for a tick. Sequences rise: others are passed over. It is used in its
   * tick or, where that is over, in the newest: if that was predicted already, it is run again, so that what is drawn
   * next has the input. 128 are kept; then the oldest goes. The view is what the player looks at, a tick with its
   * fraction.
   */
  input(seq: number, tick: number, input: In, view = 0): void {
    if (seq <= (this.#kept.at(-1)?.seq ?? 0)) return;
    if (this.#kept.length === KEPT_INPUTS && this.#kept.shift()!.seq > this.#processed) this.stats.forgotten++;
    this.#kept.push({ seat: this.#options.seat, seq, tick, view, input });
    if (!this.#have || tick > this.#tick || this.#tick <= this.#truth) return;
    this.#look();
    this.#again();
    this.#run(this.#tick + 1, 0);
    this.#correct();
    this.#settle();
  }

  /**
   * Predicts up to a time in ticks, within the bound of the option ahead, and shows it: the tick that the time is within
   * is run, and run again when an input for it comes. Nothing before the first state. A time before the last one's tick
   * does not take anything back.
   */
  advance(time: number): void {
    if (!this.#have || !(time >= 0)) return;
    this.#time = time;
    if (this.#tick > this.#lived && this.#tick <= time && this.#tick > this.#truth) this.#again(); // it is over
    this.#run(Math.ceil(time), time);
    this.#settle();
  }

  /**
   * Takes up a state of the server: its tick, the newest own input in it, and its rows by table, which are copied. It
   * predicts the present anew from there.
   */
  reconcile(tick: number, processed: number, truth: Readonly<Record<string, Iterable<readonly [number, Row]>>>): void {
    this.stats.states++;
    const present = this.#have ? this.#tick : 0;
    const was = this.#state;
    if (!this.#have && this.#truth) this.#kept = this.#kept.map((k) => ({ ...k, tick: Math.min(k.tick, tick) }));
    this.#look();
    const next = this.#rebase(tick, processed);
    if (!this.#have || this.#resumed || tick < this.#truth || tick - this.#truth > this.#ahead) { // nothing goes on from there
      this.#base = this.#empty();
      this.#spawns = [];
      this.#truth = tick;
    }
    this.#resumed = false;
    for (const s of this.#spawns) s.claimed = s.tick <= this.#truth;
    while (this.#truth < tick) this.#one(this.#base, ++this.#truth, this.#baseAt, processed);
    for (const t of this.#tables) this.#adopt(t, truth[t.name] ?? [], was[t.name]!);
    this.#processed = processed;
    this.#baseAt = next;
    this.#at = { ...next };
    this.#tick = tick;
    this.#state = copyOf(this.#base);
    this.#before = this.#state;
    this.#run(present);
    this.#settle();
    this.#lived = Math.min(Math.max(this.#lived, tick), this.#tick);
    if (this.#have && this.#tick === present) this.#measure(was);
    this.#have = true;
    this.#correct();
    this.#expire();
  }

  /**
   * Takes up an event that the server sent, of a tick: true where it was predicted, and told. The caller asks before it
   * reconciles with the state of that tick.
   */
  confirm(name: string, fields: Readonly<Record<string, Value>>, tick: number): boolean {
    const told = this.#told.find((t) => {
      return !t.confirmed && Math.abs(t.tick - tick) <= this.#window && sameEvent(t, name, fields);
    });
    if (!told) return false;
    this.stats.confirmed++;
    return told.confirmed = true;
  }

  /** Takes up that the connection was lost and is there again: the server has let go of the sample that it held. */
  resume(): void {
    this.#resumed = true;
  }

  /**
   * Takes up that ticks count anew from the next state on. Inputs that it does not contain are then for its tick at the
   * latest, as they are where they are sent again; what was told and counted stays.
   */
  restart(): void {
    this.#resumed = true;
    this.#have = false;
    this.#lived = 0;
  }

  /** Lets what is shown approach what is predicted, by the milliseconds that have passed. */
  decay(ms: number): void {
    const part = halves(ms / (this.#options.halfLifeMs ?? 60));
    for (const t of this.#tables) {
      for (const offset of t.offsets.values()) {
        t.smooth.forEach(({ rest }, i) => {
          const d = offset[i]! * part;
          offset[i] = Math.abs(d) < rest ? 0 : d;
        });
      }
    }
  }

  /**
   * What a player should see of a row: floats and angles as they are at the time of the last advance, between two ticks,
   * with corrections smoothed; all else as it is in the newest tick.
   */
  shown(table: string, id: number): Row | undefined {
    const row = this.#state[table]?.get(id);
    const t = this.#tables.find(({ name }) => name === table);
    if (!row || !t) return row;
    const out = { ...row };
    this.#numbers(t, id, row, t.offsets.get(id)).forEach((v, i) => (out[t.smooth[i]!.field.name] = v));
    return out;
  }

  #empty(): PredictedState {
    return Object.fromEntries(this.#tables.map(({ name }) => [name, new Map()]));
  }

  /** Runs ticks up to one. Without a time they are run again to make up for a state. */
  #run(to: number, time?: number): void {
    to = Math.min(to, this.#truth + this.#ahead);
    while (this.#tick < to) {
      if (++this.#tick === to) {
        this.#before = copyOf(this.#state);
        this.#beforeAt = { ...this.#at };
      }
      this.#one(this.#state, this.#tick, this.#at, Infinity, time);
    }
  }

  /** Takes the newest tick back. */
  #again(): void {
    for (const s of this.#spawns) if (s.tick === this.#tick) s.claimed = false;
    this.#tick--;
    this.#state = this.#before;
    this.#at = this.#beforeAt;
  }

  /** Runs a tick with inputs up to a sequence. */
  #one(state: PredictedState, tick: number, at: Cursor<In>, seq: number, time?: number): void {
    if (time === undefined) this.stats.replayed++;
    const told = time === undefined ? undefined : this.#told.filter((t) => t.tick === tick);
    told?.forEach((t) => (t.claimed = false));
    const live = tick > this.#lived && tick <= time!;
    if (live) this.#lived = tick;
    const inputs = this.#inputs(tick, at, seq);
    const { rate, seat } = this.#options;
    this.#step({
      state, tick, rate, dt: 1 / rate, seat, inputs, input: inputs.at(-1)?.input, live,
      spawn: (table, row) => this.#spawn(state, tick, table, row),
      emit: (name, fields) => told && this.#emit(told, tick, name, fields),
    });
  }

  /** The inputs of a tick, up to a sequence. */
  #inputs(tick: number, at: Cursor<In>, seq: number): PredictedInput<In>[] {
    const commands = this.#options.inputs === "commands";
    const list: PredictedInput<In>[] = [];
    for (const kept of this.#kept) {
      if (kept.seq <= at.seq) continue;
      if (kept.tick > tick || kept.seq > seq || list.length === COMMANDS_A_TICK) break;
      at.seq = kept.seq;
      if (commands) list.push(kept);
      else [at.held, at.until] = [kept, tick + this.#hold];
    }
    if (at.held && at.until >= tick) list.push(at.held);
    return list;
  }

  /** Works out which inputs a state does not have, and which sample holds in it. */
  #rebase(tick: number, processed: number): Cursor<In> {
    if (this.#resumed) return { seq: processed, until: 0 }; // a drop lets go of the controls
    if (processed === this.#processed) return { ...this.#baseAt, seq: processed };
    // It was used in its tick or, if it was late, in the first one since the state before: right, but where a state was
    // skipped as well, and then wrong for the end of the hold alone.
    const held = this.#options.inputs === "commands" ? undefined : this.#kept.find(({ seq }) => seq === processed);
    return { seq: processed, held, until: Math.min(tick, Math.max(held?.tick ?? 0, this.#truth + 1)) + this.#hold };
  }

  #spawn(state: PredictedState, tick: number, table: string, row: Row): number {
    // It is the row that was added here before, or close by: an input may be used in another tick than it was.
    const off = (s: Spawned) => Math.abs(s.tick - tick);
    const again = this.#spawns.filter((s) => !s.claimed && s.table === table && off(s) <= this.#window);
    let [of] = again.sort((a, b) => off(a) - off(b));
    if (!of) {
      if (this.#spawns.length === MOST_SPAWNS) return 0;
      this.#spawns.push(of = { table, id: -++this.#spawned, tick, claimed: true });
    }
    of.claimed = true;
    of.tick = tick;
    state[table]!.set(of.id, row);
    return of.id;
  }

  #emit(before: Told[], tick: number, name: string, fields: Told["fields"]): void {
    const type = this.#options.events?.find((e) => e.name === name);
    if (!type) throw new TypeError(`the game has no event ${name}`);
    let told = before.find((t) => !t.claimed && sameEvent(t, name, fields));
    if (!told) {
      if (this.#told.length === MOST_TOLD) return; // the server's will be told
      this.#told.push(told = { type, fields, tick, claimed: true });
    }
    told.claimed = true;
  }

  /** After ticks were run: takes back what the rules add no more, and tells what they have to tell. */
  #settle(): void {
    this.#spawns = this.#spawns.filter(({ claimed }) => {
      if (!claimed) this.stats.withdrawn++;
      return claimed;
    });
    for (const t of this.#told) {
      if (t.told) continue;
      t.told = true;
      this.#options.onEvent?.(t.type.name, t.fields, t.tick);
    }
  }

  /** Puts the server's rows in the place of those that the rules have made of the last ones, at the same tick. */
  #adopt(t: PlannedTable, truth: Iterable<readonly [number, Row]>, was: Map<number, Row>): void {
    const base = this.#base[t.name]!;
    const rows = new Map<number, Row>();
    for (const [id, row] of truth) {
      if (!t.known.has(id) && this.#owns(t, row)) { // a new one: of those that were added ahead, which is it?
        const off = (s: Spawned) => distance(t, base.get(s.id)!, row);
        const [of] = this.#spawns.filter((s) => s.table === t.name && base.has(s.id)).sort((a, b) => off(a) - off(b));
        if (of) {
          this.stats.adopted++;
          this.#spawns = this.#spawns.filter((s) => s !== of);
          for (const map of [base, was, t.seen]) rename<unknown>(map, of.id, id);
        }
      }
      rows.set(id, merge(t, row, base.get(id)));
    }
    t.known = new Set(rows.keys());
    this.#spawns = this.#spawns.filter((s) => {
      if (s.table !== t.name || s.tick > this.#truth || !s.claimed) return true;
      const row = base.get(s.id);
      if (!row) return false;
      const waits = this.#truth - s.tick < this.#window;
      if (waits) rows.set(s.id, row);
      else this.stats.withdrawn++;
      return waits;
    });
    this.#base[t.name] = rows;
  }

  #owns(t: PlannedTable, row: Row | undefined): boolean {
    return row !== undefined && (!t.owner || row[t.owner.name] === this.#options.seat);
  }

  /**
   * Notes whether what is predicted is what was, and how far it is off; rows of other seats do not count: nobody can know
   * what their players do.
   */
  #measure(was: PredictedState): void {
    let foreseen = true;
    let error = 0;
    for (const t of this.#tables) {
      const [before, now] = [was[t.name]!, this.#state[t.name]!];
      for (const id of new Set([...before.keys(), ...now.keys()])) {
        const [a, b] = [before.get(id), now.get(id)];
        if (this.#owns(t, a) !== this.#owns(t, b)) foreseen = false;
        else if (a && b && this.#owns(t, a)) {
          if (!t.fields.every((f) => near(f, a[f.name], b[f.name]))) foreseen = false;
          error = Math.max(error, distance(t, a, b));
        }
      }
    }
    if (!foreseen) this.stats.mispredicted++;
    this.stats.error = error;
    this.#errors[this.#measured++ % KEPT_ERRORS] = error;
  }

  /** Gives up on events that the server will not send any more. Who hears of it may give an input, which tells more. */
  #expire(): void {
    const over = this.#told.filter(({ tick }) => this.#truth > tick + this.#window);
    this.#told = this.#told.filter((t) => !over.includes(t));
    for (const { type, fields, tick, confirmed } of over) {
      if (confirmed) continue;
      this.stats.unconfirmed++;
      this.#options.onUnconfirmed?.(type.name, fields, tick);
    }
  }

  /** A row's smooth columns at the time that is shown, with offsets. */
  #numbers(t: PlannedTable, id: number, row: Row, offsets?: readonly number[]): number[] {
    const before = this.#before[t.name]!.get(id) ?? row;
    const left = Math.max(0, Math.min(1, this.#tick - this.#time)); // of the tick
    return t.smooth.map(({ field }, i) => {
      const v = row[field.name] as number;
      return v - (difference(field, v, before[field.name] as number) * left || 0) + (offsets?.[i] || -0); // x + -0 is x, even where x is -0
    });
  }

  /** Notes what is shown. */
  #look(): void {
    for (const t of this.#tables) t.seen = mapped(this.#state[t.name]!, (row, id) => this.#numbers(t, id, row, t.offsets.get(id)));
  }

  /** What is shown stays where it was seen, but where a column is off by more than snap, or a row is new. */
  #correct(): void {
    const snap = this.#options.snap ?? Infinity;
    const isSmall = (d: number, { field }: SmoothField) => Number.isFinite(d) && (Math.abs(d) <= snap || field.kind === KIND_ANGLE);
    for (const t of this.#tables) {
      const offsets = new Map<number, number[]>();
      for (const [id, row] of this.#state[t.name]!) {
        const seen = t.seen.get(id);
        if (!seen) continue;
        const list = this.#numbers(t, id, row).map((v, i) => difference(t.smooth[i]!.field, seen[i]!, v));
        if (list.every((d, i) => isSmall(d, t.smooth[i]!))) offsets.set(id, list); // whoever jumps in one has jumped
      }
      t.offsets = offsets;
    }
  }
}
