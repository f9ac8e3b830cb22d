// The canvas' page as people use it, for the scripts beside this file.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { complaints } from "./browser.mjs";

/** How long is waited, in ms, for whatever does not depend on how fast the page is: the machine may be busy. */
export const PATIENCE = 60_000;
export const WIDE = { width: 1280, height: 800 };
export const SMALL = { width: 400, height: 700 };

/** Opens a room's page for a person, with a browser of their own, and waits until they are in. */
export async function enter(browser, url, room, name, { query = "", before = () => {}, ...options } = {}) {
  const context = await browser.newContext({ viewport: WIDE, reducedMotion: "no-preference", ...options });
  await context.addInitScript((called) => localStorage.setItem("muster.arena.callsign", called), name);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const person = { name, room, context, page, complaints: complaints(page, name) };
  await before(page);
  const answer = await page.goto(new URL(`/canvas?room=${room}${query}`, url).href);
  assert.equal(answer?.status(), 200, "the page is not served");
  await until(person, "in the room", () => window.muster.ready);
  return person;
}

/** Closes people's pages, which must not have complained. */
export async function leave(...people) {
  assert.deepEqual(people.flatMap((p) => p.complaints), [], "the pages complain");
  for (const { context } of people) await context.close();
}

/** Waits for something on a page; what is told where it does not come about. */
export async function until({ name, page }, what, condition, arg) {
  try {
    return await page.waitForFunction(condition, arg, { timeout: PATIENCE });
  } catch (error) {
    const now = await page.evaluate(() => ({ ...window.muster, notice: document.getElementById("notice-text").textContent }));
    throw new Error(`${name}: not ${what}: ${error.message.split("\n")[0]} ${JSON.stringify({ ...now, text: now.text.slice(0, 300) })}`);
  }
}

/** Waits until all that a person did is saved. */
export function saved(person) {
  return until(person, "told that all is saved", () => window.muster.saved === "saved" && window.muster.state === "playing");
}

/** Waits until all have the same text, which is returned. */
export async function same(people, when) {
  let texts = [];
  for (const end = Date.now() + PATIENCE; Date.now() < end; ) {
    texts = await Promise.all(people.map(({ page }) => page.evaluate(() => window.muster.text)));
    if (texts.every((t) => t === texts[0])) return texts[0];
    await people[0].page.waitForFunction((tick) => window.muster.tick > tick, await people[0].page.evaluate(() => window.muster.tick));
  }
  assert.deepEqual(texts, texts.map(() => texts[0]), `the texts differ ${when}`);
}

/** Puts the caret into the text, by a key. */
export async function caret({ page }, key) {
  await page.locator("#text").focus();
  await page.keyboard.press(key);
}

/** Writes at the text's end. */
export async function write(person, text) {
  await caret(person, "Control+End");
  await person.page.keyboard.type(text);
}

/** Draws a wave, from a place of the drawing on. */
export async function stroke(person, x, y) {
  const mouse = await wave(person, x, y);
  await mouse.up();
}

/** Moves the pressed mouse in a wave, and returns it. */
export async function wave({ page }, x, y) {
  const box = await page.locator("#paper").boundingBox();
  await page.mouse.move(box.x + x, box.y + y);
  await page.mouse.down();
  for (let i = 1; i <= 30; i++) await page.mouse.move(box.x + x + 8 * i, box.y + y + 20 * Math.sin(i / 4));
  return page.mouse;
}

/** Moves the pressed eraser over all lines, which are about in the middle, and returns the mouse. */
export async function wipe({ page }) {
  await page.locator("#paper").focus();
  for (const key of ["0", "e"]) await page.keyboard.press(key);
  const box = await page.locator("#paper").boundingBox();
  const x = box.x + box.width / 2;
  await page.mouse.move(x, box.y + 70);
  await page.mouse.down();
  await page.mouse.move(x, box.y + box.height - 90, { steps: 10 });
  return page.mouse;
}

/** A room that nobody else has. */
export function fresh(name) {
  return `${name}-${Math.floor(Math.random() * 1e6)}`;
}

/** Keeps a picture of a page where a directory is given. */
export async function shoot({ page }, directory, name) {
  if (!directory) return;
  await mkdir(directory, { recursive: true });
  await page.screenshot({ path: join(directory, `${name}.png`) });
}
