// A match of a game that /watch knows nothing of is watched as a replay.
//
//   node e2e/watch-tables.mjs http://127.0.0.1:8080 [directory for screenshots]

import assert from "node:assert/strict";
import { plays } from "./arena.mjs";
import { accessible, withBrowser } from "./browser.mjs";
import { open, PATIENCE, shoot } from "./page.mjs";
import { until } from "./watch-page.mjs";

const [url, shots] = process.argv.slice(2);
if (!url) {
  console.error("usage: watch-tables.mjs URL [DIRECTORY]");
  process.exit(2);
}

try {
  await withBrowser(tables);
} catch (error) {
  console.error(`watch-tables: ${error.stack ?? error}`);
  process.exitCode = 1;
}

/** A game that the page knows nothing of is shown as tables that live. */
async function tables(browser) {
  const player = await open(browser, new URL("/cards?go=bots&bots=3", url).href, "Fay");
  await plays(player);
  // A match is watched as far as it has been played: something of it must have been, or there is nothing that changes.
  const room = await eventually("a card played in a room", async () => {
    const id = (await get(url, "/v1/admin/rooms?game=cards")).rooms?.find((r) => r.players > 0)?.id;
    const state = id && (await get(url, `/v1/admin/rooms/${id}/state`));
    return state?.tables?.find((t) => t.name === "Round")?.rows[0]?.fields.Acts > 0 ? id : undefined;
  });
  const gus = await open(browser, new URL(`/watch?match=${room}`, url).href, "Gus", { viewport: { width: 1280, height: 800 } });
  await until(gus, "shown tables", () => window.muster.screen === "replay" && document.querySelectorAll("#stage section.state").length > 0);
  await gus.page.locator("#seek").focus();
  await gus.page.keyboard.press("Space");
  await until(gus, "shown what changes", () => document.querySelector("#stage .changed") !== null);
  await gus.page.keyboard.press("End");
  await until(gus, "at the end", () => window.muster.replay.to === window.muster.tick);
  await shoot(gus, shots, "watch-tables");
  await accessible(gus.page, "tables");
  assert.deepEqual(gus.complaints, []);
  await gus.context.close();
  await player.context.close();
}

async function get(url, path) {
  return (await fetch(new URL(path, url))).json();
}

/** What ask answers, once it does. */
async function eventually(what, ask) {
  for (const end = Date.now() + PATIENCE; Date.now() < end; await new Promise((done) => setTimeout(done, 250))) {
    const answer = await ask();
    if (answer) return answer;
  }
  throw new Error(`no ${what} in ${PATIENCE / 1000} s`);
}
