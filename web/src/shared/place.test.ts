import assert from "node:assert/strict";
import { test } from "node:test";

import { Prefs } from "./prefs.ts";
import { PlaceKeeper, type Place } from "./place.ts";

type Way = { kind: string; bots?: number };

function keeper() {
  const kept = new Map<string, string>();
  const store = { getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => void kept.set(k, v), removeItem: (k: string) => void kept.delete(k) };
  return { kept, places: new PlaceKeeper<Way>("arena", new Prefs(() => store)) };
}

const place: Place<Way> = { name: "Ada", token: "t", room: "r1", code: "", way: { kind: "bots", bots: 3 } };

test("a place is there after a reload, until it is forgotten", () => {
  const { places, kept } = keeper();
  assert.equal(places.get(), undefined);
  places.set(place);
  assert.deepEqual(places.get(), place);
  places.set(undefined);
  assert.equal(places.get(), undefined);
  assert.equal(kept.size, 0);
});

test("what is no place is none", () => {
  const { places, kept } = keeper();
  for (const text of ["", "{", "null", "7", "{}", '{"name":"A","token":"t","room":"","code":"","way":{"kind":"bots"}}', '{"name":"A","token":"t","room":"r","code":""}']) {
    kept.set("muster.arena.place", text);
    assert.equal(places.get(), undefined, text);
  }
});
