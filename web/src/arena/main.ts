// The arena's page: the join form, then matches, one after the other.

import { mountRoomChat } from "../shared/chatpanel.ts";
import { copy } from "../shared/copy.ts";
import { byId, setText, show } from "../shared/dom.ts";
import { pause } from "../shared/pause.ts";
import { PlaceKeeper, type Place } from "../shared/place.ts";
import { JoinForm } from "../shared/form.ts";
import { attachThemeSwitch, onTheme } from "../shared/theme.ts";
import { matches, type Played, Visit } from "../shared/visit.ts";
import { withoutGo } from "../shared/ways.ts";
import { Attract } from "./attract.ts";
import { expose } from "./debug.ts";
import { wear } from "./draw/look.ts";
import { Picture } from "./draw/picture.ts";
import { Game, type Outcome } from "./game.ts";
import { Hud } from "./hud.ts";
import { Instruments } from "./instruments.ts";
import { PODIUM_PAUSE, PodiumScreen } from "./podium.ts";
import { aborted, explain, takeSeat } from "./seating.ts";
import { attachSoundSwitch } from "./sound/switch.ts";
import { Sound } from "./sound/sound.ts";
import { bots, wish, type Way } from "./ways.ts";
import { MAX_NAME } from "./world.ts";

const PARTING = 15_000; // ms for which it is said why a match is over

const asked = wish(location.search);
const sound = new Sound();
const picture = new Picture(byId("field", HTMLCanvasElement), byId("hurt", HTMLElement));
const attract = new Attract(picture);
const hud = new Hud();
const instruments = new Instruments(asked.overlay, asked.sim);
const podium = new PodiumScreen({ again: () => again(), leave: () => leave() });
const form = new JoinForm<Way & { kind: "crowd" }>({
  name: { id: "callsign", wanted: "A callsign, please.", most: MAX_NAME },
  bots: { kept: "arena.bots", of: bots },
  other: (kind) => (kind === "crowd" ? { kind } : undefined),
}, { play: (name, way) => void run(name, way), cancel: () => seeking?.abort() });
const places = new PlaceKeeper<Way>("arena");
const join = byId("join", HTMLElement);
const message = byId("message", HTMLElement);

const visit = new Visit();
let game: Game | undefined;
let seeking: AbortController | undefined; // while a match is being found
let detour: Way | undefined; // how to go on instead
let parting: ReturnType<typeof setTimeout> | undefined; // until the word of parting goes
let hurry: () => void = () => undefined; // ends the pause on the podium

expose(() => game?.snapshot(), () => document.body.dataset["screen"] ?? "");
attachThemeSwitch(byId("theme", HTMLButtonElement));
attachThemeSwitch(byId("theme-hud", HTMLButtonElement));
onTheme((theme) => {
  wear(theme);
  if (!join.hidden || !message.hidden) attract.redraw();
});
attachSoundSwitch(sound);
if (asked.way) form.way = asked.way;
const held = places.get(); // before the page was loaded anew
enter();
if (held) void run(held.name, held.way, held);
else if (asked.go) form.submit();
history.replaceState(null, "", withoutGo(location.href)); // who comes back by the address wants to choose

byId("leave", HTMLButtonElement).addEventListener("click", () => leave());
byId("instead", HTMLButtonElement).addEventListener("click", () => {
  detour = { kind: "bots", bots: bots(undefined) };
  game?.leave({ kind: "again", afterMs: 0 });
});
byId("share", HTMLButtonElement).addEventListener("click", (e) => void share(e.currentTarget as HTMLElement));
byId("message-back", HTMLButtonElement).addEventListener("click", () => enter());
byId("message-retry", HTMLButtonElement).addEventListener("click", () => {
  show(message, false);
  form.submit();
});

/** Shows the join form. */
function enter(): void {
  places.set(undefined);
  screen("join");
  form.say("");
  podium.hide();
  show(message, false);
  show(join, true);
  attract.start();
  form.focus();
}

