import assert from "node:assert/strict";
import { test } from "node:test";

import { advance, Predictor, type Body } from "./predict.ts";
import { turn } from "./pose.ts";
import { FULL, MAX_SPEED, RADIUS, SIZE, type Input } from "./world.ts";

const DT = 1 / 20;
const idle: Input = { Turn: 0, Thrust: 0, Fire: false };
const ahead: Input = { Turn: 0, Thrust: FULL, Fire: false };
const still = (x = 500, y = 500): Body => ({ x, y, angle: 0, vx: 0, vy: 0 });
const near = (got: number, want: number, within = 1e-9) =>
  assert.ok(Math.abs(got - want) <= within, `${got} is not ${want} ± ${within}`);

test("a ship turns at four radians a second, thrusts along its nose and slows down", () => {
  let body = still();
  for (let i = 0; i < 10; i++) body = advance(body, { Turn: FULL, Thrust: 0, Fire: false }, DT);
  near(body.angle, 2);
  body = advance(still(), ahead, DT);
  near(body.vx, 17);
  near(body.x, 500.85);
  near(advance(still(), { Turn: 0, Thrust: -128, Fire: false }, DT).vx, -8.5);
  near(advance({ ...still(), vy: 100 }, idle, DT).vy, 94.5);
  for (let i = 0; i < 40; i++) body = advance({ ...body, x: 500 }, ahead, DT);
  near(body.vx, MAX_SPEED);
});

test("a ship bounces off the walls", () => {
  const right = advance({ ...still(SIZE - RADIUS - 1), vx: 200 }, idle, DT);
  near(right.x, SIZE - RADIUS);
  near(right.vx, -0.6 * 200 * 0.945);
  const top = advance({ ...still(500, RADIUS + 1), vy: -200 }, idle, DT);
  near(top.y, RADIUS);
  assert.ok(top.vy > 0);
});

/**
 * A server that applies the input of each tick some ticks later, and a page that draws at sixty a second. Returns what
 * was drawn and where the ship truly is once all that was sent by then has been applied.
 */
function fly(seconds: number, delay: number, control: (tick: number) => Input, disturb?: (tick: number, body: Body) => Body) {
  const guess = new Predictor(20);
  const sent: Input[] = [];
  const drawn: { at: number; x: number; y: number; angle: number }[] = [];
  let truth = still(100, 500);
  guess.state(truth, 0, 0);
  for (let frame = 0; frame < seconds * 60; frame++) {
    const at = (frame * 1000) / 60;
    if (frame % 3 === 0) {
      const tick = frame / 3;
      const input = control(tick);
      sent.push(input);
      guess.sent(input, at);
      if (tick >= delay) {
        truth = advance(truth, sent[tick - delay]!, DT);
        truth = disturb?.(tick, truth) ?? truth;
        guess.state(truth, tick - delay + 1, at);
      }
    }
    const pose = guess.pose(at);
    if (pose) drawn.push({ at, ...pose });
  }
  return { drawn, truth, guess };
}

const weave = (tick: number): Input => ({ Turn: Math.round(FULL * Math.sin(tick / 7)), Thrust: tick % 30 < 20 ? FULL : 0, Fire: false });

test("a late timer does not stop the ship", () => {
  const guess = new Predictor(20);
  const drawn: number[] = [];
  let body: Body = { ...still(100), vx: 200 };
  let sent = 0;
  guess.state(body, 0, 0);
  for (let at = 0; at < 3000; at += 1000 / 60) {
    // The timer is up to 20 ms late, by turns, and its input is applied two ticks later.
    while (sent * 50 + [0, 20, 5, 14, 0][sent % 5]! <= at) {
      guess.sent(ahead, at);
      sent++;
      if (sent > 2) guess.state((body = { ...advance(body, ahead, DT) }), sent - 2, at);
      if (body.x > 800) guess.state((body = { ...body, x: 100 }), sent - 2, at);
    }
    drawn.push(guess.pose(at)!.x);
  }
  const steps = drawn.slice(30).map((x, i) => x - drawn[i + 29]!).filter((step) => Math.abs(step) < 100);
  assert.ok(steps.length > 140);
  for (const step of steps) assert.ok(step > 2.4 && step < 4.6, `a step of ${step} units`);
});

