// The card game's page as people use it, and what its sockets brought.
//
//   node --import tsx e2e/cards.mjs http://127.0.0.1:8080 friends|round|alone [directory for screenshots]
//
// friends: two come to one table, deal and write to each other. round: two, with bots in the other chairs, play one to its
// end; one loads the page anew in mid-hand and has the same hand, the other's line is cut for a while. Every byte that the
// pages received is read again and searched for cards of other hands; the same search, told that it reads another player's
// messages, must find some. alone: a match to its end by the keyboard on a small screen, dark and light. Each screen is
// judged by axe. Exits 1 with what went wrong.

import assert from "node:assert/strict";
import { readEvent } from "../../client/ts/src/event.ts";
import { readEvents, readWelcome } from "../../client/ts/src/from_server.ts";
import { cellValue, Decoder, isFrame, noHead, openMessage, readFrame, Schema } from "../../client/ts/src/wire.ts";
import { open, PATIENCE, plays, shoot } from "./arena.mjs";
import { accessible, withBrowser } from "./browser.mjs";

const WIDE = { width: 1280, height: 800 };
const SMALL = { width: 400, height: 700 };
const NOWHERE = "ws://127.0.0.1:9/"; // where nobody listens
const ROUND = 240_000; // ms that a round may take, or a short match

/** All that is ever sent, and of events what is told of a card that was drawn. */
const KNOWN = {
  Seats: ["Owner", "Place", "Name", "Bot", "Away", "Ready", "Cards", "Score"],
  Hands: ["Owner", "Card.Rank", "Card.Suit"],
  Pile: ["N", "Card.Rank", "Card.Suit", "By"],
  Round: ["Phase", "Number", "Turn", "Began", "Ends", "Wanted", "Drawn", "Stock", "Acts", "Winner", "Target"],
};
const DREW = ["Seat"];

const [url, part, shots] = process.argv.slice(2);
const parts = { friends, round, alone: (browser) => Promise.all([alone(browser, "dark", true), alone(browser, "light", false)]) };
if (!url || !parts[part]) {
  console.error("usage: cards.mjs URL friends|round|alone [DIRECTORY]");
  process.exit(2);
}

try {
  await withBrowser(parts[part]);
} catch (error) {
  console.error(`cards: ${error.stack ?? error}`);
  process.exitCode = 1;
}

/** Two who know each other: one makes a table, the other comes by the link; they deal when both want to. */
async function friends(browser) {
  const anna = await enter(browser, "Anna", "?way=friends", { viewport: WIDE });
  await until(anna, "waiting at a table", () => window.muster.phase === "Waiting");
  await look(anna, "cards-waiting");
  const code = await anna.page.locator("#room-code-text").innerText();
  const ben = await enter(browser, "Ben", `?code=${code}`, { viewport: WIDE, colorScheme: "light" });
  for (const person of [anna, ben]) {
    await until(person, "two at the table", () => window.muster.chairs.length === 2);
    await person.page.getByRole("button", { name: "Deal now" }).click();
  }
  for (const person of [anna, ben]) await until(person, "dealt in", () => window.muster.phase === "Playing" && window.muster.hand.length === 7);
  await look(ben, "cards-dealt");
  for (const { page } of [anna, ben]) await page.getByRole("button", { name: /^Chat/ }).click();
  const text = "good luck, all <b>eights</b> are mine";
  await ben.page.getByPlaceholder("Say something").fill(text);
  // The chat may not be there yet: what was typed stays in its field until it is.
  await until(ben, "heard", (text) => {
    const input = document.querySelector("#chat input");
    if (input.value) input.form.requestSubmit();
    return document.querySelector("#chat .chat-log").textContent.includes(text);
  }, text);
  await anna.page.getByRole("log", { name: "Messages" }).getByText(text).waitFor();
  await look(anna, "cards-chat");
  await ben.page.getByRole("button", { name: "Leave" }).click();
  await ben.page.getByLabel("Your name").waitFor();
  await until(anna, "told that a bot plays on", () => window.muster.chairs.some((c) => c.bot && c.name === "Ben"));
  for (const person of [anna, ben]) {
    assert.deepEqual(person.complaints, []);
    await person.context.close();
  }
}

