import assert from "node:assert/strict";
import { test } from "node:test";
import { cos, halves, sin } from "../src/fixedmath.js";
import { Prediction, type PredictedStep } from "../src/reconcile.js";
import { Schema } from "../src/schema.js";
import type { Row } from "../src/tables.js";
import { golden, unhex } from "./vectors.js";

type Columns = [id: number, ...columns: number[]];
type Event = { name: string; fields: number[]; tick: number };

interface Rows {
  dots: Columns[];
  shots?: Columns[];
  round?: Columns;
}

interface Op {
  op: string;
  seq?: number;
  tick?: number;
  time?: number;
  turn?: number;
  thrust?: number;
  fire?: boolean;
  processed?: number;
  rows?: Rows;
  ms?: number;
  event?: Event;
  predicted?: boolean;
  want: {
    tick: number; predicted?: Rows; shown: Rows; live?: number[]; told?: Event[]; untrue?: Event[]; stats: number[]; errors: number[];
  };
}

interface Story {
  name: string;
  rate: number;
  mode: "samples" | "commands";
  ahead: number;
  halfLife: number;
  snap: number;
  window: number;
  ops: Op[];
}

interface Input {
  turn: number;
  thrust: number;
  fire: boolean;
}

interface Dot {
  X: number;
  Y: number;
  Heading: number;
  Speed: number;
  Hits: number;
  Owner: number;
  Ready?: number; // the server does not send it
}

interface Shot {
  X: number;
  Y: number;
  Owner: number;
  VX?: number;
  VY?: number;
}

/** The game of netcode's reconcile_golden_test.go. */
function step(s: PredictedStep<Input>): void {
  const dots = s.state["Dots"] as unknown as Map<number, Dot>;
  const shots = s.state["Shots"] as unknown as Map<number, Shot>;
  const round = s.state["Round"]!.get(1) as unknown as { Ticks: number };
  round.Ticks++;
  for (const { seat, input } of s.inputs) {
    for (const d of dots.values()) {
      if (d.Owner !== seat) continue;
      d.Heading += 0.1 * input.turn;
      d.Speed = Math.max(0, Math.min(5, d.Speed + 0.2 * input.thrust));
    }
  }
  for (const d of dots.values()) {
    d.X += d.Speed * cos(d.Heading);
    d.Y += d.Speed * sin(d.Heading);
    const [x, y] = [Math.max(0, Math.min(100, d.X)), Math.max(0, Math.min(100, d.Y))];
    if (x !== d.X || y !== d.Y) {
      [d.X, d.Y] = [x, y];
      d.Hits++;
      if (d.Owner === s.seat) s.emit("kitBump", { Hits: d.Hits });
    }
  }
  for (const [id, shot] of shots) {
    shot.X += shot.VX ?? 0;
    shot.Y += shot.VY ?? 0;
    if (shot.X < 0 || shot.X > 100 || shot.Y < 0 || shot.Y > 100) shots.delete(id);
  }
  for (const { seat, input } of s.inputs) {
    for (const d of dots.values()) {
      if (!input.fire || d.Owner !== seat || s.tick < (d.Ready ?? 0)) continue;
      const { X, Y } = d;
      if (s.spawn("Shots", { X, Y, Owner: seat, VX: 6 * cos(d.Heading), VY: 6 * sin(d.Heading) }) === 0) continue;
      d.Ready = s.tick + 4;
      s.emit("kitFired", { By: seat, X, Y });
    }
  }
}

const vectors = golden<{ schema: string; stories: Story[] }>("proto/testdata/reconcile.json");
const schema = Schema.parse(unhex(vectors.schema));
const fieldsOf = (table: string) => schema.tables.find(({ name }) => name === table)!.fields;
const hidden: Record<string, string[]> = { Dots: ["Ready"], Shots: ["VX", "VY"] };

function rowOf(table: string, [id, ...columns]: Columns): [number, Row] {
  return [id, Object.fromEntries(fieldsOf(table).map(({ name }, i) => [name, columns[i]!]))];
}

function columnsOf(table: string, id: number, row: Row): Columns {
  const names = [...fieldsOf(table).map(({ name }) => name), ...(hidden[table] ?? [])];
  return [id, ...names.map((name) => (row[name] as number | undefined) ?? 0)];
}

function eventOf(name: string, fields: Readonly<Record<string, unknown>>, tick: number): Event {
  return { name, fields: schema.events.find((e) => e.name === name)!.fields.map((f) => fields[f.name] as number), tick };
}

