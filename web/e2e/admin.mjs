// The page of operators: what it shows of a player in the arena, and what is done from it.
//
//   node e2e/admin.mjs acts URL [directory for screenshots]
//   node e2e/admin.mjs looks URL [directory for screenshots]
//   node e2e/admin.mjs signs-in URL [directory for screenshots]
//
// The first two are for a server of development. With "acts" the script prints "kill the server" and "start the server", and
// waits for a line after each. The third is for a server with a key of its own, by which two tokens are signed: PLAYER_TOKEN has no role,
// ADMIN_TOKEN the role admin.

import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { enter, plays } from "./arena.mjs";
import { accessible, withBrowser } from "./browser.mjs";
import { open, shoot } from "./page.mjs";

const [what, url, shots] = process.argv.slice(2);
const { PLAYER_TOKEN: player, ADMIN_TOKEN: admin } = process.env;
const part = { acts, looks, "signs-in": signsIn }[what];
if (!part || !url) {
  console.error("usage: admin.mjs acts|looks|signs-in URL [DIRECTORY]");
  process.exit(2);
}

const lines = createInterface({ input: process.stdin });
const answers = lines[Symbol.asyncIterator]();
try {
  await withBrowser(part);
} catch (error) {
  console.error(`admin: ${error.stack ?? error}`);
  process.exitCode = 1;
} finally {
  lines.close();
}

/** Opens the page of operators. */
function visit(browser, options) {
  return open(browser, new URL("/admin", url).href, "operator", { viewport: { width: 1280, height: 800 }, ...options });
}

/** Waits for something on the page. */
async function until(page, what, condition, arg) {
  await page.waitForFunction(condition, arg).catch(async () => {
    const said = await page.locator("#live, #banner-text, #rooms-status, #room-status, #state-status, #ask-status, #token-status, #told").allInnerTexts();
    throw new Error(`the operator's page: not ${what}: ${said.filter(Boolean).join("; ")}`);
  });
}

/** On the page: whether an element says something. */
function says([id, text]) {
  return document.getElementById(id).textContent.includes(text);
}

/** An operator sees a player, looks into the room, and acts. */
async function acts(browser) {
  const anna = await enter(browser, url, "Anna", "?way=bots&bots=3", { viewport: { width: 480, height: 320 }, reducedMotion: "reduce" });
  const { room } = await plays(anna);
  const { context, page, complaints: list } = await visit(browser, { colorScheme: "dark" });
  await until(page, "live", says, ["live-text", "Live"]);
  await until(page, "showing the room and the player", () => {
    const row = [...document.querySelectorAll("#games tbody tr")].find((r) => r.cells[0].textContent === "arena");
    return row?.cells[1].textContent === "1" && row.cells[2].textContent === "1" &&
      document.getElementById("total-rooms").textContent === "2" && document.getElementById("total-players").textContent === "2";
  });
  await until(page, "listing the room", (id) => document.querySelector(`#rooms a[href="#room/${id}"]`), room);
  await reads(page);
  await accessible(page, "the overview, dark");
  await shoot({ page }, shots, "admin-dark", { fullPage: true });
  await page.locator("#as-table").click();
  await accessible(page, "the overview as a table");
  await page.locator("#as-table").click();
  await page.locator("#rooms-game").selectOption("dashboard");
  await until(page, "without the rooms of other games", (id) => !document.querySelector(`#rooms a[href="#room/${id}"]`), room);
  await page.locator("#rooms-game").selectOption("arena");
  await drains(page);

  await page.locator(`#rooms a[href="#room/${room}"]`).click();
  await treeOpens(page);
  await accessible(page, "a room, dark");
  await shoot({ page }, shots, "admin-room-dark", { fullPage: true });
  const id = await page.locator("#players li span").first().innerText();
  assert.match(id, /^guest-/);

  await announces(page, anna);
  await page.getByRole("button", { name: `Kick ${id}` }).click();
  await page.locator("#ask-yes").click();
  await until(page, "asking for a reason", says, ["ask-status", "say something"]);
  await accessible(page, "a question");
  await shoot({ page }, shots, "admin-question");
  await page.getByLabel("Reason, which players see").fill("Too good for the others");
  await page.keyboard.press("Enter");
  await until(page, "saying that she is out", says, ["told", `${id} is sent out.`]);
  await anna.page.waitForFunction(() => !document.getElementById("message").hidden && document.getElementById("message-text").textContent.includes("Too good for the others"));
  await until(page, "without her among the players", (p) => !document.getElementById("players").textContent.includes(p), id);
  console.log("a player was kicked and was told why");

  await anna.page.locator("#message-retry").click();
  const next = (await plays(anna)).room;
  await page.evaluate((r) => (location.hash = `#room/${r}`), next);
  await until(page, "showing the next room", ([r, g]) => document.getElementById("room-title").textContent === r && document.getElementById("room-facts").textContent.includes(g), [next, "arena"]);
  await page.locator("#room-end").click();
  await page.getByLabel("Reason, which players see").fill("Maintenance until noon");
  await page.locator("#ask-yes").click();
  await until(page, "saying that the match is over", says, ["told", "The match is over."]);
  await anna.page.waitForFunction(() => !document.getElementById("parting").hidden && document.getElementById("parting").textContent.includes("Maintenance until noon"));
  await until(page, "without the room", says, ["room-status", "There is no such room now."]);
  console.log("a match was ended and its player was told why");
  await anna.context.close();

  await page.evaluate(() => (location.hash = "")); // as Back does
  await serverGoes(page);
  assert.deepEqual(list.filter(own), []);
  await context.close();
}

