import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventInfo, Match, Predicted, PredictOptions, PredictStep } from "../src/index.js";
import { type Events, events, frame, type FrameFields, GLIDING, hit, type Input, keyframe, pong, type Ship, type State } from "./fake_server.js";
import { Harness, uncaught } from "./match_harness.js";

type Playing = Match<State, Input, Events>;
type Step = PredictStep<State, Input, Events>;

const OWN = 1; // the own ship's row
const OTHER = 65537;

/** The rules: a turn moves the ship by so much a tick; firing adds a shot and hits. */
function step(s: Step): void {
  for (const ship of s.state.Ships.values()) {
    if (ship.Owner !== s.seat || ship.Name === "shot") continue;
    ship.X += s.input?.Turn ?? 0;
    if (s.input?.Fire) {
      s.spawn("Ships", { X: ship.X, Name: "shot", Owner: s.seat });
      s.emit("Hit", { By: s.seat });
    }
  }
}

/** A room with an own ship at x, and another one. */
function room(h: Harness, tick: number, x: number, f: FrameFields = {}): void {
  h.socket.say(frame(tick, { ...f, blocks: [keyframe([[2 * x, "own", 1], [2 * (tick * 3), "other", 2]], 90)] }));
}

async function play(options: Partial<PredictOptions<State, Input, Events>> = {}): Promise<[Harness, Playing, Predicted<State>]> {
  const h = new Harness();
  const match = await h.join({ schema: GLIDING, tick: 90 });
  h.socket.say(pong(h.time.now() * 1000, 90, 0));
  for (let tick = 90; tick <= 100; tick++) {
    room(h, tick, 10);
    h.time.advance(50);
  }
  return [h, match, match.predict({ tables: ["Ships"], step, ...options })];
}

const shownShip = (h: Harness, match: Playing, id = OWN): Ship | undefined => match.view(h.time.now())!.tables.Ships.get(id);

test("an input shows in the next picture, long before the server's answer", async () => {
  const [h, match, predicted] = await play();
  assert.equal(shownShip(h, match)!.X, 10);
  match.send({ Turn: 20 });
  h.time.advance(16);
  const x = shownShip(h, match)!.X;
  assert.ok(x > 11, `it is shown at ${x}`);
  assert.ok(predicted.state.Ships.get(OWN)!.X >= 30, "what is predicted is not smoothed");
  assert.ok(predicted.tick > 100);
});

test("the ships of others are shown between two frames, not predicted", async () => {
  const [h, match] = await play();
  match.send({ Turn: 20 });
  h.time.advance(16);
  const shown = match.view(h.time.now())!;
  assert.ok(Math.abs(shown.tables.Ships.get(OTHER)!.X - shown.tick * 3) < 1e-9);
});

test("a correction does not jump, and is made up for", async () => {
  const [h, match, predicted] = await play();
  match.send({ Turn: 4 });
  h.time.advance(50);
  const before = shownShip(h, match)!.X;
  room(h, 101, 90, { processed: 1 }); // the server had other ideas
  assert.ok(Math.abs(shownShip(h, match)!.X - before) < 5, "where it was");
  assert.equal(match.stats.prediction!.mispredicted, 1);
  assert.equal(match.stats.prediction, predicted.stats);
  assert.ok(predicted.stats.error > 70 && predicted.errorAt(0.99) > 70);
  let last = before;
  for (let i = 0; i < 60; i++) {
    h.time.advance(16);
    const x = shownShip(h, match)!.X;
    assert.ok(x >= last - 1e-9, `${x} after ${last}`);
    last = x;
  }
  assert.ok(last > 90, `${last}`);
});

test("a correction above the option snap jumps", async () => {
  const [h, match] = await play({ snap: 20 });
  match.view(h.time.now());
  room(h, 101, 90);
  assert.ok(shownShip(h, match)!.X >= 90);
});

test("a row that a step adds is shown at once, and the server's takes its place", async () => {
  const [h, match] = await play();
  match.view(h.time.now());
  match.send({ Fire: true });
  h.time.advance(16);
  const shots = () => [...match.view(h.time.now())!.tables.Ships].filter(([, s]) => s.Name === "shot").map(([id]) => id);
  assert.deepEqual(shots(), [-1]);
  h.time.advance(34);
  match.send({}); // fires no more
  h.time.advance(50);
  assert.deepEqual(shots(), [-1]);
  h.socket.say(frame(104, { processed: 2, blocks: [keyframe([[20, "own", 1], [624, "other", 2], [20, "shot", 1]], 90)] }));
  assert.deepEqual(shots(), [131073]);
  assert.deepEqual([match.stats.prediction!.adopted, match.stats.prediction!.withdrawn], [1, 0]);
});

