import assert from "node:assert/strict";
import { test } from "node:test";
import { BacklogError, CloseError, type EventInfo, type FrameInfo } from "../src/index.js";
import { Playout } from "../src/wire.js";
import {
  ammo, bye, end, events, type Events, frame, hit, type Input, keyframe, moved, pong, refusal, type State, welcome,
} from "./fake_server.js";
import { Harness, seat, uncaught } from "./match_harness.js";
import type { Any } from "./msgpack.js";

const INPUT = 1;
const PING = 2;
const RESYNC = 3;
const LEAVE = 4;

test("connect offers the token as a subprotocol and resolves with the welcome", async () => {
  const h = new Harness();
  let resolved = false;
  const connecting = h.connect();
  void connecting.then(() => (resolved = true));
  assert.equal(h.socket.url, seat.url);
  assert.deepEqual(h.socket.protocols, ["muster.v1", "bearer.seat-token"]);
  assert.equal(h.socket.binaryType, "arraybuffer");
  h.socket.open();
  await Promise.resolve();
  assert.equal(resolved, false);
  h.socket.say(welcome());
  const match = await connecting;
  assert.deepEqual(match.info, {
    room: "room-1", game: "test", rules: "1", seat: 1, player: "alice", epoch: 7n, rate: 20, inputs: "samples",
  });
  assert.equal(match.state, "playing");
  assert.deepEqual(h.states, ["playing"]);
  assert.equal(match.tables.Ships.size, 0);
  assert.equal(match.value("Round"), undefined);
});

test("a connect that fails says what to do next", async () => {
  const fails: [string, number, string, (h: Harness) => void][] = [
    ["a bye", 4203, "requeue", (h) => (h.socket.open(), h.socket.say(bye(4203, "too late")))],
    ["a server that is full", 4005, "reconnect", (h) => (h.socket.open(), h.socket.say(bye(4005)))],
    ["a close", 4403, "stop", (h) => (h.socket.open(), h.socket.end(4403))],
    ["a refused upgrade", 1006, "reconnect", (h) => h.socket.end(1006)],
    ["an error without a close", 1006, "reconnect", (h) => h.socket.fail()],
    ["another protocol", 4426, "stop", (h) => h.socket.open("")],
    ["another version", 4426, "stop", (h) => (h.socket.open(), h.socket.say(welcome({ version: 2 })))],
    ["no welcome", 1007, "stop", (h) => (h.socket.open(), h.socket.say(frame(1)))],
    ["text", 1003, "stop", (h) => (h.socket.open(), h.socket.say("hello"))],
    ["a message above the limit", 1009, "stop", (h) => (h.socket.open(), h.socket.say(new Uint8Array((1 << 20) + 1)))],
    ["silence", 1006, "reconnect", (h) => h.time.advance(10_000)],
  ];
  for (const [name, code, action, fail] of fails) {
    const h = new Harness();
    const connecting = h.connect();
    fail(h);
    const error: unknown = await connecting.catch((e: unknown) => e);
    assert.ok(error instanceof CloseError, name);
    assert.deepEqual([error.info.code, error.info.action], [code, action], name);
    assert.equal(h.socket.closed, true, name);
    assert.equal(h.sockets.length, 1, name);
    assert.equal(h.time.next, undefined, `${name}: no timer is left`);
    assert.deepEqual(h.closes, [], name);
  }
});

test("an address that is none rejects", async () => {
  const h = new Harness({
    webSocket: () => {
      throw new SyntaxError("no address");
    },
  });
  await assert.rejects(h.connect(), { name: "CloseError", message: /no address/ });
});

