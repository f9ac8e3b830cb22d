// People draw and write in one room of the canvas, on good lines and bad ones.
//
//   node e2e/canvas.mjs http://127.0.0.1:8080 [directory for screenshots]
//
// Prints what was done; exits 1 with what went wrong.

import assert from "node:assert/strict";
import { accessible, withBrowser } from "./browser.mjs";
import { caret, enter, fresh, leave, same, saved, shoot, stroke, until, wave, wipe, write } from "./canvas-page.mjs";

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
    await lostSeat(browser);
    await renamed(browser);
  });
} catch (error) {
  console.error(`canvas: ${error.stack ?? error}`);
  process.exitCode = 1;
}

/** Two draw and write; each sees the other, takes back what is their own alone, and who comes later sees the same. */
async function together(browser) {
  const room = fresh("together");
  const anna = await enter(browser, url, room, "Anna");
  const ben = await enter(browser, url, room, "Ben");
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
  const cleo = await enter(browser, url, room, "Cleo");
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
  for (const name of ["Anna", "Ben", "Cleo"]) people.push(await enter(browser, url, room, name, { query: BAD }));
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

/** A seat that is lost for good: what is drawn and written until there is another one goes out then. */
async function lostSeat(browser) {
  const room = fresh("lost-seat");
  const ben = await enter(browser, url, room, "Ben");
  const lines = []; // that can be cut
  let away = false;
  const anna = await enter(browser, url, room, "Anna", {
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

  // The same person in another tab: one of them has the seat. What the hand is at when it is taken away ends there.
  const draws = await wave(anna, 100, 400);
  await until(ben, "seeing the line that is drawn", () => window.muster.lines === 2);
  const token = await anna.page.evaluate(() => sessionStorage.getItem("muster.canvas.token"));
  const other = await enter(browser, url, room, "Anna", { before: (page) => page.addInitScript((t) => sessionStorage.setItem("muster.canvas.token", t), token) });
  await anna.page.getByRole("alert").getByText("another tab").waitFor();
  await accessible(anna.page, "in two tabs");
  await shoot(anna, shots, "canvas-two-tabs");
  await draws.up();
  const here = (person) => person.page.getByRole("button", { name: "Use it here" }).click();
  await here(anna);
  await until(anna, "in the room again", () => window.muster.ready);
  await other.page.getByRole("alert").getByText("another tab").waitFor();
  await caret(anna, "Control+End");
  await anna.page.keyboard.type("!");
  await until(ben, "reading it", () => window.muster.text.endsWith("after!"));
  await (await wipe(ben)).up();
  for (const person of [ben, anna]) await until(person, "seeing all lines go", () => window.muster.lines === 0);
  await ben.page.keyboard.press("Control+z");
  await here(other);
  await until(other, "in the room again", () => window.muster.ready && window.muster.lines === 2);
  const erases = await wipe(other);
  await until(other, "seeing all lines go", () => window.muster.lines === 0);
  await here(anna);
  await other.page.getByRole("alert").getByText("another tab").waitFor();
  await erases.up();
  await here(other);
  await until(ben, "seeing all lines go", () => window.muster.lines === 0);
  assert.equal(await other.page.evaluate(() => window.muster.lines), 0);
  await leave(anna, ben, other);
  console.log("what was drawn and written without a seat is in the room");
}

/** One takes another name, by keys: the same tab is another guest from then on, and what was written stays. */
async function renamed(browser) {
  const room = fresh("renamed");
  const anna = await enter(browser, url, room, "Anna");
  const ben = await enter(browser, url, room, "Ben");
  await write(anna, "by Anna ");
  await saved(anna);
  await anna.page.getByRole("button", { name: /Who is here/ }).press("Enter");
  await anna.page.getByLabel("Your name").fill("  Zoë <b>  ");
  await anna.page.keyboard.press("Enter");
  await until(ben, "told the new name", () => /Zoë <b>/.test(document.getElementById("people-list").textContent));
  await until(anna, "in the room again", () => window.muster.ready && window.muster.author === 3);
  await write(anna, "and Zoë");
  await until(ben, "reading it", () => window.muster.text === "by Anna and Zoë");
  await anna.page.keyboard.press("Control+z");
  await anna.page.keyboard.press("Control+z");
  await until(ben, "seeing that it is taken back, and no more", () => window.muster.text === "by Anna ");
  assert.equal(await ben.page.locator("#people-list b").count(), 0, "a name is no markup");
  await leave(anna, ben);
  console.log("one went on under another name");
}
