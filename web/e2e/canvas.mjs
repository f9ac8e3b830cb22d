// People draw and write in one room of the canvas.
//
//   node --import tsx --experimental-websocket e2e/canvas.mjs http://127.0.0.1:8080 [directory for screenshots]
//
// Prints what was measured; exits 1 with what went wrong.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { accessible, complaints, withBrowser } from "./browser.mjs";

const PATIENCE = 60_000; // ms for whatever does not depend on how fast the page is: the machine may be busy
const WIDE = { width: 1280, height: 800 };
const SMALL = { width: 400, height: 700 };
const BAD = "&sim=200,80,0,0,2500"; // a round trip of 200 ms and 80 more or less, and a socket that is lost every 2.5 s

const [url, shots] = process.argv.slice(2);
if (!url) {
  console.error("usage: canvas.mjs URL [DIRECTORY]");
  process.exit(2);
}

try {
  await withBrowser(async (browser) => {
    await together(browser);
    await badLines(browser);
    await byKeys(browser);
    await byTouch(browser);
    await asATextarea(browser);
    await composed(browser);
    await lostSeat(browser);
    await looks(browser);
  });
} catch (error) {
  console.error(`canvas: ${error.stack ?? error}`);
  process.exitCode = 1;
}

/** Two draw and write; each sees the other, takes back what is their own alone, and who comes later sees the same. */
async function together(browser) {
  const room = fresh("together");
  const anna = await enter(browser, room, "Anna");
  const ben = await enter(browser, room, "Ben");
  await stroke(anna, 100, 150);
  await until(ben, "seeing Anna's line", () => window.muster.lines === 1);
  await stroke(ben, 100, 300);
  await until(anna, "seeing Ben's line", () => window.muster.lines === 2);
  await write(anna, "Hello <b>world</b> & <script>alert(1)</script>\n");
  await until(ben, "reading what Anna wrote", () => window.muster.text === "Hello <b>world</b> & <script>alert(1)</script>\n");
  assert.equal(await ben.page.locator("#text b, #text script").count(), 0, "markup is text");
  await caret(ben, "Control+End");
  await ben.page.keyboard.type("Ben was here");
  await until(anna, "reading what Ben wrote", () => window.muster.text.endsWith("Ben was here"));

  // Pointers and carets, with names.
  await until(anna, "seeing Ben's caret", () => window.muster.carets.some((c) => c.name === "Ben" && c.at === window.muster.text.length));
  const box = await ben.page.locator("#paper").boundingBox();
  await ben.page.mouse.move(box.x + 200, box.y + 350);
  await until(anna, "seeing Ben's pointer", () => window.muster.cursors.some((c) => c.name === "Ben"));
  await anna.page.evaluate(() => {
    const seen = (window.seen = new Set());
    const look = () => {
      for (const c of window.muster.cursors) seen.add(Math.round(c.x));
      requestAnimationFrame(look);
    };
    look();
  });
  for (let i = 0; i < 20; i++) await ben.page.mouse.move(box.x + 200 + i * 10, box.y + 350);
  const places = await until(anna, "seeing Ben's pointer move", () => window.seen.size > 10 && window.seen.size);
  console.log(`a pointer that moved 190 px was seen at ${await places.jsonValue()} places`);

  // Each takes back what is their own. The keys stay where they are, whoever writes.
  await anna.page.locator("#paper").focus();
  await ben.page.keyboard.type("!");
  await until(anna, "reading what Ben wrote", () => window.muster.text.endsWith("here!"));
  assert.equal(await anna.page.evaluate(() => document.activeElement.id), "paper", "another one's words took the keys");
  await ben.page.keyboard.press("Backspace");
  await anna.page.keyboard.press("Control+z");
  await until(ben, "seeing Anna's line go", () => window.muster.lines === 1);
  await anna.page.keyboard.press("Control+z");
  await anna.page.keyboard.press("Control+Shift+z");
  await until(ben, "seeing Anna's line again", () => window.muster.lines === 2);
  await caret(anna, "Control+Home");
  await anna.page.keyboard.press("Control+z");
  await until(ben, "reading what Ben wrote alone", () => window.muster.text === "Ben was here");
  await anna.page.keyboard.press("Control+y");
  await until(ben, "reading all again", () => window.muster.text.startsWith("Hello <b>"));

  // Pasted, cut, and whatever a browser can do to a text.
  await anna.page.evaluate(() => {
    const data = new DataTransfer();
    data.setData("text/plain", "pasted\r\nin two lines\u0007 ");
    data.setData("text/html", "<b>pasted</b>");
    document.getElementById("text").dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
    document.execCommand("insertText", false, "typed ");
  });
  await anna.page.keyboard.press("Control+Shift+ArrowLeft");
  await anna.page.keyboard.press("Delete");
  await same([anna, ben], "after it was pasted and deleted");

  // Who comes later, or again, sees the same.
  const before = await anna.page.evaluate(() => ({ text: window.muster.text, lines: window.muster.lines }));
  await saved(anna);
  await anna.page.reload();
  await until(anna, "in the room again", () => window.muster.ready);
  const cleo = await enter(browser, room, "Cleo");
  for (const person of [anna, cleo]) {
    await until(person, "seeing what was there", ({ text, lines }) => window.muster.text === text && window.muster.lines === lines, before);
  }
  await leave(anna, ben, cleo);
  console.log("two drew and wrote together, and each took back their own");
}