test("frames bring rows, of the room and of the own seat, and tell of them", async () => {
  const told: string[] = [];
  const frames: FrameInfo[] = [];
  const h = new Harness({
    onFrame: (f) => (told.push(`frame ${f.tick}`), frames.push(f)),
  });
  const match = await h.join();
  for (const table of ["Ships", "Round"] as const) {
    match.onAdd(table, (id, row) => told.push(`add ${table} ${id} ${JSON.stringify(row)}`));
    match.onChange(table, (id, row, before) => told.push(`change ${table} ${id} ${JSON.stringify([before, row])}`));
    match.onRemove(table, (id) => told.push(`remove ${table} ${id}`));
  }
  h.time.advance(3);
  h.socket.say(frame(100, { scopes: [0, 1], blocks: [keyframe([[5, "a", 1], [6, "b", 2]], 90), ammo(3)] }));
  h.time.advance(50);
  const second = frame(101, { processed: 0, lead: -2, scopes: [0, 1], blocks: [moved(1, -4, 2)] });
  h.socket.say(second);
  const a = { X: 5, Name: "a", Owner: 1, Ammo: 3 };
  const b = { X: 6, Name: "b", Owner: 2 };
  assert.deepEqual(told, [
    `add Ships 1 ${JSON.stringify(a)}`,
    `add Ships 65537 ${JSON.stringify(b)}`,
    'add Round 1 {"Left":90}',
    "frame 100",
    `change Ships 1 ${JSON.stringify([a, { ...a, X: 1 }])}`,
    "frame 101",
  ]);
  assert.deepEqual([...match.tables.Ships], [[1, { ...a, X: 1 }], [65537, b]]);
  assert.deepEqual(match.value("Round"), { Left: 90 });
  assert.deepEqual([...match.tables.Round], [[1, { Left: 90 }]]);
  assert.deepEqual(frames[1], {
    tick: 101, processed: 0, durable: 0, lead: -2, bytes: second.length + 2, at: h.time.now(),
  });
  assert.equal(match.stats.frames, 2);
  assert.ok(match.stats.bytesIn > 100 && match.stats.bytesOut > 0);
});

/** What an input packet says: epoch, last tick, newest event, and its inputs as [seq, turn], the newest first. */
function packet([, epoch, last, event, seq, inputs]: Any[]): [Any, Any, Any, [number, Any][]] {
  const list = (inputs as Any[][]).map((i, k): [number, Any] => [(seq as number) - k, (i[3] as Any[])[0]!]);
  return [epoch!, last!, event!, list];
}

test("inputs are repeated until a frame contains them, and kept until they are durable", async () => {
  const h = new Harness();
  const match = await h.join({ seq: 4 });
  const sent = () => h.socket.take(INPUT).map(packet);
  h.socket.say(frame(100, { processed: 4, blocks: [keyframe([], 1)] }));
  assert.deepEqual(sent(), [[7, 100, 0, []]], "a bare acknowledgement follows the first frame");
  const turn = (n: number) => {
    h.time.advance(50);
    match.send({ Turn: n });
  };
  turn(10);
  turn(-20);
  assert.deepEqual(sent(), [[7, 100, 0, [[5, 10]]], [7, 100, 0, [[6, -20], [5, 10]]]]);
  h.socket.say(events(101, 1, hit(2)), frame(101, { processed: 5, durable: 4 }));
  assert.deepEqual(sent(), []);
  turn(30);
  assert.deepEqual(sent(), [[7, 101, 1, [[7, 30], [6, -20]]]]);
  h.time.advance(100);
  h.socket.say(frame(103, { processed: 7, durable: 4 }));
  assert.deepEqual(sent(), [[7, 103, 1, []]], "without inputs, what arrived is acknowledged");

  // What is processed and not durable is sent again when a failover has taken it back.
  h.socket.say(frame(102, { epoch: 8, processed: 5, durable: 5 }));
  turn(40);
  assert.deepEqual(sent(), [[8, 102, 1, [[8, 40], [7, 30], [6, -20]]]]);
  assert.equal(match.info.epoch, 8n);
});

