import assert from "node:assert/strict";
import { test } from "node:test";

import { cues, type Moment } from "./cues.ts";

const playing: Moment = { phase: "Playing", left: 60, won: false, jammed: false };

test("a round is heard to begin and to end, and whether it was won", () => {
  assert.deepEqual(cues({ ...playing, phase: "Waiting" }, playing), ["start"]);
  assert.deepEqual(cues(playing, { ...playing, phase: "Podium", left: 8 }), ["end"]);
  assert.deepEqual(cues(playing, { ...playing, phase: "Podium", left: 8, won: true }), ["win"]);
});

test("who comes into a round hears nothing of what was before", () => {
  assert.deepEqual(cues(undefined, playing), []);
  assert.deepEqual(cues(undefined, { ...playing, phase: "Podium", jammed: true }), []);
});

test("the last five seconds are counted, each once", () => {
  const heard: number[] = [];
  for (let left = 8; left > 0; left--) {
    if (cues({ ...playing, left }, { ...playing, left: left - 1 }).includes("tick")) heard.push(left - 1);
    assert.deepEqual(cues({ ...playing, left }, { ...playing, left }), []);
  }
  assert.deepEqual(heard, [5, 4, 3, 2, 1]);
});

test("a gun is heard to jam, not to be jammed", () => {
  const jammed = { ...playing, jammed: true };
  assert.deepEqual(cues(playing, jammed), ["jam"]);
  assert.deepEqual(cues(jammed, jammed), []);
});
