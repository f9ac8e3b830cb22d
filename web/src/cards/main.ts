// The page of the card game: the join form, then matches.

import { mountRoomChat } from "../shared/chatpanel.ts";
import { copy } from "../shared/copy.ts";
import { byId, make, setText, show } from "../shared/dom.ts";
import { JoinForm } from "../shared/form.ts";
import { PlaceKeeper, type Place } from "../shared/place.ts";
import { aborted, explain, takeSeat, type Say } from "../shared/seating.ts";
import { attachThemeSwitch } from "../shared/theme.ts";
import { matches, type Played, Visit } from "../shared/visit.ts";
import { withoutGo } from "../shared/ways.ts";
import { expose } from "./debug.ts";
import { back, face } from "./face.ts";
import { Game, type Outcome } from "./game.ts";
import { standing } from "./notice.ts";
import type { Seen } from "./seen.ts";
import { SuitDialog } from "./suits.ts";
import { Table } from "./table.ts";
import { bots, plan, wish, type Way } from "./ways.ts";
import { MAX_NAME, MOST_BOTS } from "./world.ts";

const asked = wish(location.search);
const form = new JoinForm({
  name: { id: "name", wanted: "A name, please.", most: MAX_NAME },
  bots: { kept: "cards.bots", of: bots },
}, { play: (name, way) => void run(name, way), cancel: () => seeking?.abort() });
const stage = { table: new Table(), suits: new SuitDialog() };
const places = new PlaceKeeper<Way>("cards");
const join = byId("join", HTMLElement);
const message = byId("message", HTMLElement);
const result = byId("result", HTMLElement);

const visit = new Visit();
let game: Game | undefined;
let seeking: AbortController | undefined; // while a match is being found
let last: { name: string; way: Way } | undefined; // who played how

expose(() => game?.snapshot(), () => document.body.dataset["screen"] ?? "");
for (const id of ["theme", "theme-table"]) attachThemeSwitch(byId(id, HTMLButtonElement));
decorate();
if (asked.way) form.way = asked.way;
const held = places.get(); // before the page was loaded anew
enter();
if (held) void run(held.name, held.way, held);
else if (asked.go) form.submit();
history.replaceState(null, "", withoutGo(location.href)); // who comes back by the address wants to choose

byId("leave", HTMLButtonElement).addEventListener("click", () => seeking?.abort());
for (const id of ["share", "invite"]) byId(id, HTMLButtonElement).addEventListener("click", (e) => void share(e.currentTarget as HTMLElement));
byId("message-back", HTMLButtonElement).addEventListener("click", () => enter());
byId("message-retry", HTMLButtonElement).addEventListener("click", () => {
  enter();
  form.submit();
});
byId("result-leave", HTMLButtonElement).addEventListener("click", () => enter());
byId("again", HTMLButtonElement).addEventListener("click", () => {
  if (!last) return enter();
  // A table with a code is gone with its match; the next one is laid anew.
  void run(last.name, last.way.kind === "friends" ? { kind: "friends", code: "" } : last.way);
});

/** Shows the join form. */
function enter(): void {
  places.set(undefined);
  screen("join");
  form.say("");
  show(message, false);
  show(result, false);
  show(join, true);
  form.focus();
}

/** Plays a match, and goes back to it or to another one when it was lost. It begins in a seat that may still be held, if there is one. */
async function run(name: string, way: Way, first?: Place<Way>): Promise<void> {
  try {
    if (first) searching();
    seeking = new AbortController();
    await visit.begin(name, first, seeking.signal);
    const start: Outcome = first ? { kind: "lost", room: first.room, afterMs: 0 } : { kind: "again", afterMs: 0 };
    const end = await matches<Outcome>(start, async (after) => {
      const { next, played } = await match(name, way, after);
      if (next.kind === "instead") way = { kind: "bots", bots: MOST_BOTS };
      // A table with a code is gone with its match; the next one is laid anew.
      if (next.kind === "again" && way.kind === "friends") way = { kind: "friends", code: "" };
      return { next, played };
    }, ({ kind }) => kind === "left" || kind === "stopped" || kind === "ended");
    last = { name, way };
    if (end.kind === "ended") over(end.seen);
    else if (end.kind === "stopped") tell("You are out of the match", explain(new Error(end.why)));
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
  const wait: Say = (text) => form.say(text);
  searching();
  const take = () => takeSeat(visit.lobby, name, plan(way, asked.config), stop.signal, wait);
  const seated = await visit.seat(after, take, stop.signal, wait);
  const { room } = seated.seat;
  let unmount = () => {};
  const playing = (game = new Game(stage, () => visit.lobby.refresh(), () => {
    unmount = mountRoomChat(byId("chat", HTMLElement), visit.lobby, room);
  }));
  stop.signal.addEventListener("abort", () => playing.leave());
  try {
    const next = await playing.play(seated, () => begun(visit.place(room, way)));
    if (next.kind !== "lost") places.set(undefined);
    return { next, played: playing.played };
  } finally {
    unmount();
    game = undefined;
  }
}

/** Shows that a match is being found. */
function searching(): void {
  show(message, false);
  show(result, false);
  show(join, true);
  screen("join");
  form.searching();
}

/** A seat was taken: the table has the screen. */
function begun(place: Place<Way>): void {
  places.set(place);
  form.idle();
  show(join, false);
  screen("table");
  (document.activeElement as HTMLElement | null)?.blur();
}

/** Shows who has won. */
function over(seen: Seen | undefined): void {
  if (!seen) return enter();
  const best = Math.max(...seen.chairs.map((c) => c.Score));
  const winners = seen.chairs.filter((c) => c.Score === best);
  const [winner] = winners;
  const title = byId("result-title", HTMLElement);
  setText(title, winners.length > 1 || !winner ? "A draw" : winner.Owner === seen.own ? "You win" : `${winner.Name} wins`);
  byId("result-places", HTMLOListElement).replaceChildren(...standing(seen));
  screen("result");
  show(result, true);
  title.focus({ preventScroll: true });
}

/** Gives the address of the table. */
function share(button: HTMLElement): Promise<void> {
  return copy(new URL(`/cards?code=${visit.code}`, location.origin).href, button);
}

/** Shows a message with the choice to try again. */
function tell(title: string, text: string): void {
  show(join, false);
  show(result, false);
  screen("message");
  setText(byId("message-title", HTMLElement), title);
  setText(byId("message-text", HTMLElement), text);
  form.idle();
  show(message, true);
  byId("message-retry", HTMLElement).focus({ preventScroll: true });
}

/** Lays a few cards beside the form. */
function decorate(): void {
  const cards = [
    face({ rank: "Queen", suit: "Hearts" }), face({ rank: "Seven", suit: "Spades" }), face({ rank: "Eight", suit: "Diamonds" }),
    face({ rank: "Ace", suit: "Clubs" }), back(),
  ];
  byId("deal", HTMLElement).replaceChildren(...cards.map((card, i) => {
    const span = make("span", "card", card);
    span.style.setProperty("--i", String(i));
    return span;
  }));
}

function screen(name: "join" | "table" | "result" | "message"): void {
  document.body.dataset["screen"] = name;
}
