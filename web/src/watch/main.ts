// The page for those who watch: live matches, and replays that a server runs again by the game's rules.

import { APIError, Lobby, type MatchSeat, type ReplayControl, type ReplaySession, type ReplayState } from "@muster/client";
import { wear } from "../arena/draw/look.ts";
import { callsign } from "../shared/callsign.ts";
import { byId, setText, show } from "../shared/dom.ts";
import { keepGuest, keptGuest } from "../shared/guest.ts";
import { explain } from "../shared/seating.ts";
import { capital } from "../shared/sentence.ts";
import { attachThemeSwitch, onTheme } from "../shared/theme.ts";
import { path, wish, type Wish } from "./address.ts";
import { ArenaScene } from "./arena_scene.ts";
import { expose, type Seen } from "./debug.ts";
import { Landing } from "./landing.ts";
import { Remote } from "./remote.ts";
import { TablesScene } from "./tables_scene.ts";
import { soon } from "./time.ts";
import { Transport } from "./transport.ts";
import { Viewer } from "./viewer.ts";

const SEEN = 600;

const watching = byId("watching", HTMLElement);
const message = byId("message", HTMLElement);
const stage = byId("stage", HTMLElement);
const side = byId("side", HTMLElement);
const link = byId("link", HTMLElement);
const linkTold = byId("link-told", HTMLElement);
const about = byId("about", HTMLElement);
const viewers = byId("viewers", HTMLElement);
const transport = new Transport((c) => remote?.want(key ? { ...c, key } : c));
const landing = new Landing({ lobby: signIn, go, file: (file, as) => void present(() => sendFile(file, as), "file") });

let lobby: Promise<Lobby> | undefined;
let viewer: Viewer | undefined;
let remote: Remote | undefined;
let replay: ReplayState | undefined;
let key = ""; // of the replay, for who did not open it
let wanted: Wish = { kind: "list" };
let round = 0; // which wish it is: what comes of an earlier one is nobody's
let seen: Seen[] = [];

expose(() => ({ screen: document.body.dataset["screen"] ?? "", tick: viewer?.tick ?? 0, replay, seen, stats: viewer?.match?.stats }));
attachThemeSwitch(byId("theme", HTMLButtonElement));
onTheme(wear);
byId("share", HTMLButtonElement).addEventListener("click", () => void share());
byId("message-list", HTMLButtonElement).addEventListener("click", () => go({ kind: "list" }));
byId("message-again", HTMLButtonElement).addEventListener("click", () => open(again ?? wanted));
byId("leave", HTMLButtonElement).addEventListener("click", () => go({ kind: "list" }));
addEventListener("popstate", () => open(wish(location.search, location.hash)));
addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.altKey || e.metaKey || document.body.dataset["screen"] !== "replay") return;
  if (e.target instanceof Element && e.target.closest("button, select, a, input:not(#seek), .scroll") && !["<", ">"].includes(e.key)) return;
  if (e.target === byId("seek", HTMLInputElement) && e.key !== " " && !["<", ">"].includes(e.key)) return; // the slider's own
  if (transport.key(e)) e.preventDefault();
});
let again: Wish | undefined;
open(wish(location.search, location.hash));

/** A lobby in which somebody is signed in: the guest that this browser was last, or a new one. */
function signIn(): Promise<Lobby> {
  lobby ??= (async () => {
    const made = new Lobby(location.origin);
    const kept = keptGuest();
    const name = kept?.name ?? callsign();
    await made.guest(name, { token: kept?.token });
    keepGuest({ name, token: made.token });
    return made;
  })();
  lobby.catch(() => (lobby = undefined)); // the next one tries again
  return lobby;
}

/** Goes to something, which the browser's back button undoes. */
function go(w: Wish): void {
  history.pushState(null, "", path(w));
  open(w);
}

/** Shows what an address asks for. */
function open(w: Wish): void {
  wanted = w;
  again = undefined;
  close();
  switch (w.kind) {
    case "list":
      screen("landing");
      landing.open();
      document.title = "Watch · Muster";
      return;
    case "room":
      return live(w.id);
    case "match":
      return void present(async () => (await signIn()).request("POST /v1/replays", w.as ? { match: w.id, as: w.as } : { match: w.id }), "match");
    case "session":
      return void present(async () => (await signIn()).request("POST /v1/replays/{id}/watch", { id: w.id }), "session");
  }
}

