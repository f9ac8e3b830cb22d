import assert from "node:assert/strict";
import { test } from "node:test";
import type { Match, ViewOptions } from "../src/index.js";
import { ammo, type Events, events, frame, GLIDING, hit, type Input, keyframe, moved, type State, welcome } from "./fake_server.js";
import { Harness, seat } from "./match_harness.js";
import type { Any } from "./msgpack.js";

const INPUT = 1;

/** A frame each 50 ms in which the ship moves on by 10 of its steps of 0.5, from 100 on. */
function move(h: Harness, from: number, to: number): void {
  for (let tick = from; tick <= to; tick++) {
    h.socket.say(frame(tick, { blocks: [keyframe([[10 * tick, "ship", 2]], tick)] }));
    h.time.advance(50);
  }
}

async function watch(view?: ViewOptions<State>): Promise<[Harness, Match<State, Input, Events>]> {
  const h = new Harness(view && { view });
  return [h, await h.join({ schema: GLIDING })];
}

test("a view is nothing before the first frame, and then between two of them", async () => {
  const [h, match] = await watch();
  assert.equal(match.view(h.time.now()), undefined);
  move(h, 100, 120);
  for (let i = 0; i < 20; i++) {
    const shown = match.view(h.time.now())!;
    assert.ok(shown.tick < match.serverTick(), "it is a little late");
    assert.ok(Math.abs(shown.tables.Ships.get(1)!.X - 5 * shown.tick) < 1e-9, `${shown.tick}: ${shown.tables.Ships.get(1)!.X}`);
    h.time.advance(2);
  }
  assert.equal(match.view()?.tick, match.view(h.time.now())?.tick, "now is the default");
});

test("what a view shows is what the server is told that the player looks at", async () => {
  const [h, match] = await watch();
  move(h, 100, 110);
  h.socket.take(INPUT);
  const { tick } = match.view(h.time.now())!;
  match.send({ Turn: 1 });
  const [input] = h.socket.take(INPUT).map((m) => (m[5] as Any[][])[0]!);
  assert.deepEqual(input!.slice(1, 3), [Math.floor(tick), Math.floor((tick % 1) * 256)]);
});

test("a view of before a failover is not told as one of the new host's ticks", async () => {
  const [h, match] = await watch();
  move(h, 100, 110);
  h.socket.end(1006);
  h.time.advance(50);
  h.accept({ schema: GLIDING, epoch: 8, tick: 80 });
  h.socket.take(INPUT);
  assert.ok(match.view(h.time.now())!.tick >= 100, "it is still shown");
  match.send({ Turn: 1 });
  const [input] = h.socket.take(INPUT).map((m) => (m[5] as Any[][])[0]!);
  assert.deepEqual(input!.slice(1, 3), [0, 0]);
});

test("a table is shown by its mode: raw as the newest frame has it, extrapolated at the server's present time", async () => {
  const modes = { Ships: "extrapolate", Round: "raw" } as const;
  const [h, match] = await watch({ tables: modes });
  move(h, 100, 120);
  h.time.advance(30);
  const shown = match.view(h.time.now())!;
  assert.ok(shown.tick < 120, "which says where rows are that are interpolated");
  assert.equal(shown.tables.Round.get(1)!.Left, 120);
  const x = 5 * match.serverTick();
  assert.ok(x > 600 && Math.abs(shown.tables.Ships.get(1)!.X - x) < 1e-9, `${shown.tables.Ships.get(1)!.X}, want ${x}`);
  h.time.advance(9_000);
  assert.equal(match.view(h.time.now())!.tables.Ships.get(1)!.X, 650, "for ten ticks, and then it stands");
});

