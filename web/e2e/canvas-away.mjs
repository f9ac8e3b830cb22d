// What a page of the canvas does when its server goes away and comes back with what it had made durable.
//
//   node e2e/canvas-away.mjs http://127.0.0.1:8080 [directory for screenshots]
//
// The script prints "kill the server" and "start the server", and waits for a line after each.

import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { accessible, complaints, withBrowser } from "./browser.mjs";

const PATIENCE = 60_000;

const [url, shots] = process.argv.slice(2);
if (!url) {
  console.error("usage: canvas-away.mjs URL [DIRECTORY]");
  process.exit(2);
}

const lines = createInterface({ input: process.stdin });
const answers = lines[Symbol.asyncIterator]();
try {
  await withBrowser(away);
} catch (error) {
  console.error(`canvas-away: ${error.stack ?? error}`);
  process.exitCode = 1;
} finally {
  lines.close();
}

async function away(browser) {
  const people = [await enter(browser, "Anna", "dark"), await enter(browser, "Ben", "light")];
  const [anna, ben] = people;
  await write(anna, "Anna, before. ");
  await until(ben, "reading it", () => window.muster.text === "Anna, before. ");
  await stroke(ben, 150);
  await until(anna, "seeing Ben's line", () => window.muster.lines === 1);
  for (const person of people) await until(person, "told that all is saved", () => window.muster.saved === "saved");

  await ask("kill the server");
  for (const person of people) await until(person, "told that the connection is lost", () => window.muster.saved === "away");
  await write(anna, "Anna, meanwhile. ");
  await stroke(ben, 300);
  for (const person of people) {
    await accessible(person.page, `${person.name} without a server`);
    await shoot(person, `canvas-away-${person.name}`);
  }
  assert.match(await anna.page.locator("#saved").innerText(), /edits are kept/);

  await ask("start the server");
  for (const person of people) {
    await until(person, "seeing all", () => window.muster.text === "Anna, before. Anna, meanwhile. " && window.muster.lines === 2);
    await until(person, "told that all is saved", () => window.muster.saved === "saved");
  }
  await write(ben, "Ben, after.");
  await until(anna, "reading it", () => window.muster.text.endsWith("Ben, after."));

  // Who comes now sees the same.
  const cleo = await enter(browser, "Cleo", "dark");
  await until(cleo, "seeing all", () => window.muster.text === "Anna, before. Anna, meanwhile. Ben, after." && window.muster.lines === 2);
  const odd = people.flatMap((p) => p.complaints).filter((c) => !/WebSocket connection to|net::ERR_|status of (401|404|410|503)/.test(c));
  assert.deepEqual(odd, [], "the pages complain");
  console.log("a room went on with what was drawn and written while its server was gone");
}

async function enter(browser, name, colorScheme) {
  const context = await browser.newContext({ viewport: { width: 960, height: 640 }, colorScheme });
  await context.addInitScript((called) => localStorage.setItem("muster.arena.callsign", called), name);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const person = { name, page, complaints: complaints(page, name) };
  await page.goto(new URL("/canvas?room=away", url).href);
  await until(person, "in the room", () => window.muster.ready);
  return person;
}

async function until({ name, page }, what, condition) {
  try {
    await page.waitForFunction(condition, undefined, { timeout: PATIENCE });
  } catch (error) {
    const now = await page.evaluate(() => ({ ...window.muster, notice: document.getElementById("notice-text").textContent }));
    throw new Error(`${name}: not ${what}: ${error.message.split("\n")[0]} ${JSON.stringify(now)}`);
  }
}

async function ask(what) {
  console.log(what);
  await answers.next();
}

async function write({ page }, text) {
  await page.locator("#text").focus();
  await page.keyboard.press("Control+End");
  await page.keyboard.type(text);
}

async function stroke({ page }, y) {
  const box = await page.locator("#paper").boundingBox();
  await page.mouse.move(box.x + 100, box.y + y);
  await page.mouse.down();
  for (let i = 1; i <= 20; i++) await page.mouse.move(box.x + 100 + 8 * i, box.y + y + 20 * Math.sin(i / 3));
  await page.mouse.up();
}

async function shoot({ page }, name) {
  if (!shots) return;
  await mkdir(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`) });
}
