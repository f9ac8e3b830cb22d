import assert from "node:assert/strict";
import { test } from "node:test";
import { frame, keyframe, refreshed } from "./fake_server.js";
import { Harness } from "./match_harness.js";

const REFRESH = 5; // its kind

/** Lets what hangs on promises happen. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Lets time pass while frames keep the socket alive. */
async function pass(h: Harness, seconds: number): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    h.time.advance(1000);
    h.socket.say(frame(200 + i, { blocks: [keyframe([], 1)] }));
  }
  await settle();
}

test("a newer token is asked for when three quarters of the time are over", async () => {
  let asked = 0;
  const h = new Harness({ refresh: async () => `token-${++asked}` });
  const match = await h.join({ expires: 100 });
  await pass(h, 74);
  assert.equal(asked, 0);
  await pass(h, 1);
  assert.deepEqual(h.socket.take(REFRESH), [[REFRESH, "token-1"]]);
  h.socket.say(refreshed(40));
  await pass(h, 29);
  assert.equal(asked, 1, "the server's answer says when the next one is due");
  await pass(h, 1);
  assert.deepEqual(h.socket.take(REFRESH), [[REFRESH, "token-2"]]);
  match.close();
  h.time.advance(1_000_000);
  await settle();
  assert.equal(asked, 2);
});

test("a token that cannot be had, or that the server does not answer, is asked for again", async () => {
  const answers: (() => Promise<string>)[] = [
    () => Promise.reject(new Error("no network")),
    () => {
      throw new Error("a bug");
    },
    async () => "",
    async () => "token-4",
    async () => "token-5",
  ];
  let asked = 0;
  const h = new Harness({ refresh: () => answers[asked++]!() });
  await h.join({ expires: 100 });
  await pass(h, 75);
  for (const want of [1, 2, 3]) {
    assert.equal(asked, want);
    assert.deepEqual(h.socket.take(REFRESH), []);
    await pass(h, 5);
  }
  assert.deepEqual(h.socket.take(REFRESH), [[REFRESH, "token-4"]]);
  await pass(h, 5);
  assert.deepEqual(h.socket.take(REFRESH), [[REFRESH, "token-5"]]);
});

test("a token without an end is not refreshed, nor one whose match has no refresh", async () => {
  let asked = 0;
  const h = new Harness({ refresh: async () => `token-${++asked}` });
  await h.join({ expires: 0 });
  await pass(h, 1000);
  assert.equal(asked, 0);
  const bare = new Harness();
  await bare.join({ expires: 10 });
  await pass(bare, 20);
  assert.deepEqual(bare.socket.take(REFRESH), []);
});

test("a token that comes while the socket is lost is asked for anew after the resume", async () => {
  let give = (_: string) => {};
  let asked = 0;
  const h = new Harness({
    refresh: () => {
      asked++;
      return new Promise((resolve) => (give = resolve));
    },
  });
  await h.join({ expires: 100 });
  await pass(h, 75);
  assert.equal(asked, 1);
  h.socket.end(1006);
  give("token-1");
  await settle();
  h.time.advance(50);
  h.accept({ expires: 20 });
  await pass(h, 15);
  assert.equal(asked, 2);
  give("token-2");
  await settle();
  assert.deepEqual(h.socket.take(REFRESH), [[REFRESH, "token-2"]]);
});

test("a time beyond the platform's timers is waited for in parts", async () => {
  let asked = 0;
  const waits: number[] = [];
  const h = new Harness({ refresh: async () => `token-${++asked}` });
  const { schedule } = h.time;
  h.options.schedule = (call, ms) => (waits.push(ms), schedule(call, ms));
  await h.join({ expires: 60 * 86_400 });
  assert.ok(Math.max(...waits) < 2 ** 31);
});

test("one token is asked for at a time, however long that takes", async () => {
  let give = (_: string) => {};
  let asked = 0;
  const h = new Harness({
    refresh: () => {
      asked++;
      return new Promise((resolve) => (give = resolve));
    },
  });
  const match = await h.join({ expires: 100 });
  await pass(h, 500);
  assert.equal(asked, 1, "while the first has not settled");
  h.socket.end(1006);
  h.time.advance(50);
  h.accept({ expires: 100 });
  await pass(h, 200);
  assert.equal(asked, 1, "nor after a resume");
  give("token-1");
  await settle();
  assert.deepEqual(h.socket.take(REFRESH), [[REFRESH, "token-1"]]);
  await pass(h, 4);
  assert.equal(asked, 1);
  await pass(h, 1);
  assert.equal(asked, 2, "the server has not answered");
  give("token-2");
  await settle();
  h.socket.say(refreshed(0));
  await pass(h, 100);
  assert.equal(asked, 2);
  assert.equal(match.stats.refreshes, 1);
});

test("a token that is empty, too long or none is not sent, and counted", async () => {
  const answers: unknown[] = ["", "x".repeat(4097), "é".repeat(2049), undefined, "é".repeat(2048)];
  let asked = 0;
  const h = new Harness({ refresh: async () => answers[asked++] as string });
  const match = await h.join({ expires: 100 });
  await pass(h, 75);
  for (let errors = 1; errors <= 4; errors++) {
    assert.deepEqual([asked, match.stats.refreshErrors], [errors, errors]);
    assert.deepEqual(h.socket.take(REFRESH), []);
    await pass(h, 5);
  }
  assert.deepEqual(h.socket.take(REFRESH), [[REFRESH, "é".repeat(2048)]]);
  assert.equal(match.stats.refreshErrors, 4);
});

test("a token that comes after the match was closed is neither sent nor followed by another", async () => {
  let give = (_: string) => {};
  const h = new Harness({ refresh: () => new Promise((resolve) => (give = resolve)) });
  const match = await h.join({ expires: 100 });
  await pass(h, 75);
  match.close();
  give("");
  await settle();
  assert.equal(match.stats.refreshErrors, 0);
  assert.equal(h.time.next, undefined, "no timer is left");
});
