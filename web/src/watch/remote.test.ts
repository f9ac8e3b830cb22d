import assert from "node:assert/strict";
import { test } from "node:test";

import { APIError, type ReplayControl, type ReplayState } from "@muster/client";
import { Remote } from "./remote.ts";

const base = { seeking: false, tick: 0 } as ReplayState;

/** A remote whose answers and times a test decides. */
function remote() {
  const sent: (ReplayControl | "read")[] = [];
  const states: ReplayState[] = [];
  const failures: unknown[] = [];
  let due: (() => void) | undefined;
  let answer: { resolve: (s: ReplayState) => void; reject: (e: unknown) => void } | undefined;
  const ask = (what: ReplayControl | "read") => {
    sent.push(what);
    return new Promise<ReplayState>((resolve, reject) => (answer = { resolve, reject }));
  };
  const r = new Remote({
    send: ask, read: () => ask("read"), state: (s) => void states.push(s), failed: (e) => void failures.push(e),
    later: (_, call) => {
      due = call;
      return () => (due = undefined);
    },
  });
  const settle = async (f: () => void) => {
    f();
    for (let i = 0; i < 6; i++) await Promise.resolve();
  };
  return {
    r, sent, states, failures,
    time: () => settle(() => due?.()),
    says: (s: Partial<ReplayState>) => settle(() => answer!.resolve({ ...base, ...s })),
    refuses: (e: unknown) => settle(() => answer!.reject(e)),
    waits: () => due !== undefined,
  };
}

test("the newest wish is sent, one request at a time", async () => {
  const t = remote();
  t.r.want({ tick: 1 });
  for (let tick = 2; tick < 50; tick++) t.r.want({ tick });
  t.r.want({ paused: false });
  assert.deepEqual(t.sent, [{ tick: 1 }]);
  await t.says({ tick: 1 });
  assert.deepEqual(t.states, [], "an answer that is out of date is told");
  await t.time();
  assert.deepEqual(t.sent, [{ tick: 1 }, { tick: 49, paused: false }]);
  await t.says({ tick: 49 });
  assert.equal(t.states.length, 1);
  await t.time();
  assert.equal(t.sent.at(-1), "read");
  t.r.close();
});

test("a refusal is told, and a session that is gone is asked no more", async () => {
  const t = remote();
  t.r.want({ speed: 2 });
  await t.refuses(new TypeError("network"));
  assert.equal(t.failures.length, 1);
  assert.ok(t.waits());
  await t.time();
  await t.refuses(new APIError(404, {}, null));
  assert.equal(t.failures.length, 2);
  assert.ok(!t.waits());
});