/** Two with two bots, from the deal to open hands. */
async function round(browser) {
  const anna = await enter(browser, "Anna", "?way=bots&bots=3&target=500", { viewport: WIDE, before: listen });
  await until(anna, "dealt in", () => window.muster.phase === "Playing" && window.muster.hand.length === 5);
  const code = await anna.page.locator("#room-code-text").innerText();
  const ben = await enter(browser, "Ben", `?code=${code}`, { viewport: WIDE, before: listen });
  await until(ben, "at the table, in a bot's place", () => window.muster.phase === "Playing" && window.muster.hand.length > 0);
  const [a, b] = await Promise.all([anna, ben].map(({ page }) => page.evaluate(() => ({ seat: window.muster.seat, room: window.muster.room }))));
  assert.equal(a.room, b.room);
  assert.notEqual(a.seat, b.seat);

  await outOfTurn(ben);
  await shoot(ben, shots, "cards-refused");

  // Anna's page is loaded anew: her hand is as it was, but for what the rules drew for her.
  const before = await anna.page.evaluate(() => window.muster.hand);
  await anna.page.reload();
  await until(anna, "back in her hand", (want) => window.muster.ready && window.muster.hand.length > 0 && want.every((c) => window.muster.hand.includes(c)), before);

  // Ben's connection is lost for a while: he is told, and goes back to his hand by himself.
  const his = await ben.page.evaluate(() => window.muster.hand);
  await ben.page.evaluate(() => window.line(false));
  await ben.page.getByText("Connection lost.").waitFor();
  await look(ben, "cards-cut");
  await ben.page.evaluate(() => window.line(true));
  await until(ben, "back by himself", (want) => window.muster.ready && want.every((c) => window.muster.hand.includes(c)), his);

  const end = Date.now() + ROUND;
  for (let n = 0; ; n++) {
    const phases = await Promise.all([anna, ben].map(act));
    if (phases.every((p) => p !== "Playing")) break;
    if (n === 12) await shoot(anna, shots, "cards-table");
    if (Date.now() > end) throw new Error(`the round is not over: ${JSON.stringify(await anna.page.evaluate(() => ({ ...window.muster, chairs: window.muster.chairs })))}`);
  }
  for (const person of [anna, ben]) await until(person, "open hands", () => window.muster.phase === "Scored" && window.muster.chairs.some((c) => c.score > 0));
  // What came up to here is searched later: the hands lie open for a while only.
  const received = [anna, ben].map(({ messages }) => messages.slice());
  await look(anna, "cards-scored");
  await Promise.all([anna, ben].map((person) => until(person, "in the next round", () => {
    const next = document.getElementById("ready");
    if (next.textContent.startsWith("Next round") && next.checkVisibility() && !next.disabled) next.click();
    return window.muster.round >= 2 && window.muster.phase === "Playing";
  })));
  const [ofAnna, ofBen] = [search(received[0], a.seat), search(received[1], b.seat)];
  for (const [person, seen] of [[anna, ofAnna], [ben, ofBen]]) {
    assert.deepEqual(seen.faults, [], `${person.name} received what is not theirs`);
    assert.ok(seen.frames > 50 && seen.own.size >= 3 && seen.events > 5, `${person.name} saw next to nothing: ${seen.frames} frames, ${seen.own.size} own cards, ${seen.events} events`);
  }
  assert.ok(search(received[0], b.seat).faults.length > 0, "the search does not find another's hand");
  let both = 0;
  for (const [tick, hand] of ofAnna.hands) {
    const other = ofBen.hands.get(tick);
    if (!other) continue;
    both++;
    assert.deepEqual(hand.filter((c) => other.includes(c)), [], `tick ${tick}: both have a card`);
  }
  assert.ok(both > 30, `the two saw ${both} ticks together`);
  console.log(`searched ${ofAnna.frames} and ${ofBen.frames} frames of a round, ${ofAnna.bytes} and ${ofBen.bytes} bytes`);
  for (const person of [anna, ben]) {
    assert.deepEqual(person.complaints.filter((c) => !c.includes(NOWHERE)), []);
    await person.context.close();
  }
}