test("a row that a step adds and that the server does not send goes", async () => {
  const [h, match] = await play();
  match.send({ Fire: true });
  h.time.advance(50);
  match.send({});
  assert.equal(match.view(h.time.now())!.tables.Ships.size, 3);
  for (let t = 101; t < 125; t++) room(h, t, 10, { processed: 2 });
  assert.deepEqual([...match.view(h.time.now())!.tables.Ships.keys()].sort(), [OWN, OTHER]);
});

test("a predicted event is told once, though the server sends it as well", async () => {
  const [h, match] = await play();
  const told: EventInfo<Events>[] = [];
  match.onEvent("Hit", (_, e) => told.push(e));
  match.onUnconfirmed("Hit", () => assert.fail("it came true"));
  match.view(h.time.now());
  match.send({ Fire: true });
  h.time.advance(50);
  match.send({});
  match.view(h.time.now());
  assert.deepEqual(told.map((e) => [e.name, e.number, e.predicted]), [["Hit", 0, true]]);
  h.socket.say(events(told[0]!.tick, 1, hit(1)));
  room(h, told[0]!.tick, 10, { processed: 1 });
  for (let t = told[0]!.tick + 1; t < told[0]!.tick + 20; t++) room(h, t, 10, { processed: 2 });
  assert.equal(told.length, 1);
  assert.equal(match.stats.prediction!.confirmed, 1);
  h.socket.say(events(130, 2, hit(2)));
  assert.equal(told[1]!.predicted, false, "one of others is told as the server's");
});

test("a predicted event that the server does not send is told as one", async () => {
  const [h, match] = await play();
  const told: string[] = [];
  match.onEvent("*", (_, e) => told.push(`${e.name} ${e.predicted}`));
  match.onUnconfirmed("Hit", ({ By }, e) => told.push(`no ${e.name} by ${By}`));
  match.view(h.time.now());
  match.send({ Fire: true });
  h.time.advance(50);
  match.send({});
  h.time.advance(50);
  for (let t = 101; t < 125; t++) room(h, t, 10, { processed: 2 });
  assert.deepEqual(told, ["Hit true", "no Hit by 1"]);
});

test("who hears that an event did not come true may give an input, and what that tells comes true once", async () => {
  const [h, match] = await play();
  const told: number[] = [];
  match.onEvent("Hit", (_, e) => told.push(e.tick));
  match.onUnconfirmed("Hit", () => {
    match.send({ Fire: true });
    h.time.advance(50);
    match.send({});
    match.view(h.time.now());
  });
  match.view(h.time.now());
  match.send({ Fire: true });
  h.time.advance(50);
  match.send({});
  h.time.advance(50);
  for (let t = 101; told.length < 2 && t < 130; t++) {
    room(h, t, 10, { processed: 2 });
    h.time.advance(50);
    match.view(h.time.now());
  }
  assert.equal(told.length, 2, "the input is not predicted");
  h.socket.say(events(told[1]!, 1, hit(1)));
  assert.equal(told.length, 2, "the server's event is told again");
  assert.equal(match.stats.prediction!.confirmed, 1);
});

test("the prediction starts anew on another host: it does not go on from ticks that were taken back", async () => {
  const [h, match, predicted] = await play();
  match.send({ Turn: 20 });
  h.time.advance(50);
  const { states } = predicted.stats;
  const before = shownShip(h, match)!.X;
  room(h, 60, 90, { epoch: 8 });
  const after = shownShip(h, match)!.X;
  assert.ok(after >= before && after < before + 20, `it does not jump, but goes on: ${before}, ${after}`);
  h.time.advance(16);
  assert.ok(predicted.tick > 60 && predicted.tick < 70, `${predicted.tick}`);
  const turns = predicted.tick - 60;
  assert.equal(predicted.state.Ships.get(OWN)!.X, 90 + 20 * turns, "the input that it has not got is sent again, for now");
  assert.equal(predicted.stats.states, states + 1, "the counts go on");
  assert.equal(match.stats.prediction, predicted.stats);
  match.send({ Turn: 2 });
  h.time.advance(16);
  assert.equal(predicted.state.Ships.get(OWN)!.X, 92 + 20 * (turns - 1), "and inputs count at once");
  h.time.advance(300);
  assert.ok(shownShip(h, match)!.X > 90);
});

