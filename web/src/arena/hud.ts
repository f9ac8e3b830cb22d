// What lies over the picture during a round: clock, scores, kills, gauges, the link's numbers, and the two notices.

import { hull, seatColour } from "./colours.ts";
import { byId, make, polygon, setText, show } from "../shared/dom.ts";
import { ordinal, shortlist, type Rank } from "./ranking.ts";
import { JAM_END, MAX_HP, RESPAWN, type Ship } from "./world.ts";

const FEED_ROWS = 5;
const FEED_TIME = 6000; // ms that a kill stays in the feed
const CHEER_TIME = 1800; // ms, as the style sheet's animation
const SHORT_ROWS = 5;

/** The numbers of the link, for who likes to know. */
export interface Numbers {
  ping: number; // ms
  tick: number;
  bytes: number; // received in a second
  fps: number;
}

/** Whom a line is about. */
export interface Pilot {
  seat: number;
  name: string;
}

export class Hud {
  readonly #root = byId("hud", HTMLElement);
  readonly #ping = byId("stat-ping", HTMLElement);
  readonly #tick = byId("stat-tick", HTMLElement);
  readonly #bytes = byId("stat-bytes", HTMLElement);
  readonly #fps = byId("stat-fps", HTMLElement);
  readonly #clock = byId("clock", HTMLElement);
  readonly #scores = byId("scores", HTMLTableElement);
  readonly #feed = byId("feed", HTMLOListElement);
  readonly #hull = byId("hull", HTMLElement);
  readonly #gun = byId("gun", HTMLElement);
  readonly #toast = byId("toast", HTMLElement);
  readonly #down = byId("down", HTMLElement);
  readonly #downBy = byId("down-by", HTMLElement);
  readonly #downCount = byId("down-count", HTMLElement);
  readonly #downRing = byId("down-ring", SVGCircleElement);
  readonly #link = byId("link", HTMLElement);
  readonly #hint = byId("hint", HTMLElement);
  readonly #hintText = byId("hint-text", HTMLElement);
  readonly #instead = byId("instead", HTMLElement);
  readonly #tally = byId("tally", HTMLElement);
  readonly #tallyScore = byId("tally-score", HTMLElement);
  readonly #tallyRank = byId("tally-rank", HTMLElement);
  readonly #code = byId("room-code", HTMLElement);
  #drawn = ""; // what the scores show now

