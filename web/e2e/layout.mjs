// Every page at the sizes that it must fit, from a small window to a large screen, with a mouse and with thumbs, dark and
// light: nothing lies under something else, nothing is cut off.
//
//   node e2e/layout.mjs http://127.0.0.1:8080 front|arena|podium|cards|canvas|chat|admin|watch [directory for screenshots]
//
// Exits 1 with all that does not fit.

import assert from "node:assert/strict";
import { enter, open, plays, shoot, until } from "./arena.mjs";
import { withBrowser } from "./browser.mjs";
import { misfits, SIZES, TOUCH_SIZES } from "./fit.mjs";

const [url, part, shots] = process.argv.slice(2);
const parts = { front, arena, podium, cards, canvas, chat, admin, watch };
if (!url || !parts[part]) {
  console.error("usage: layout.mjs URL front|arena|podium|cards|canvas|chat|admin|watch [DIRECTORY]");
  process.exit(2);
}
/** What lies over the arena's picture. */
const PIECES = [".stats", ".room-code", ".feed li", ".clock", ".tally", ".gauges", ".map", ".tools", "#stick", "#trigger", "#link", "#hint", "#parting", "#destroyed"];

const wrong = [];
try {
  await withBrowser((browser) => Promise.all([
    parts[part](browser, { name: "mouse", sizes: SIZES, options: {} }),
    parts[part](browser, { name: "touch", sizes: TOUCH_SIZES, options: { hasTouch: true, isMobile: true } }),
  ]));
} catch (error) {
  wrong.push(error.stack ?? error);
}
for (const fault of wrong) console.error(`layout: ${fault}`);
process.exitCode = wrong.length > 0 ? 1 : 0;

/** Looks at a page in every size and both themes. settle waits until it shows what it is to show in a size. */
async function look(person, hand, what, { settle = () => {}, ...of } = {}) {
  const { page } = person;
  for (const size of hand.sizes) {
    await page.setViewportSize(size);
    const at = `${size.width}x${size.height}`;
    for (const colorScheme of shots ? ["light", "dark"] : ["dark"]) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await pictures(page);
      await settle(page);
      await shoot(person, shots, `${what}-${hand.name}-${at}-${colorScheme}`);
    }
    assert.ok(await page.locator(of.root ?? "body").evaluate((e) => e.checkVisibility()), `${what}, ${hand.name}, ${at}: it is gone`);
    for (const fault of await misfits(page, of)) wrong.push(`${what}, ${hand.name}, ${at}: ${fault}`);
  }
}

/** Lets a page lay itself out and draw. */
function pictures(page) {
  return page.evaluate(() => new Promise((done) => {
    const drawn = (then) => (window.drawsAnyhow ?? requestAnimationFrame).call(window, then); // also while the page's own wait
    drawn(() => drawn(done));
  }));
}

function view(browser, hand, path, name) {
  return open(browser, new URL(path, url).href, name, { ...hand.options, viewport: hand.sizes[0], reducedMotion: "reduce" });
}

async function close({ complaints, context }) {
  assert.deepEqual(complaints, []);
  await context.close();
}

async function front(browser, hand) {
  const person = await view(browser, hand, "/", "Anna");
  await look(person, hand, "front");
  await close(person);
}

async function arena(browser, hand) {
  const form = await view(browser, hand, "/arena?way=friends", "Anna");
  await form.page.getByLabel("Callsign", { exact: true }).waitFor();
  await look(form, hand, "arena-form", { root: "#join" });
  await close(form);

  const options = { ...hand.options, viewport: { width: 480, height: 320 }, reducedMotion: "reduce" };
  const anna = await enter(browser, url, "Anna of the long name", "?way=bots&bots=15", options);
  await plays(anna);
  await until(anna, "seeing all", () => document.querySelectorAll("#scores tbody tr").length > 2);
  const { page } = anna;
  const game = { root: "#hud", apart: [...PIECES, "#scores"], settle: fill };
  await page.evaluate(() => {
    const still = new CSSStyleSheet();
    still.replaceSync(".notice:not(.kept) { visibility: hidden; }"); // which come and go
    document.adoptedStyleSheets = [still];
  });
  await look(anna, hand, "arena", game);
  await page.evaluate(() => {
    const down = document.getElementById("down").cloneNode(true);
    down.id = "destroyed";
    down.classList.add("kept");
    down.hidden = false;
    down.querySelector(".by").textContent = "by Anna of the long name";
    document.getElementById("hud").append(down);
  });
  await look(anna, hand, "arena-down", game);
  await page.evaluate(() => document.getElementById("destroyed").remove());
  await page.evaluate(() => { // the page says nothing else meanwhile
    window.held = [];
    window.drawsAnyhow = window.requestAnimationFrame;
    window.requestAnimationFrame = (draw) => window.held.push(draw);
  });
  for (const banner of ["link", "hint"]) {
    await page.evaluate((banner) => {
      for (const id of ["link", "hint"]) document.getElementById(id).hidden = id !== banner;
      document.getElementById("hud").classList.toggle("cut", banner === "link");
      document.getElementById("instead").hidden = false;
      document.getElementById("hint-text").textContent = "Nobody else is here yet.";
      document.getElementById("parting").hidden = false;
      document.getElementById("parting").textContent = "The match is over: its server is being restarted.";
    }, banner);
    await look(anna, hand, `arena-${banner}`, { ...game, root: "main" });
  }
  await page.evaluate(() => {
    for (const id of ["link", "hint", "parting"]) document.getElementById(id).hidden = true;
    document.getElementById("hud").classList.remove("cut");
    window.requestAnimationFrame = window.drawsAnyhow;
    for (const draw of window.held) requestAnimationFrame(draw);
  });
  await page.keyboard.press("Backquote");
  await look(anna, hand, "arena-overlay", { ...game, apart: ["#field", ".instruments > *"] });
  await page.keyboard.press("Backquote");
  if (hand.name === "mouse") {
    await page.locator("#field").focus();
    await page.keyboard.down("Tab");
    await until(anna, "seeing all scores", () => document.querySelectorAll("#scores tbody tr").length === 16);
    await look(anna, hand, "arena-scores", game);
    await page.keyboard.up("Tab");
  }
  await close(anna);
}

