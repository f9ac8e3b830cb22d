import assert from "node:assert/strict";
import { test } from "node:test";
import { frame, keyframe } from "./fake_server.js";
import { Harness } from "./match_harness.js";

test("one who watches sees, has no inputs, and does not come back by itself", async () => {
  const h = new Harness();
  const match = await h.join({ seat: 0, resume: "" });
  h.socket.say(frame(100, { blocks: [keyframe([[5, "a", 1]], 90)] }));
  assert.equal(match.tables.Ships.get(1)?.X, 5);
  assert.equal(match.info.seat, 0);
  assert.equal(match.send({ Turn: 1 }), false);
  h.time.advance(200);
  h.socket.say(frame(104));
  assert.deepEqual(h.socket.take(1), [], "it does not say what has arrived");
  h.socket.end(1006);
  h.time.advance(10_000);
  assert.equal(h.sockets.length, 1);
  assert.equal(match.state, "closed");
  assert.equal(h.closes.length, 1);
});
