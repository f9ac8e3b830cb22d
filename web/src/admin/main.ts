// The page of those who run the servers.

import { byId, setText, show } from "../shared/dom.ts";
import { attachThemeSwitch } from "../shared/theme.ts";
import type { Admin } from "./api.ts";
import { Numbers } from "./board.ts";
import { ago } from "./format.ts";
import { type Board, Link, type LinkState } from "./link.ts";
import { announce, RoomView } from "./room.ts";
import { RoomList, roomOf } from "./rooms.ts";
import { type Session, SignIn } from "./signin.ts";

let session: Session | undefined;
let link: Link | undefined;
let state: LinkState = "opening";
let drawing = false; // a frame waits for the next picture

const overview = byId("overview", HTMLElement);
const room = byId("room", HTMLElement);
const signOut = byId("sign-out", HTMLButtonElement);
const announceAll = byId("announce-all", HTMLButtonElement);
const bannerAct = byId("banner-act", HTMLButtonElement);

const admin = (): Admin => {
  if (!session) throw new Error("nobody is signed in");
  return session.admin;
};
const numbers = new Numbers(admin);
const list = new RoomList(admin);
const view = new RoomView(admin);
const signIn = new SignIn({ in: enter, asked: leave, away: (why) => banner(`${why} Trying again …`) });

attachThemeSwitch(byId("theme", HTMLButtonElement));
addEventListener("hashchange", screen);
document.addEventListener("visibilitychange", screen);
signOut.addEventListener("click", () => signIn.out());
bannerAct.addEventListener("click", () => link?.open());
announceAll.addEventListener("click", () => announce("Announce to everybody", "Every player hears of it, now or when he comes next.", async (title, body, key) => {
  await admin().announceToAll(title, body, key);
  return "Announced to everybody.";
}));
void signIn.begin();

/** An operator is here. */
function enter(who: Session): void {
  session = who;
  show(signOut, !who.guest);
  show(announceAll, true);
  link = new Link(who.lobby, who.guest, { state: changed, frame: framed, refused: (why) => signIn.ask(why) });
  link.open();
  screen();
}

/** Nobody is here: the form is shown. */
function leave(): void {
  link?.close();
  link = session = undefined;
  show(signOut, false);
  show(announceAll, false);
  live("off", "Not signed in");
  banner("");
  screen();
}

/** Shows what the address says, to who may see it. */
function screen(): void {
  const id = roomOf(location.hash);
  document.body.dataset["screen"] = !session ? "start" : id ? "room" : "overview";
  show(overview, session !== undefined && !id);
  show(room, session !== undefined && id !== undefined);
  const watched = session && !document.hidden; // a page that nobody sees asks for nothing
  if (watched && !id) list.start();
  else list.stop();
  if (watched && id) view.open(id);
  else view.close();
  if (!watched || !id) document.title = "Dashboard · Muster";
  else document.title = `${id} · Muster`;
}

function changed(now: LinkState, why: string): void {
  state = now;
  document.body.classList.toggle("stale", now === "lost" || now === "elsewhere");
  show(bannerAct, now === "elsewhere");
  switch (now) {
    case "opening":
      return live("off", "Opening …");
    case "on":
      banner("");
      return live("on", "Live");
    case "elsewhere":
      live("bad", "Not live");
      setText(bannerAct, "Use it here");
      return banner("The dashboard was opened in another window with the same token.");
    case "lost":
      live("bad", "Not live");
      return banner(`${why || "The connection is lost."} What you see is from before; trying again …`);
  }
}

/** The board has new numbers: they are shown with the next picture. */
function framed(board: Board): void {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    numbers.show(board);
    list.offer([...board.tables.Games].map(([, g]) => g.Game).sort(), [...board.tables.Nodes].map(([, n]) => n.ID).sort());
    const status = board.value("Status");
    if (state !== "on" || !status || status.At === 0) return;
    document.body.classList.toggle("stale", status.Stale);
    const old = ago(Date.now() / 1000 - status.At);
    live(status.Stale ? "bad" : "on", status.Stale ? `${old} old` : "Live");
    banner(status.Trouble ? `The servers' numbers cannot be read: ${status.Trouble}` : "");
  });
}

function live(how: "on" | "off" | "bad", text: string): void {
  byId("live", HTMLElement).dataset["state"] = how;
  setText(byId("live-text", HTMLElement), text);
}

function banner(text: string): void {
  setText(byId("banner-text", HTMLElement), text);
  show(byId("banner", HTMLElement), text !== "");
}

