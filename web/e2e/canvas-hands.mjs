// One draws and writes on the canvas by keys, by fingers, with a pen, and by what makes words of keys; and how it looks.
//
//   node e2e/canvas-hands.mjs http://127.0.0.1:8080 [directory for screenshots]
//
// Prints what was done; exits 1 with what went wrong.

import assert from "node:assert/strict";
import { accessible, withBrowser } from "./browser.mjs";
import { caret, enter, fresh, leave, saved, shoot, SMALL, stroke, until, WIDE, write } from "./canvas-page.mjs";

const [url, shots] = process.argv.slice(2);
if (!url) {
  console.error("usage: canvas-hands.mjs URL [DIRECTORY]");
  process.exit(2);
}

try {
  await withBrowser(async (browser) => {
    await byKeys(browser);
    await byTouch(browser);
    await asATextarea(browser);
    await composed(browser);
    await looks(browser);
  });
} catch (error) {
  console.error(`canvas-hands: ${error.stack ?? error}`);
  process.exitCode = 1;
}

/** Without a mouse: a line, the eraser, a colour. */
async function byKeys(browser) {
  const anna = await enter(browser, url, fresh("keys"), "Anna");
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

/** Fingers: one draws, two move and zoom the paper, and what the first drew until the second came is taken back. */
async function byTouch(browser) {
  const anna = await enter(browser, url, fresh("touch"), "Anna", { viewport: SMALL, hasTouch: true });
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
  const ben = await enter(browser, url, anna.room, "Ben", { viewport: SMALL });
  const pen = (type, x, y, force, buttons = 1) => session.send("Input.dispatchMouseEvent", { type, x, y, force, buttons, button: "left", pointerType: "pen", clickCount: 1 });
  await pen("mousePressed", 100, 450, 0.02);
  for (let i = 1; i <= 30; i++) await pen("mouseMoved", 100 + 6 * i, 450 + (i % 5), 0.9);
  await pen("mouseReleased", 280, 450, 0, 0);
  await until(ben, "seeing a broad line of all its points", () => window.muster.lines === 2 && window.muster.top.width > 6 && window.muster.top.points > 20);
  await leave(anna, ben);
  console.log("one finger drew, two made it larger, and a pen that was pressed drew a broader line");
}

/** Whatever keys are pressed, the text is what a textarea of the browser makes of them. */
async function asATextarea(browser) {
  const anna = await enter(browser, url, fresh("textarea"), "Anna");
  const ben = await enter(browser, url, anna.room, "Ben");
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

/** Words that are composed, as of Japanese, while another one writes before and behind them. */
async function composed(browser) {
  const room = fresh("composed");
  const anna = await enter(browser, url, room, "Anna");
  const ben = await enter(browser, url, room, "Ben");
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
  // And while another one puts right what he wrote before them.
  const seen = async () => {
    await saved(ben);
    await until(anna, "as far as Ben", (tick) => window.muster.tick >= tick, await ben.page.evaluate(() => window.muster.tick));
  };
  await caret(anna, "Control+Home");
  for (let i = 0; i < 3; i++) await anna.page.keyboard.press("ArrowRight");
  await session.send("Input.imeSetComposition", { text: "に", selectionStart: 1, selectionEnd: 1 });
  await caret(ben, "Control+Home");
  await ben.page.keyboard.type("x");
  await seen();
  await ben.page.keyboard.press("Backspace");
  await seen();
  await session.send("Input.insertText", { text: "五" });
  await saved(anna);
  await until(anna, "reading all", () => window.muster.text === ">> 五one 日本!two\nthree four");
  await until(ben, "reading all", () => window.muster.text === ">> 五one 日本!two\nthree four");
  await leave(anna, ben);
  console.log("a word was composed while another one wrote around it");
}

/** Every state of the page in both themes, judged by axe. */
async function looks(browser) {
  const room = fresh("looks");
  const people = [];
  for (const [name, colorScheme, viewport] of [["Anna Meyer", "dark", WIDE], ["Ben", "light", WIDE], ["Cleo", "dark", SMALL], ["Dan", "light", SMALL]]) {
    const person = await enter(browser, url, room, name, { colorScheme, viewport, reducedMotion: "reduce" });
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
  await shoot(person, shots, `${person.as}-${state}`);
  await accessible(person.page, `${person.as}, ${state}`);
}
