// A person plays among bots on a line of 120 ms that varies by 40 ms and stands still for a second now and then.
//
//   node e2e/bad-line.mjs http://127.0.0.1:8080 [directory for screenshots]
//
// Checks that the own ship answers a key in the next picture, that no other ship jumps, and that what is predicted is
// close to what the server makes of it. Prints the figures; exits 1 with what went wrong.

import assert from "node:assert/strict";
import { enter, percentile, plays } from "./arena.mjs";
import { withBrowser } from "./browser.mjs";
import { shoot } from "./page.mjs";

const LINE = "120,40,1000,4000"; // ms: round trip, its jitter, a stall, the time from one to the next
const STALLS = 3; // that must have been met, with
const KEYS = 20; // keys that a ship in play could answer
const LONGEST = 150_000; // ms that this may take

const MAX_SPEED = 0.22; // of a ship, in units a ms
const CATCH_UP = 2; // times as fast as time, at most, the picture makes up for a stall
const SLACK = 40; // units: where a ship is shown that turned round within the two ticks that are guessed, and where it is
const LEAST_TURN = 1e-4; // radians that are an answer
const HALF_LIFE = 60; // ms in which half of a correction is made up for
const MOST_ERROR = { p50: 6, p90: 12, p99: MAX_SPEED * 1200 }; // units: the worst are those after stalls, where others met the ship

const [url, shots] = process.argv.slice(2);
if (!url) {
  console.error("usage: bad-line.mjs URL [DIRECTORY]");
  process.exit(2);
}

try {
  await withBrowser(play);
} catch (error) {
  console.error(`bad-line: ${error.stack ?? error}`);
  process.exitCode = 1;
}

async function play(browser) {
  const anna = await enter(browser, url, "Anna", `?way=bots&bots=7&sim=${LINE}&overlay=1`);
  await plays(anna);
  await anna.page.evaluate(record);
  await anna.page.keyboard.down("ArrowUp"); // a ship that stands still is easy to foresee
  let recorded = { pictures: [], keys: [], errors: [] };
  for (const end = Date.now() + LONGEST; ; ) {
    assert.ok(Date.now() < end, `within ${LONGEST} ms there were ${stalls(recorded)} stalls and ${answers(recorded).length} keys to answer`);
    for (const key of ["ArrowRight", "ArrowLeft"]) {
      await anna.page.keyboard.down(key);
      await pictures(anna, 12);
      await anna.page.keyboard.up(key);
      await pictures(anna, 15);
    }
    recorded = await anna.page.evaluate(() => window.recorded);
    if (stalls(recorded) >= STALLS && answers(recorded).length >= KEYS) break;
  }
  await shoot(anna, shots, "bad-line");
  assert.deepEqual(anna.complaints, [], "the page complains");

  const { decodeErrors, hashMismatches, resumes } = await anna.page.evaluate(() => ({ ...window.muster.stats }));
  assert.deepEqual({ decodeErrors, hashMismatches, resumes }, { decodeErrors: 0, hashMismatches: 0, resumes: 0 });

  const answered = answers(recorded);
  const late = answered.filter((a) => !a);
  const leaps = jumps(recorded);
  const worst = leaps.at(-1);
  const [p50, p90, p99] = [0.5, 0.9, 0.99].map((part) => percentile(recorded.errors, part));
  console.log(`${answered.length - late.length} of ${answered.length} keys were answered in the next picture`);
  console.log(
    `other ships moved by at most ${worst.beyond.toFixed(1)} units more than ${MAX_SPEED} units/ms, in ${leaps.length} steps from picture ` +
    `to picture over ${stalls(recorded)} stalls; 99.9 % of them by ${percentile(leaps.map((l) => l.beyond), 0.999).toFixed(1)}`,
  );
  console.log(`prediction error of ${recorded.errors.length} states: p50 ${p50.toFixed(2)}, p90 ${p90.toFixed(2)}, p99 ${p99.toFixed(2)} units`);

  assert.ok(late.length <= answered.length / 20, "keys were answered late");
  const bound = CATCH_UP * MAX_SPEED * worst.ms + SLACK;
  assert.ok(leaps.every((l) => l.far <= CATCH_UP * MAX_SPEED * l.ms + SLACK), `a ship jumped: ${JSON.stringify(worst)}, want at most ${bound}`);
  assert.ok(p50 <= MOST_ERROR.p50 && p90 <= MOST_ERROR.p90 && p99 <= MOST_ERROR.p99, `want at most ${JSON.stringify(MOST_ERROR)}`);
}