/** Somebody presses a card while another is to play, and is told. */
async function outOfTurn(person) {
  const { page } = person;
  for (const end = Date.now() + PATIENCE; ; ) {
    await until(person, "not to play", () => window.muster.turn !== window.muster.seat && window.muster.phase === "Playing");
    // The turn may come before the press does: then it was allowed, or it is asked what an eight is to be.
    await page.locator("#hand .card").first().click({ timeout: 3000 }).catch(() => undefined);
    const told = page.getByRole("alert").getByText(/not your turn|does not match/).waitFor({ timeout: 3000 });
    if (await told.then(() => true, () => false)) return;
    assert.ok(Date.now() < end, `${person.name} is not told that it is not their turn`);
    if (await page.locator("#suits").isVisible()) await page.keyboard.press("Escape");
  }
}

/** One against a bot, by the keyboard alone, if wanted to the end of a match and into the next. */
async function alone(browser, colorScheme, toTheEnd) {
  const options = { viewport: SMALL, colorScheme, reducedMotion: "reduce" };
  const anna = await open(browser, new URL("/cards?way=bots&bots=1&target=10", url).href, "Anna", options);
  await anna.page.getByLabel("Your name").waitFor();
  await look(anna, `cards-${colorScheme}-form`);
  await anna.page.getByLabel("Your name").fill("Anna");
  await anna.page.keyboard.press("Enter");
  await plays(anna);
  await until(anna, "dealt in", () => window.muster.phase === "Playing");
  await look(anna, `cards-${colorScheme}-small`);
  if (!toTheEnd) return anna.context.close();
  let asked = false;
  for (const end = Date.now() + ROUND; (await anna.page.evaluate(() => window.muster.screen)) !== "result"; ) {
    if (Date.now() > end) throw new Error("the match does not end");
    await act(anna, true);
    if (asked || !(await anna.page.locator("#suits").isVisible())) continue;
    asked = true;
    await look(anna, `cards-${colorScheme}-suits`);
  }
  await look(anna, `cards-${colorScheme}-result`);
  await anna.page.keyboard.press("Tab");
  await anna.page.keyboard.press("Enter");
  await plays(anna);
  await until(anna, "in another match", () => window.muster.phase === "Playing" && window.muster.round === 1);
  assert.deepEqual(anna.complaints, []);
  await anna.context.close();
}

/** Does what there is to do, by mouse or keyboard, and waits until it has come about. */
async function act({ page }, keyboard = false) {
  const now = await page.evaluate(() => ({
    phase: window.muster.phase, mine: window.muster.turn === window.muster.seat && window.muster.phase === "Playing",
    playable: window.muster.playable, tick: window.muster.tick, hand: window.muster.hand.length,
  }));
  const dialog = page.locator("#suits");
  if (await dialog.isVisible()) {
    if (keyboard) await page.keyboard.press("Enter");
    else await dialog.getByRole("button", { name: "Spades" }).click();
  } else if (now.mine && now.playable.length > 0) {
    const card = page.locator("#hand .card.fits").first();
    if (keyboard) {
      await card.focus({ timeout: 2000 }).catch(() => undefined); // it may be gone with the turn
      await page.keyboard.press("Enter");
    } else await card.click({ timeout: 2000, position: { x: 10, y: 40 } }).catch(() => undefined);
  } else if (now.mine && (await page.locator("#draw").isEnabled())) {
    if (keyboard) await page.keyboard.press("d");
    else await page.locator("#stock").click({ timeout: 2000 }).catch(() => undefined);
  } else if (now.mine && (await page.locator("#pass").isEnabled())) {
    if (keyboard) await page.keyboard.press("p");
    else await page.locator("#pass").click({ timeout: 2000 }).catch(() => undefined);
  } else if (keyboard && now.phase === "Scored") {
    const next = page.locator("#ready");
    if ((await next.isVisible()) && (await next.isEnabled())) await next.press("Enter", { timeout: 2000 }).catch(() => undefined);
  }
  await page.waitForFunction((tick) => window.muster.tick > tick + 2 || window.muster.screen !== "table", now.tick, { timeout: PATIENCE });
  return keyboard ? now : now.phase;
}