  /** Clears what is left of another round. */
  open(own: number, code: string): void {
    this.#feed.replaceChildren();
    this.#toast.replaceChildren();
    this.#drawn = "";
    document.body.style.setProperty("--me", seatColour(own));
    this.down(undefined);
    this.link(true);
    this.hint("");
    this.tally(undefined);
    show(this.#code, code !== "");
    setText(byId("room-code-text", HTMLElement), code);
    this.expand(false);
    show(this.#root, true);
  }

  close(): void {
    show(this.#root, false);
    document.body.style.removeProperty("--me");
  }

  numbers(n: Numbers): void {
    setText(this.#ping, String(Math.round(n.ping)));
    setText(this.#tick, String(n.tick));
    setText(this.#bytes, rate(n.bytes));
    setText(this.#fps, String(Math.round(n.fps)));
  }

  /** Shows the seconds left of a phase, or a dash when there is no end. */
  clock(seconds: number | undefined): void {
    setText(this.#clock, seconds === undefined ? "–:––" : minutes(seconds));
    this.#clock.classList.toggle("late", seconds !== undefined && seconds <= 10);
  }

  gauges(ship: Ship | undefined): void {
    const hp = ship?.HP ?? 0;
    const heat = hp > 0 ? (ship?.Heat ?? 0) : 0;
    const jammed = hp > 0 && (ship?.Jammed ?? false);
    gauge(this.#hull, (100 * hp) / MAX_HP, String(Math.round((100 * hp) / MAX_HP)));
    gauge(this.#gun, heat, jammed ? "jammed" : String(Math.round(heat)));
    this.#hull.classList.toggle("low", hp <= 40);
    this.#gun.classList.toggle("hot", heat > 70);
    this.#gun.classList.toggle("jammed", jammed);
    this.#gun.style.setProperty("--mark", `${JAM_END}%`);
  }

  /** Shows every row and column of the scores, or the short list. */
  expand(on: boolean): void {
    this.#scores.classList.toggle("full", on);
  }

  scores(ranks: Rank[], own: number): void {
    const full = this.#scores.classList.contains("full");
    const rows = full ? ranks : shortlist(ranks, own, SHORT_ROWS);
    const key = JSON.stringify([full, own, rows]);
    if (key === this.#drawn) return;
    this.#drawn = key;
    this.#scores.tBodies[0]!.replaceChildren(...rows.map((r) => scoreRow(r, own)));
  }

  /** Shows the own score and rank; a score that has moved leaps. */
  tally(mine: Rank | undefined): void {
    show(this.#tally, mine !== undefined);
    const text = mine ? String(mine.score) : "";
    const moved = mine !== undefined && mine.score > 0 && this.#tallyScore.textContent !== text && this.#tallyScore.textContent !== "";
    setText(this.#tallyScore, text);
    if (mine) setText(this.#tallyRank, `${mine.score === 1 ? "kill" : "kills"}${mine.rank ? `, ${ordinal(mine.rank)}` : ""}`);
    if (!moved) return;
    this.#tally.classList.remove("moved");
    void this.#tally.offsetWidth; // so that the animation begins anew
    this.#tally.classList.add("moved");
  }

  /** Says something that helps, below the clock, with the choice to play against bots; takes it away with "". */
  hint(text: string, bots = false): void {
    show(this.#hint, text !== "");
    setText(this.#hintText, text);
    show(this.#instead, bots);
  }

  /** Adds a line to the feed, which lasts a while. */
  kill(victim: Pilot, by: Pilot, own: number, streak: string): void {
    const row = make("li", victim.seat === own || by.seat === own ? "mine" : "", pilot(by), gunsight(), pilot(victim));
    this.#feed.append(row);
    while (this.#feed.children.length > FEED_ROWS) this.#feed.firstElementChild!.remove();
    setTimeout(() => row.classList.add("old"), FEED_TIME - 600);
    setTimeout(() => row.remove(), FEED_TIME);
    if (by.seat === own && victim.seat !== own) this.#cheer(victim, streak);
  }

  /** Says whom the own ship has destroyed, and the how manieth in a row it was. */
  #cheer(victim: Pilot, streak: string): void {
    const line = make("p", streak ? "streak" : "", streak ? make("strong", "", `${streak}!`) : "", "You destroyed ", pilot(victim));
    this.#toast.replaceChildren(line); // a new element starts the animation anew
    setTimeout(() => line.remove(), CHEER_TIME);
  }

  /** Shows that the own ship is destroyed, by whom and for how long, or takes that away. */
  down(state: { by: string; seconds: number } | undefined): void {
    show(this.#down, state !== undefined);
    if (!state) return;
    setText(this.#downBy, state.by ? `by ${state.by}` : "");
    setText(this.#downCount, String(Math.max(1, Math.ceil(state.seconds))));
    this.#downRing.style.strokeDashoffset = String(100 * (1 - Math.max(0, Math.min(1, state.seconds / RESPAWN))));
  }

  /** Says whether the link is there. */
  link(up: boolean): void {
    show(this.#link, !up);
    this.#root.classList.toggle("cut", !up);
  }
}

function gauge(element: HTMLElement, percent: number, text: string): void {
  const rounded = String(Math.round(percent));
  if (element.getAttribute("aria-valuenow") !== rounded) element.setAttribute("aria-valuenow", rounded);
  const part = String(percent / 100);
  if (element.style.getPropertyValue("--part") !== part) element.style.setProperty("--part", part);
  setText(element.querySelector(".value")!, text);
}

function scoreRow(r: Rank, own: number): HTMLTableRowElement {
  const ship = make("td", "ship", polygon(hull(r.seat), "hull-icon"));
  const name = make("th", "pilot", r.name);
  name.scope = "row";
  if (r.away) name.append(make("span", "away", " away"));
  const row = make("tr", r.seat === own ? "mine" : "", ship, name, make("td", "more", String(r.deaths)), make("td", "", String(r.score)));
  row.style.setProperty("--seat", seatColour(r.seat));
  return row;
}

function pilot(p: Pilot): HTMLElement {
  const name = make("b", "", p.name);
  name.style.setProperty("--seat", seatColour(p.seat));
  return name;
}

function gunsight(): SVGSVGElement {
  const icon = polygon([[9, 0], [-7, 5.5], [-4, 0], [-7, -5.5]], "shot-icon");
  icon.setAttribute("aria-hidden", "false");
  icon.setAttribute("role", "img");
  icon.setAttribute("aria-label", "destroyed");
  return icon;
}

/** Seconds as m:ss, rounded up: a round is over at 0:00 and not before. */
export function minutes(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** Bytes in a second, readable. */
export function rate(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B/s`;
  return `${(bytes / 1000).toFixed(bytes < 100_000 ? 1 : 0)} kB/s`;
}
