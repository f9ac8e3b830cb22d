// A match that is shown late is watched from its beginning on: the wait is counted down.
//
//   node e2e/watch-late.mjs http://127.0.0.1:8080 [directory for screenshots]

import assert from "node:assert/strict";
import { enter, plays, until } from "./arena.mjs";
import { accessible, withBrowser } from "./browser.mjs";
import { open, PATIENCE, shoot } from "./page.mjs";

const [url, shots] = process.argv.slice(2);
if (!url) {
  console.error("usage: watch-late.mjs URL [DIRECTORY]");
  process.exit(2);
}

try {
  await withBrowser(late);
} catch (error) {
  console.error(`watch-late: ${error.stack ?? error}`);
  process.exitCode = 1;
}

async function late(browser) {
  const vera = await open(browser, new URL("/watch", url).href, "Vera", { viewport: { width: 1280, height: 800 } });
  await vera.page.evaluate(() => {
    const said = (window.said = []);
    const note = () => {
      const text = document.getElementById("link").textContent;
      if (text !== said.at(-1)) said.push(text);
      requestAnimationFrame(note);
    };
    note();
  });
  const anna = await enter(browser, url, "Anna", "?way=bots&bots=2&public=1");
  const { room } = await plays(anna);
  const card = vera.page.locator(`a[href="/watch?room=${room}"]`);
  await card.click({ timeout: PATIENCE });
  await until(vera, "told that it is shown soon", () => window.said.some((text) => /^The match is shown in (\d+ s|a moment)/.test(text)));
  await shoot(vera, shots, "watch-late");
  await accessible(vera.page, "the wait for a match");
  await until(vera, "watching", () => window.muster.screen === "live" && window.muster.seen.length > 20);
  assert.ok(await vera.page.locator("#link").isHidden(), "it still says that one must wait");
  assert.deepEqual(vera.complaints, []);
  for (const p of [anna, vera]) await p.context.close();
}
