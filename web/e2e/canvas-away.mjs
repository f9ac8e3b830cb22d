// What a page of the canvas does when its server goes away and comes back with what it had made durable.
//
//   node e2e/canvas-away.mjs http://127.0.0.1:8080 [directory for screenshots]
//
// The script prints "kill the server" and "start the server", and waits for a line after each.

import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { accessible, withBrowser } from "./browser.mjs";
import { enter, saved, stroke, until, write } from "./canvas-page.mjs";
import { shoot } from "./page.mjs";

const ROOM = "away";
const WINDOW = { width: 960, height: 640 };

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
  const people = [];
  for (const [name, colorScheme] of [["Anna", "dark"], ["Ben", "light"]]) {
    people.push(await enter(browser, url, ROOM, name, { colorScheme, viewport: WINDOW }));
  }
  const [anna, ben] = people;
  await write(anna, "Anna, before. ");
  await until(ben, "reading it", () => window.muster.text === "Anna, before. ");
  await stroke(ben, 100, 150);
  await until(anna, "seeing Ben's line", () => window.muster.lines === 1);
  for (const person of people) await saved(person);

  await ask("kill the server");
  for (const person of people) await until(person, "told that the connection is lost", () => window.muster.saved === "away");
  await write(anna, "Anna, meanwhile. ");
  await stroke(ben, 100, 300);
  for (const person of people) {
    await accessible(person.page, `${person.name} without a server`);
    await shoot(person, shots, `canvas-away-${person.name}`);
  }
  assert.match(await anna.page.locator("#saved").innerText(), /edits are kept/);

  await ask("start the server");
  for (const person of people) {
    await until(person, "seeing all", () => window.muster.text === "Anna, before. Anna, meanwhile. " && window.muster.lines === 2);
    await saved(person);
  }
  await write(ben, "Ben, after.");
  await until(anna, "reading it", () => window.muster.text.endsWith("Ben, after."));

  // Who comes now sees the same.
  const cleo = await enter(browser, url, ROOM, "Cleo");
  await until(cleo, "seeing all", () => window.muster.text === "Anna, before. Anna, meanwhile. Ben, after." && window.muster.lines === 2);
  const odd = people.flatMap((p) => p.complaints).filter((c) => !/WebSocket connection to|net::ERR_|status of (401|404|410|503)/.test(c));
  assert.deepEqual(odd, [], "the pages complain");
  console.log("a room went on with what was drawn and written while its server was gone");
}

async function ask(what) {
  console.log(what);
  await answers.next();
}