/** Opens the page, joins, and waits until there is a table. */
async function enter(browser, name, query, options) {
  const person = await open(browser, new URL(`/cards${query}`, url).href, name, options);
  await person.page.getByLabel("Your name").fill(name);
  await person.page.keyboard.press("Enter");
  await plays(person);
  return person;
}

async function look(person, name) {
  await shoot(person, shots, name);
  await accessible(person.page, name);
}

async function until({ name, page }, what, condition, arg) {
  try {
    await page.waitForFunction(condition, arg, { timeout: PATIENCE });
  } catch (error) {
    const now = await page.evaluate(() => JSON.stringify(Object.fromEntries(Object.getOwnPropertyNames(window.muster).map((k) => [k, window.muster[k]]))));
    throw new Error(`${name}: not ${what}: ${error.message.split("\n")[0]} ${now} ${await page.locator("#join-status").innerText()}`);
  }
}

/** Keeps all that a page receives over sockets, each of which begins anew, and lets the page's line be cut. */
async function listen(person) {
  await person.page.addInitScript((nowhere) => {
    const [System, sockets] = [window.WebSocket, []];
    let up = true;
    window.WebSocket = class extends System {
      constructor(address, protocols) {
        super(up ? address : nowhere, protocols);
        sockets.push(this);
      }
    };
    window.line = (on) => {
      up = on;
      if (!on) for (const s of sockets) s.close();
    };
  }, NOWHERE);
  person.messages = [];
  person.page.on("websocket", (socket) => {
    if (!socket.url().includes("/v1/match/")) return; // the chat's
    socket.on("framereceived", ({ payload }) => person.messages.push(Buffer.from(payload)));
  });
}

/** Reads messages as their page did, and notes what the player in a seat must not know. */
function search(messages, seat) {
  const seen = { frames: 0, bytes: 0, events: 0, own: new Set(), hands: new Map(), faults: [] };
  const faults = new Set();
  let [schema, decoder, head] = [undefined, undefined, noHead];
  for (const bytes of messages) {
    const message = openMessage(bytes);
    seen.bytes += bytes.length;
    if (message.kind === 1) {
      schema = Schema.parse(readWelcome(message).schema);
      for (const { name, fields } of schema.tables) {
        for (const f of fields) if (!KNOWN[name]?.includes(f.name)) faults.add(`the schema has ${name}.${f.name}`);
      }
      [decoder, head] = [new Decoder(schema), noHead];
    } else if (message.kind === 2) {
      for (const body of readEvents(message).list) {
        const { kind, name, fields } = readEvent(schema, body);
        seen.events++;
        if (kind === "game" && name === "Drew") assert.deepEqual(Object.keys(fields), DREW);
      }
    } else if (isFrame(message.kind)) {
      const frame = readFrame(message, head);
      head = frame.head;
      assert.deepEqual(decoder.apply(frame), []);
      seen.frames++;
      const rows = (scope, name) => {
        const table = schema.tables.findIndex((t) => t.name === name);
        const { fields } = schema.tables[table];
        return decoder.rows(scope, table, "room").map(({ cells }) => Object.fromEntries(fields.map((f, i) => [f.name, cellValue(f, cells[i])])));
      };
      const playing = rows(0, "Round")[0]?.Phase === "Playing";
      for (const scope of decoder.scopes()) {
        if (scope !== 0 && scope !== seat) faults.add(`scope ${scope}`);
        for (const card of rows(scope, "Hands")) {
          const name = `${card["Card.Rank"]} ${card["Card.Suit"]}`;
          if (scope === 0 && playing) faults.add(`the ${name} of seat ${card.Owner} is for everybody`);
          if (scope !== 0 && card.Owner !== seat) faults.add(`the ${name} of seat ${card.Owner}`);
          if (scope === seat && playing) {
            seen.own.add(name);
            seen.hands.set(head.tick, [...(seen.hands.get(head.tick) ?? []), name]);
          }
        }
      }
    }
  }
  seen.faults = [...faults].slice(0, 10);
  return seen;
}
