// Everything that pages receive is read again and searched for what their players must not know.
//
//   node --import tsx e2e/secrets.mjs http://127.0.0.1:8080
//
// Two play in a room of the arena: neither gets what is for the other alone. Then in the crowd: nobody gets what is far
// away. The same search, told that it reads another player's messages or that near is nearer, must find something, or it
// would find nothing ever. Prints what was read; exits 1 with what went wrong.

import assert from "node:assert/strict";
import { readEvent } from "../../client/ts/src/event.ts";
import { readEvents, readWelcome } from "../../client/ts/src/from_server.ts";
import { isCell, isSeat } from "../../client/ts/src/schema.ts";
import { cellValue, Decoder, isFrame, noHead, openMessage, readFrame, Schema } from "../../client/ts/src/wire.ts";
import { enter, plays, until } from "./arena.mjs";
import { withBrowser } from "./browser.mjs";

const FRAMES = 100; // that a page must have received
const CELL = 400; // the side of the crowd's cells, in units; 10 by 10 of them from the number FIRST on
const FIRST = 0x800;
const NEAR = 900; // how far from the own ship the nearest point of a cell is at most: 850, and 50 more once it is there
const BEYOND = 50.1; // how far beyond its cell a row may be

/** What is for everybody who sees a row, and what is for its owner alone. All else of the rules' state is the server's. */
const KNOWN = {
  Ships: ["X", "Y", "Angle", "VX", "VY", "Owner", "Name", "HP", "Score", "Deaths", "Thrust", "Shield", "Away", "Spawn", "Heat", "Jammed"],
  Bullets: ["X", "Y", "Owner"],
  Round: ["Phase", "Ends", "Winner"],
  Field: ["Size"],
  Blips: ["X", "Y", "Bot"],
  Leaders: ["Seat", "Name", "Score"],
};
const OWNERS = ["VX", "VY", "Heat", "Jammed"];
const OF_MAP = 40; // units to which a blip is exact

const [url] = process.argv.slice(2);
if (!url) {
  console.error("usage: secrets.mjs URL");
  process.exit(2);
}

try {
  await withBrowser(async (browser) => {
    await arena(browser);
    await crowd(browser);
  });
} catch (error) {
  console.error(`secrets: ${error.stack ?? error}`);
  process.exitCode = 1;
}

/** Two in a room, with bots. */
async function arena(browser) {
  const anna = await enter(browser, url, "Anna", "?way=bots&bots=4", { before: listen });
  await plays(anna);
  const code = await anna.page.locator("#room-code-text").innerText();
  const ben = await enter(browser, url, "Ben", `?code=${code}`, { before: listen });
  const seats = [anna, ben].map(plays);
  const [a, b] = await Promise.all(seats);
  assert.equal(a.room, b.room);
  for (const person of [anna, ben]) await steer(person);
  for (const person of [anna, ben]) await enough(person);
  const secrets = [anna.secrets, ben.secrets];
  for (const [i, person] of [anna, ben].entries()) {
    const seen = search(person.messages, [a, b][i].seat);
    assert.deepEqual(seen.faults, [], `${person.name} received what is not theirs`);
    assert.ok(seen.heat > 0 && seen.others > 0, `${person.name} saw neither the heat of their own gun nor others: ${JSON.stringify(seen)}`);
    const other = search(person.messages, [b, a][i].seat);
    assert.ok(other.faults.some((f) => f.includes("Heat")), "the search does not find another's heat");
    const text = Buffer.concat([...person.messages, ...person.answers]).toString("latin1");
    assert.ok([...secrets[i]].some((secret) => text.includes(secret)), "the search does not find a secret of one's own");
    for (const secret of secrets[1 - i]) assert.ok(!text.includes(secret), `${person.name} received a token of somebody else's`);
    console.log(`arena, ${person.name}: ${told(seen)}`);
    assert.deepEqual(person.complaints, []);
    await person.context.close();
  }
}

/** One among two hundred. */
async function crowd(browser) {
  const anna = await enter(browser, url, "Anna", "?way=crowd", { before: listen });
  const { seat } = await plays(anna);
  await steer(anna);
  await enough(anna);
  const seen = search(anna.messages, seat, NEAR);
  assert.deepEqual(seen.faults, [], "what is far away was received");
  assert.ok(seen.others >= 3 && seen.bullets >= 1 && seen.blips >= 50 && seen.checked >= FRAMES / 2, `it saw next to nothing: ${JSON.stringify(seen)}`);
  assert.ok(seen.others < 150, "it saw nearly everybody");
  assert.ok(search(anna.messages, seat, NEAR - CELL).faults.length > 0, "the search does not find what is far away");
  console.log(`crowd: ${told(seen)}`);
  assert.deepEqual(anna.complaints, []);
}

/** Keeps all that a page receives, and the secrets that are its own. */
function listen(person) {
  person.messages = [];
  person.answers = [];
  person.secrets = new Set();
  const told = (body) => {
    person.answers.push(body);
    for (const [, secret] of body.toString().matchAll(/"token":"([^"]+)"/g)) person.secrets.add(secret);
  };
  person.page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => {
    const message = Buffer.from(payload);
    if (!socket.url().includes("/v1/match/")) return told(message); // the lobby's, which is JSON
    person.messages.push(message);
    const opened = openMessage(message);
    if (opened.kind === 1) person.secrets.add(readWelcome(opened).resume);
  }));
  person.page.on("response", async (response) => {
    if (!response.url().includes("/v1/")) return;
    told(await response.body().catch(() => Buffer.alloc(0))); // gone with the page
  });
}

