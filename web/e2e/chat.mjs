// Three people in the lobby's page: presence, messages, a group, notifications, mutes, a party that queues, a match, and
// the chat beside the game.
//
//   node e2e/chat.mjs http://127.0.0.1:8080 SERVICE_TOKEN [directory for screenshots]
//
// Needs a server with a queue "trio" of three who must confirm. It asks for the server to be killed and started in lines
// of its own, and waits for an answer.

import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { accessible, complaints, withBrowser } from "./browser.mjs";
import { PATIENCE, shoot } from "./page.mjs";

const WIDE = { width: 1280, height: 800 };
const SMALL = { width: 400, height: 700 };
const MARKUP = `<img src=x onerror="document.title='broken'"> <b>bold</b> &amp;`;

const [url, service, shots] = process.argv.slice(2);
if (!url || !service) {
  console.error("usage: chat.mjs URL SERVICE_TOKEN [DIRECTORY]");
  process.exit(2);
}
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

try {
  await withBrowser(visit);
} catch (error) {
  console.error(`chat: ${error.stack ?? error}`);
  process.exitCode = 1;
} finally {
  process.stdin.destroy();
}

async function visit(browser) {
  const ann = await open(browser, "Ann", WIDE, "dark");
  const ben = await open(browser, "Ben", WIDE, "light");
  await shoot(ann, shots, "chat-1-sign-in");
  await accessible(ann.page, "signing in");
  await signIn(ann);
  await signIn(ben);
  await shoot(ann, shots, "chat-2-empty");
  await presence(ann, ben);
  await direct(ann, ben);
  await strange(ann, ben);
  await group(ann, ben);
  await mute(ann, ben);
  const cleo = await offline(browser);
  await party(ann, ben, cleo);
  await match(ann, ben, cleo);
  quiet(ann, ben, cleo);
  await away(cleo);
  await signsOut(cleo);
}

async function open(browser, name, viewport, colorScheme) {
  const context = await browser.newContext({ viewport, colorScheme, reducedMotion: "reduce" });
  const person = { name, context, id: "", page: undefined, complaints: [] };
  await show(person);
  return person;
}

/** Opens the page in the browser of a person. */
async function show(person) {
  const page = await person.context.newPage();
  page.setDefaultTimeout(PATIENCE);
  person.page = page;
  person.complaints = complaints(page, person.name);
  const answer = await page.goto(new URL("/chat", url).href);
  assert.equal(answer?.status(), 200, "the page is not served");
}

/** Signs in by the keyboard alone. */
async function signIn(person) {
  await person.page.getByLabel("Your name").fill(person.name);
  await person.page.keyboard.press("Enter");
  await entered(person);
}

async function entered(person) {
  await person.page.locator("#app").waitFor();
  await until(person, "signed in", () => window.lobbyPage.state === "open" && document.getElementById("my-id").textContent !== "");
  person.id = await person.page.locator("#my-id").innerText();
}

async function presence(ann, ben) {
  const { page } = ann;
  await page.getByRole("link", { name: "People" }).first().click();
  await page.getByLabel("Add somebody by their id").fill("nobody-at-all");
  await page.keyboard.press("Enter");
  await page.getByText("There is no such player.").waitFor();
  ann.complaints.splice(0, ann.complaints.length, ...ann.complaints.filter((c) => !c.includes("status of 404")));
  await page.getByLabel("Add somebody by their id").fill(ben.id);
  await page.keyboard.press("Enter");
  await personIs(ann, ben, "online");
  await shoot(ann, shots, "chat-3-people");
  await accessible(page, "people");
  // Whoever wants to be seen by nobody is not seen.
  await ben.page.getByRole("link", { name: "People" }).first().click();
  await ben.page.locator("#watch").getByText("Nobody").click();
  await personIs(ann, ben, "offline");
  await ben.page.locator("#watch").getByText("Everyone").click();
  await personIs(ann, ben, "online");
}

function personIs(who, other, state) {
  return who.page.locator(`#people [data-player="${other.id}"] .state`).filter({ hasText: new RegExp(`^${state}`) }).waitFor().catch(() => {
    throw new Error(`${who.name} does not see ${other.name} ${state}`);
  });
}

async function direct(ann, ben) {
  await ann.page.getByRole("link", { name: "Message Ben" }).click();
  await say(ann, "Shall we play?");
  await said(ann, "Shall we play?");
  // It comes to Ben's list, as unread, whatever he looks at.
  const talk = listed(ben, "Ann");
  await talk.locator(".count").filter({ hasText: /^1$/ }).waitFor();
  await until(ben, "told in the title", () => document.title.startsWith("(1)"));
  await talk.click();
  await said(ben, "Shall we play?");
  await until(ben, "done with what is unread", () => !document.title.startsWith("("));
  await say(ben, "Sure.\nGive me a minute.");
  await said(ann, "Sure.");
}