/** Plays one match after the other until somebody has enough. It begins in a seat that may still be held, if there is one. */
async function run(name: string, way: Way, first?: Place<Way>): Promise<void> {
  try {
    if (first) form.searching();
    seeking = new AbortController();
    await visit.begin(name, first, seeking.signal);
    const start: Outcome = first ? { kind: "lost", room: first.room, afterMs: 0 } : { kind: "again", afterMs: 0 };
    const end = await matches<Outcome>(start, async (after) => {
      const { next, played } = await match(name, way, after);
      if (played && next.kind === "again" && next.why) parted(next.why);
      way = detour ?? way;
      detour = undefined;
      // A room with a code is gone with its round; the next one is made anew.
      if (next.kind !== "lost" && way.kind === "friends" && way.code) way = { kind: "friends", code: "" };
      return { next, played };
    }, ({ kind }) => kind === "left" || kind === "stopped");
    if (end.kind === "stopped") tell("You are out of the match", explain(new Error(end.why)));
    else enter();
  } catch (error) {
    if (aborted(error)) return enter();
    if (join.hidden) return tell("That did not work", explain(error));
    form.say(explain(error), true);
    form.idle(true);
  } finally {
    seeking = undefined;
  }
}

/** Finds a match after an outcome, and plays it. */
async function match(name: string, way: Way, after: Outcome): Promise<Played<Outcome>> {
  const stop = (seeking = new AbortController());
  const wait = (text: string) => (podium.open ? podium.status(text) : form.say(text));
  searching();
  if (after.kind === "ended") await countdown(stop.signal);
  const take = () => takeSeat(visit.lobby, name, way, stop.signal, wait, asked.round, undefined, asked.open);
  const seated = await visit.seat(after, take, stop.signal, wait);
  game = new Game({ picture, hud, podium, sound, alone: way.kind === "players" }, instruments, () => visit.lobby.refresh());
  const playing = game;
  stop.signal.addEventListener("abort", () => playing.leave());
  let unmount = () => {};
  try {
    const { room } = seated.seat;
    const next = await playing.play(seated, () => {
      begun(visit.place(room, way));
      if (way.kind !== "bots") unmount = mountRoomChat(byId("hud", HTMLElement), visit.lobby, room, { back: byId("field", HTMLElement) });
    });
    if (next.kind !== "lost") places.set(undefined);
    return { next, played: playing.played };
  } finally {
    game = undefined;
    unmount();
  }
}

/** Says why the last match is over, for a while: the next one may have begun by then. */
function parted(why: string): void {
  const said = byId("parting", HTMLElement);
  setText(said, `The match is over: ${why}`);
  show(said, true);
  clearTimeout(parting);
  parting = setTimeout(() => show(said, false), PARTING);
}

/** Shows that a match is being found: on the form, on the podium, or on an empty field. */
function searching(): void {
  if (podium.open) return;
  show(message, false);
  show(join, true);
  screen("join");
  form.searching();
  attract.start();
}

/** A seat was taken: the game has the screen. */
function begun(place: Place<Way>): void {
  places.set(place);
  attract.stop();
  podium.hide();
  form.idle();
  show(join, false);
  screen("game");
  byId("field", HTMLCanvasElement).focus({ preventScroll: true });
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

/** Gives the address of the room. */
function share(button: HTMLElement): Promise<void> {
  return copy(new URL(`/arena?code=${visit.code}`, location.origin).href, button);
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

/** Shows a message with the choice to try again. */
function tell(title: string, text: string): void {
  podium.hide();
  show(join, false);
  screen("message");
  setText(byId("message-title", HTMLElement), title);
  setText(byId("message-text", HTMLElement), text);
  form.idle();
  show(message, true);
  attract.start();
  byId("message-retry", HTMLElement).focus({ preventScroll: true });
}

function screen(name: "join" | "game" | "message"): void {
  document.body.dataset["screen"] = name;
}
