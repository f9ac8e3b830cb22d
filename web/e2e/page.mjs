// Pages as people open them, for the scripts beside this file.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { complaints } from "./browser.mjs";

/** How long is waited, in ms, for whatever does not depend on how fast a page is: the machine may be busy. */
export const PATIENCE = 60_000;

/** Small, as a machine without a graphics card paints every pixel itself. */
export const WINDOW = { width: 720, height: 480 };

/**
 * Opens a page for a person: with a context of its own, and all that it complains about in complaints. before is called
 * with the person before the page is loaded.
 */
export async function open(browser, url, name, { before = () => {}, ...options } = {}) {
  const context = await browser.newContext({ viewport: WINDOW, reducedMotion: "no-preference", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const person = { name, context, page, complaints: complaints(page, name) };
  await before(person);
  const answer = await page.goto(url);
  assert.equal(answer?.status(), 200, "the page is not served");
  return person;
}

/** Keeps a picture of a page where a directory is given. */
export async function shoot({ page }, directory, name, options = {}) {
  if (!directory) return;
  await mkdir(directory, { recursive: true });
  await page.screenshot({ path: join(directory, `${name}.png`), ...options });
}