/** Markup and control characters, and more than may be written at once. */
async function strange(ann, ben) {
  await say(ann, MARKUP);
  await said(ben, MARKUP);
  assert.equal(await ben.page.locator("#log img, #log .text b").count(), 0, "markup became elements");
  assert.ok(!(await ben.page.title()).includes("broken"), "markup was carried out");
  await say(ann, "turned \u202E around");
  const refused = ann.page.locator("#log .failed").filter({ hasText: "turned" });
  await refused.getByText("Not sent. Expected text that is not blank, with no control characters but newlines.").waitFor();
  await refused.getByRole("button", { name: "Change" }).click();
  assert.ok((await ann.page.locator("#say").inputValue()).includes("turned"), "a refused text is lost");
  await ann.page.locator("#say").fill("");

  await ann.page.evaluate(() => { // faster than a driver types
    for (let i = 0; i < 30; i++) {
      document.getElementById("say").value = `flood ${i}`;
      document.getElementById("say-form").requestSubmit();
    }
  });
  const flooded = ann.page.locator("#log .failed").first();
  await flooded.getByText(/Not sent. (You write too much|Too many requests)/).waitFor();
  await shoot(ann, shots, "chat-4-refused");
  await accessible(ann.page, "a conversation with refused messages");
  // Later it goes, once, as the same message.
  const text = await flooded.locator(".text").innerText();
  await ann.page.waitForFunction((text) => {
    const line = [...document.querySelectorAll("#log .line")].find((l) => l.querySelector(".text").textContent === text);
    line?.querySelector(".why button")?.click();
    return line?.matches(":not(.failed):not(.sending)");
  }, text, { polling: 1000, timeout: PATIENCE });
  await said(ben, text);
  await until(ann, "done with what was not sent", () => {
    for (const b of document.querySelectorAll("#log .failed button:last-child")) b.click();
    return document.querySelector("#log .failed") === null;
  });
  await shoot(ben, shots, "chat-5-direct");
}

async function group(ann, ben) {
  await ann.page.getByRole("button", { name: "New group" }).click();
  await ann.page.getByLabel("Name of the group").fill("Friday's players");
  await ann.page.keyboard.press("Enter");
  await ann.page.getByRole("heading", { name: "Friday's players" }).waitFor();
  await ann.page.getByRole("button", { name: "Invite", exact: true }).click();
  await ann.page.getByLabel("Whom to invite").fill("ben");
  await ann.page.keyboard.press("Enter");
  await ann.page.getByText("Ben is invited.").waitFor();
  await ben.page.locator("#inbox-count").filter({ hasText: /^1$/ }).waitFor();
  await ben.page.getByRole("link", { name: "Notifications" }).click();
  await shoot(ben, shots, "chat-6-invited");
  await accessible(ben.page, "notifications");
  await ben.page.getByRole("button", { name: /^Join: Ann invites you to the group/ }).click();
  await ben.page.getByRole("heading", { name: "Friday's players" }).waitFor();
  await say(ben, "Hello all");
  await said(ann, "Hello all");
  await say(ann, "Eight o'clock?");
  await said(ben, "Eight o'clock?");
  // What is being written outlives a reload, and what was said is there again.
  await ben.page.locator("#say").fill("or rather\nnine");
  await ben.page.reload();
  await entered(ben);
  await said(ben, "Hello all");
  await said(ben, "Eight o'clock?");
  assert.equal(await ben.page.locator("#say").inputValue(), "or rather\nnine", "a draft is lost");
  await ben.page.locator("#say").fill("");
  await shoot(ben, shots, "chat-7-group");
}

async function mute(ann, ben) {
  await listed(ben, "Ann").click();
  await ben.page.getByRole("heading", { name: "Ann" }).waitFor();
  await ben.page.getByRole("button", { name: "Mute", exact: true }).click();
  await ben.page.getByText("You no longer read what Ann writes.").waitFor();
  await until(ben, "without what was written", () => document.querySelectorAll("#log .line:not(.mine)").length === 0);
  await listed(ann, "Ben").click();
  await ann.page.getByRole("heading", { name: "Ben" }).waitFor();
  await say(ann, "do you hear me?");
  await said(ann, "do you hear me?");
  await ann.page.locator("#log .sending").waitFor({ state: "detached" });
  assert.equal(await ann.page.locator("#log .failed").count(), 0, "a muted player notices");
  await say(ben, "…");
  await said(ann, "…"); // what was written before has come by now, if it does
  assert.equal(await ben.page.locator("#log .text", { hasText: "do you hear me?" }).count(), 0, "a muted player is heard");
  await ben.page.getByRole("button", { name: "Unmute" }).click();
  await said(ben, "do you hear me?");
}