function close(): void {
  round++;
  viewer?.close();
  remote?.close();
  viewer = remote = replay = undefined;
  key = "";
  seen = [];
  landing.close();
  transport.close();
  stage.replaceChildren();
  side.replaceChildren();
  show(message, false);
  came();
}

function screen(name: "landing" | "live" | "replay" | "message"): void {
  document.body.dataset["screen"] = name;
  show(watching, name === "live" || name === "replay");
}

/** Watches a match that is played now. */
function live(room: string): void {
  screen("live");
  setText(about, "Live match");
  say("Coming to the match …");
  const mine = round;
  const waiting = async (again: boolean) => {
    const socket = viewer?.match;
    const r = await (await signIn()).rooms.get(room);
    const due = performance.now() + (r.shown_in_ms ?? 0);
    const first = soon(due - performance.now(), again); // the seconds that pass are for eyes
    const count = () => {
      if (mine !== round || viewer?.match !== socket || viewer?.shown) return;
      say(soon(due - performance.now(), again), first);
      setTimeout(count, 500);
    };
    count();
  };
  const details = async () => {
    const r = await (await signIn()).rooms.get(room);
    if (mine !== round) return;
    const late = r.delay_ms ? ` · shown ${r.delay_ms < 120_000 ? `${Math.round(r.delay_ms / 1000)} s` : `${Math.round(r.delay_ms / 60_000)} min`} later` : "";
    setText(about, `${r.title || capital(r.game)} · ${r.players} of ${r.seats} playing${late}`);
    document.title = `${r.title || capital(r.game)} live · Muster`;
  };
  details().catch(() => undefined); // the socket says what is wrong
  viewer = new Viewer({
    ...watcher(),
    seat: async () => (await signIn()).rooms.spectate(room),
    replay: false,
    waiting: (again) => void waiting(again).catch(() => undefined), // it is said to be coming, which is true
    over: (why, refused) => tell(refused ? "This match cannot be watched" : "The match is over", refused ? refusal(why) : ended(why), refused ? undefined : { kind: "match", id: room, as: "" }),
  });
}

/** What is to be said of a match that was seen to its end. */
function ended(why: string): string {
  return why === "The match is over." ? "Its replay can be watched from any moment, where it was recorded." : why;
}

/** Why a room cannot be watched, for people. */
function refusal(why: string): string {
  return /no such room/.test(why) ? "There is no such public match: it is over, private, or its game has no spectators." : why;
}

/** Shows a replay that a request opens. */
async function present(ask: () => Promise<ReplaySession>, by: "match" | "session" | "file"): Promise<void> {
  const mine = round;
  const control = wanted.kind === "session" ? wanted.key : "";
  if (by !== "file") {
    screen("replay");
    setText(about, "Replay");
    say(by === "match" ? "Opening the replay …" : "Coming to the replay …");
  }
  let session: ReplaySession;
  try {
    session = await ask();
  } catch (error) {
    if (mine !== round) return;
    if (by === "file") return landing.say(explain(error), true);
    return tell("This replay cannot be shown", explain(error), undefined, !(error instanceof APIError) || error.temporary);
  }
  if (mine !== round) {
    if (by !== "session") void (await signIn()).request("DELETE /v1/replays/{id}", { id: session.id }).catch(() => undefined); // nobody looks
    return;
  }
  if (by === "file") {
    landing.say("");
    close();
  }
  const own: Wish = { kind: "session", id: session.id, key: session.key || control };
  if (by === "file") history.pushState(null, "", path(own));
  else history.replaceState(null, "", path(own)); // to load the page again comes back to this very session
  wanted = own;
  begin(session, own.key);
}

