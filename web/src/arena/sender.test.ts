import assert from "node:assert/strict";
import { test } from "node:test";

import { Sender } from "./sender.ts";
import type { Input } from "./world.ts";

/** Time that stands still until it is moved on. */
function clock() {
  let now = 0;
  let due: { at: number; call: () => void }[] = [];
  return {
    now: () => now,
    after: (call: () => void, ms: number) => {
      const one = { at: now + ms, call };
      due.push(one);
      return () => (due = due.filter((d) => d !== one));
    },
    run(to: number) {
      for (;;) {
        const next = due.filter((d) => d.at <= to).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        due = due.filter((d) => d !== next);
        now = next.at;
        next.call();
      }
      now = to;
    },
    get waiting() {
      return due.length;
    },
  };
}

function sender() {
  const time = clock();
  const held: { input: Input | undefined } = { input: { Turn: 0, Thrust: 0, Fire: false } };
  const sent: [number, number][] = [];
  const s = new Sender(20, () => held.input, (input) => sent.push([time.now(), input.Turn]), time);
  return { time, held, sent, s };
}
const turn = (Turn: number): Input => ({ Turn, Thrust: 0, Fire: false });

test("a change is sent at once, when the last input was a while ago", () => {
  const { time, held, sent, s } = sender();
  time.run(190);
  held.input = turn(1);
  s.changed();
  assert.deepEqual(sent.at(-1), [190, 1]);
});

test("a change is sent at once, when the last input was more of the same", () => {
  const { time, held, sent, s } = sender();
  held.input = turn(1);
  time.run(351);
  assert.deepEqual(sent, [[50, 1], [350, 1]]);
  held.input = turn(2);
  s.changed();
  assert.deepEqual(sent.at(-1), [351, 2]);
});

test("more changes within a tick keep their distance, and the newest counts", () => {
  const { time, held, sent, s } = sender();
  time.run(190);
  for (const n of [1, 2]) {
    held.input = turn(n);
    s.changed();
  }
  assert.deepEqual(sent.slice(-2), [[190, 1], [190, 2]]);
  for (const n of [3, 4]) {
    held.input = turn(n);
    s.changed();
  }
  time.run(220);
  assert.deepEqual(sent.at(-1), [190, 2]);
  time.run(225);
  assert.deepEqual(sent.at(-1), [221, 4]);
});

test("what changes without a word, as a stick does, is seen every tick", () => {
  const { time, held, sent } = sender();
  for (let i = 1; i <= 5; i++) {
    held.input = turn(i);
    time.run(50 * i);
  }
  assert.deepEqual(sent.map(([at]) => at), [50, 100, 150, 200, 250]);
});

test("hands at rest say so once: that is what counts when nothing comes", () => {
  const { time, sent } = sender();
  time.run(5000);
  assert.deepEqual(sent, [[50, 0]]);
});

test("the same is sent again before it stops counting", () => {
  const { time, held, sent } = sender();
  held.input = turn(1);
  time.run(2000);
  const gaps = sent.slice(1).map(([at], i) => at - sent[i]![0]);
  assert.ok(gaps.length > 5 && gaps.every((gap) => gap === 300), String(gaps));
});

test("nothing is sent while there is nothing to send, and then at once what is held", () => {
  const { time, held, sent, s } = sender();
  time.run(60);
  held.input = undefined;
  time.run(500);
  assert.equal(sent.length, 1);
  held.input = turn(0);
  time.run(550);
  assert.equal(sent.length, 2);
  s.close();
  assert.equal(time.waiting, 0);
});

test("who is closed by what it sends sends nothing more, and an error of that does not end it", () => {
  const time = clock();
  const sent: number[] = [];
  let end = (): void => {
    throw new Error("not taken");
  };
  const s = new Sender(20, () => turn(sent.length + 1), ({ Turn }) => (sent.push(Turn), end()), time);
  assert.throws(() => time.run(50), /not taken/);
  end = () => s.close();
  time.run(5000);
  assert.deepEqual(sent, [1, 2]);
  assert.equal(time.waiting, 0);
});