test("after a second without frames a view runs at most twice as fast as time until it is there again", async () => {
  const [h, match] = await watch();
  move(h, 100, 130);
  let [last, most] = [match.view(h.time.now())!.tables.Ships.get(1)!.X, 0];
  const draw = (ms: number) => {
    for (let i = 0; i < ms / 10; i++) {
      h.time.advance(10);
      const x = match.view(h.time.now())!.tables.Ships.get(1)!.X;
      most = Math.max(most, x - last);
      assert.ok(x >= last, "it does not go back");
      last = x;
    }
  };
  draw(950);
  for (let tick = 131; tick <= 150; tick++) h.socket.say(frame(tick, { blocks: [keyframe([[10 * tick, "ship", 2]], tick)] }));
  for (let tick = 151; tick <= 170; tick++) {
    draw(50);
    h.socket.say(frame(tick, { blocks: [keyframe([[10 * tick, "ship", 2]], tick)] }));
  }
  assert.ok(most > 1.5 && most <= 2 + 1e-9, `${most} in 10 ms, 1 is what the ship flies`);
  assert.ok(last > 5 * 158, `it is shown at ${last / 5} in tick 170`);

  // One of ten seconds is jumped over.
  h.time.advance(9_000);
  for (let tick = 351; tick <= 353; tick++) h.socket.say(frame(tick, { blocks: [keyframe([[10 * tick, "ship", 2]], tick)] }));
  assert.ok(match.view(h.time.now())!.tick > 335);
});

test("bounds of a view that make no sense reject the connect", async () => {
  const h = new Harness({ view: { minDelay: 2, maxDelay: 1 } });
  await assert.rejects(h.connect(), RangeError);
  assert.equal(h.sockets.length, 0);
});

test("changes are told by table and by field, until that is undone", async () => {
  const h = new Harness();
  const match = await h.join();
  const told: string[] = [];
  const undo = [
    match.onChange("Ships", (id, row, before) => told.push(`${id}: ${before.X} to ${row.X}`)),
    match.onChange("Ships", "X", (id, x, before) => told.push(`X of ${id}: ${before} to ${x}`)),
    match.onChange("Ships", "Ammo", (id, n, before) => told.push(`Ammo of ${id}: ${before} to ${n}`)),
    match.onRemove("Ships", (id, before) => told.push(`${id} at ${before.X} went`)),
  ];
  h.socket.say(frame(100, { blocks: [keyframe([[5, "a", 1]], 90)] }));
  h.socket.say(frame(101, { scopes: [0, 1], blocks: [ammo(3)] }));
  assert.deepEqual(told.splice(0), ["1: 5 to 5", "Ammo of 1: undefined to 3"]);
  h.socket.say(frame(102, { scopes: [0, 1], blocks: [keyframe([[7, "a", 1]], 90)] }));
  assert.deepEqual(told.splice(0), ["1: 5 to 7", "X of 1: 5 to 7"]);
  undo[1]!();
  undo[1]!();
  h.socket.say(frame(103, { scopes: [0, 1], blocks: [keyframe([[8, "a", 1]], 90)] }));
  h.socket.say(frame(104, { scopes: [0, 1], blocks: [keyframe([], 90)] }));
  assert.deepEqual(told.splice(0), ["1: 7 to 8", "1 at 8 went"]);
  for (const u of undo) u();
  h.socket.say(frame(105, { scopes: [0, 1], blocks: [keyframe([[8, "a", 1]], 90)] }), frame(106, { blocks: [keyframe([], 1)] }));
  assert.deepEqual(told, []);
});

test("who asks for rows is told at once of those that are there", async () => {
  const h = new Harness();
  const match = await h.join();
  h.socket.say(frame(100, { blocks: [keyframe([[5, "a", 1], [6, "b", 2]], 90)] }));
  const told: [number, number][] = [];
  match.onAdd("Ships", (id, { X }) => told.push([id, X]));
  assert.deepEqual(told, [[1, 5], [65537, 6]]);
  h.socket.say(frame(101, { blocks: [keyframe([[5, "a", 1], [6, "b", 2], [7, "c", 3]], 90)] }));
  assert.deepEqual(told.slice(2), [[131073, 7]]);
});

test("a function that another one takes away in the same frame is not called any more", async () => {
  const h = new Harness();
  const match = await h.join();
  let undo = () => {};
  match.onEvent("Hit", () => undo());
  undo = match.onEvent("Hit", () => assert.fail("it was taken away"));
  h.socket.say(events(100, 1, hit(1)));
});