/** Flies, turns and fires from now on. */
async function steer({ page }) {
  for (const key of ["ArrowUp", "Space"]) await page.keyboard.down(key);
  await page.evaluate(() => {
    let key = "ArrowLeft";
    setInterval(() => {
      dispatchEvent(new KeyboardEvent("keyup", { code: key, key }));
      key = key === "ArrowLeft" ? "ArrowRight" : "ArrowLeft";
      dispatchEvent(new KeyboardEvent("keydown", { code: key, key }));
    }, 700);
  });
}

/** Waits until a page has received much, and its gun has been hot. */
async function enough(person) {
  const from = await person.page.evaluate(() => window.muster.stats.frames);
  await until(person, "enough frames", ([from, count]) => window.muster.stats.frames >= from + count, [from, FRAMES]);
}

/** Reads messages as their page did, and notes what the player in a seat must not know; near is how far they see. */
function search(messages, seat, near) {
  const seen = { frames: 0, checked: 0, heat: 0, others: 0, bullets: 0, blips: 0, events: 0, far: 0, faults: [] };
  const faults = new Set();
  const ids = new Map(); // of ships that were ever seen
  const events = [];
  let [schema, decoder, head] = [undefined, undefined, noHead];
  for (const bytes of messages) {
    const message = openMessage(bytes);
    if (message.kind === 1) {
      const welcome = readWelcome(message);
      schema = Schema.parse(welcome.schema);
      for (const { name, fields } of schema.tables) {
        for (const f of fields) if (!KNOWN[name]?.includes(f.name)) faults.add(`the schema has ${name}.${f.name}`);
      }
      [decoder, head] = [new Decoder(schema), noHead];
    } else if (message.kind === 2) {
      const { tick, list } = readEvents(message);
      for (const body of list) {
        const { kind, name, fields } = readEvent(schema, body);
        seen.events++;
        if (kind === "game") events.push({ tick, name, about: Object.values(fields) });
      }
    } else if (isFrame(message.kind)) {
      const frame = readFrame(message, head);
      head = frame.head;
      assert.deepEqual(decoder.apply(frame), []);
      seen.frames++;
      look(decoder, schema, seat, near, seen, faults, ids);
    }
  }
  // Until it comes into play a ship waits in the middle of the field, and what happens there is near.
  const began = events.find((e) => e.name === "Spawned" && e.about.includes(seat))?.tick ?? 0;
  for (const { tick, name, about } of near === undefined ? [] : events) {
    if (tick > began && !about.some((s) => s === seat || ids.has(s))) faults.add(`${name} of ${about}, who were never near`);
  }
  seen.faults = [...faults].slice(0, 20);
  return seen;
}

/** Looks through what a decoder has. */
function look(decoder, schema, seat, near, seen, faults, ids) {
  const rows = (scope, name, to) => {
    const table = schema.tables.findIndex((t) => t.name === name);
    const { fields } = schema.tables[table];
    return decoder.rows(scope, table, to).map(({ id, cells }) => {
      return { id, ...Object.fromEntries(fields.map((f, i) => [f.name, cellValue(f, cells[i])])) };
    });
  };
  const scopes = decoder.scopes();
  const open = scopes.filter((s) => !isSeat(s));
  const ships = new Map(open.flatMap((s) => rows(s, "Ships", "room").map((ship) => [ship.id, { ...ship, scope: s }])));
  for (const ship of ships.values()) ids.set(ship.Owner, ship.id);
  const own = [...ships.values()].find((s) => s.Owner === seat);
  for (const scope of scopes.filter(isSeat)) {
    for (const row of rows(scope, "Ships", "own")) {
      const of = ships.get(row.id);
      if (of && of.Owner !== seat) for (const name of OWNERS) faults.add(`${name} of seat ${of.Owner}, who is another`);
      if (of?.Owner === seat) seen.heat = Math.max(seen.heat, row.Heat);
    }
  }
  seen.others = Math.max(seen.others, ships.size - 1);
  seen.blips = Math.max(seen.blips, ...open.map((s) => rows(s, "Blips").length));
  for (const blip of open.flatMap((s) => rows(s, "Blips"))) {
    if (blip.X % OF_MAP !== 0 || blip.Y % OF_MAP !== 0) faults.add(`a blip at ${blip.X}, ${blip.Y}: more exact than the map`);
  }
  if (near === undefined || !own || decoder.tickOf(own.scope) !== decoder.tick) return;
  seen.checked++;
  for (const scope of open) {
    const bullets = rows(scope, "Bullets");
    seen.bullets = Math.max(seen.bullets, bullets.length);
    const inside = [...rows(scope, "Ships", "room"), ...bullets];
    if (!isCell(scope)) {
      if (inside.length > 0) faults.add(`scope ${scope}, which all have, has ships or bullets`);
      continue;
    }
    const [x, y] = [((scope - FIRST) % 10) * CELL, Math.floor((scope - FIRST) / 10) * CELL];
    const far = outside(x, y, own);
    if (far > near) faults.add(`a cell that is ${Math.round(far)} units away`);
    for (const row of inside) {
      seen.far = Math.max(seen.far, Math.hypot(row.X - own.X, row.Y - own.Y));
      if (outside(x, y, row) > BEYOND) faults.add(`a row that is ${outside(x, y, row)} units beyond its cell`);
    }
  }
}

/** How far a place is from a cell's nearest point. */
function outside(x, y, { X, Y }) {
  return Math.hypot(X - Math.max(x, Math.min(X, x + CELL)), Y - Math.max(y, Math.min(Y, y + CELL)));
}

function told({ frames, others, bullets, heat, far, events }) {
  return `${frames} frames, ${others} other ships and ${events} events, own heat up to ${heat}` +
    (far ? `, ${bullets} bullets in a cell, the farthest row ${Math.round(far)} units away` : "");
}
