// A person plays in a match of three servers, and the one that runs it is killed.
//
//   node e2e/killed-host.mjs http://127.0.0.1:8080 [directory for screenshots]
//
// Prints "kill the host of ROOM" and waits for a line that says that it is done. Then play must go on in the same seat,
// and the overlay and the match's numbers must say how long it stood still and what was rolled back.

import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { enter, PATIENCE, plays, shoot, until } from "./arena.mjs";
import { withBrowser } from "./browser.mjs";

const MOST_PAUSED = 30_000; // ms; it is meant to be about two seconds, on a machine with nothing else to do
const MOST_ROLLED_BACK = 40; // ticks

const [url, shots] = process.argv.slice(2);
if (!url) {
  console.error("usage: killed-host.mjs URL [DIRECTORY]");
  process.exit(2);
}

const lines = createInterface({ input: process.stdin });
const done = new Promise((resolve) => lines.once("line", resolve));
try {
  await withBrowser(play);
} catch (error) {
  console.error(`killed-host: ${error.stack ?? error}`);
  process.exitCode = 1;
} finally {
  lines.close();
}

async function play(browser) {
  const anna = await enter(browser, url, "Anna", "?way=bots&bots=4&overlay=1");
  const before = await plays(anna);
  const overlay = anna.page.locator(".instruments .panel");
  await overlay.waitFor();
  const from = await anna.page.evaluate(() => {
    window.screens = new Set();
    const note = () => {
      window.screens.add(window.muster.screen);
      requestAnimationFrame(note);
    };
    note();
    return { tick: window.muster.tick, epoch: window.muster.epoch };
  });
  await until(anna, "playing for a while", (tick) => window.muster.tick >= tick + 60, from.tick);

  console.log(`kill the host of ${before.room}`);
  await done;
  await until(anna, "in the hands of another host", (epoch) => window.muster.epoch > epoch && window.muster.stats.takeover, from.epoch);
  const on = await anna.page.evaluate(() => window.muster.tick);
  await until(anna, "playing on", (tick) => window.muster.ready && window.muster.tick >= tick + 20, on);
  assert.deepEqual(await plays(anna), before, "another seat");

  const { pausedMs, rolledBackTicks } = await anna.page.evaluate(() => ({ ...window.muster.stats.takeover }));
  console.log(`play stood still for ${Math.round(pausedMs)} ms, and ${rolledBackTicks} ticks were rolled back`);
  assert.ok(pausedMs > 0 && pausedMs < MOST_PAUSED, `it paused for ${pausedMs} ms`);
  assert.ok(rolledBackTicks >= 0 && rolledBackTicks <= MOST_ROLLED_BACK, `${rolledBackTicks} ticks were rolled back`);
  const words = `New host: paused ${Math.round(pausedMs)} ms, rolled back ${rolledBackTicks} tick`;
  await overlay.getByText(words, { exact: false }).waitFor(); // before it is too old to be shown
  await shoot(anna, shots, "killed-host");
  await steers(anna);
  assert.deepEqual(await anna.page.evaluate(() => [...window.screens]), ["game"], "the page left the game");
  assert.deepEqual(anna.complaints.filter((c) => !c.includes("WebSocket")), [], "the page complains");
}

/** Holds a key until the own ship has turned. One that is out of play does not, and a key that goes down then is pressed again. */
async function steers(person) {
  const { page } = person;
  for (const end = Date.now() + PATIENCE; ; ) {
    const angle = await (await until(person, "in play", () => window.muster.ship() && { is: window.muster.ship().angle })).jsonValue();
    await page.keyboard.down("ArrowRight");
    const turned = page.waitForFunction(({ is }) => Math.abs(window.muster.ship()?.angle - is) > 0.3, angle, { timeout: 5000 });
    const done = await turned.then(() => true, () => false);
    await page.keyboard.up("ArrowRight");
    if (done) return;
    assert.ok(Date.now() < end, "the ship does not answer its keys");
  }
}