/** Three type at one place over bad lines that are cut again and again; in the end all have the same text. */
async function badLines(browser) {
  const room = fresh("bad-lines");
  const people = [];
  for (const name of ["Anna", "Ben", "Cleo"]) people.push(await enter(browser, room, name, { query: BAD }));
  await Promise.all(people.map(async (person, i) => {
    const word = "abc"[i];
    await caret(person, "Control+Home");
    for (let n = 0; n < 12; n++) {
      await person.page.keyboard.type(`${word}${n} `, { delay: 15 });
      if (n % 4 === 3) await person.page.keyboard.press("Backspace");
      if (n % 5 === 4) await person.page.keyboard.press("Enter");
      if (n === 8) await person.page.keyboard.press("Control+z");
      if (n === 9) await person.page.keyboard.press("Control+Home");
    }
  }));
  await Promise.all(people.map(saved));
  const text = await same(people, "over bad lines");
  for (const word of ["a0", "b0", "c0", "a11", "b11", "c11"]) assert.match(text, new RegExp(word), "what was typed is lost");
  const lost = await Promise.all(people.map(({ page }) => page.evaluate(() => window.muster.resumes)));
  assert.ok(Math.max(...lost) > 0, "no line was ever lost");
  for (const person of people) person.complaints.length = 0; // the browser itself complains of sockets that were lost
  await leave(...people);
  console.log(`three typed at one place over lines that were lost ${lost.join(", ")} times: ${text.length} characters are the same`);
}

/** Without a mouse: a line, the eraser, a colour. */
async function byKeys(browser) {
  const anna = await enter(browser, fresh("keys"), "Anna");
  const { page } = anna;
  await page.locator("#paper").focus();
  for (const key of ["ArrowRight", "Space", "Shift+ArrowRight", "ArrowDown", "ArrowDown", "Space"]) await page.keyboard.press(key);
  await until(anna, "seeing the line", () => window.muster.lines === 1);
  await page.keyboard.press("3");
  assert.ok(await page.getByRole("radio", { name: "Red" }).isChecked(), "the key chose no colour");
  for (const key of ["e", "Enter"]) await page.keyboard.press(key);
  await until(anna, "seeing that the line is erased", () => window.muster.lines === 0);
  await page.keyboard.press("Control+z");
  await until(anna, "seeing the line again", () => window.muster.lines === 1);
  // Tab gets out of everything, the text too.
  await page.locator("#text").focus();
  await page.keyboard.press("Tab");
  assert.notEqual(await page.evaluate(() => document.activeElement?.id), "text", "the text keeps the keys");
  await leave(anna);
  console.log("a line was drawn, erased and brought back by keys");
}

