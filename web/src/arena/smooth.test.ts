import assert from "node:assert/strict";
import { test } from "node:test";

import { turn } from "./pose.ts";
import { Playhead, Track } from "./smooth.ts";

const ship = () => new Track({ reach: 14, ahead: 1.5 });
const near = (got: number, want: number, within = 1e-9) =>
  assert.ok(Math.abs(got - want) <= within, `${got} is not ${want} ± ${within}`);

test("turn goes the short way round", () => {
  near(turn(0.1, 0.4), 0.3);
  near(turn(0.1, 2 * Math.PI - 0.1), -0.2);
  near(turn(2 * Math.PI - 0.1, 0.1), 0.2);
  near(turn(0, 7 * Math.PI + 0.5), -Math.PI + 0.5);
  near(turn(5, 5), 0);
});

test("a track without states has no pose", () => {
  assert.equal(ship().at(3), undefined);
  assert.equal(ship().newest, undefined);
});

test("between two states a track is in proportion", () => {
  const track = ship();
  track.push(10, { x: 100, y: 50, angle: 1 });
  track.push(12, { x: 110, y: 40, angle: 2 });
  assert.deepEqual(track.at(10), { x: 100, y: 50, angle: 1 });
  assert.deepEqual(track.at(10.5), { x: 102.5, y: 47.5, angle: 1.25 });
  assert.deepEqual(track.at(11), { x: 105, y: 45, angle: 1.5 });
});

test("angles are drawn the short way through zero", () => {
  const track = ship();
  track.push(1, { x: 0, y: 0, angle: 6.2 });
  track.push(2, { x: 0, y: 0, angle: 0.1 });
  const { angle } = track.at(1.5)!;
  near(turn(angle, 6.2 + turn(6.2, 0.1) / 2), 0);
});

test("before its first state a track stands at it", () => {
  const track = ship();
  track.push(10, { x: 5, y: 6, angle: 1 });
  track.push(11, { x: 6, y: 6, angle: 1 });
  assert.deepEqual(track.at(2), { x: 5, y: 6, angle: 1 });
});

test("a track goes on for a short while when the next state is late", () => {
  const track = ship();
  track.push(10, { x: 0, y: 0, angle: 0 });
  track.push(11, { x: 10, y: -4, angle: 0.2 });
  near(track.at(12)!.x, 20);
  near(track.at(12)!.angle, 0.4);
  near(track.at(12.5)!.x, 25);
  near(track.at(30)!.x, 25);
  near(track.at(30)!.y, -10);
});

test("a track with one state does not move", () => {
  const track = ship();
  track.push(10, { x: 7, y: 8, angle: 0 });
  assert.deepEqual(track.at(20), { x: 7, y: 8, angle: 0 });
});

test("a jump is not drawn as a flight", () => {
  const track = ship();
  track.push(10, { x: 100, y: 100, angle: 0 });
  track.push(11, { x: 900, y: 500, angle: 2 });
  track.push(12, { x: 905, y: 500, angle: 2 });
  assert.deepEqual(track.at(10.9), { x: 100, y: 100, angle: 0 });
  assert.deepEqual(track.at(11), { x: 900, y: 500, angle: 2 });
  near(track.at(11.5)!.x, 902.5);
});

test("after a jump there is no course to go on with", () => {
  const track = ship();
  track.push(10, { x: 100, y: 100, angle: 0 });
  track.push(11, { x: 900, y: 500, angle: 2 });
  assert.deepEqual(track.at(13), { x: 900, y: 500, angle: 2 });
});

test("what would be far in one tick is near in five", () => {
  const track = ship();
  track.push(10, { x: 100, y: 0, angle: 0 });
  track.push(15, { x: 150, y: 0, angle: 0 });
  near(track.at(12.5)!.x, 125);
});

test("a respawn nearby is a cut when it is called one", () => {
  const track = ship();
  track.push(10, { x: 100, y: 0, angle: 0 });
  track.push(11, { x: 105, y: 0, angle: 3 }, true);
  assert.deepEqual(track.at(10.5), { x: 100, y: 0, angle: 0 });
});

test("old states add nothing and few are kept", () => {
  const track = ship();
  for (let tick = 1; tick <= 40; tick++) track.push(tick, { x: tick, y: 0, angle: 0 });
  track.push(40, { x: 99, y: 0, angle: 0 });
  track.push(12, { x: 99, y: 0, angle: 0 });
  near(track.at(40)!.x, 40);
  assert.equal(track.oldest, 29);
  near(track.at(3)!.x, 29);
  track.clear();
  assert.equal(track.at(40), undefined);
});

/** Plays frames that arrive late by some ticks, drawn at sixty a second, and returns the ticks drawn. */
function play(head: Playhead, from: number, seconds: number, late: (tick: number) => number): { room: number; drawn: number; newest: number }[] {
  const drawn = [];
  let newest = from - 1;
  for (let i = 0; i < seconds * 60; i++) {
    const room = from + i / 3;
    while (newest + 1 + late(newest + 1) <= room) head.frame(++newest, room);
    drawn.push({ room, drawn: head.advance(room, 1 / 3), newest });
  }
  return drawn;
}

test("the playhead stays about two ticks behind and needs no guesses", () => {
  const seen = play(new Playhead(), 100, 5, () => 0.2).slice(60);
  for (const { room, drawn, newest } of seen) {
    assert.ok(drawn <= newest, `tick ${drawn} was drawn when ${newest} was the newest`);
    assert.ok(room - drawn > 1.4 && room - drawn < 2.2, `${room - drawn} ticks behind`);
  }
});

test("the playhead falls back when frames come late, and comes near again", () => {
  const head = new Playhead();
  play(head, 100, 3, () => 0.1);
  near(head.delay, 1.6, 0.15);
  const rough = play(head, 160, 10, (tick) => (tick % 7 === 0 ? 2.5 : 0.5)).slice(120);
  for (const { drawn, newest } of rough) assert.ok(drawn <= newest + 0.15, `tick ${drawn} was drawn when ${newest} was the newest`);
  assert.ok(head.delay > 3.5 && head.delay < 4.5, `a delay of ${head.delay}`);
  play(head, 360, 20, () => 0.1);
  near(head.delay, 1.6, 0.15);
});

test("the playhead soon forgets a stall", () => {
  const head = new Playhead();
  play(head, 100, 2, (tick) => (tick === 130 ? 8 : 0.1));
  assert.ok(head.delay > 5, `a delay of ${head.delay}`);
  play(head, 141, 3, () => 0.1);
  assert.ok(head.delay < 3, `a delay of ${head.delay} three seconds later`);
});

test("the playhead moves evenly and never back", () => {
  const seen = play(new Playhead(), 100, 10, (tick) => (tick > 160 ? 1.4 : 0.1));
  for (let i = 31; i < seen.length; i++) {
    const step = seen[i]!.drawn - seen[i - 1]!.drawn;
    assert.ok(step > 0.25 && step < 0.42, `a step of ${step} ticks at ${seen[i]!.room}`);
  }
});

test("the playhead jumps when it is far off, as after a nap", () => {
  const head = new Playhead();
  play(head, 100, 2, () => 0);
  head.frame(500, 500);
  near(head.advance(500, 0.33), 500 - head.delay);
});

test("the playhead follows a room that began anew at an earlier tick", () => {
  const head = new Playhead();
  play(head, 100, 2, () => 0);
  head.frame(130, 130);
  near(head.advance(130, 0.33), 130 - head.delay);
});