function begin(session: ReplaySession, control: string): void {
  screen("replay");
  key = control;
  replay = session;
  setText(about, `${capital(session.game)} replay${session.as === "public" ? "" : `, seen as ${session.as.replace(":", " ")}`}`);
  document.title = `${capital(session.game)} replay · Muster`;
  transport.open(session, session.marks, session.yours || control !== "");
  let first: MatchSeat | undefined = { url: session.url, token: session.token, room: session.id };
  const watch = async () => {
    const seat = first ?? (await (await signIn()).request("POST /v1/replays/{id}/watch", { id: session.id }));
    first = undefined;
    return { url: seat.url, token: seat.token, room: session.id };
  };
  const common = watcher();
  viewer = new Viewer({
    ...common,
    seat: watch,
    replay: true,
    frame: (tick) => {
      common.frame(tick);
      transport.frame(tick);
    },
    over: (why) => tell("The replay is over", why, session.match ? { kind: "match", id: session.match, as: session.as === "public" ? "" : session.as } : undefined),
  });
  remote = new Remote({
    send: async (c: ReplayControl) => (await signIn()).request("PATCH /v1/replays/{id}", { id: session.id, ...c }),
    read: async () => (await signIn()).request("GET /v1/replays/{id}", { id: session.id }),
    state: (s) => {
      replay = s;
      if (viewer) viewer.speed = s.speed;
      transport.state(s);
      setText(viewers, s.viewers > 1 ? `${s.viewers} watch` : "");
    },
    failed: (error) => {
      if (error instanceof APIError && error.status !== 404) toast(explain(error));
    },
    later: (ms, call) => {
      const timer = setTimeout(call, ms);
      return () => clearTimeout(timer);
    },
  });
}

/** What both ways of watching have in common. */
function watcher() {
  return {
    scene: (game: string) => {
      const arena = game === "arena" || game === "crowd";
      document.body.classList.toggle("tables", !arena);
      return arena ? new ArenaScene(stage, side, byId("clock", HTMLElement)) : new TablesScene(stage, side);
    },
    live: (on: boolean) => {
      if (on) came();
      else say("The connection was lost. Coming back …");
    },
    refresh: async () => (await signIn()).refresh(),
    frame: (tick: number) => note(tick),
    waiting: () => {},
  };
}

/** Remembers what a frame had. */
function note(tick: number): void {
  const rows = viewer?.match?.tables["Ships"];
  if (!rows) return;
  const ships: Seen["ships"] = {};
  for (const [, s] of rows) ships[Number(s["Owner"])] = [Number(s["X"]), Number(s["Y"])];
  if (seen.at(-1)?.tick === tick) seen.pop();
  seen.push({ tick, ships });
  if (seen.length > SEEN) seen.shift();
}

async function sendFile(file: File, as: string): Promise<ReplaySession> {
  const lobby = await signIn();
  const send = () => fetch(`/v1/replays/files?as=${encodeURIComponent(as)}`, {
    method: "POST", body: file, headers: { Authorization: `Bearer ${lobby.token}`, "Content-Type": "application/octet-stream" }, redirect: "error",
  });
  let res = await send();
  if (res.status === 401) {
    await lobby.refresh();
    res = await send();
  }
  const body: unknown = await res.json().catch(() => undefined);
  if (!res.ok) throw new APIError(res.status, body, res.headers.get("Retry-After"));
  return body as ReplaySession;
}

/** Says over the picture what is waited for. Who hears it hears what is to be heard of it, once. */
function say(text: string, heard = text): void {
  setText(link, text);
  setText(linkTold, heard);
  show(link, true);
}

/** There is nothing to wait for. */
function came(): void {
  setText(linkTold, "");
  show(link, false);
}

let fades: ReturnType<typeof setTimeout> | undefined;

function toast(text: string): void {
  const place = byId("toast", HTMLElement);
  setText(place, text);
  clearTimeout(fades);
  fades = setTimeout(() => setText(place, ""), 6000);
}

/** Ends with words, and ways on: then is what the first button goes to. */
function tell(title: string, text: string, then?: Wish, retry = false): void {
  close();
  screen("message");
  setText(byId("message-title", HTMLElement), title);
  setText(byId("message-text", HTMLElement), text);
  const button = byId("message-again", HTMLButtonElement);
  again = then;
  setText(button, then ? "Watch the replay" : "Try again");
  show(button, then !== undefined || retry);
  show(message, true);
  byId("message-title", HTMLElement).focus();
  document.title = `${title} · Muster`;
}

async function share(): Promise<void> {
  const url = new URL(wanted.kind === "session" ? path({ ...wanted, key: "" }) : path(wanted), location.href).href;
  try {
    await navigator.clipboard.writeText(url);
    toast("The link is copied: whoever has it may watch.");
  } catch {
    toast(url);
  }
}
