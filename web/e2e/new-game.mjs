// Two people play a game as `muster new` makes it.
//
//   node e2e/new-game.mjs http://127.0.0.1:8080 NAME [directory for screenshots]
//
// Joins twice, checks that both see each other, lets one steer by keys and by a finger and collect coins until she has won,
// and checks that the other sees it all, that the page predicted what the server did, and that nobody complained.

import assert from "node:assert/strict";
import { accessible, withBrowser } from "./browser.mjs";
import { open, PATIENCE, shoot } from "./page.mjs";

const MOVED = 40; // units
const TRIES = 5; // the best counts: inputs come late where other programs have the machine

const [url, name, shots] = process.argv.slice(2);
if (!url || !name) {
  console.error("usage: new-game.mjs URL NAME [DIRECTORY]");
  process.exit(2);
}

try {
  await withBrowser(play);
} catch (error) {
  console.error(`new-game: ${error.stack ?? error}`);
  process.exitCode = 1;
}

async function play(browser) {
  const [anna, ben] = await Promise.all([visit(browser, "Anna"), visit(browser, "Ben")]);
  await accessible(ben.page, "the form");
  await shoot(anna, shots, "new-1-join");
  await enter(anna);
  await enter(ben);
  for (const person of [anna, ben]) {
    for (const other of ["Anna", "Ben"]) await person.page.getByText(other, { exact: false }).first().waitFor();
  }

  let [states, mispredicted] = [0, 0];
  for (let i = 0; i < TRIES && (i === 0 || mispredicted > states / 10); i++) ({ states, mispredicted } = await predicted(anna.page));
  assert.ok(mispredicted <= states / 10, `${mispredicted} of ${states} states were not as predicted`);

  const began = await where(ben.page, "Anna");
  await anna.page.keyboard.down(began.X < 640 ? "ArrowRight" : "ArrowLeft");
  await ben.page.waitForFunction(
    ([name, x, moved]) => [...window.match.tables.Players].some(([, p]) => p.Name === name && Math.abs(p.X - x) > moved),
    ["Anna", began.X, MOVED], { timeout: PATIENCE },
  );
  for (const key of ["ArrowRight", "ArrowLeft"]) await anna.page.keyboard.up(key);
  await drag(anna.page, ben.page);
  await collect(anna.page, (me) => me.Score > 0);
  await ben.page.getByText(/^Anna [1-9]/).waitFor();
  await Promise.all([shoot(anna, shots, "new-2-anna"), shoot(ben, shots, "new-3-ben")]);
  await accessible(ben.page, "the game");

  await collect(anna.page, () => false);
  await anna.page.getByText("You win!").waitFor();
  await ben.page.getByText(/Anna wins with \d+ coins/).waitFor();
  await shoot(ben, shots, "new-4-end");
  for (const person of [anna, ben]) await enter(person); // and once more, into one match
  await ben.page.waitForFunction(() => window.match.tables.Players.size === 2, undefined, { timeout: PATIENCE });
  await anna.page.goto("about:blank"); // who goes away leaves
  await ben.page.waitForFunction(() => window.match.tables.Players.size === 1, undefined, { timeout: PATIENCE });
  assert.deepEqual([...anna.complaints, ...ben.complaints], [], "the pages complain");
  console.log(`${mispredicted} of ${states} states were not as predicted`);
}

/** Comes to the game by the front page, which leads there. */
async function visit(browser, who) {
  const person = await open(browser, url, who, { colorScheme: who === "Ben" ? "dark" : "light", hasTouch: true });
  const { page } = person;
  if (who === "Anna") {
    await accessible(page, "the front page");
    await shoot(person, shots, "new-0-front");
  }
  await page.getByRole("link", { name, exact: true }).click();
  await page.waitForURL(new URL(`/${name}/`, url).href);
  return person;
}

/** Joins by the keyboard alone. */
async function enter({ name: who, page }) {
  await page.getByLabel("Your name").fill(who);
  await page.keyboard.press("Enter");
  await page.getByLabel("Your name").waitFor({ state: "hidden" }).catch(async () => {
    throw new Error(`${who} got no match: ${await page.locator("#status").textContent()}`);
  });
}

/** Where a page has somebody's disc. */
function where(page, who) {
  return page.evaluate((who) => [...window.match.tables.Players].map(([, p]) => p).find((p) => p.Name === who), who);
}

/** Drags a finger towards the middle, and waits until the other page has seen it. */
async function drag(page, other) {
  const was = await where(other, "Anna");
  const by = was.Y < 360 ? 80 : -80;
  const screen = await page.context().newCDPSession(page);
  const touch = (type, ...touchPoints) => screen.send("Input.dispatchTouchEvent", { type, touchPoints });
  await touch("touchStart", { x: 360, y: 240 });
  for (const part of [0.25, 0.5, 1]) await touch("touchMove", { x: 360, y: 240 + part * by });
  await other.waitForFunction(
    ([y, by]) => [...window.match.tables.Players].some(([, p]) => p.Name === "Anna" && (p.Y - y) * Math.sign(by) > 40),
    [was.Y, by], { timeout: PATIENCE },
  );
  await touch("touchEnd");
}

/** Steers to coins by the keys until there are enough of them, or the match is over. */
async function collect(page, enough) {
  const until = Date.now() + PATIENCE;
  const held = new Set();
  for (;;) {
    assert.ok(Date.now() < until, "too few coins were collected");
    const [wanted, me] = await page.evaluate(() => {
      const me = [...window.match.tables.Players].map(([, p]) => p).find((p) => p.Owner === window.match.info.seat);
      if (window.match.state === "closed" || !me) return [[], undefined];
      const coins = [...window.match.tables.Coins].map(([, c]) => [c.X - me.X - 6 * me.VX, c.Y - me.Y - 6 * me.VY]);
      const [[x, y] = [0, 0]] = coins.sort((a, b) => Math.hypot(...a) - Math.hypot(...b));
      const keys = [x > 15 && "ArrowRight", x < -15 && "ArrowLeft", y > 15 && "ArrowDown", y < -15 && "ArrowUp"];
      return [keys.filter(Boolean), me];
    });
    const done = !me || enough(me);
    for (const key of held) if (done || !wanted.includes(key)) await page.keyboard.up(key), held.delete(key);
    if (done) return;
    for (const key of wanted) if (!held.has(key)) await page.keyboard.down(key), held.add(key);
  }
}

/** Slides to and fro while a few seconds of states come, and returns how the page's step did: it must do what the server's does. */
async function predicted(page) {
  const stats = () => page.evaluate(() => ({ ...window.match.stats.prediction }));
  const began = await stats();
  for (let now = began; now.states < began.states + 50; now = await stats()) {
    const key = ["ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"][now.states % 4];
    await page.keyboard.down(key);
    await page.evaluate(() => new Promise(requestAnimationFrame));
    await page.keyboard.up(key);
  }
  const now = await stats();
  return { states: now.states - began.states, mispredicted: now.mispredicted - began.mispredicted };
}
