import assert from "node:assert/strict";
import { test } from "node:test";

import { applied, type Change, changes, clean, difference, moved, movedThrough, neighbour } from "./change.ts";

/** Numbers that are the same in each run. */
function dice(seed: number): (below: number) => number {
  return (below) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
}

test("a difference makes the one text of the other, wherever the caret is, and cuts no character in two", () => {
  const roll = dice(7);
  const alphabet = ["a", "a", "b", "\n", "😀", "😁", "é"];
  const text = () => Array.from({ length: roll(9) }, () => alphabet[roll(alphabet.length)]).join("");
  for (let i = 0; i < 20_000; i++) {
    const [before, after] = [text(), text()];
    const change = difference(before, after, roll(after.length + 1));
    if (!change) {
      assert.equal(before, after);
      continue;
    }
    assert.equal(applied(before, change), after);
    const gone = before.slice(change.at, change.at + change.removed);
    assert.doesNotMatch(gone + "|" + change.inserted, /\p{Surrogate}/u, JSON.stringify([before, after, change]));
  }
});

test("edits far apart are changes of their own, so that what is between them stays, whatever they are", () => {
  const roll = dice(3);
  const words = Array.from({ length: 3000 }, () => Math.floor(roll(1e6)).toString(36));
  const text = words.join(" ");
  for (let i = 0; i < 300; i++) {
    let after = text;
    for (let edits = roll(4); edits >= 0; edits--) {
      const at = roll(after.length);
      after = applied(after, { at, removed: roll(20) * roll(2), inserted: "new".repeat(roll(4)) });
    }
    const list = changes(text, after);
    assert.equal(list.reduce(applied, text), after);
  }
  const both = applied(applied(text, { at: 9000, removed: 3, inserted: "" }), { at: 10, removed: 0, inserted: "hello" });
  const list = changes(text, both);
  assert.equal(list.length, 2);
  assert.equal(movedThrough(5000, list), 5005);
  const twice = "same line\n".repeat(500);
  const other = applied(applied(twice, { at: 4000, removed: 5, inserted: "" }), { at: 3, removed: 0, inserted: "x" });
  assert.equal(changes(twice, other).reduce(applied, twice), other);
});

test("a letter typed beside the same letter is inserted where the caret says", () => {
  assert.deepEqual(difference("aaa", "aaaa", 2), { at: 1, removed: 0, inserted: "a" });
  assert.deepEqual(difference("aaa", "aaaa", 4), { at: 3, removed: 0, inserted: "a" });
  assert.deepEqual(difference("aaa", "aa", 1), { at: 1, removed: 1, inserted: "" });
});

test("a place moves with what is before it, and comes to the end of what took its place", () => {
  const change: Change = { at: 3, removed: 2, inserted: "xyz" };
  assert.deepEqual([0, 3, 4, 5, 6].map((place) => moved(place, change)), [0, 3, 6, 6, 7]);
  const insert: Change = { at: 3, removed: 0, inserted: "xyz" };
  assert.equal(moved(3, insert), 3);
  assert.equal(moved(3, insert, true), 6);
});

test("what is pasted comes with one kind of line end and without control characters", () => {
  assert.equal(clean("a\r\nb\rc\u2028d\u0000\u001b[1m\tz\ud800"), "a\nb\nc\nd[1m\tz\ufffd");
});

test("what is seen as one character is one, on both sides", () => {
  const text = "a\u{1F469}\u200D\u{1F469}\u200D\u{1F467}e\u0301\n ";
  const places = [0];
  while (places.at(-1)! < text.length) places.push(neighbour(text, places.at(-1)!, "behind"));
  assert.deepEqual(places, [0, 1, 9, 11, 12, 13]);
  for (let i = 1; i < places.length; i++) assert.equal(neighbour(text, places[i]!, "before"), places[i - 1]);
  assert.equal(neighbour(text, 0, "before"), 0);
  assert.equal(neighbour(text, text.length, "behind"), text.length);
});