/** How it looks in other windows. */
async function looks(browser) {
  for (const [name, options] of [["light", { colorScheme: "light" }], ["small", { colorScheme: "dark", viewport: { width: 400, height: 700 } }]]) {
    const other = await visit(browser, options);
    await until(other.page, "showing numbers", () => document.getElementById("total-nodes").textContent === "1");
    await until(other.page, "listing rooms", () => document.querySelector("#rooms tbody a"));
    await accessible(other.page, `the overview, ${name}`);
    await shoot({ page: other.page }, shots, `admin-${name}`, { fullPage: true });
    assert.ok(await other.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name}: the page is wider than the window`);
    assert.deepEqual(other.complaints.filter(own), []);
    await other.context.close();
  }
}

/** What a plot says to who moves in it by the keyboard. */
async function reads(page) {
  const plot = page.getByRole("slider", { name: "Players, lately" });
  await until(page, "plotting some moments", () => Number(document.querySelectorAll("#plots .paper").length) === 6 && /: seats \d/.test(document.querySelector("#plots .paper").getAttribute("aria-valuetext")));
  await plot.focus();
  await page.keyboard.press("Home");
  const first = await plot.getAttribute("aria-valuetext");
  assert.match(first, /^\d\d:\d\d:\d\d: seats \d+, sockets \d+$/);
  await page.keyboard.press("Escape");
  await until(page, "back at the newest", (was) => document.querySelector("#plots .paper").getAttribute("aria-valuetext") !== was, first);
}

/** The server drains, and takes rooms again. */
async function drains(page) {
  await page.getByRole("button", { name: /^Drain server/ }).click();
  await page.getByRole("button", { name: "Drain it" }).click();
  await until(page, "showing that it drains", () => document.querySelector("#nodes .state")?.textContent === "Drains");
  await page.getByRole("button", { name: /^Undrain server/ }).click();
  await page.getByRole("button", { name: "Give it rooms" }).click();
  await until(page, "showing that it takes rooms", () => document.querySelector("#nodes .state")?.textContent !== "Drains");
  console.log("a server drained and takes rooms again");
}

/** The state opens as a tree, by the keyboard. */
async function treeOpens(page) {
  await until(page, "showing the state", () => document.querySelectorAll("#state tbody tr").length >= 3);
  await page.locator("#state tbody tr").first().focus();
  const focused = () => page.evaluate(() => [document.activeElement.getAttribute("aria-level"), document.activeElement.cells?.[0].textContent]);
  assert.deepEqual(await focused(), ["1", "Ships"]);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  assert.equal((await focused())[0], "2");
  await page.keyboard.press("Enter");
  await until(page, "showing the player's ship", () => [...document.querySelectorAll("#state tbody tr")].some((r) => r.cells[0].textContent === "Name" && r.cells[1].textContent === '"Anna"'));
  const tick = await page.locator("#state-tick").innerText();
  await page.getByLabel("Follow").check();
  await until(page, "following the state", (was) => document.getElementById("state-tick").textContent !== was, tick);
  await until(page, "marking what changes", () => document.querySelector("#state tr.changed"));
  await page.getByLabel("Follow").uncheck();
  await page.keyboard.press("Tab");
  await page.locator('#state tbody tr[tabindex="0"]').focus();
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  assert.deepEqual(await focused(), ["1", "Ships"]);
  console.log("the state opens as a tree");
}

/** An announcement reaches who is in the room. */
async function announces(page, anna) {
  await page.locator("#room-announce").click();
  await page.getByLabel("Headline").fill("A <b>storm</b> is coming");
  await page.getByLabel("More, if there is more to say").fill("Hold on.\nIt passes.");
  await page.locator("#ask-yes").click();
  await until(page, "saying whom it told", says, ["told", "Announced to 1 player."]);
  const inbox = await anna.page.evaluate(async () => {
    const kept = Object.values(sessionStorage).map((v) => { try { return JSON.parse(v); } catch { return {}; } }).find((v) => v?.token);
    const answer = await fetch("/v1/me/inbox", { headers: { Authorization: `Bearer ${kept.token}` } });
    return JSON.stringify(await answer.json());
  });
  assert.match(inbox, /A <b>storm<\/b> is coming/);
  assert.match(inbox, /"announcement"/);
  console.log("an announcement reached the player");
}

/** The server is gone, and comes back. */
async function serverGoes(page) {
  await until(page, "back at the overview", () => document.body.dataset.screen === "overview");
  await please("kill the server");
  await until(page, "saying that the server is away", () => !document.getElementById("banner").hidden && document.getElementById("live-text").textContent === "Not live");
  await accessible(page, "while the server is away");
  await shoot({ page }, shots, "admin-away");
  await please("start the server");
  await until(page, "live again by itself", () => document.getElementById("banner").hidden && document.getElementById("live-text").textContent === "Live");
  console.log("the page came back with the server");
}

/** Where tokens are asked for: a player's is refused, an operator's is kept by the tab alone. */
async function signsIn(browser) {
  const { context, page, complaints: list } = await visit(browser, { colorScheme: "light" });
  await page.getByLabel("Token").waitFor();
  await accessible(page, "signing in");
  const enterToken = async (token) => {
    await page.getByLabel("Token").fill(token);
    await page.getByRole("button", { name: "Sign in" }).click();
  };
  await enterToken("eyJ nonsense");
  await until(page, "refusing nonsense", says, ["token-status", "valid player token is needed"]);
  await enterToken(player);
  await until(page, "refusing a player", says, ["token-status", "role admin is needed"]);
  await shoot({ page }, shots, "admin-sign-in");
  assert.equal(await page.locator("#overview").isVisible(), false);
  await enterToken(admin);
  await until(page, "live", says, ["live-text", "Live"]);
  await until(page, "showing the server", () => document.getElementById("total-nodes").textContent === "1");
  assert.ok(!(await page.evaluate(() => JSON.stringify({ ...localStorage }))).includes("eyJ"), "the token is kept after the tab is closed");
  await page.reload();
  await until(page, "live after a reload", says, ["live-text", "Live"]);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Token").waitFor();
  assert.ok(!(await page.evaluate(() => JSON.stringify({ ...sessionStorage }))).includes("eyJ"), "the token is kept after signing out");
  assert.deepEqual(list.filter(own), []);
  await context.close();
  console.log("a player's token is refused, an operator's is not");
}

/** Whether a complaint is of the page: not that requests failed which were to fail. */
function own(complaint) {
  return !/status of 40[134]|ERR_CONNECTION|WebSocket connection|net::ERR/.test(complaint);
}

/** Asks the test for something, and waits until it is done. */
async function please(what) {
  console.log(what);
  const { done } = await answers.next();
  assert.ok(!done, "nobody answers");
}