test("inputs carry the tick that they are for and the tick that was looked at", async () => {
  const h = new Harness();
  const match = await h.join();
  const sent = () => h.socket.take(INPUT).map((m) => ((m[5] as Any[][])[0] ?? []).slice(0, 3));
  h.socket.say(frame(100, { blocks: [keyframe([], 1)] }));
  const [ping] = h.socket.sent.filter((m) => m[0] === PING);
  h.time.advance(10);
  // 100 ms of round trip would be two ticks; this one is 10 ms. Half a tick is slack, and the next whole tick counts.
  h.socket.say(pong(ping![1]!, 100, 0));
  h.socket.take(INPUT);
  assert.equal(match.stats.rttMs, 10);
  match.send({ Turn: 1 });
  match.setView(98, 0.5);
  h.time.advance(50);
  match.send({ Turn: 2 });
  h.time.advance(50);
  match.setView(99, 1);
  match.send({ Turn: 3 });
  assert.deepEqual(sent(), [[101, 100, 0], [102, 98, 128], [103, 99, 255]]);
  assert.throws(() => match.setView(1.5, 0), RangeError);
  assert.throws(() => match.setView(1, 200), RangeError);
});

test("the tables of a match play out between two frames, and the time shown is what was looked at", async () => {
  const h = new Harness();
  const match = await h.join();
  const playout = new Playout<State>(match.schema, { minDelay: 2, maxDelay: 2 });
  for (const [tick, x] of [[100, 10], [101, 20]] as const) {
    h.socket.say(frame(tick, { blocks: [keyframe([[x, "ship", 1]], tick)] }));
    playout.push(tick, match.tables, tick);
  }
  const shown = playout.at(102.25)!;
  assert.equal(shown.tick, 100.25);
  assert.deepEqual([...shown.tables.Ships.values()], [{ X: 10, Name: "ship", Owner: 1 }]); // whole numbers do not glide
  assert.equal(shown.tables.Round.get(1)?.Left, 100);
  assert.equal(match.value("Round")?.Left, 101);
  match.setView(Math.floor(shown.tick), shown.tick % 1);
  match.send({ Turn: 1 });
  const view = h.socket.take(INPUT).flatMap((m) => m[5] as Any[][]).at(-1);
  assert.deepEqual(view?.slice(1, 3), [100, 64]);
});

test("samples that come faster than the rules use them give way to the newest", async () => {
  const h = new Harness();
  const match = await h.join();
  h.socket.say(frame(100, { blocks: [keyframe([], 1)] }));
  h.socket.take(INPUT);
  for (let i = 0; i < 100; i++) {
    match.send({ Turn: i });
    h.time.advance(5);
  }
  const packets = h.socket.take(INPUT).map(packet);
  assert.ok(packets.length >= 10 && packets.length <= 18, `${packets.length} packets in 10 ticks`);
  assert.deepEqual(packets[0]![3][0], [1, 0]);
  h.time.advance(100);
  const last = [...packets, ...h.socket.take(INPUT).map(packet)].at(-1)!;
  assert.equal(last[3][0]![1], 99, "the last one is sent in the end");
  assert.throws(() => match.send({ Turn: 1000 }), RangeError);
});

test("at most 32 samples are repeated, the newest", async () => {
  const h = new Harness();
  const match = await h.join();
  h.socket.say(frame(100, { blocks: [keyframe([], 1)] }));
  for (let i = 1; i <= 40; i++) {
    h.time.advance(50);
    match.send({ Turn: i });
  }
  const list = packet(h.socket.take(INPUT).at(-1)!)[3];
  assert.deepEqual(list, Array.from({ length: 32 }, (_, i) => [40 - i, 40 - i]));
});

