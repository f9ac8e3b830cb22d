import assert from "node:assert/strict";
import { test } from "node:test";
import { TickClock } from "../src/clock.js";
import { golden } from "./vectors.js";

const RATE = 20;
const TICK = 1000 / RATE;
const START = 5000; // when tick 0 happened, by the clock here

/** A clock that has had frames up to a tick, each late by what delay says, in milliseconds. */
function fed(ticks: number, delay: (tick: number) => number, clock = new TickClock(RATE)): TickClock {
  for (let tick = 1; tick <= ticks; tick++) clock.frame(tick, START + tick * TICK + delay(tick));
  return clock;
}

const at = (tick: number) => START + tick * TICK;

test("before anything has arrived there is no estimate", () => {
  const clock = new TickClock(RATE);
  assert.equal(clock.target(at(10)), 0);
  assert.equal(clock.serverTick(at(10)), 0);
});

test("an input is for the tick at which it arrives in time", () => {
  const clock = fed(100, () => 40);
  // Here frames seem 40 ms late; an input takes another 40 ms to get there. Half a tick is slack.
  clock.pong(80, 100, at(100) + 40);
  const target = clock.target(at(100));
  assert.equal(target, Math.floor(100 + (80 - 40) / TICK + 0.5) + 1);
  assert.ok(at(target) > at(100) + 40, "it is there before its tick begins");
});

test("the least late arrivals count", () => {
  const clock = fed(200, (tick) => (tick % 10 === 0 ? 10 : 90));
  assert.ok(Math.abs(clock.serverTick(at(200)) - (200 - 10 / TICK)) < 0.15, String(clock.serverTick(at(200))));
});

test("what comes later for good is followed", () => {
  const clock = fed(100, () => 10);
  const later = fed(800, (tick) => (tick <= 100 ? 10 : 110));
  assert.ok(clock.target(at(800)) - later.target(at(800)) === 2);
});

test("late inputs raise the slack at once, early ones lower it slowly", () => {
  const clock = fed(100, () => 0);
  const target = () => clock.target(at(100) + 1);
  const before = target();
  for (let i = 0; i < 4; i++) clock.lead(-1);
  assert.equal(target(), before + 2);
  for (let i = 0; i < 199; i++) clock.lead(3);
  assert.equal(target(), before + 2);
  for (let i = 0; i < 1000; i++) clock.lead(3);
  assert.equal(target(), before);
  for (let i = 0; i < 100; i++) clock.lead(-1);
  assert.equal(target(), before + 16, "but it has a bound");
});

test("the round trip and the jitter are smoothed", () => {
  const clock = fed(400, (tick) => (tick % 2) * 20);
  assert.ok(Math.abs(clock.jitterMs - 20) < 1e-6, String(clock.jitterMs));
  clock.pong(80, 400, at(400));
  assert.equal(clock.rttMs, 80);
  clock.pong(160, 400, at(400));
  assert.equal(clock.rttMs, 90);
  clock.pong(-1, 400, at(400));
  clock.pong(Number.NaN, 400, at(400));
  clock.pong(1e9, 400, at(400));
  assert.equal(clock.rttMs, 90);
});

test("an answer that is read late says little of the way", () => {
  const clock = new TickClock(RATE);
  const target = (tick: number) => clock.target(at(tick)) - tick;
  fed(200, () => 25, clock);
  for (let tick = 20; tick <= 200; tick += 20) clock.pong(50, tick, at(tick) + 25);
  const before = target(200);
  clock.pong(20_000, 200, at(200) + 20_000); // the tab stood still
  assert.ok(Math.abs(target(200) - before) < 10, `${before} ticks ahead, and then ${target(200)}`);
  for (let tick = 220; tick <= 400; tick += 20) clock.pong(50, tick, at(tick) + 25);
  assert.ok(Math.abs(target(400) - before) <= 1, `${target(400)}`);
});

test("what is read late at first is forgotten with the first answer that is not", () => {
  const clock = fed(100, () => 25);
  clock.pong(9000, 100, at(100) + 25);
  clock.pong(50, 100, at(100) + 25);
  assert.equal(clock.rttMs, 50);
});

test("a way that becomes much longer for good is followed", () => {
  const clock = fed(100, () => 25);
  for (let i = 0; i < 200; i++) clock.pong(i < 10 ? 50 : 1500, 100, at(100) + 25);
  assert.ok(Math.abs(clock.rttMs - 1500) < 1, `${clock.rttMs}`);
});

