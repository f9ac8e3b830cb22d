// The arena's page as a person uses it, for the scripts beside this file.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { complaints } from "./browser.mjs";

/** How long is waited, in ms, for whatever does not depend on how fast the game is: the machine may be busy. */
export const PATIENCE = 60_000;

/** Small, as a machine without a graphics card paints every pixel itself. */
export const WINDOW = { width: 720, height: 480 };

/** Opens a page for a person: with a context of its own, and all that it complains about in complaints. */
export async function open(browser, url, name, options = {}) {
  const context = await browser.newContext({ viewport: WINDOW, reducedMotion: "no-preference", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const person = { name, context, page, complaints: complaints(page, name) };
  await options.before?.(person);
  await page.goto(url);
  return person;
}

/** Opens the arena's page with a query, and joins by the keyboard. */
export async function enter(browser, url, name, query = "", options = {}) {
  const person = await open(browser, new URL(`/arena${query}`, url).href, name, options);
  await person.page.getByLabel("Callsign", { exact: true }).fill(name);
  await person.page.keyboard.press("Enter");
  return person;
}

/**
 * Waits until a person plays, with a ship in play where the game has ships, and returns their room and seat. Where the
 * server is too busy for another match, or was not there, they try again, as people do.
 */
export async function plays({ name, page, complaints }) {
  const settled = () => {
    const { muster } = window;
    if (muster.ready && (!muster.ships || muster.ships().some((s) => s.seat === muster.seat && s.hp > 0))) return "plays";
    // A form that is busy tries again by itself: its button would take that back.
    const refused = muster.screen === "join" && !document.getElementById("join-form").classList.contains("busy");
    return refused && /no new matches|does not answer/.test(document.getElementById("join-status").textContent) ? "refused" : false;
  };
  try {
    for (const end = Date.now() + 2 * PATIENCE; (await (await page.waitForFunction(settled, undefined, { polling: 200 })).jsonValue()) === "refused"; ) {
      if (Date.now() > end) throw new Error("refused");
      await page.locator("#play").click();
    }
  } catch {
    const told = await page.locator("#join-status, #message-text").allInnerTexts();
    throw new Error(`${name} does not play: ${[...told, ...complaints].filter(Boolean).join("; ") || "no word why"}`);
  }
  return page.evaluate(() => ({ room: window.muster.room, seat: window.muster.seat }));
}

/** Waits for something on a page; what is told where it does not come about. */
export async function until({ name, page }, what, condition, arg, timeout = PATIENCE) {
  try {
    return await page.waitForFunction(condition, arg, { timeout });
  } catch (error) {
    const { screen, state } = await page.evaluate(() => ({ screen: window.muster.screen, state: window.muster.state }));
    const said = await page.locator("#join-status, #message-text, #link, #podium-status").allInnerTexts();
    throw new Error(`${name}: not ${what}: ${error.message.split("\n")[0]} On the screen "${screen}", the match is "${state}": ${said.join("; ")}`);
  }
}

/** Keeps a picture of a page where a directory is given. */
export async function shoot({ page }, directory, name) {
  if (!directory) return;
  await mkdir(directory, { recursive: true });
  await page.screenshot({ path: join(directory, `${name}.png`) });
}

/** The value that a part of a list is at most. */
export function percentile(list, part) {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0;
}