test("commands are sent one by one, refused when 256 wait, and told of when the rules refuse them", async () => {
  const refused: unknown[] = [];
  const h = new Harness({ onRefused: (r) => refused.push(r) });
  const match = await h.join({ commands: true, seq: 10 });
  h.socket.say(frame(100, { processed: 10, blocks: [keyframe([], 1)] }));
  h.socket.take(INPUT);
  for (let i = 1; i <= 256; i++) match.send({ Turn: i % 100 });
  assert.throws(() => match.send({ Turn: 33 }), BacklogError);
  assert.equal(h.socket.take(INPUT).length, 32, "those behind a whole packet wait for their turn");
  h.socket.say(events(101, 1, refusal(12, "not your turn"), refusal(3, "before this program")));
  assert.deepEqual(refused, [
    { tick: 101, number: 1, seq: 12, reason: "not your turn", input: { Turn: 2 } },
    { tick: 101, number: 2, seq: 3, reason: "before this program", input: undefined },
  ]);
  h.time.advance(100);
  h.socket.say(frame(101, { processed: 20, durable: 11 }));
  const spans = () => h.socket.take(INPUT).map((m) => packet(m)[3]).map((list) => [list[0]![0], list.at(-1)![0]]);
  assert.deepEqual(spans(), [[52, 21], [84, 53]], "two packets, oldest first");
  match.send({ Turn: 34 });
  assert.throws(() => match.send({ Turn: 35 }), BacklogError);
  h.socket.say(frame(102, { processed: 250, durable: 11 }));
  h.time.advance(100);
  h.socket.say(frame(103, { processed: 250, durable: 12 }));
  assert.deepEqual(spans(), [[267, 251]]);
  match.send({ Turn: 36 });
  assert.deepEqual(spans(), [[268, 251]]);
});

test("a refusal that comes long after its command does not have it", async () => {
  const refused: (Input | undefined)[] = [];
  const h = new Harness({ onRefused: (r) => refused.push(r.input) });
  const match = await h.join({ commands: true });
  for (let i = 1; i <= 400; i++) {
    match.send({ Turn: i % 100 });
    h.socket.say(frame(100 + i, { processed: i, blocks: [keyframe([], 1)] }));
  }
  h.socket.say(events(501, 1, refusal(80, ""), refusal(81, "")));
  assert.deepEqual(refused, [undefined, { Turn: 81 }]);
});

test("a full socket is not written to", async () => {
  const h = new Harness();
  const match = await h.join();
  h.socket.say(frame(100, { blocks: [keyframe([], 1)] }));
  h.socket.take(INPUT);
  h.socket.bufferedAmount = 1 << 20;
  match.send({ Turn: 1 });
  assert.deepEqual(h.socket.take(INPUT), []);
  h.socket.bufferedAmount = 0;
  h.time.advance(50);
  match.send({ Turn: 2 });
  assert.deepEqual(packet(h.socket.take(INPUT)[0]!)[3], [[2, 2], [1, 1]]);
});

test("events come once and in order; after a gap they wait for what is missing", async () => {
  const got: [By: number, EventInfo<Events>][] = [];
  const h = new Harness();
  const match = await h.join({ event: 3 });
  match.onEvent("Hit", ({ By }, e) => got.push([By, e]));
  h.socket.say(events(100, 4, hit(1), hit(2)), events(101, 5, hit(2), hit(3)), events(102, 8, hit(9)));
  assert.deepEqual(got, [
    [1, { tick: 100, number: 4, name: "Hit", predicted: false }],
    [2, { tick: 100, number: 5, name: "Hit", predicted: false }],
    [3, { tick: 101, number: 6, name: "Hit", predicted: false }],
  ]);
  assert.equal(match.stats.eventGaps, 1);
  h.socket.say(frame(102, { blocks: [keyframe([], 1)] }));
  assert.equal(packet(h.socket.take(INPUT)[0]!)[2], 6, "an event behind a gap is not acknowledged");
  h.socket.say(events(103, 7, hit(4), hit(9)));
  assert.deepEqual(got.map(([, e]) => e.number), [4, 5, 6, 7, 8]);
});

