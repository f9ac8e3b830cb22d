import assert from "node:assert/strict";
import { test } from "node:test";

import { Prefs, type Store } from "./prefs.ts";

function store(): Store & { kept: Map<string, string> } {
  const kept = new Map<string, string>();
  return {
    kept,
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  };
}

test("what is set is remembered under the site's own names, until it is forgotten", () => {
  const s = store();
  const prefs = new Prefs(() => s);
  assert.equal(prefs.get("theme"), undefined);
  prefs.set("theme", "light");
  assert.equal(prefs.get("theme"), "light");
  assert.deepEqual([...s.kept.keys()], ["muster.theme"]);
  prefs.set("theme", undefined);
  assert.equal(prefs.get("theme"), undefined);
});

test("a number that is none, or out of bounds, gives the default", () => {
  const prefs = new Prefs(((s) => () => s)(store()));
  for (const [text, want] of [["0.3", 0.3], ["0", 0], ["1", 1], ["1.01", 0.7], ["-1", 0.7], ["loud", 0.7], ["", 0.7], ["NaN", 0.7]] as const) {
    prefs.set("volume", text);
    assert.equal(prefs.number("volume", 0, 1, 0.7), want, text);
  }
});

test("a browser that lets nobody remember is no error", () => {
  const prefs = new Prefs(() => {
    throw new DOMException("denied", "SecurityError");
  });
  prefs.set("theme", "light");
  assert.equal(prefs.get("theme"), undefined);
  assert.equal(prefs.number("volume", 0, 1, 0.5), 0.5);
});