for (const story of vectors.stories) {
  test(`predictions are the golden states: ${story.name}`, () => {
    let heard: { live: number[]; told: Event[]; untrue: Event[] } = { live: [], told: [], untrue: [] };
    const p = new Prediction<Input>(schema.tables, (s) => {
      step(s);
      if (s.live) heard.live.push(s.tick);
    }, {
      rate: story.rate, inputs: story.mode, seat: 1, ahead: story.ahead, halfLifeMs: story.halfLife, snap: story.snap,
      window: story.window, events: schema.events,
      onEvent: (...e) => heard.told.push(eventOf(...e)),
      onUnconfirmed: (...e) => heard.untrue.push(eventOf(...e)),
    });
    assert.ok(story.ops.length > 50);
    story.ops.forEach((o, i) => {
      const { op, seq = 0, tick = 0, time = 0, turn = 0, thrust = 0, fire = false, processed = 0, rows, ms = 0, event, want } = o;
      const about = `op ${i}: ${op}`;
      heard = { live: [], told: [], untrue: [] };
      if (op === "input") p.input(seq, tick, { turn, thrust, fire });
      else if (op === "advance") p.advance(time);
      else if (op === "decay") p.decay(ms);
      else if (op === "resume") p.resume();
      else if (op === "restart") p.restart();
      else if (op === "event") {
        const { fields } = schema.events.find(({ name }) => name === event!.name)!;
        const named = Object.fromEntries(fields.map((f, k) => [f.name, event!.fields[k]!]));
        assert.equal(p.confirm(event!.name, named, event!.tick), o.predicted ?? false, about);
      } else {
        p.reconcile(tick, processed, {
          Dots: rows!.dots.map((r) => rowOf("Dots", r)), Shots: (rows!.shots ?? []).map((r) => rowOf("Shots", r)),
          Round: [rowOf("Round", rows!.round!)],
        });
      }
      const all = (table: string, of: (id: number, row: Row) => Row) => {
        return Array.from(p.state[table]!, ([id, row]) => columnsOf(table, id, of(id, row)));
      };
      assert.equal(p.tick, want.tick, about);
      assert.deepEqual(heard, pick(want), about);
      const { states, mispredicted, replayed, forgotten, confirmed, unconfirmed, adopted, withdrawn, error } = p.stats;
      assert.deepEqual([states, mispredicted, replayed, forgotten, confirmed, unconfirmed, adopted, withdrawn], want.stats, about);
      assert.deepEqual([error, p.errorAt(0.5), p.errorAt(0.99)], want.errors, about);
      const { predicted } = want;
      if (predicted) {
        assert.deepEqual(all("Dots", (_, row) => row), predicted.dots, about);
        assert.deepEqual(all("Shots", (_, row) => row), predicted.shots ?? [], about);
        assert.deepEqual(columnsOf("Round", 1, p.state["Round"]!.get(1)!), predicted.round, about);
      }
      assert.deepEqual(all("Dots", (id) => p.shown("Dots", id)!), want.shown.dots ?? [], about);
      assert.deepEqual(all("Shots", (id) => p.shown("Shots", id)!), want.shown.shots ?? [], about);
    });
  });
}

function pick({ live = [], told = [], untrue = [] }: Op["want"]): { live: number[]; told: Event[]; untrue: Event[] } {
  return { live, told, untrue };
}

test("half a life is half, and it ends", () => {
  assert.equal(halves(0), 1);
  for (let x = 0; x < 60; x += 0.13) assert.ok(Math.abs(halves(x) / 2 ** -x - 1) < 1e-9, String(x));
  assert.deepEqual([halves(1001), halves(-1), halves(NaN)], [0, 1, 1]);
});

test("rows that the rules add, remove and other seats' rows are no surprise", () => {
  const tables = schema.tables.filter(({ name }) => name === "Dots");
  const dot = (owner: number, x: number): Row => ({ X: x, Y: 0, Heading: 0, Speed: 0, Hits: 0, Owner: owner });
  const live: boolean[] = [];
  const p = new Prediction<number>(tables, (s) => {
    live.push(s.live);
    if (s.tick === 3) s.state["Dots"]!.set(99, dot(1, 7)); // a shot, as the client expects it
    for (const { input } of s.inputs) s.state["Dots"]!.get(1)!["X"] = input;
  }, { rate: 20, inputs: "commands", seat: 1, snap: 5 });
  p.advance(2);
  assert.equal(p.tick, 0, "nothing before the first state");
  p.reconcile(1, 0, { Dots: [[1, dot(1, 0)], [2, dot(2, 0)]] });
  p.input(1, 2, 3);
  p.advance(3);
  assert.equal(p.state["Dots"]!.get(1)!["X"], 3);
  p.reconcile(2, 1, { Dots: [[1, dot(1, 3)], [2, dot(2, 4)]] });
  assert.equal(p.stats.mispredicted, 0);
  assert.equal(p.shown("Dots", 2)!["X"], 0, "what jumped elsewhere is shown where it was");
  p.decay(60);
  assert.ok(Math.abs((p.shown("Dots", 2)!["X"] as number) - 2) < 1e-8);
  p.reconcile(3, 1, { Dots: [[1, dot(1, 9)], [2, dot(2, 4)]] });
  assert.equal(p.stats.mispredicted, 1);
  assert.equal(p.shown("Dots", 1)!["X"], 9, "more than snap");
  assert.equal(p.shown("Dots", 99), undefined, "the shot that the server does not know is gone");
  assert.deepEqual(live.slice(0, 2), [true, true]);
  assert.ok(!live.slice(2).includes(true), "what runs again is not live");
});