test("a view hash that differs asks for a keyframe, once a second", async () => {
  const h = new Harness();
  const match = await h.join();
  h.socket.say(frame(100, { blocks: [keyframe([[5, "a", 1]], 90)] }));
  assert.deepEqual(h.socket.take(RESYNC), []);
  h.socket.say(frame(101, { hashes: [[0, 1n]] }));
  assert.deepEqual(h.socket.take(RESYNC), [[RESYNC, 0]]);
  assert.equal(match.tables.Ships.size, 0, "what is wrong is not shown");
  h.socket.say(frame(102, { blocks: [moved(1, 1)] }));
  h.time.advance(999);
  h.socket.say(frame(121));
  assert.deepEqual(h.socket.take(RESYNC), []);
  h.time.advance(1);
  h.socket.say(frame(122));
  assert.deepEqual(h.socket.take(RESYNC), [[RESYNC, 0]], "it is asked for again until it is here");
  h.socket.say(frame(123, { blocks: [keyframe([[7, "a", 1]], 89)] }));
  assert.deepEqual([...match.tables.Ships], [[1, { X: 7, Name: "a", Owner: 1 }]]);
  h.time.advance(5000);
  h.socket.say(frame(130));
  assert.deepEqual(h.socket.take(RESYNC), []);
  const { hashMismatches, decodeErrors, resyncs } = match.stats;
  assert.deepEqual({ hashMismatches, decodeErrors, resyncs }, { hashMismatches: 1, decodeErrors: 0, resyncs: 2 });
});

test("a block that cannot be applied drops its scope alone and asks for it", async () => {
  const h = new Harness();
  const match = await h.join();
  h.socket.say(frame(100, { scopes: [0, 1], blocks: [keyframe([[5, "a", 1]], 90), ammo(3)] }));
  h.socket.say(frame(101, { scopes: [0, 1], blocks: [[1, [1, 7, 1]]] }));
  assert.deepEqual(h.socket.take(RESYNC), [[RESYNC, 1]]);
  assert.deepEqual(match.tables.Ships.get(1), { X: 5, Name: "a", Owner: 1 });
  assert.equal(match.stats.decodeErrors, 1);
  h.socket.say(frame(102, { scopes: [0, 1], blocks: [ammo(2)] }));
  assert.equal(match.tables.Ships.get(1)?.Ammo, 2);
});

test("a keyframe is asked for by the scope's number, and only where something was wrong", async () => {
  const h = new Harness();
  await h.join();
  const scopes = [0, 1 + 3 * 0x10000]; // the seat's own each fourth tick
  h.socket.say(frame(100, { scopes, blocks: [keyframe([[5, "a", 1]], 90)] }));
  h.time.advance(2000);
  h.socket.say(frame(140, { scopes }));
  assert.deepEqual(h.socket.take(RESYNC), [], "what is not here yet comes by itself");
  h.socket.say(frame(141, { scopes, blocks: [[1, [0]]] }));
  assert.deepEqual(h.socket.take(RESYNC), [[RESYNC, 1]]);
});

test("pings measure the round trip every second", async () => {
  const h = new Harness();
  const match = await h.join();
  h.socket.say(frame(100, { blocks: [keyframe([], 1)] }));
  const ping = h.socket.take(PING)[0]!;
  h.time.advance(80);
  h.socket.say(pong(ping[1]!, 101, 6554));
  assert.equal(match.stats.rttMs, 80);
  h.time.advance(900);
  h.socket.say(frame(119));
  assert.deepEqual(h.socket.take(PING), []);
  h.time.advance(20);
  h.socket.say(frame(120));
  assert.equal(h.socket.take(PING).length, 1);
  h.socket.say(pong(2n ** 60n, 120, 0)); // not one of ours
  assert.equal(match.stats.rttMs, 80);
  assert.ok(Math.abs(match.serverTick() - 120.8) < 0.2, String(match.serverTick())); // half of 80 ms behind 120
});