/** Whatever keys are pressed, the text is what a textarea of the browser makes of them. */
async function asATextarea(browser) {
  const anna = await enter(browser, fresh("textarea"), "Anna");
  const ben = await enter(browser, anna.room, "Ben");
  const { page } = anna;
  await page.evaluate(() => {
    const area = document.createElement("textarea");
    area.id = "area";
    document.body.append(area);
  });
  const KEYS = [
    "a", "b", "c", "Space", "Space", "Enter", "é", "Backspace", "Backspace", "Delete", "ArrowLeft", "ArrowLeft", "ArrowRight", "Home", "End",
    "Control+Backspace", "Control+Delete", "Shift+ArrowLeft", "Shift+ArrowLeft", "Shift+ArrowRight",
    "Shift+Home", "Control+Home", "Control+End",
  ];
  let seed = 5;
  const roll = (below) => Math.floor(((seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32) * below);
  const pressed = [];
  for (let round = 0; round < 12; round++) {
    const keys = Array.from({ length: 15 }, () => KEYS[roll(KEYS.length)]);
    pressed.push(...keys);
    for (const id of ["text", "area"]) {
      await page.locator(`#${id}`).focus();
      for (const key of keys) await (key === "é" ? page.keyboard.insertText("é") : page.keyboard.press(key));
    }
    const [text, area] = await page.evaluate(() => [window.muster.text, document.getElementById("area").value]);
    assert.equal(text, area, `after ${pressed.join(" ")}`);
    // The caret is where it is in the textarea, too: a mark shows it.
    for (const id of ["text", "area"]) {
      await page.locator(`#${id}`).focus();
      await page.keyboard.press("x");
    }
    pressed.push("x");
  }
  const text = await page.evaluate(() => document.getElementById("area").value);
  await until(ben, "reading the same", (same) => window.muster.text === same, text);
  await page.evaluate(() => document.getElementById("area").remove());
  await leave(anna, ben);
  console.log(`${pressed.length} keys made what a textarea makes of them: ${text.length} characters`);
}

/** Fingers: one draws, two move and zoom the paper, and what the first drew until the second came is taken back. */
async function byTouch(browser) {
  const anna = await enter(browser, fresh("touch"), "Anna", { viewport: SMALL, hasTouch: true });
  const session = await anna.context.newCDPSession(anna.page);
  const touch = (type, ...points) => session.send("Input.dispatchTouchEvent", { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
  await touch("touchStart", [100, 300]);
  for (let i = 1; i <= 15; i++) await touch("touchMove", [100 + 10 * i, 300 + 5 * i]);
  await touch("touchEnd");
  await until(anna, "seeing the line", () => window.muster.lines === 1);
  await touch("touchStart", [150, 300]);
  await touch("touchMove", [154, 302]);
  await touch("touchStart", [154, 302], [250, 400]);
  for (let i = 1; i <= 10; i++) await touch("touchMove", [154 - 5 * i, 302 - 5 * i], [250 + 5 * i, 400 + 5 * i]);
  await touch("touchEnd");
  await until(anna, "seeing it larger, and one line", () => window.muster.scale > 1.3 && window.muster.lines === 1 && window.muster.saved === "saved");
  // A pen that is pressed hard, as another one sees it.
  const ben = await enter(browser, anna.room, "Ben", { viewport: SMALL });
  const pen = (type, x, y, force, buttons = 1) => session.send("Input.dispatchMouseEvent", { type, x, y, force, buttons, button: "left", pointerType: "pen", clickCount: 1 });
  await pen("mousePressed", 100, 450, 0.02);
  for (let i = 1; i <= 30; i++) await pen("mouseMoved", 100 + 6 * i, 450 + (i % 5), 0.9);
  await pen("mouseReleased", 280, 450, 0, 0);
  await until(ben, "seeing a broad line of all its points", () => window.muster.lines === 2 && window.muster.top.width > 6 && window.muster.top.points > 20);
  await leave(anna, ben);
  console.log("one finger drew, two made it larger, and a pen that was pressed drew a broader line");
}

/** Words that are composed, as of Japanese, while another one writes before and behind them. */
async function composed(browser) {
  const room = fresh("composed");
  const anna = await enter(browser, room, "Anna");
  const ben = await enter(browser, room, "Ben");
  await write(anna, "one two\nthree");
  await until(ben, "reading it", () => window.muster.text === "one two\nthree");
  const session = await anna.context.newCDPSession(anna.page);
  await caret(anna, "Control+Home");
  for (let i = 0; i < 4; i++) await anna.page.keyboard.press("ArrowRight");
  await session.send("Input.imeSetComposition", { text: "に", selectionStart: 1, selectionEnd: 1 });
  await session.send("Input.imeSetComposition", { text: "にほ", selectionStart: 2, selectionEnd: 2 });
  await caret(ben, "Control+Home");
  await ben.page.keyboard.type(">> ");
  await caret(ben, "Control+End");
  await ben.page.keyboard.type(" four");
  await saved(ben);
  await session.send("Input.insertText", { text: "日本" });
  await until(anna, "reading both", () => window.muster.text === ">> one 日本two\nthree four");
  await anna.page.keyboard.type("!");
  await until(ben, "reading both", () => window.muster.text === ">> one 日本!two\nthree four");
  await leave(anna, ben);
  console.log("a word was composed while another one wrote around it");
}

/** A seat that is lost for good: what is drawn and written until there is another one goes out then. */
async function lostSeat(browser) {
  const room = fresh("lost-seat");
  const ben = await enter(browser, room, "Ben");
  const lines = []; // that can be cut
  let away = false;
  const anna = await enter(browser, room, "Anna", {
    before: async (page) => {
      await page.routeWebSocket(/\/v1\/match\//, (ws) => {
        lines.push(ws);
        ws.connectToServer();
      });
      await page.route("**/rooms/*/join", (route) => (away ? route.abort("connectionfailed") : route.continue()));
    },
  });
  await write(anna, "before, ");
  await saved(anna);
  away = true;
  lines.at(-1).close({ code: 4205, reason: "token_expired" });
  await until(anna, "told that the connection is lost", () => window.muster.saved === "away");
  await write(anna, "without a seat, ");
  await stroke(anna, 100, 200);
  await stroke(anna, 100, 300);
  await anna.page.locator("#paper").focus();
  await anna.page.keyboard.press("Control+z");
  await caret(ben, "Control+Home");
  await ben.page.keyboard.type("Ben: ");
  await saved(ben);
  away = false;
  await until(anna, "in the room again", () => window.muster.ready);
  await write(anna, "after");
  await until(ben, "reading all", () => window.muster.text === "Ben: before, without a seat, after" && window.muster.lines === 1);
  assert.equal(await same([anna, ben], "after a seat was lost"), "Ben: before, without a seat, after");
  assert.ok(lines.length > 1, "there was no second seat");
  anna.complaints.length = 0; // of requests that were meant to fail

  // The same person in another tab: one of them has the seat.
  const token = await anna.page.evaluate(() => sessionStorage.getItem("muster.canvas.token"));
  const other = await enter(browser, room, "Anna", { before: (page) => page.addInitScript((t) => sessionStorage.setItem("muster.canvas.token", t), token) });
  await anna.page.getByRole("alert").getByText("another tab").waitFor();
  await look({ ...anna, as: "canvas-light-wide" }, "replaced");
  await anna.page.getByRole("button", { name: "Use it here" }).click();
  await until(anna, "in the room again", () => window.muster.ready);
  await other.page.getByRole("alert").getByText("another tab").waitFor();
  await caret(anna, "Control+End");
  await anna.page.keyboard.type("!");
  await until(ben, "reading it", () => window.muster.text.endsWith("after!"));
  await leave(anna, ben, other);
  console.log("what was drawn and written without a seat is in the room");
}

/** Every state of the page in both themes, judged by axe. */
async function looks(browser) {
  const room = fresh("looks");
  const people = [];
  for (const [name, colorScheme, viewport] of [["Anna Meyer", "dark", WIDE], ["Ben", "light", WIDE], ["Cleo", "dark", SMALL], ["Dan", "light", SMALL]]) {
    const person = await enter(browser, room, name, { colorScheme, viewport, reducedMotion: "reduce" });
    person.as = `canvas-${colorScheme}-${viewport === WIDE ? "wide" : "small"}`;
    people.push(person);
  }
  const [anna, ben, cleo, dan] = people;
  for (const person of people) await look(person, "empty");
  for (const [i, person] of [anna, ben, anna, ben, anna].entries()) {
    await person.page.locator(`#colours input[value="${[0, 2, 4, 5, 7][i]}"]`).check({ force: true });
    await stroke(person, 200, 150 + 70 * i);
  }
  await write(anna, "Minutes, Friday\n\n1. The drawing can be seen in both themes.\n2. Everybody types at once, and nobody waits.\n3. <b>Markup</b> stays text.\n");
  await until(ben, "reading it", () => window.muster.text.endsWith("stays text.\n"));
  await caret(ben, "Control+Home");
  await ben.page.keyboard.press("Shift+End");
  for (const person of [cleo, dan]) await person.page.getByRole("button", { name: "Text", exact: true }).click();
  await write(dan, "4. Dan writes on his phone");
  for (const person of people) {
    await until(person, "reading all", () => window.muster.text.endsWith("phone") && window.muster.carets.length > 1);
    await look(person, "text");
  }
  for (const person of [cleo, dan]) {
    await person.page.getByRole("button", { name: "Drawing", exact: true }).click();
    await person.page.getByRole("button", { name: /Show all/ }).click();
    await until(person, "showing all lines", () => window.muster.lines === 5 && window.muster.settled);
    await look(person, "drawing");
    await person.page.getByRole("button", { name: /Who is here/ }).click();
    await look(person, "people");
  }
  await leave(...people);
  console.log("every state of the page is accessible in both themes, on wide and small screens");
}

async function look(person, state) {
  if (shots) {
    await mkdir(shots, { recursive: true });
    await person.page.screenshot({ path: join(shots, `${person.as}-${state}.png`) });
  }
  await accessible(person.page, `${person.as}, ${state}`);
}

/** Opens a room's page for a person, with a browser of their own, and waits until they are in. */
async function enter(browser, room, name, { query = "", before = () => {}, ...options } = {}) {
  const context = await browser.newContext({ viewport: WIDE, reducedMotion: "no-preference", ...options });
  await context.addInitScript((called) => localStorage.setItem("muster.arena.callsign", called), name);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const person = { name, room, context, page, complaints: complaints(page, name) };
  await before(page);
  const answer = await page.goto(new URL(`/canvas?room=${room}${query}`, url).href);
  assert.equal(answer?.status(), 200, "the page is not served");
  await until(person, "in the room", () => window.muster.ready);
  return person;
}

async function leave(...people) {
  assert.deepEqual(people.flatMap((p) => p.complaints), [], "the pages complain");
  for (const { context } of people) await context.close();
}

/** Waits for something on a page; what is told where it does not come about. */
async function until({ name, page }, what, condition, arg) {
  try {
    return await page.waitForFunction(condition, arg, { timeout: PATIENCE });
  } catch (error) {
    const now = await page.evaluate(() => ({ ...window.muster, notice: document.getElementById("notice-text").textContent }));
    throw new Error(`${name}: not ${what}: ${error.message.split("\n")[0]} ${JSON.stringify({ ...now, text: now.text.slice(0, 300) })}`);
  }
}

function saved(person) {
  return until(person, "told that all is saved", () => window.muster.saved === "saved" && window.muster.state === "playing");
}

/** Waits until all have the same text, which is returned. */
async function same(people, when) {
  let texts = [];
  for (const end = Date.now() + PATIENCE; Date.now() < end; ) {
    texts = await Promise.all(people.map(({ page }) => page.evaluate(() => window.muster.text)));
    if (texts.every((t) => t === texts[0])) return texts[0];
    await people[0].page.waitForFunction((tick) => window.muster.tick > tick, await people[0].page.evaluate(() => window.muster.tick));
  }
  assert.deepEqual(texts, texts.map(() => texts[0]), `the texts differ ${when}`);
}

/** Puts the caret into the text, by a key. */
async function caret({ page }, key) {
  await page.locator("#text").focus();
  await page.keyboard.press(key);
}

async function write(person, text) {
  await caret(person, "Control+End");
  await person.page.keyboard.type(text);
}

/** Draws a wave, from a place of the drawing on. */
async function stroke({ page }, x, y) {
  const box = await page.locator("#paper").boundingBox();
  await page.mouse.move(box.x + x, box.y + y);
  await page.mouse.down();
  for (let i = 1; i <= 30; i++) await page.mouse.move(box.x + x + 8 * i, box.y + y + 20 * Math.sin(i / 4));
  await page.mouse.up();
}

function fresh(name) {
  return `${name}-${Math.floor(Math.random() * 1e6)}`;
}
