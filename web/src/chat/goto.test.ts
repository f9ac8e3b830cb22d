import assert from "node:assert/strict";
import { test } from "node:test";

import { PlaceKeeper } from "../shared/place.ts";
import { Prefs } from "../shared/prefs.ts";
import { pageOf, placeOf, queued } from "./goto.ts";

test("each game that has a queue is gone to with the ticket, on its own page", () => {
  const kept = new Map<string, string>();
  const prefs = new Prefs(() => ({ getItem: (k) => kept.get(k) ?? null, setItem: (k, v) => void kept.set(k, v), removeItem: (k) => void kept.delete(k) }));
  for (const [game, page, kind] of [["arena", "arena", "players"], ["crowd", "arena", "crowd"], ["cards", "cards", "players"]] as const) {
    const to = pageOf(game);
    assert.equal(to?.page, page);
    new PlaceKeeper<{ kind: string }>(page, prefs).set(placeOf({ name: "Ada", token: "t" }, { id: "k1", room: "r1" }, to!.way));
    const place = new PlaceKeeper<{ kind: string }>(page, prefs).get();
    assert.deepEqual([place?.name, place?.token, place?.room, place?.ticket, place?.way.kind], ["Ada", "t", "r1", "k1", kind], game);
  }
  assert.equal(pageOf("mine"), undefined);
  assert.deepEqual(["arena", "canvas", "mine"].map(queued), [true, false, true]);
});