test("the end brings the result, and its close is nothing wrong", async () => {
  const ends: unknown[] = [];
  const h = new Harness({ onEnd: (p) => ends.push(p) });
  const match = await h.join();
  h.socket.say(frame(100, { blocks: [keyframe([[5, "a", 1]], 0)] }), end([1, "alice", 0, 1, -3]), bye(1000, "the match is over"));
  const placements = [{ seat: 1, player: "alice", team: 0, rank: 1, score: -3 }];
  assert.deepEqual(ends, [placements]);
  assert.deepEqual(match.end, placements);
  assert.equal(match.state, "closed");
  assert.deepEqual(h.closes, [{ code: 1000, name: "done", reason: "the match is over", action: "done", afterMs: 0 }]);
  assert.equal(match.tables.Ships.size, 1, "the last state stays");
  match.send({ Turn: 1 });
  assert.equal(h.time.next, undefined);
});

test("an error of an open socket waits for its close, which says more", async () => {
  const h = new Harness();
  const match = await h.join();
  h.socket.fail();
  assert.equal(match.state, "playing");
  h.socket.end(4403);
  assert.deepEqual(h.closes.map((c) => c.code), [4403]);
});

test("leave resolves when the server has taken note", async () => {
  const h = new Harness();
  const match = await h.join();
  const left = match.leave();
  assert.equal(match.leave(), left);
  assert.deepEqual(h.socket.take(LEAVE), [[LEAVE]]);
  assert.equal(match.state, "playing");
  h.socket.say(bye(1000, "left"));
  await left;
  assert.equal(match.state, "closed");
  await match.leave();
});

test("leave rejects when there is no answer, and does not come back", async () => {
  for (const lose of [
    (h: Harness) => h.time.advance(3000),
    (h: Harness) => h.socket.end(1006),
    (h: Harness) => h.socket.say(bye(4002)),
  ]) {
    const h = new Harness();
    const match = await h.join();
    const left = match.leave();
    lose(h);
    await assert.rejects(left, CloseError);
    assert.equal(match.state, "closed");
    assert.equal(h.sockets.length, 1);
    assert.equal(h.time.next, undefined);
  }
});

test("close keeps the seat and says so once", async () => {
  const h = new Harness();
  const match = await h.join();
  match.send({ Turn: 1 });
  match.send({ Turn: 2 }); // waits for its time
  match.close();
  match.close();
  assert.equal(h.time.next, undefined);
  assert.equal(h.socket.closed, true);
  assert.deepEqual(h.socket.take(LEAVE), []);
  assert.deepEqual(h.closes.map((c) => c.action), ["done"]);
  assert.deepEqual(h.states, ["playing", "closed"]);
  h.socket.say(frame(100));
  h.socket.end(1006);
  assert.equal(match.stats.frames, 0);
  assert.equal(h.closes.length, 1);
});

test("a program that closes the match in a callback hears nothing more of it", async () => {
  const got: number[] = [];
  const h = new Harness();
  const match = await h.join();
  match.onEvent("*", (_, e) => {
    got.push(e.number);
    match.close();
  });
  h.socket.say(events(100, 1, hit(1), hit(2)));
  assert.deepEqual(got, [1]);
});

test("an error of a callback is not lost and does not stop the match", async (t) => {
  const thrown = uncaught(t);
  const error = new Error("the program's own");
  const h = new Harness();
  const match = await h.join();
  match.onAdd("Ships", () => {
    throw error;
  });
  match.onAdd("Round", () => {
    throw error;
  });
  h.socket.say(frame(100, { blocks: [keyframe([[5, "a", 1]], 90)] }), frame(101, { blocks: [moved(1, 2)] }));
  assert.deepEqual(thrown, [error, error]);
  assert.equal(match.tables.Ships.get(1)?.X, 7);
  assert.equal(match.state, "playing");
});