/** A notification that is sent while a player is away waits for him. */
async function offline(browser) {
  const cleo = await open(browser, "Cleo", SMALL, "dark");
  await signIn(cleo);
  await shoot(cleo, shots, "chat-8-small-list");
  await accessible(cleo.page, "the list, small");
  await cleo.page.close();
  const answer = await fetch(new URL("/v1/notifications", url), {
    method: "POST", headers: { Authorization: `Bearer ${service}`, "Content-Type": "application/json" },
    body: JSON.stringify({ to: `player:${cleo.id}`, kind: "maintenance", title: "Maintenance at 04:00 UTC", body: "It takes ten minutes.\n<b>Really.</b>" }),
  });
  assert.equal(answer.status, 202, await answer.text());
  await show(cleo);
  await entered(cleo);
  await cleo.page.locator("#inbox-count").filter({ hasText: /^1$/ }).waitFor();
  await cleo.page.getByRole("link", { name: "Notifications" }).click();
  await cleo.page.getByText("Maintenance at 04:00 UTC").waitFor();
  await cleo.page.locator("#notices .text").filter({ hasText: "<b>Really.</b>" }).waitFor();
  await shoot(cleo, shots, "chat-9-small-notifications");
  await accessible(cleo.page, "notifications, small");
  await until(cleo, "done with the badge", () => document.getElementById("inbox-count").hidden);
  await cleo.page.getByRole("link", { name: "Back to the list" }).click();
  return cleo;
}

async function party(ann, ben, cleo) {
  for (const p of [ann, ben, cleo]) await p.page.getByRole("link", { name: /^Play/ }).first().click();
  await ann.page.getByRole("button", { name: "Create a party" }).click();
  await until(ann, "told the code", () => /^[A-Z0-9]{3} [A-Z0-9]{3}$/.test(document.getElementById("party-code-text").textContent));
  await ben.page.getByLabel("Or join by a code").fill((await ann.page.locator("#party-code-text").innerText()).toLowerCase());
  await ben.page.keyboard.press("Enter");
  for (const p of [ann, ben]) await p.page.locator("#party-members .member").nth(1).waitFor();
  await ben.page.getByText("Your party's leader chooses the queue.").waitFor();
  for (const p of [ann, ben]) await p.page.getByRole("button", { name: "I am ready" }).click();
  await until(ann, "with a party that is ready", () => document.querySelectorAll("#party-members .ready").length === 2);
  await ann.page.getByRole("button", { name: "Make leader: Ben" }).waitFor();
  await ann.page.getByRole("link", { name: "Chat", exact: true }).click();
  await say(ann, "Trio?");
  await listed(ben, "Party").locator(".count").waitFor();
  await ann.page.getByRole("link", { name: /^Play/ }).first().click();
  await shoot(ben, shots, "chat-10-party");

  await ann.page.getByRole("button", { name: "Join as party: trio" }).click();
  for (const p of [ann, ben]) {
    await p.page.getByText("Waiting in trio with 1 other").waitFor();
    await p.page.locator(".why-box").getByText(/a match needs 3 players/).waitFor();
  }
  await shoot(ann, shots, "chat-11-waiting");
  await accessible(ann.page, "waiting in a queue");
  await ann.page.getByRole("link", { name: "People" }).first().click();
  await personIs(ann, ben, "in a queue");
  await ann.page.getByRole("link", { name: /^Play/ }).first().click();

  await cleo.page.getByRole("button", { name: "Join: trio" }).click();
  for (const p of [ann, ben, cleo]) await p.page.getByRole("button", { name: "Accept" }).waitFor();
  await shoot(cleo, shots, "chat-12-small-confirm");
  await accessible(cleo.page, "asked whether one is ready, small");
  for (const p of [ann, ben, cleo]) await p.page.getByRole("button", { name: "Accept" }).click();
  for (const p of [ann, ben, cleo]) await p.page.getByText("Your match is ready", { exact: true }).first().waitFor();
  await shoot(ben, shots, "chat-13-matched");
  await accessible(ben.page, "matched");
}