test("the tick time counts the way here", () => {
  const clock = fed(100, () => 40);
  clock.pong(80, 100 + 0.25, at(100.25) + 40);
  assert.ok(Math.abs(clock.serverTick(at(101)) - 101) < 0.01, String(clock.serverTick(at(101))));
});

test("the tick time is even and never goes back, whatever arrives", () => {
  let random = 1;
  const next = () => (random = (random * 48271) % 2147483647) / 2147483647;
  const clock = new TickClock(RATE);
  let last = 0;
  let shownAt = at(0);
  for (let tick = 1; tick <= 2000; tick++) {
    const lost = next() < 0.1;
    const now = at(tick) + next() * 60 + (tick > 1000 ? 80 : 0);
    for (let t = shownAt; t < now; t += 7) {
      const shown = clock.serverTick(t);
      assert.ok(shown >= last, `tick ${tick}: ${shown} after ${last}`);
      if (tick > 50) assert.ok(shown - last <= (7 / TICK) * 1.1 + 1e-9, `a jump at ${tick}: ${last} to ${shown}`);
      last = shown;
    }
    shownAt = Math.max(shownAt, now);
    if (!lost) clock.frame(tick, now);
  }
  const room = (shownAt - START - 80) / TICK; // what is on the way for good cannot be told from frames alone
  assert.ok(Math.abs(last - room) < 0.5, `${last} at ${room}`);
});

test("a small error is slewed away, a large one is not", () => {
  const clock = fed(100, () => 0);
  assert.equal(clock.serverTick(at(100)), 100);
  clock.frame(101, at(101) - 25); // half a tick earlier than thought
  const after = clock.serverTick(at(101)) - 101;
  assert.ok(after > 0.09 && after < 0.11, "a tenth faster");
  for (let t = 102; t < 130; t++) clock.serverTick(at(t));
  assert.ok(Math.abs(clock.serverTick(at(130)) - 130.5) < 1e-6);
  clock.frame(200, at(131)); // the room is far ahead
  assert.ok(Math.abs(clock.serverTick(at(131)) - 200) < 1e-6);
});

test("a room that falls far behind is followed within a second, by standing still", () => {
  const clock = fed(100, () => 0);
  let last = clock.serverTick(at(100));
  for (let tick = 101; tick <= 120; tick++) {
    clock.frame(tick, at(tick) + 2000); // the schedule starts anew, forty ticks late
    const shown = clock.serverTick(at(tick) + 2000);
    assert.ok(shown >= last);
    last = shown;
  }
  assert.ok(clock.target(at(120) + 2000) <= 120 + 10 + 2, String(clock.target(at(120) + 2000)));
  // A spike is not that: the first frame that is in time again counts at once.
  const spiked = fed(110, (tick) => (tick > 100 ? 2000 : 0));
  spiked.frame(111, at(111));
  assert.equal(spiked.serverTick(at(111)), 111);
});

test("a new epoch starts anew, a new socket goes on", () => {
  const clock = fed(100, () => 0);
  assert.equal(clock.serverTick(at(100)), 100);
  clock.reopen();
  assert.equal(clock.serverTick(at(101)), 100, "nothing is known");
  clock.frame(101, at(101) + 20);
  assert.ok(clock.serverTick(at(102)) >= 100);
  clock.restart();
  clock.frame(50, at(103));
  assert.equal(clock.serverTick(at(103)), 50);
});

type Op = [op: string, ...args: number[]];

for (const story of golden<{ name: string; rate: number; ops: Op[] }[]>("proto/testdata/clock.json")) {
  test(`it says the golden numbers: ${story.name}`, () => {
    const clock = new TickClock(story.rate);
    const ops: Record<string, (...args: number[]) => void> = {
      frame: (tick, at) => clock.frame(tick!, at!),
      pong: (rtt, tick, at) => clock.pong(rtt!, tick!, at!),
      lead: (ticks, times) => {
        for (let i = 0; i < times!; i++) clock.lead(ticks!);
      },
      reopen: () => clock.reopen(),
      restart: () => clock.restart(),
      target: (now, want) => assert.equal(clock.target(now!), want),
      server: (now, want) => assert.equal(clock.serverTick(now!), want),
      input: (now, want) => assert.equal(clock.inputTick(now!), want),
      ways: (rtt, jitter) => assert.deepEqual([clock.rttMs, clock.jitterMs], [rtt, jitter]),
    };
    story.ops.forEach(([op, ...args], i) => {
      try {
        ops[op]!(...args);
      } catch (e) {
        throw new Error(`op ${i}: ${op} ${args}`, { cause: e });
      }
    });
    assert.ok(story.ops.length > 2);
  });
}
