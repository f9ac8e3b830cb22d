// The page of the canvas: a room by its name, a drawing and a text in it.

import type { FrameInfo, Lobby } from "@muster/client";
import { Simulator } from "@muster/client/overlay";
import { callsign, tidy } from "../shared/callsign.ts";
import { mountRoomChat } from "../shared/chatpanel.ts";
import { conditions } from "../arena/instruments.ts";
import { byId, setText, show } from "../shared/dom.ts";
import { Prefs } from "../shared/prefs.ts";
import { attachThemeSwitch } from "../shared/theme.ts";
import { expose } from "./debug.ts";
import { Drawing } from "./drawing.ts";
import type { CanvasModel } from "./model.ts";
import { People } from "./people.ts";
import { drawingPort, writingPort } from "./ports.ts";
import { addressOf, freshName, roomOf } from "./rooms.ts";
import { Saved } from "./saved.ts";
import { type Place, Session } from "./session.ts";
import { MOST_NAME } from "./world.ts";
import { Writing } from "./writing.ts";

const NAME = "arena.callsign"; // the same in all games
const TOLD_MS = 8000; // a word about something that goes on

const prefs = new Prefs();
const room = roomOf(location.search) ?? freshName();
const sim = new URLSearchParams(location.search).get("sim");
const drawing = new Drawing(prefs, say);
const writing = new Writing(say);
const people = new People();
const saved = new Saved();
const status = byId("saved", HTMLElement);
let model: CanvasModel | undefined;
let place: Place = { kind: "joining" };
let chat: { lobby: Lobby; close: () => void } | undefined;
let whole = false; // whether all of the room is here
let tick = 0;
let framedAt = 0; // when the newest frame came
let gap = 100; // ms between two of them, smoothed
let quiet: ReturnType<typeof setTimeout> | undefined;

const session = new Session(room, prefs.get(NAME) ?? callsign(), {
  place: placed,
  opened,
  frame: framed,
  refused: (_, reason) => tell(`The room did not take that: ${reason}.`),
}, sim === null ? undefined : new Simulator(conditions(sim) ?? {}).sockets());

expose(() => ({
  state: session.match?.state ?? "", ready: place.kind === "live" && whole,
  saved: status.dataset["state"] ?? "", room, seat: session.match?.info.seat ?? 0, author: model?.author ?? 0, tick,
  text: writing.editor.text, lines: drawing.surface.strokes.size, top: top(), settled: drawing.surface.settled, scale: drawing.surface.camera.scale,
  cursors: drawing.cursors.places, carets: writing.carets.places, resumes: session.match?.stats.resumes ?? 0,
}));
history.replaceState(null, "", addressOf(location.href, room));
setText(byId("room", HTMLElement), room);
document.title = `${room} · Canvas · Muster`;
prefs.set(NAME, session.name);
byId("name", HTMLInputElement).value = session.name;
attachThemeSwitch(byId("theme", HTMLButtonElement));
halves();
byId("copy", HTMLButtonElement).addEventListener("click", () => void copy());
byId("notice-act", HTMLButtonElement).addEventListener("click", act);
byId("name-form", HTMLFormElement).addEventListener("submit", rename);
addEventListener("pagehide", () => session.leave());
addEventListener("pageshow", (e) => {
  if (e.persisted) session.join(); // the browser had kept the page
});
addEventListener("beforeunload", (e) => {
  if (saved.state === "saving") e.preventDefault();
});
session.join();

function top(): { colour: number; width: number; points: number } | undefined {
  const line = drawing.surface.strokes.all.at(-1);
  return line && { colour: line.colour, width: line.width, points: line.points.length / 2 };
}

/** There is a room: its rows come with the frames that follow. */
function opened(now: CanvasModel): void {
  model = now;
  drawing.clear();
  drawAndWrite(now);
  writing.port = undefined; // until all is here: nobody writes before he sees what there is
}

/** Lets hands and keys at a room. */
function drawAndWrite(now: CanvasModel): void {
  drawing.port = drawingPort(now, edited, (stroke, key) => drawing.change(stroke, key), () => {
    if (!writing.again()) now.hide(); // who leaves the drawing while he writes is in the text
  });
  writing.port = writingPort(now, edited);
}

function edited(): void {
  saved.edited();
  tellSaved();
}

function framed({ at, tick: now, processed, durable }: FrameInfo, all: boolean, text: boolean): void {
  tick = now;
  whole = all;
  if (!model || !whole) return tellSaved(); // a room with much in it comes in parts
  if (framedAt > 0) gap += (Math.max(30, Math.min(400, at - framedAt)) - gap) * 0.1;
  framedAt = at;
  if (!writing.editor.writable) drawAndWrite(model);
  if (text) writing.refresh();
  drawing.frame(session.match?.value("Board")?.Lines ?? 0);
  here(model);
  saved.frame(session.waiting, processed, durable);
  talk();
  tellSaved();
}

