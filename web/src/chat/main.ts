// The lobby's page: signing in, then one place after the other, which the address names.

import { APIError, type Channel, Lobby } from "@muster/client";
import { callsign, tidy } from "../shared/callsign.ts";
import { copy } from "../shared/copy.ts";
import { byId, make, setText, show } from "../shared/dom.ts";
import { Prefs } from "../shared/prefs.ts";
import { refusal } from "../shared/talk.ts";
import { attachThemeSwitch } from "../shared/theme.ts";
import { Book } from "./book.ts";
import { InboxView } from "./inboxview.ts";
import { PeopleView } from "./peopleview.ts";
import { PlayView } from "./playview.ts";
import { redraw } from "./render.ts";
import { Session } from "./session.ts";
import { drawSide } from "./side.ts";
import { TalkView } from "./talkview.ts";

const MAX_NAME = 24;
const QUEUES_MS = 5000;
const TOAST_MS = 6000;
const AGAIN_MS = 3000;
const VIEWS = ["play", "inbox", "people", "talk"] as const;

const prefs = new Prefs();
const form = byId("sign-in-form", HTMLFormElement);
const nameField = byId("name", HTMLInputElement);
const status = byId("sign-in-status", HTMLElement);
const link = byId("link", HTMLElement);

attachThemeSwitch(byId("theme", HTMLButtonElement));
nameField.value = prefs.get("arena.callsign") ?? callsign();
form.addEventListener("submit", (e) => {
  e.preventDefault();
  const name = tidy(nameField.value, MAX_NAME);
  if (!name) {
    setText(status, "A name, please.");
    return nameField.focus();
  }
  void enter(name);
});
const remembered = prefs.get("chat.token");
if (remembered && prefs.get("chat.name")) void enter(prefs.get("chat.name")!, remembered);
else nameField.select();

/** Signs in: as the guest of before where there is a token, else as a new one. */
async function enter(name: string, token?: string): Promise<void> {
  form.classList.add("busy");
  setText(status, token ? `Welcome back, ${name} …` : "Signing in …");
  for (;;) {
    try {
      const lobby = new Lobby(location.origin);
      const guest = await lobby.guest(name, { token });
      prefs.set("arena.callsign", name);
      prefs.set("chat.name", name);
      prefs.set("chat.token", guest.token);
      const book = new Book(prefs, guest.player);
      const live = await lobby.live({ after: book.last });
      return run(lobby, new Session(lobby, live, book, () => schedule()));
    } catch (error) {
      setText(status, refusal(error));
      if (!token || (error instanceof APIError && !error.temporary)) break; // whoever was here before comes back by itself
      await new Promise((done) => setTimeout(done, AGAIN_MS));
    }
  }
  form.classList.remove("busy");
}

let session: Session;
let draw: () => void = () => undefined;
let scheduled = false;

/** Draws soon: many changes at once are drawn once. */
function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    draw();
  });
}

