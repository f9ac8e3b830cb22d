import assert from "node:assert/strict";
import { test } from "node:test";
import { BacklogError, Outbox } from "../src/outbox.js";

const body = (n: number, size = 3) => new Uint8Array(size).fill(n);
const sequences = (o: Outbox) => o.packets().map((p) => p.map((i) => i.seq));

/** An outbox that continues after a sequence, with n inputs of a size. */
function filled(mode: "samples" | "commands", n: number, size = 3): Outbox {
  const o = new Outbox();
  o.welcome(mode, 0);
  for (let i = 1; i <= n; i++) o.add(100 + i, 99, 0, body(i, size));
  return o;
}

test("without inputs there is one empty packet", () => {
  assert.deepEqual(sequences(new Outbox()), [[]]);
});

test("ticks of inputs never fall", () => {
  const o = filled("samples", 0);
  for (const tick of [5, 3, 6]) o.add(tick, 1, 0, body(0));
  assert.deepEqual(o.packets()[0]!.map((i) => i.tick), [6, 5, 5]);
});

test("samples fit into one packet, if need be without the oldest", () => {
  const o = filled("samples", 10, 3000);
  assert.deepEqual(sequences(o), [[10, 9]]);
});

test("commands take as many packets as they need, the oldest first", () => {
  const o = filled("commands", 5, 3000);
  assert.deepEqual(sequences(o), [[2, 1], [4, 3], [5]]);
});

test("the oldest sample gives way, a command is not taken", () => {
  const samples = filled("samples", 33);
  assert.equal(sequences(samples)[0]!.at(-1), 2);
  const commands = filled("commands", 32);
  assert.throws(() => commands.add(200, 1, 0, body(0)), BacklogError);
  commands.ack(32, 1);
  assert.equal(commands.add(200, 1, 0, body(0)), 33);
});

test("what is processed is not repeated, what is durable is forgotten", () => {
  const o = filled("commands", 6);
  o.ack(4, 2);
  assert.deepEqual(sequences(o), [[6, 5]]);
  o.rebase(2); // a failover took 3 and 4 back
  assert.deepEqual(sequences(o), [[6, 5, 4, 3]]);
  o.rebase(0);
  assert.deepEqual(sequences(o), [[6, 5, 4, 3]], "1 and 2 are gone for good");
});

test("a welcome says what the room has", () => {
  const o = filled("samples", 5);
  o.ack(3, 1);
  o.welcome("samples", 4);
  assert.deepEqual(sequences(o), [[5]]);
  o.ack(3, 1); // a frame of before it was used
  assert.deepEqual(sequences(o), [[5]]);
  o.welcome("samples", 1);
  assert.deepEqual(sequences(o), [[5, 4, 3, 2]]);
  o.welcome("samples", 9); // another program played on
  assert.deepEqual(sequences(o), [[]]);
  assert.equal(o.processed, 9);
  assert.equal(o.add(200, 1, 0, body(0)), 10);
});
