// Every screen of the front page and of the arena, dark and light, judged by axe.
//
//   node e2e/accessible.mjs http://127.0.0.1:8080 [directory for screenshots]

import assert from "node:assert/strict";
import { enter, plays, until } from "./arena.mjs";
import { accessible, withBrowser } from "./browser.mjs";
import { open, shoot } from "./page.mjs";

const [url, shots] = process.argv.slice(2);
if (!url) {
  console.error("usage: accessible.mjs URL [DIRECTORY]");
  process.exit(2);
}

try {
  await withBrowser((browser) => Promise.all(["dark", "light"].map((colorScheme) => visit(browser, colorScheme))));
} catch (error) {
  console.error(`accessible: ${error.stack ?? error}`);
  process.exitCode = 1;
}

async function visit(browser, colorScheme) {
  const look = async (person, screen) => {
    await shoot(person, shots, `${colorScheme}-${screen}`);
    await accessible(person.page, `${screen}, ${colorScheme}`);
  };
  const options = { colorScheme, viewport: { width: 960, height: 640 }, reducedMotion: "reduce" };
  const front = await open(browser, url, colorScheme, options);
  await look(front, "front");
  await front.page.goto(new URL("/arena", url).href);
  await front.page.getByLabel("Callsign", { exact: true }).waitFor();
  await look(front, "form");
  await front.page.goto(new URL("/arena?way=friends", url).href);
  await front.page.getByPlaceholder("new room").fill("ABCDEF");
  await front.page.keyboard.press("Enter");
  await until(front, "told that there is no such room", () => document.getElementById("join-status").classList.contains("bad") ||
    !document.getElementById("join-form").classList.contains("busy") && document.getElementById("join-status").textContent !== "");
  await look(front, "form-refused");
  // The browser itself complains of the room that is not there.
  assert.deepEqual(front.complaints.filter((c) => !c.includes("status of 404")), []);
  await front.context.close();

  const pilot = await enter(browser, url, "Anna", "?way=bots&bots=5&round=10&overlay=1", options);
  await plays(pilot);
  await look(pilot, "game-overlay");
  await pilot.page.keyboard.press("Backquote");
  await look(pilot, "game");
  await until(pilot, "on the podium", () => !document.getElementById("podium").hidden);
  await look(pilot, "podium");
  assert.deepEqual(pilot.complaints, []);
}