function run(lobby: Lobby, s: Session): void {
  session = s;
  const go = (hash: string) => {
    if (location.hash === hash) route();
    else location.hash = hash;
  };
  const talk = new TalkView(s, go);
  const inbox = new InboxView(s, go);
  const people = new PeopleView(s);
  const play = new PlayView(s);
  let place = "";

  const route = () => {
    const hash = location.hash;
    const view = VIEWS.find((v) => hash === `#${v}` || hash.startsWith(`#${v}/`));
    const moved = place !== "" && hash !== place;
    place = hash;
    document.body.dataset["pane"] = view ? "detail" : "list";
    const shown = view ?? (matchMedia("(width < 760px)").matches ? undefined : "people");
    for (const v of VIEWS) show(byId(`view-${v}`, HTMLElement), v === shown);
    if (shown === "talk") {
      const channel = decode(hash.slice("#talk/".length));
      if (channel) talk.open(channel);
      else return go("#people");
    } else {
      talk.close();
      if (moved && shown) byId(`${shown}-title`, HTMLElement).focus({ preventScroll: true });
    }
    if (shown === "play") void s.play.look().catch(() => undefined);
    draw();
  };

  draw = () => {
    const showing = VIEWS.find((v) => !byId(`view-${v}`, HTMLElement).hidden);
    s.read();
    if (showing === "talk") talk.draw();
    if (showing === "people") people.draw();
    if (showing === "play") play.draw();
    inbox.draw(showing === "inbox");
    drawSide(s, place);
    redraw(byId("known", HTMLElement), s.book.contacts, () => s.book.contacts.map(({ id, name }) => {
      const option = make("option");
      option.value = s.book.contacts.filter((c) => c.name === name).length > 1 ? id : name;
      return option;
    }));
    const live = s.live.state;
    setText(link, live === "open" ? "" : live === "reconnecting" ? "The server is away. Coming back by itself …" : "You are signed out.");
    document.title = (s.unread > 0 ? `(${s.unread}) ` : "") + "Lobby · Muster";
  };

  s.say = toast;
  s.live.on("close", (info) => {
    setText(link, info.reason || "You are signed out.");
    draw();
  });
  // A token that was renewed is the one to come back with.
  let signedOut = false;
  const remember = () => {
    if (!signedOut) prefs.set("chat.token", lobby.token);
  };
  s.live.on("state", remember);
  addEventListener("pagehide", remember);
  addEventListener("hashchange", route);
  document.addEventListener("visibilitychange", schedule);
  byId("copy-id", HTMLButtonElement).addEventListener("click", (e) => void copy(s.me.id, e.currentTarget as HTMLElement));
  byId("sign-out", HTMLButtonElement).addEventListener("click", () => {
    signedOut = true;
    prefs.set("chat.token", undefined);
    talk.forget();
    s.live.close();
    location.href = "/chat";
  });
  groups(s, go);
  setInterval(() => {
    if (document.hidden) return;
    if (place === "#play" && s.live.state === "open" && !s.play.waiting) void s.play.look().catch(() => undefined);
  }, QUEUES_MS);
  setInterval(schedule, 1000); // clocks

  show(byId("sign-in", HTMLElement), false);
  show(byId("app", HTMLElement), true);
  document.body.dataset["screen"] = "app";
  route();
  void s.refresh();
}

/** The form that makes a group. */
function groups(s: Session, go: (hash: string) => void): void {
  const open = byId("new-group", HTMLButtonElement);
  const box = byId("group-form", HTMLFormElement);
  const title = byId("group-title", HTMLInputElement);
  const toggle = (on: boolean) => {
    show(box, on);
    open.setAttribute("aria-expanded", String(on));
    if (on) title.focus();
  };
  open.addEventListener("click", () => toggle(box.hasAttribute("hidden")));
  box.addEventListener("submit", (e) => {
    e.preventDefault();
    const name = title.value.trim();
    if (!name) return title.focus();
    s.makeGroup(name).then((channel) => {
      title.value = "";
      toggle(false);
      go(`#talk/${encodeURIComponent(channel)}`);
    }, (error: unknown) => toast(refusal(error), true));
  });
}

/** Says something for a few seconds, to all senses. */
function toast(text: string, wrong = false): void {
  const line = make("p", wrong ? "toast wrong" : "toast", text);
  const box = byId("toasts", HTMLElement);
  box.append(line);
  while (box.children.length > 3) box.firstElementChild!.remove();
  setTimeout(() => line.remove(), TOAST_MS);
}

function decode(text: string): Channel | undefined {
  try {
    const channel = decodeURIComponent(text);
    return /^(direct|party|group):./.test(channel) ? (channel as Channel) : undefined;
  } catch {
    return undefined;
  }
}

/** For tests of this page. */
Object.defineProperty(window, "lobbyPage", { value: { get me() { return session?.me; }, get state() { return session?.live.state; } } });