/** Lets a page draw. */
function pictures({ page }, count) {
  return page.evaluate((left) => new Promise((resolve) => {
    const next = () => (left-- > 0 ? requestAnimationFrame(next) : resolve());
    next();
  }), count);
}

/** Notes in the page what each picture shows, each key that goes down, and how wrong the prediction was of each state. */
function record() {
  const { muster } = window;
  const recorded = (window.recorded = { pictures: [], keys: [], errors: [] });
  let [{ states, mispredicted }, before, corrected] = [{ ...muster.prediction }, 0, 0];
  const note = (now) => {
    requestAnimationFrame(note); // behind the game's own, in every picture
    // The error is the newest state's: where more than one came since the last picture, any that was not foreseen counts.
    const came = muster.prediction.states - states;
    if (came > 0 && (muster.prediction.error > 0.5 || (came > 1 && muster.prediction.mispredicted > mispredicted))) corrected++;
    const picture = { now, newest: muster.tick, seat: muster.seat, ready: muster.ready, ships: muster.ships(), corrected };
    recorded.pictures.push(picture);
    const hp = picture.ships.find((s) => s.seat === picture.seat)?.hp ?? 0;
    // Where the own ship comes back into play nobody can foresee.
    if (came > 0 && hp > 0 && before > 0) recorded.errors.push(muster.prediction.error);
    ({ states, mispredicted } = muster.prediction);
    before = hp;
  };
  requestAnimationFrame(note);
  addEventListener("keydown", ({ code, repeat }) => {
    const turn = { ArrowRight: 1, ArrowLeft: -1 }[code];
    if (turn && !repeat) recorded.keys.push({ next: recorded.pictures.length, turn });
  }, { capture: true });
}

/** How often no frame came for most of a stall's second. */
function stalls({ pictures }) {
  let [count, newest, since] = [0, -1, 0];
  for (const p of pictures) {
    if (p.newest === newest) continue;
    if (p.now - since >= 800 && newest >= 0) count++;
    [newest, since] = [p.newest, p.now];
  }
  return count;
}

/**
 * For each key that went down while the own ship was in play: whether it turned that way in the next picture, more than it
 * would have without. It may be turning already: after a stall the rest of a correction is made up for. Which way it turns
 * in a picture in which another correction begins says nothing.
 */
function answers({ pictures, keys }) {
  const own = (i) => pictures[i]?.ready ? pictures[i].ships.find((s) => s.seat === pictures[i].seat && s.hp > 0) : undefined;
  return keys.flatMap(({ next, turn }) => {
    const [first, before, after] = [own(next - 2), own(next - 1), own(next)];
    if (!first || !before || !after || pictures[next - 2].corrected < pictures[next].corrected) return [];
    const [left, rest] = [1, 0].map((i) => 2 ** ((pictures[next - i - 1].now - pictures[next - i].now) / HALF_LIFE));
    const without = Math.sin(before.angle - first.angle) * left * ((1 - rest) / (1 - left));
    return [turn * (Math.sin(after.angle - before.angle) - without) > LEAST_TURN];
  });
}

/** How far other ships moved from one picture to the next, in units: the least beyond their speed first. */
function jumps({ pictures }) {
  const list = [];
  for (let i = 1; i < pictures.length; i++) {
    const [before, after] = [pictures[i - 1], pictures[i]];
    const ms = after.now - before.now;
    for (const ship of after.ships) {
      const was = before.ships.find((s) => s.seat === ship.seat);
      if (ship.seat === after.seat || !was || was.hp === 0 || ship.hp > was.hp || ship.hp === 0) continue; // it came into play anew
      const far = Math.hypot(ship.x - was.x, ship.y - was.y);
      list.push({ far, ms, beyond: Math.max(0, far - MAX_SPEED * ms), seat: ship.seat, picture: i });
    }
  }
  return list.sort((a, b) => a.beyond - b.beyond);
}
