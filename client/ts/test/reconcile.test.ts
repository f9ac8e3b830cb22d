import assert from "node:assert/strict";
import { test } from "node:test";
import { cos, halves, sin } from "../src/fixedmath.js";
import { Prediction, type PredictedStep } from "../src/reconcile.js";
import { Schema } from "../src/schema.js";
import type { Row } from "../src/tables.js";
import { golden, unhex } from "./vectors.js";

type Columns = [id: number, ...columns: number[]];

interface Rows {
  dots: Columns[];
  round: Columns;
}

interface Op {
  op: string;
  seq?: number;
  tick?: number;
  turn?: number;
  thrust?: number;
  processed?: number;
  rows?: Rows;
  ms?: number;
  want?: { tick: number; predicted?: Rows; shown: Columns[]; stats: number[] };
}

interface Story {
  name: string;
  rate: number;
  mode: "samples" | "commands";
  ahead: number;
  halfLife: number;
  snap: number;
  ops: Op[];
}

interface Input {
  turn: number;
  thrust: number;
}

interface Dot {
  X: number;
  Y: number;
  Heading: number;
  Speed: number;
  Hits: number;
  Owner: number;
}

/** The game of netcode's reconcile_golden_test.go. */
function step(s: PredictedStep<Input>): void {
  const dots = s.state["Dots"] as unknown as Map<number, Dot>;
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
    }
  }
}

const vectors = golden<{ schema: string; stories: Story[] }>("proto/testdata/reconcile.json");
const schema = Schema.parse(unhex(vectors.schema));
const fieldsOf = (table: string) => schema.tables.find(({ name }) => name === table)!.fields;

function rowOf(table: string, [id, ...columns]: Columns): [number, Row] {
  return [id, Object.fromEntries(fieldsOf(table).map(({ name }, i) => [name, columns[i]!]))];
}

function columnsOf(table: string, id: number, row: Row): Columns {
  return [id, ...fieldsOf(table).map(({ name }) => row[name] as number)];
}

for (const story of vectors.stories) {
  test(`predictions are the golden states: ${story.name}`, () => {
    const p = new Prediction<Input>(schema.tables, step, {
      rate: story.rate, inputs: story.mode, seat: 1, ahead: story.ahead, halfLifeMs: story.halfLife, snap: story.snap,
    });
    let checked = 0;
    story.ops.forEach(({ op, seq = 0, tick = 0, turn = 0, thrust = 0, processed = 0, rows, ms = 0, want }, i) => {
      if (op === "input") p.input(seq, tick, { turn, thrust });
      else if (op === "advance") p.advance(tick);
      else if (op === "decay") p.decay(ms);
      else if (op === "resume") p.resume();
      else {
        p.reconcile(tick, processed, {
          Dots: rows!.dots.map((r) => rowOf("Dots", r)), Round: [rowOf("Round", rows!.round)],
        });
      }
      if (!want) return;
      checked++;
      const about = `op ${i}: ${op}`;
      const dots = [...p.state["Dots"]!.keys()];
      assert.equal(p.tick, want.tick, about);
      assert.deepEqual(dots.map((id) => columnsOf("Dots", id, p.shown("Dots", id)!)), want.shown ?? [], about);
      const { states, mispredicted, replayed, forgotten } = p.stats;
      assert.deepEqual([states, mispredicted, replayed, forgotten], want.stats, about);
      if (!want.predicted) return;
      assert.deepEqual(dots.map((id) => columnsOf("Dots", id, p.state["Dots"]!.get(id)!)), want.predicted.dots ?? [], about);
      const round = p.state["Round"]!.get(1);
      if (round) assert.deepEqual(columnsOf("Round", 1, round), want.predicted.round, about);
    });
    assert.ok(checked > 50);
  });
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