/** The end of a round. */
async function podium(browser, hand) {
  const options = { ...hand.options, viewport: { width: 480, height: 320 }, reducedMotion: "reduce" };
  const ben = await enter(browser, url, "Ben", "?way=bots&bots=7&round=10", options);
  await plays(ben);
  // A copy stays when the next match begins.
  await until(ben, "on the podium", () => {
    const shown = document.getElementById("podium");
    if (shown.hidden) return false;
    shown.replaceWith(shown.cloneNode(true));
    return true;
  });
  await look(ben, hand, "arena-podium", { root: "#podium" });
  await close(ben);
}

/** Fills the feed of kills, whose rows come and go. */
function fill(page) {
  return page.evaluate(() => {
    const feed = document.getElementById("feed");
    feed.replaceChildren(...Array.from({ length: 5 }, () => {
      const row = document.createElement("li");
      row.append(...["Crimson Dagger", "Electric Condor"].map((name) => Object.assign(document.createElement("b"), { textContent: name })));
      return row;
    }));
  });
}

async function cards(browser, hand) {
  const form = await view(browser, hand, "/cards?way=friends", "Anna");
  await form.page.getByLabel("Your name").waitFor();
  await look(form, hand, "cards-form", { root: "#join", ignore: ".card" });
  await close(form);
  const anna = await view(browser, hand, "/cards?go=bots&bots=3&turn=120", "Anna");
  await plays(anna);
  await until(anna, "dealt in", () => window.muster.phase === "Playing" && window.muster.hand.length > 0);
  await look(anna, hand, "cards", {
    root: "#table",
    ignore: ".letter, .card, .stack", // a hand lies as it is held, and low windows have its upper half
    apart: [".bar", ".other", ".stock", ".pile", ".wanted", ".own"],
  });
  await close(anna);
}

async function canvas(browser, hand) {
  const anna = await view(browser, hand, `/canvas?room=layout-${hand.name}`, "Anna");
  const { page } = anna;
  await page.waitForFunction(() => window.muster.ready);
  await look(anna, hand, "canvas");
  await page.getByRole("button", { name: /^Chat/ }).click();
  await look(anna, hand, "canvas-chat", { root: ".top" });
  await look(anna, hand, "canvas-chat", { root: ".chat" });
  await page.keyboard.press("Escape");
  await page.setViewportSize({ width: 400, height: 640 });
  await page.locator("#show-writing").click();
  await page.locator("#text").focus();
  await page.keyboard.type("Things to bring: a lamp, a rope, and bread enough for three days and a night.\nWho comes?\n");
  await look(anna, hand, "canvas-text");
  await close(anna);
}

async function chat(browser, hand) {
  const anna = await view(browser, hand, "/chat", "Anna");
  await anna.page.getByLabel("Your name").waitFor();
  await look(anna, hand, "chat-form");
  await anna.page.getByLabel("Your name").fill("Anna of the long name");
  await anna.page.keyboard.press("Enter");
  await anna.page.waitForFunction(() => window.lobbyPage.state === "open" && document.getElementById("my-id").textContent !== "");
  await look(anna, hand, "chat");
  await close(anna);
}

async function admin(browser, hand) {
  const anna = await view(browser, hand, "/admin", "Anna");
  await look(anna, hand, "admin");
  await close(anna);
}

async function watch(browser, hand) {
  const anna = await view(browser, hand, "/watch", "Anna");
  await look(anna, hand, "watch-list");
  await close(anna);
}
