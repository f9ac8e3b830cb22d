// Two people and four bots play a match; a third watches it live, then its replay.
//
//   node e2e/watch.mjs http://127.0.0.1:8080 [directory for screenshots]

import assert from "node:assert/strict";
import { enter, plays } from "./arena.mjs";
import { accessible, withBrowser } from "./browser.mjs";
import { open, PATIENCE, shoot } from "./page.mjs";
import { until } from "./watch-page.mjs";

const ROUND = 90; // seconds: up to where it is watched all must have come in it
const PODIUM = 8; // seconds for which the room shows who has won
const SAME = 0.051; // units: what a place is rounded to
const [url, shots] = process.argv.slice(2);
if (!url) {
  console.error("usage: watch.mjs URL [DIRECTORY]");
  process.exit(2);
}

try {
  await withBrowser(watch);
} catch (error) {
  console.error(`watch: ${error.stack ?? error}`);
  process.exitCode = 1;
}

async function watch(browser) {
  const anna = await enter(browser, url, "Anna", `?way=bots&bots=4&public=1&round=${ROUND}`);
  const { room } = await plays(anna);
  const code = (await anna.page.locator("#room-code-text").innerText()).trim();
  const ben = await enter(browser, url, "Ben", `?code=${code}`);
  await plays(ben);
  for (const p of [anna, ben]) await p.page.keyboard.down("ArrowUp"); // so that something moves

  const vera = await open(browser, new URL("/watch", url).href, "Vera", { viewport: { width: 1280, height: 800 } });
  const seen = await live(vera, room);
  await secret(browser);
  const over = (ROUND + PODIUM) * 1000 + PATIENCE;
  await until(vera, "told that the match is over", () => window.muster.screen === "message", undefined, over);
  assert.equal(await vera.page.locator("#message-title").innerText(), "The match is over");
  await shoot(vera, shots, "watch-over");
  await accessible(vera.page, "the end of a match");
  for (const p of [anna, ben]) await p.context.close();

  await vera.page.getByRole("button", { name: "Watch the replay" }).click();
  await replay(vera, seen);
  await follower(browser, vera);
  await looks(browser, vera.page.url());
  await file(browser, room);
  assert.deepEqual(vera.complaints, []);
}

/** Finds the match in the list, watches it, and returns where the ships were at some ticks. */
async function live(vera, room) {
  const { page } = vera;
  const card = page.locator(`a[href="/watch?room=${room}"]`);
  await card.waitFor();
  await shoot(vera, shots, "watch-list");
  await accessible(page, "the list");
  await card.focus();
  await page.keyboard.press("Enter");
  await until(vera, "watching", () => window.muster.screen === "live" && window.muster.seen.length > 60);
  for (const name of ["Anna", "Ben"]) await page.getByRole("button", { name }).waitFor();
  await shoot(vera, shots, "watch-live");
  await accessible(page, "a live match");
  await page.getByRole("button", { name: "Ben" }).click();
  await until(vera, "following", () => document.querySelector('.pilot[aria-pressed="true"] .name').textContent === "Ben");
  await shoot(vera, shots, "watch-follow");
  const seen = await page.evaluate(() => window.muster.seen.map(({ tick, ships }) => ({ tick, ships: { ...ships } })));
  assert.ok(seen.every(({ tick }, i) => i === 0 || tick > seen[i - 1].tick), "ticks go back");
  return [0.1, 0.35, 0.6, 0.95].map((part) => seen[Math.floor(part * (seen.length - 1))]);
}

/** A private room cannot be watched, and it is not told that it is there. */
async function secret(browser) {
  const carl = await enter(browser, url, "Carl", "?way=friends");
  const { room } = await plays(carl);
  for (const id of [room, "nosuchroom"]) {
    const mallory = await open(browser, new URL(`/watch?room=${id}`, url).href, "Mallory");
    await until(mallory, "refused", () => window.muster.screen === "message");
    assert.match(await mallory.page.locator("#message-text").innerText(), /^There is no such public match/);
    if (id === room) await accessible(mallory.page, "a refusal");
    await mallory.context.close();
  }
  await carl.context.close();
}

