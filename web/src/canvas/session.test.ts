import assert from "node:assert/strict";
import { test } from "node:test";

import { Session } from "./session.ts";

test("who comes while the server is away is the same guest when it is back", async (t) => {
  const kept = new Map([["muster.canvas.token", "mine"]]);
  const asked: string[] = [];
  let away = true;
  t.mock.timers.enable({ apis: ["setTimeout"] });
  Object.assign(globalThis, {
    location: { origin: "http://server" },
    sessionStorage: { getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => void kept.set(k, v), removeItem: (k: string) => void kept.delete(k) },
  });
  t.mock.method(globalThis, "fetch", async (url: string, init: RequestInit) => {
    if (away) throw new TypeError("fetch failed");
    asked.push(`${new URL(url).pathname} ${String(init.body)}`);
    return new Response("{}", { status: 403 }); // it is enough to see who asks
  });
  const heard: string[] = [];
  let told = (_: string) => {};
  const until = (wanted: string) => new Promise<void>((resolve) => (told = (kind) => kind === wanted && resolve()));
  const session = new Session("r", "Ada", {
    place: ({ kind }) => {
      heard.push(kind);
      told(kind);
    },
    opened: () => undefined, frame: () => undefined, refused: () => undefined,
  });
  const refused = until("away");
  session.join();
  await refused;
  assert.equal(kept.get("muster.canvas.token"), "mine");
  away = false;
  const answered = until("stopped");
  t.mock.timers.tick(1000);
  await answered;
  assert.deepEqual(heard, ["joining", "away", "stopped"]);
  assert.match(asked[0]!, /^\/v1\/guests\/renew .*mine/);
});