/** Shows the room's chat, which is the player's: another name is another one. */
function talk(): void {
  const { lobby, match } = session;
  if (!match || chat?.lobby === lobby) return;
  chat?.close();
  chat = { lobby, close: mountRoomChat(byId("chat", HTMLElement), lobby, match.info.room, { back: byId("paper", HTMLElement) }) };
}

/** Shows who is here, and where. */
function here(model: CanvasModel): void {
  const all = model.people();
  people.show(all.map(({ author, name, away, mine, cursor }) => ({ author, name, away, me: mine, on: cursor.On })));
  const others = all.filter((p) => !p.mine);
  const on = (where: string) => others.filter((p) => p.cursor.On === where);
  drawing.cursors.show(on("OnBoard").map(({ seat, author, name, away, cursor }) => {
    return { key: seat, author, name, away, x: cursor.X, y: cursor.Y };
  }), gap);
  const at = (cursor: (typeof all)[number]["cursor"], what: "Caret" | "Mark") => {
    return model.text.positionOf({ author: cursor[`${what}.Author`], n: cursor[`${what}.N`] });
  };
  writing.others(on("InText").map(({ seat, author, name, away, cursor }) => {
    return { key: seat, author, name, away, caret: at(cursor, "Caret"), mark: at(cursor, "Mark") };
  }));
}

/** The place in the room has changed. */
function placed(now: Place): void {
  const before = place;
  place = now;
  if (now.kind === "stopped") {
    notice(now.why, now.act);
    drawing.port = undefined;
    writing.port = undefined;
  } else hush();
  if (now.kind === "away" && before.kind !== "away") say("The connection is lost. What you do is kept.");
  if (now.kind === "live" && before.kind === "away") say("Connected again.");
  if (now.kind !== "live") whole = false;
  tellSaved();
}

/** Says whether what was done is safe. */
function tellSaved(): void {
  const loaded = session.match?.stats.bytesIn ?? 0;
  const [state, text] = place.kind === "live" && !whole
    ? ["joining", loaded < 50_000 ? "Joining …" : `Loading, ${Math.round(loaded / 1000)} kB …`]
    : place.kind === "live" ? [saved.state, saved.state === "saved" ? "Saved" : "Saving …"]
    : place.kind === "joining" ? ["joining", "Joining …"]
    : ["away", place.kind === "stopped" ? "Not connected" : saved.state === "saved" ? "Offline, connecting …" : "Offline, edits are kept"];
  status.dataset["state"] = state;
  setText(byId("saved-text", HTMLElement), text);
}

/** Tells those who cannot see it, too. */
function say(text: string): void {
  const told = byId("told", HTMLElement);
  told.textContent = "";
  told.textContent = text;
}

/** Stands in the way until something is done about it. */
function notice(text: string, act: string): void {
  clearTimeout(quiet);
  setText(byId("notice-text", HTMLElement), text);
  setText(byId("notice-act", HTMLElement), act);
  show(byId("notice-act", HTMLElement), act !== "");
  show(byId("notice", HTMLElement), true);
}

/** Says something for a while. */
function tell(text: string): void {
  notice(text, "");
  quiet = setTimeout(hush, TOLD_MS);
}

function hush(): void {
  clearTimeout(quiet);
  show(byId("notice", HTMLElement), false);
}

function act(): void {
  if (place.kind === "stopped" && place.act.startsWith("Load")) return location.reload();
  session.join();
}

/** Goes on under another name. */
function rename(e: Event): void {
  e.preventDefault();
  const input = byId("name", HTMLInputElement);
  const name = tidy(input.value, MOST_NAME);
  if (!name) return input.focus();
  byId("people", HTMLElement).hidePopover();
  if (name === session.name) return;
  if (saved.state === "saving") return tell("Your last edits are on their way. Try again in a moment.");
  input.value = name;
  prefs.set(NAME, name);
  void session.rename(name);
}

/** Puts the address into the clipboard, or shows it where that is not allowed. */
async function copy(): Promise<void> {
  const text = byId("copy-text", HTMLElement);
  const link = addressOf(new URL("/canvas", location.origin).href, room);
  try {
    await navigator.clipboard.writeText(link);
    setText(text, "Copied");
    say("The link is copied.");
  } catch {
    tell(link);
    setText(text, "Copy link");
  }
  text.classList.add("told");
  setTimeout(() => {
    setText(text, "Copy link");
    text.classList.remove("told");
  }, 3000);
}

/** On a small screen one half is seen at a time. */
function halves(): void {
  const both = { drawing: byId("show-drawing", HTMLButtonElement), writing: byId("show-writing", HTMLButtonElement) };
  for (const [name, button] of Object.entries(both)) {
    button.addEventListener("click", () => {
      document.body.dataset["show"] = name;
      for (const other of Object.values(both)) other.setAttribute("aria-pressed", String(other === button));
    });
  }
}