/** All go into the match, and talk beside it. */
async function match(ann, ben, cleo) {
  for (const p of [ann, ben, cleo]) await p.page.getByRole("button", { name: "Play", exact: true }).click();
  for (const p of [ann, ben, cleo]) await until(p, "in the match", () => window.muster?.ready);
  const rooms = await Promise.all([ann, ben, cleo].map((p) => p.page.evaluate(() => window.muster.room)));
  assert.equal(new Set(rooms).size, 1, `they are in rooms ${rooms}`);
  // What is written before that is not sent, or is no news when it comes.
  for (const p of [ann, ben, cleo]) await until(p, "in the room's chat", () => document.querySelector(".room-chat")?.dataset.live === "on");

  const field = (p) => p.page.getByLabel("Message to the room");
  await ann.page.bringToFront();
  await ann.page.locator("#field").focus();
  const before = await ann.page.evaluate(() => window.muster.ship());
  await ann.page.keyboard.press("Enter");
  await field(ann).waitFor();
  await ann.page.keyboard.type("wasd a d, and w");
  await ann.page.keyboard.press("Enter");
  await ann.page.locator(".room-chat .text").filter({ hasText: "wasd a d, and w" }).waitFor();
  assert.equal((await ann.page.evaluate(() => window.muster.ship())).angle, before.angle, "what is typed steers the ship");
  await ben.page.locator(".room-chat .count").filter({ hasText: /^1$/ }).waitFor();
  await ben.page.getByRole("button", { name: "Chat 1 unread" }).click();
  await ben.page.locator(".room-chat .text").filter({ hasText: "wasd a d, and w" }).waitFor();
  await shoot(ben, shots, "chat-14-beside-the-game");
  await accessible(ben.page, "a game with its chat");
  // Muted from the name's menu, Ann is no longer read.
  await ben.page.getByRole("button", { name: "Ann: what can be done" }).click();
  await ben.page.getByRole("button", { name: "Mute Ann" }).click();
  await ben.page.getByText("You do not see what Ann writes.").waitFor();
  await until(ben, "without Ann's words", () => document.querySelectorAll(".room-chat .line").length === 0);
  await ann.page.keyboard.press("Escape");
  await until(ann, "back at the game", () => document.activeElement.id === "field" && document.querySelector(".room-chat").classList.contains("closed"));
  await cleo.page.getByRole("button", { name: /^Chat/ }).click();
  await field(cleo).fill("hello");
  await cleo.page.keyboard.press("Enter");
  await ben.page.locator(".room-chat .text").filter({ hasText: /^hello$/ }).waitFor();
  await shoot(cleo, shots, "chat-15-small-beside-the-game");
}

/** The page says that the server is away, and comes back by itself. */
async function away(cleo) {
  await cleo.page.goto(new URL("/chat", url).href);
  await entered(cleo);
  await ask("kill the server");
  await cleo.page.getByText("The server is away. Coming back by itself …").waitFor();
  await shoot(cleo, shots, "chat-16-small-away");
  await ask("start the server");
  await until(cleo, "back", () => window.lobbyPage.state === "open" && document.getElementById("link").textContent === "");
}

/** Who signs out is asked for a name, also when the page is loaded again. */
async function signsOut({ page }) {
  await page.getByRole("link", { name: "People" }).first().click();
  await page.getByRole("button", { name: "Be somebody else" }).click();
  await page.waitForURL(/\/chat$/);
  await page.reload();
  await page.locator("#sign-in").waitFor();
  assert.equal(await page.locator("#app").isHidden(), true, "who has signed out is back");
}

/** A conversation in the list at the side. */
function listed({ page }, title) {
  return page.locator("#talks .talk-link").filter({ has: page.locator(".title", { hasText: new RegExp(`^${title}$`) }) });
}

async function ask(what) {
  console.log(what);
  assert.equal((await answers.next()).value, "done");
}

async function say({ page }, text) {
  const field = page.locator("#say");
  await field.fill(text);
  await field.press("Enter");
}

async function said(person, text) {
  await person.page.locator("#log .line:not(.sending):not(.failed) .text").filter({ hasText: text }).first().waitFor().catch(async () => {
    throw new Error(`${person.name} does not read "${text}", but: ${await person.page.locator("#log, #talk-status").allInnerTexts()}`);
  });
}

async function until({ name, page }, what, holds) {
  await page.waitForFunction(holds, undefined, { timeout: PATIENCE }).catch(async () => {
    throw new Error(`${name} is not ${what}: ${await page.locator("#link, [role=status]").allInnerTexts()}`);
  });
}

function quiet(...people) {
  for (const p of people) assert.deepEqual(p.complaints, [], "the page complains");
}