test("events are told by name, or all", async () => {
  const h = new Harness();
  const match = await h.join();
  const told: string[] = [];
  match.onEvent("Hit", ({ By }, e) => told.push(`hit by ${By} in ${e.tick}`));
  match.onEvent("*", (fields, e) => told.push(`${e.name} ${JSON.stringify(fields)} ${e.number} ${e.predicted}`));
  h.socket.say(events(100, 1, hit(4)));
  assert.deepEqual(told, ["hit by 4 in 100", 'Hit {"By":4} 1 false']);
});

test("who awaits connect hears of all that came together with the welcome", async () => {
  const h = new Harness();
  const connecting = h.connect();
  h.socket.open();
  h.socket.say(welcome(), events(100, 1, hit(4)), frame(100, { blocks: [keyframe([[5, "a", 1]], 90)] }));
  const match = await connecting;
  const told: string[] = [];
  match.onEvent("Hit", () => told.push("hit"));
  match.onAdd("Ships", () => told.push("ship"));
  h.time.advance(0);
  assert.deepEqual(told, ["hit", "ship"]);

  // The same where the socket ends with it.
  const gone = new Harness({ reconnect: false });
  const last = gone.connect();
  gone.socket.open();
  gone.socket.say(welcome(), frame(100, { blocks: [keyframe([[5, "a", 1]], 90)] }));
  gone.socket.end(1006);
  assert.equal((await last).tables.Ships.get(1)?.X, 5);
  assert.equal(gone.time.next, undefined, "no timer is left");
  assert.equal(seat.room, "room-1");
});

test("the statistics tell bytes by scope and table, gaps, leads, and what was held back", async () => {
  const h = new Harness();
  const match = await h.join();
  const room = keyframe([[5, "a", 1], [6, "b", 2]], 90);
  const own = ammo(3);
  h.socket.say(frame(100, { scopes: [0, 1], blocks: [room, own] }));
  assert.equal(match.stats.frameGapMs, 0, "of one frame there is none");
  h.time.advance(70);
  const change = moved(1, -4, 2);
  h.socket.say(frame(101, { processed: 1, lead: -2, scopes: [0, 1], blocks: [change] }));
  assert.deepEqual([...match.stats.bytesByScope], [[0, room[1].length + change[1].length], [1, own[1].length]]);
  const { Ships, Round } = match.stats.bytesByTable;
  const sum = room[1].length + change[1].length + own[1].length;
  assert.ok(Round! > 4 && Ships! > Round! && Ships! + Round! <= sum && Ships! + Round! > sum - 6, `${Ships} + ${Round} of ${sum}`);
  assert.deepEqual([match.stats.frameGapMs, match.stats.leadTicks, match.stats.shed], [70, -2, 0]);
});

test("samples are held back while more than 4 KiB wait in the socket, and the next packet says what they said", async () => {
  const h = new Harness();
  const match = await h.join();
  h.socket.say(frame(100, { blocks: [keyframe([], 1)] }));
  h.socket.take(INPUT);
  h.socket.bufferedAmount = 4097;
  for (let i = 1; i <= 40; i++) {
    assert.equal(match.send({ Turn: i }), true);
    h.time.advance(50);
  }
  assert.deepEqual(h.socket.take(INPUT), []);
  assert.equal(match.stats.shed, 40);
  h.socket.bufferedAmount = 4096;
  h.socket.say(frame(140, { blocks: [keyframe([], 1)] }));
  const [packet] = h.socket.take(INPUT);
  const inputs = packet![5] as Any[][];
  assert.deepEqual([packet![4], inputs.length, (inputs[0]![3] as Any[])[0]], [40, 32, 40], "the newest 32");
});

test("commands are not held back at that bound: none may be lost", async () => {
  const h = new Harness();
  const match = await h.join({ commands: true });
  h.socket.say(frame(100, { blocks: [keyframe([], 1)] }));
  h.socket.take(INPUT);
  h.socket.bufferedAmount = 4097;
  match.send({ Turn: 1 });
  assert.equal(h.socket.take(INPUT).length, 1);
  assert.equal(match.stats.shed, 0);
});