test("a right guess is drawn without a jerk, whatever the delay", () => {
  for (const delay of [0, 1, 3, 6]) {
    const { drawn } = fly(4, delay, weave);
    for (let i = 8; i < drawn.length; i++) {
      const [a, b, c] = [drawn[i - 2]!, drawn[i - 1]!, drawn[i]!];
      // The speed may change by a tick's thrust (17 units a second) from one picture to the next, and no more.
      const jerk = Math.hypot(c.x - 2 * b.x + a.x, c.y - 2 * b.y + a.y);
      assert.ok(jerk < 0.5, `delay ${delay}: a jerk of ${jerk} units at ${c.at} ms`);
    }
  }
});

test("a control shows within a tick, long before the server's answer", () => {
  const { drawn } = fly(0.3, 6, () => ({ Turn: FULL, Thrust: 0, Fire: false }));
  const after = drawn.find((d) => d.at >= 50)!;
  assert.ok(turn(0, after.angle) > 0.15, `turned by ${after.angle} after ${after.at} ms`);
});

test("the guess is as far ahead as inputs are under way", () => {
  const { guess, truth } = fly(2, 4, () => ahead);
  assert.equal(guess.ahead, 4);
  let then = truth;
  for (let i = 0; i < 4; i++) then = advance(then, ahead, DT);
  near(guess.pose(2000)!.x, then.x, 0.1);
});

test("a collision that nobody could guess is taken back smoothly and wholly", () => {
  const { drawn, guess, truth } = fly(3, 2, () => idle, (tick, body) => (tick === 20 ? { ...body, y: body.y + 20 } : body));
  for (let i = 1; i < drawn.length; i++) {
    assert.ok(Math.abs(drawn[i]!.y - drawn[i - 1]!.y) < 3, `a leap of ${drawn[i]!.y - drawn[i - 1]!.y} at ${drawn[i]!.at} ms`);
  }
  near(guess.pose(4000)!.y, truth.y, 0.01);
  near(truth.y, 520);
});

test("a ship that was put elsewhere is there at once", () => {
  const { drawn } = fly(2, 2, () => idle, (tick, body) => (tick === 20 ? { ...still(800, 100) } : body));
  const after = drawn.find((d) => d.at >= 1000)!;
  near(after.x, 800, 1e-6);
  assert.ok(drawn.every((d) => Math.abs(d.x - 100) < 1 || Math.abs(d.x - 800) < 1));
});

test("a stuck link leaves the guess within reach", () => {
  const guess = new Predictor(20);
  guess.state(still(100), 0, 0);
  for (let i = 0; i < 200; i++) guess.sent(ahead, i * 50);
  assert.equal(guess.ahead, 12);
  guess.state(still(100), 200, 10_000);
  guess.sent(idle, 10_000);
  near(guess.pose(20_000)!.x, 100, 1e-3);
});

test("without a state there is no guess, and a destroyed ship has none", () => {
  const guess = new Predictor(20);
  guess.sent(ahead, 0);
  assert.equal(guess.pose(10), undefined);
  guess.state(still(), 0, 20);
  assert.ok(guess.pose(30));
  guess.clear();
  guess.sent(ahead, 50);
  assert.equal(guess.pose(60), undefined);
});

test("inputs that were sent before this page are not waited for", () => {
  const guess = new Predictor(20);
  guess.state(still(), 500, 0);
  guess.sent(ahead, 0);
  assert.equal(guess.ahead, 1);
  guess.state(still(), 501, 50);
  assert.equal(guess.ahead, 0);
});