test("an input that is given as another host's first rows are told runs no tick of the host before", async () => {
  const ticks: number[] = [];
  const [h, match] = await play({ step: (s) => void ticks.push(s.tick) });
  match.view(h.time.now());
  match.onChange("Ships", (id) => id === OWN && match.send({ Turn: 1 }));
  h.time.advance(50);
  match.view(h.time.now());
  ticks.length = 0;
  room(h, 60, 90, { epoch: 8 });
  h.time.advance(50);
  match.view(h.time.now());
  assert.ok(ticks.length > 0 && ticks.every((tick) => tick > 60 && tick < 70), `${ticks}`);
});

test("what was told ahead before another host took over is not told again, and is told of where it did not come true", async () => {
  const [h, match] = await play();
  const told: string[] = [];
  match.onEvent("Hit", ({ By }, e) => told.push(`hit by ${By}${e.predicted ? ", predicted" : ""}`));
  match.onUnconfirmed("Hit", ({ By }) => told.push(`no hit by ${By}`));
  match.view(h.time.now());
  for (let shot = 0; shot < 2; shot++) { // in two ticks
    match.send({ Fire: true });
    h.time.advance(50);
    match.view(h.time.now());
  }
  match.send({});
  const ahead = told.splice(0);
  assert.ok(ahead.length >= 2 && ahead.every((t) => t === "hit by 1, predicted"), `${ahead}`);
  h.socket.say(events(103, 1, hit(1))); // of the host before, which nothing takes back
  room(h, 98, 10, { epoch: 8 });
  assert.deepEqual(told, []);
  for (let t = 99; t < 125; t++) room(h, t, 10, { epoch: 8 });
  assert.deepEqual(told, Array(ahead.length - 1).fill("no hit by 1"));
  assert.equal(match.stats.prediction!.unconfirmed, ahead.length - 1);
});

test("the prediction lets go of the controls when a lost socket is taken up again", async () => {
  const [h, match, predicted] = await play();
  match.send({ Turn: 20 });
  h.time.advance(50);
  h.socket.end(1006);
  h.time.advance(1000);
  h.accept({ schema: GLIDING, tick: 122, seq: 1 });
  room(h, 122, 30, { processed: 1 });
  h.time.advance(100);
  match.view(h.time.now());
  assert.equal(predicted.state.Ships.get(OWN)!.X, 30, "the server holds no input of a lost socket either");
});

test("a prediction that begins late has the rows that are there, and a table that is none is refused", async () => {
  const [h, match, predicted] = await play();
  assert.equal(predicted.state.Ships.size, 2);
  assert.equal(shownShip(h, match)!.X, 10);
  assert.throws(() => match.predict({ tables: ["Sihps" as "Ships"], step }), TypeError);
});


test("an error of a step is not lost and does not stop the match", async (t) => {
  const thrown = uncaught(t);
  const error = new Error("the program's own");
  let broken = false;
  const [h, match] = await play({
    step: () => {
      if (broken) throw error;
    },
  });
  match.view(h.time.now());
  broken = true;
  room(h, 101, 11);
  assert.deepEqual(thrown, [error]);
  assert.equal(match.send({ Turn: 1 }), true);
  assert.equal(match.tables.Ships.get(OWN)!.X, 11);
  assert.throws(() => {
    h.time.advance(200);
    match.view(h.time.now());
  }, error);
  broken = false;
  room(h, 106, 12);
  assert.ok(match.view(h.time.now()));
});

test("on a line that stalls for more than a second the own ship still answers", async () => {
  const [h, match] = await play();
  match.view(h.time.now());
  h.time.advance(1200);
  match.view(h.time.now());
  const before = shownShip(h, match)!.X;
  match.send({ Turn: 20 });
  h.time.advance(16);
  assert.ok(shownShip(h, match)!.X > before);
});

test("one who watches owns no row: those of nobody are shown as they are", async () => {
  const h = new Harness();
  const match = await h.join({ schema: GLIDING, tick: 90, seat: 0 });
  match.predict({ tables: ["Ships"], step: (s) => s.state.Ships.forEach((ship) => (ship.X += 100)) });
  for (let tick = 90; tick <= 100; tick++) {
    h.socket.say(frame(tick, { blocks: [keyframe([[20, "nobody's", 0]], 90)] }));
    h.time.advance(50);
    match.view(h.time.now());
  }
  assert.equal(shownShip(h, match)!.X, 10);
});
