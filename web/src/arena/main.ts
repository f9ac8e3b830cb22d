// The arena's page: the join form, then matches, one after the other.

import { APIError, Lobby, type MatchSeat } from "@muster/client";
import { Attract } from "./attract.ts";
import { callsign, tidy } from "./callsign.ts";
import { expose } from "./debug.ts";
import { byId, setText, show } from "../shared/dom.ts";
import { Picture } from "./draw/picture.ts";
import { Game, type Outcome } from "./game.ts";
import { Hud } from "./hud.ts";
import { PODIUM_PAUSE, PodiumScreen } from "./podium.ts";
import { aborted, explain, takeSeat } from "./seating.ts";
import { MAX_NAME } from "./world.ts";

const REMEMBERED = "muster.arena.callsign";
const MOST_FAILED = 3; // matches that are over before they begin

const picture = new Picture(byId("field", HTMLCanvasElement), byId("hurt", HTMLElement));
const attract = new Attract(picture);
const hud = new Hud();
const podium = new PodiumScreen({ again: () => again(), leave: () => leave() });

const join = byId("join", HTMLElement);
const form = byId("join-form", HTMLFormElement);
const field = byId("callsign", HTMLInputElement);
const play = byId("play", HTMLButtonElement);
const status = byId("join-status", HTMLElement);
const message = byId("message", HTMLElement);

let lobby = new Lobby(location.origin);
let game: Game | undefined;
let seeking: AbortController | undefined; // while a match is being found
let hurry: () => void = () => undefined; // ends the pause on the podium

expose(() => game?.snapshot());
field.value = sessionStorage.getItem(REMEMBERED) ?? callsign();
enter();

form.addEventListener("submit", (e) => {
  e.preventDefault();
  if (seeking) return seeking.abort();
  const name = tidy(field.value, MAX_NAME);
  if (!name) {
    say("A callsign, please.", true);
    return field.focus();
  }
  if (name !== sessionStorage.getItem(REMEMBERED)) lobby = new Lobby(location.origin); // another name is another player
  field.value = name;
  sessionStorage.setItem(REMEMBERED, name);
  void run(name);
});
byId("shuffle", HTMLButtonElement).addEventListener("click", () => {
  field.value = callsign();
  say("");
});
byId("leave", HTMLButtonElement).addEventListener("click", () => leave());
byId("message-back", HTMLButtonElement).addEventListener("click", () => enter());
byId("message-retry", HTMLButtonElement).addEventListener("click", () => {
  show(message, false);
  void run(field.value);
});

/** Shows the join form. */
function enter(): void {
  screen("join");
  say("");
  podium.hide();
  show(message, false);
  show(join, true);
  attract.start();
  field.focus({ preventScroll: true });
  field.select();
}

/** Plays one match after the other until somebody has enough. */
async function run(name: string): Promise<void> {
  let outcome: Outcome = { kind: "again", afterMs: 0 };
  let failed = 0;
  try {
    while (outcome.kind !== "left" && outcome.kind !== "stopped") {
      const { next, played }: { next: Outcome; played: boolean } = await match(name, outcome);
      failed = played ? 0 : failed + 1;
      if (failed >= MOST_FAILED) throw new Error("The server gives seats, but nobody is there to take them.");
      outcome = next;
    }
    if (outcome.kind === "left") enter();
    else tell("You are out of the match", explain(new Error(outcome.why)));
  } catch (error) {
    if (aborted(error)) return enter();
    if (join.hidden) return tell("That did not work", explain(error));
    say(explain(error), true);
    setText(play, "Try again");
  } finally {
    seeking = undefined;
  }
}

/** Finds a match after an outcome, and plays it. */
async function match(name: string, after: Outcome): Promise<{ next: Outcome; played: boolean }> {
  const stop = (seeking = new AbortController());
  const wait = (text: string) => (podium.open ? podium.status(text) : say(text));
  searching();
  if (after.kind === "ended") await countdown(stop.signal);
  else if ("afterMs" in after && after.afterMs > 0) await pause(after.afterMs, stop.signal);
  const seat = await (after.kind === "lost" ? backTo(after.room, name, stop.signal, wait) : takeSeat(lobby, name, stop.signal, wait));
  wait("Taking your seat …");
  game = new Game(picture, hud, podium);
  const playing = game;
  stop.signal.addEventListener("abort", () => playing.leave());
  try {
    return { next: await playing.play(seat, begun), played: playing.played };
  } finally {
    game = undefined;
  }
}

/** Takes up a seat that is still held, or finds another match when it is not. */
async function backTo(room: string, name: string, signal: AbortSignal, wait: (text: string) => void): Promise<MatchSeat> {
  wait("Going back to your seat …");
  try {
    return await lobby.rejoin(room, { signal });
  } catch (error) {
    if (!(error instanceof APIError) || error.temporary) throw error;
    return takeSeat(lobby, name, signal, wait);
  }
}

/** Shows that a match is being found: on the form, on the podium, or on an empty field. */
function searching(): void {
  if (podium.open) return;
  show(message, false);
  show(join, true);
  screen("join");
  form.classList.add("busy");
  field.readOnly = true;
  setText(play, "Cancel");
  attract.start();
}

/** A seat was taken: the game has the screen. */
function begun(): void {
  attract.stop();
  podium.hide();
  idle();
  show(join, false);
  screen("game");
  byId("field", HTMLCanvasElement).focus({ preventScroll: true });
}

/** Nothing is being found: the form can be used. */
function idle(): void {
  form.classList.remove("busy");
  field.readOnly = false;
  setText(play, "Play");
}

/** Leaves what is going on now: the search, the match, or the pause after it. */
function leave(): void {
  if (seeking) seeking.abort();
  else enter();
}

/** Goes on at once after a round. While the room still shows its own podium, its seat is given back first. */
function again(): void {
  if (game) game.leave({ kind: "again", afterMs: 0 });
  else hurry();
}

/** Waits on the podium, unless somebody is in a hurry. */
async function countdown(signal: AbortSignal): Promise<void> {
  const skip = new AbortController();
  hurry = () => skip.abort();
  for (let left = PODIUM_PAUSE; left > 0 && !skip.signal.aborted; left--) {
    podium.countdown(left);
    await pause(1000, signal, skip.signal);
  }
}

/** Waits. It ends early with skip, and throws with signal. */
function pause(ms: number, signal: AbortSignal, skip?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = () => {
      clearTimeout(timer);
      if (signal.aborted) reject(new DOMException("stopped", "AbortError"));
      else resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
    skip?.addEventListener("abort", done);
  });
}

/** Shows a message with the choice to try again. */
function tell(title: string, text: string): void {
  podium.hide();
  show(join, false);
  screen("message");
  setText(byId("message-title", HTMLElement), title);
  setText(byId("message-text", HTMLElement), text);
  show(message, true);
  attract.start();
  byId("message-retry", HTMLElement).focus({ preventScroll: true });
}

/** Says something below the form. */
function say(text: string, wrong = false): void {
  setText(status, text);
  status.classList.toggle("wrong", wrong);
  if (wrong || !text) idle();
}

function screen(name: "join" | "game" | "message"): void {
  document.body.dataset["screen"] = name;
}
