// What a page does when its tab is frozen, when its player's token ends, and when the server goes away and comes back.
//
//   node e2e/hardships.mjs http://127.0.0.1:8080 http://127.0.0.1:8081 MUSTER [directory for screenshots]
//
// MUSTER is the program that signs tokens for the first server. The script prints "kill the server" and "start the
// server", which are about the second one, and waits for a line after each. Every page must play again by itself, or say
// why not.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { enter, PATIENCE, plays, shoot, until } from "./arena.mjs";
import { accessible, withBrowser } from "./browser.mjs";

const SMALL = { viewport: { width: 400, height: 300 } }; // four pages draw at once
const TTL = 45; // seconds that a token is good for which ends in mid-match
const FROZEN = 12_000; // ms; a socket that is silent for ten seconds counts as lost

const [url, mortal, program, shots] = process.argv.slice(2);
if (!program) {
  console.error("usage: hardships.mjs URL URL MUSTER [DIRECTORY]");
  process.exit(2);
}

const lines = createInterface({ input: process.stdin });
const answers = lines[Symbol.asyncIterator]();
try {
  await withBrowser((browser) => Promise.all([frozen, renewed, expired, away].map((hardship) => hardship(browser))));
} catch (error) {
  console.error(`hardships: ${error.stack ?? error}`);
  process.exitCode = 1;
} finally {
  lines.close();
}

/** A tab that the browser stops for a while. */
async function frozen(browser) {
  const anna = await enter(browser, url, "Anna", "?way=bots&bots=3", SMALL);
  const { room, seat } = await plays(anna);
  const session = await anna.context.newCDPSession(anna.page);
  const before = await anna.page.evaluate(() => window.muster.tick);
  await session.send("Page.setWebLifecycleState", { state: "frozen" });
  await new Promise((resolve) => setTimeout(resolve, FROZEN));
  await session.send("Page.setWebLifecycleState", { state: "active" });
  await until(anna, "playing in the present", (tick) => window.muster.ready && window.muster.tick >= tick, before + FROZEN / 50);
  assert.deepEqual(await plays(anna), { room, seat });
  await until(anna, "showing the present", () => window.muster.tick - window.muster.shownTick < 20);
  assert.deepEqual(anna.complaints.filter(own), []);
  await anna.context.close();
  console.log("after a tab was frozen its page plays on in its seat");
}

/** A token that ends, and is renewed before. */
async function renewed(browser) {
  const ben = await enter(browser, url, "Ben", "?way=bots&bots=3", { ...SMALL,
    before: ({ page }) => page.route("**/v1/guests", async (route) => route.fulfill({ status: 201, json: await guest("guest-ben") })),
  });
  const before = await plays(ben);
  await until(ben, "in possession of a newer token", () => window.muster.stats?.refreshes > 0, undefined, TTL * 1000 + PATIENCE);
  const on = await ben.page.evaluate(() => window.muster.tick);
  await until(ben, "playing on", (tick) => window.muster.ready && window.muster.tick > tick, on + 20 * 12);
  assert.deepEqual(await plays(ben), before);
  assert.deepEqual(ben.complaints, []);
  await ben.context.close();
  console.log("a token that ends in mid-match is renewed");
}

/** A token that ends and that nobody renews: the page goes on as another guest. */
async function expired(browser) {
  let [first, again] = [true, () => {}];
  const another = new Promise((resolve) => (again = resolve));
  const cleo = await enter(browser, url, "Cleo", "?way=bots&bots=3", { ...SMALL,
    before: async ({ page }) => {
      await page.route("**/v1/guests", async (route) => {
        if (!first) {
          again();
          return route.continue();
        }
        first = false;
        return route.fulfill({ status: 201, json: await guest("guest-cleo") });
      });
      await page.route("**/v1/guests/renew", (route) => route.fulfill({ status: 500, contentType: "application/problem+json", body: '{"status":500,"title":"broken"}' }));
    },
  });
  await plays(cleo);
  await Promise.race([another, until(cleo, "told that the token has ended, or another guest", () => window.muster.screen === "message", undefined, TTL * 1000 + PATIENCE)]);
  if ((await cleo.page.evaluate(() => window.muster.screen)) === "message") await cleo.page.locator("#message-retry").click();
  await plays(cleo);
  assert.deepEqual(cleo.complaints.filter((c) => own(c) && !/status of (500|401)/.test(c)), []);
  await cleo.context.close();
  console.log("where a token is not renewed the page plays on as another guest");
}

/** A server that is killed, and another one at the same address. */
async function away(browser) {
  const dan = await enter(browser, mortal, "Dan", "?way=bots&bots=3", SMALL);
  const { room } = await plays(dan);
  console.log("kill the server");
  await answers.next();
  await until(dan, "told that the connection is lost", () => !document.getElementById("link").hidden || window.muster.screen === "message");
  await shoot(dan, shots, "server-gone");
  await accessible(dan.page, "without a server");
  console.log("start the server");
  await answers.next();
  await until(dan, "in another match, or told why not", (room) => {
    return window.muster.screen === "message" || window.muster.screen === "join" || (window.muster.ready && window.muster.room !== room);
  }, room);
  const screen = await dan.page.evaluate(() => window.muster.screen);
  await shoot(dan, shots, "server-back");
  if (screen === "message") {
    const text = await dan.page.locator("#message-text").innerText();
    assert.match(text, /\w{4}/, "the page does not say why");
    await accessible(dan.page, "the message");
    await dan.page.locator("#message-retry").click();
    console.log(`when the server is back the page says: ${text}`);
  }
  await plays(dan);
  const odd = dan.complaints.filter((c) => own(c) && !/status of (401|404|410)|ERR_CONNECTION|ERR_EMPTY/.test(c));
  assert.deepEqual(odd, [], "the page complains");
  console.log("after the server was gone and back the page plays again");
}

/** Whether the page itself complains, and not the browser of a network that is gone. */
function own(complaint) {
  return !/WebSocket connection to|net::ERR_/.test(complaint);
}

/** Who a guest is, as a server answers it: the token is signed when it is asked for, as its time runs from then on. */
async function guest(player) {
  const { stdout } = await promisify(execFile)(program, ["token", "--sub", player, "--name", player, "--ttl", `${TTL}s`]);
  return { player, token: stdout.trim(), expires: new Date(Date.now() + 10_000) };
}