async function replay(vera, seen) {
  const { page } = vera;
  await until(vera, "shown the replay", () => window.muster.screen === "replay" && window.muster.seen.length > 0 && window.muster.replay);
  const first = await page.evaluate(() => window.muster.replay);
  assert.ok(first.paused && first.tick === first.from && first.yours, `it begins as ${JSON.stringify(first)}`);
  assert.ok(first.to >= ROUND * 20 / 2, `it has ${first.to} ticks`);
  assert.equal(await page.getByRole("button", { name: "Play", exact: true }).count(), 1);

  for (const { tick, ships } of seen) { // the same ships at the same places as they were seen then
    await page.locator("#seek").fill(String(tick));
    await at(vera, tick);
    const now = await page.evaluate(() => window.muster.seen.at(-1));
    assert.deepEqual(Object.keys(now.ships).sort(), Object.keys(ships).sort(), `other ships at tick ${tick}`);
    for (const [seat, [x, y]] of Object.entries(ships)) {
      const far = Math.hypot(now.ships[seat][0] - x, now.ships[seat][1] - y);
      assert.ok(far <= SAME, `at tick ${tick} seat ${seat} is ${far} units from where it was`);
    }
  }
  await until(vera, "proved", () => document.getElementById("hash").dataset.proof === "same");
  await shoot(vera, shots, "watch-replay");
  await accessible(page, "a replay");

  await page.locator("#stage").click(); // the keys are the page's from here on
  const here = await page.evaluate(() => window.muster.tick);
  await page.keyboard.press("ArrowRight");
  await at(vera, here + 1);
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  await at(vera, here - 1);
  await page.keyboard.press("Home");
  await at(vera, first.from);
  await page.locator("#speed").selectOption("4");
  await page.locator("#stage").click();
  await page.keyboard.press("Space");
  await until(vera, "playing four times as fast", () => {
    const steps = window.muster.seen.slice(-12).map(({ tick }, i, all) => (i ? tick - all[i - 1].tick : 4));
    return steps.length === 12 && steps.every((n) => n === 4);
  });
  await shoot(vera, shots, "watch-replay-fast");
  await page.keyboard.press("Space");
  await until(vera, "paused", () => window.muster.replay.paused);
  const stood = await page.evaluate(() => window.muster.tick);
  await page.keyboard.press("End");
  await at(vera, first.to);
  assert.ok(stood < first.to, "the pause came at the end");
  await until(vera, "told of the end", () => document.getElementById("transport-says").textContent === "The end of the recording.");

  const beyond = (tick) => page.evaluate(async ([id, tick]) => {
    const { token } = JSON.parse(localStorage.getItem("muster.guest"));
    const res = await fetch(`/v1/replays/${id}`, {
      method: "PATCH", body: JSON.stringify({ tick }), headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    });
    return res.json();
  }, [first.id, tick]);
  const far = await beyond(2 ** 40);
  assert.ok(far.clamped && far.target === first.to, `far beyond the end: ${JSON.stringify(far)}`);
  const before = await beyond(-7);
  assert.ok(before.clamped && before.target === first.from, `before the beginning: ${JSON.stringify(before)}`);
  await at(vera, first.from);
}

/** Another person follows by the link, and controls nothing; with the key he does. */
async function follower(browser, vera) {
  const link = new URL(vera.page.url());
  const key = link.hash;
  link.hash = "";
  const dora = await open(browser, link.href, "Dora");
  await until(dora, "following", () => window.muster.screen === "replay" && window.muster.seen.length > 0);
  assert.ok(await dora.page.locator("#play").isDisabled(), "a follower can play");
  await vera.page.locator("#seek").fill("200");
  await at(dora, 200);
  await dora.page.goto("about:blank");
  await dora.page.goto(link.href + key);
  await until(dora, "in control", () => window.muster.screen === "replay" && window.muster.seen.length > 0 && !document.getElementById("play").disabled);
  await dora.page.locator("#seek").fill("120");
  await at(vera, 120);
  await dora.page.reload(); // and comes back to the very session
  await at(dora, 120);
  assert.deepEqual(dora.complaints, []);
  await dora.context.close();
}

/** The same on a telephone and on paper. */
async function looks(browser, link) {
  for (const [name, options] of [
    ["light", { colorScheme: "light", viewport: { width: 1280, height: 800 } }],
    ["phone", { colorScheme: "dark", viewport: { width: 400, height: 700 }, hasTouch: true, isMobile: true, reducedMotion: "reduce" }],
  ]) {
    const person = await open(browser, link, name, options);
    await until(person, "shown", () => window.muster.screen === "replay" && window.muster.seen.length > 0);
    await shoot(person, shots, `watch-replay-${name}`);
    await accessible(person.page, `a replay, ${name}`);
    const width = await person.page.evaluate(() => Math.max(innerWidth, document.documentElement.scrollWidth));
    assert.equal(width, options.viewport.width, `${name}: the page is wider than the window`);
    await person.page.goto(new URL("/watch", url).href);
    await person.page.locator("#played-say, #played li").first().waitFor();
    await shoot(person, shots, `watch-list-${name}`);
    await accessible(person.page, `the list, ${name}`);
    assert.deepEqual(person.complaints, []);
    await person.context.close();
  }
}

/** A file that is chosen is shown, and one that is no replay is not. */
async function file(browser, room) {
  const bytes = Buffer.from(await (await fetch(new URL(`/v1/admin/replays/${room}`, url))).arrayBuffer());
  const emil = await open(browser, new URL("/watch", url).href, "Emil");
  await emil.page.locator("#file").setInputFiles({ name: "x.muster", mimeType: "application/octet-stream", buffer: Buffer.from("no replay at all") });
  await until(emil, "told what is wrong with the file", () => /no recording/.test(document.getElementById("file-says").textContent));
  await shoot(emil, shots, "watch-file-refused");
  await accessible(emil.page, "a file that is refused");
  await emil.page.locator("#as").selectOption("everything");
  await emil.page.locator("#file").setInputFiles({ name: "match.muster", mimeType: "application/octet-stream", buffer: bytes });
  await until(emil, "shown the file", () => window.muster.screen === "replay" && window.muster.replay?.as === "everything" && window.muster.seen.length > 0);
  await emil.page.goBack();
  await until(emil, "back in the list", () => window.muster.screen === "landing");
  await emil.context.close();
}

/** Waits until a page shows a tick of the replay. */
async function at(person, tick) {
  await until(person, `at tick ${tick}`, (t) => window.muster.tick === t && window.muster.replay && !window.muster.replay.seeking, tick);
}
