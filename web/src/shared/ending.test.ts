import assert from "node:assert/strict";
import { test } from "node:test";

import type { CloseInfo } from "@muster/client";
import { Ending, gone } from "./ending.ts";

function info(action: CloseInfo["action"], more: Partial<CloseInfo> = {}): CloseInfo {
  return { action, afterMs: 0, code: 4999, name: "", reason: "", ...more } as CloseInfo;
}

test("a closed match says how its player goes on", () => {
  assert.equal(gone(info("done"), "room"), undefined);
  assert.deepEqual(gone(info("requeue", { afterMs: 50 }), "room"), { kind: "again", afterMs: 50 });
  assert.deepEqual(gone(info("requeue", { reason: "drained" }), "room"), { kind: "again", afterMs: 0, why: "drained" });
  assert.deepEqual(gone(info("reconnect", { afterMs: 9 }), "room"), { kind: "lost", room: "room", afterMs: 9 });
});

test("who is sent away is told why, as well as it is known", () => {
  assert.deepEqual(gone(info("stop", { reason: "kicked" }), "room"), { kind: "stopped", why: "kicked" });
  assert.deepEqual(gone(info("stop", { name: "replaced", reason: "x" }), "room"), { kind: "stopped", why: "You play in another window now." });
  assert.deepEqual(gone(info("stop"), "room"), { kind: "stopped", why: "The server closed the match." });
});

test("a match ends once", async () => {
  const ending = new Ending<string>();
  assert.equal(ending.come, false);
  ending.set("left");
  ending.set("lost");
  assert.equal(ending.come, true);
  assert.equal(await ending.outcome, "left");
});
