// The arena, drawn as its players see it: the whole field, or the window of one of them.

import type { FrameInfo, Match } from "@muster/client";
import { Picture } from "../arena/draw/picture.ts";
import { tint } from "../arena/draw/look.ts";
import { leader, ranking, type Rank } from "../arena/ranking.ts";
import { Scene, type ShipView } from "../arena/scene.ts";
import { SIZE, type Events, type Ship, type World } from "../arena/world.ts";
import { make, setText, show } from "../shared/dom.ts";
import { onTheme } from "../shared/theme.ts";
import { minutes } from "./time.ts";
import type { MatchScene, Moment } from "./scene.ts";

const FRAME = 1.06; // how much more than the field the whole of it takes
const NAP = 1000; // ms between two pictures that mean that the tab was hidden
const SIDE_EVERY = 250; // ms between updates of the list

type ArenaMatch = Match<World, Record<string, never>, Events>;

export class ArenaScene implements MatchScene {
  readonly #canvas = make("canvas", "field");
  readonly #picture: Picture;
  readonly #list = make("ul", "pilots");
  readonly #whole = make("button", "pilot whole", make("span", "name", "Whole field"));
  readonly #clock: HTMLElement;
  readonly #empty = make("p", "empty-note");
  readonly #undo: () => void;
  #rows = new Map<number, HTMLButtonElement>(); // by seat
  #scene: Scene | undefined;
  #match: ArenaMatch | undefined;
  #moment: Moment = { tick: 0, rate: 20, replay: false };
  #ranks: Rank[] = [];
  #ships: ShipView[] = [];
  #follow = 0;
  #last = 0;
  #sideAt = 0;

  /** Draws on the stage and lists the pilots at the side; clock is where the round's time stands. */
  constructor(stage: HTMLElement, side: HTMLElement, clock: HTMLElement) {
    this.#canvas.setAttribute("role", "img");
    this.#canvas.setAttribute("aria-label", "The arena");
    stage.replaceChildren(this.#canvas, this.#empty);
    show(this.#empty, false);
    this.#picture = new Picture(this.#canvas);
    this.#clock = clock;
    const heading = make("h2", "", "Pilots");
    const all = make("li", "", this.#whole);
    this.#whole.type = "button";
    this.#list.setAttribute("aria-label", "Whom to follow");
    this.#list.append(all);
    side.replaceChildren(heading, this.#list);
    this.#whole.addEventListener("click", () => this.#choose(0));
    this.#choose(0);
    this.#undo = onTheme(() => this.#paintNames());
  }

  begin(match: Match): void {
    this.#match = match as unknown as ArenaMatch;
    this.#scene = new Scene(match.info.rate);
    this.#picture.clear();
    match.onEvent("*", (fields, e) => this.#scene?.event(e.tick, e.name, { ...(fields as object) }, 0));
  }

  frame(_: FrameInfo, at: Moment, jumped: boolean): void {
    this.#moment = at;
    this.#ranks = this.#match ? ranking(this.#match.tables.Ships) : [];
    if (!jumped) return;
    this.#scene?.clear();
    this.#picture.clear();
  }

  draw(now: number): void {
    const match = this.#match;
    const shown = match?.view(now);
    if (!match || !shown || !this.#scene) return;
    const passed = now - this.#last;
    this.#last = now;
    const { camera } = this.#picture;
    camera.size = match.value("Field")?.Size || SIZE;
    const { ships, bullets, happenings } = this.#scene.show({ tick: shown.tick, Ships: shown.tables.Ships as ReadonlyMap<number, Ship>, Bullets: shown.tables.Bullets as ReadonlyMap<number, World["Bullets"]> }, 0);
    this.#ships = ships;
    const follow = ships.some((s) => s.seat === this.#follow) ? this.#follow : 0;
    camera.zoom = 1;
    if (!follow) {
      camera.zoom = Math.min(camera.width, camera.height) / (camera.size * FRAME) / camera.scale;
      camera.look(camera.size / 2, camera.size / 2);
    }
    this.#picture.draw({ now, ships, bullets, happenings: passed < NAP ? happenings : [], own: follow, leader: leader(this.#ranks), labels: true });
    if (now >= this.#sideAt) this.#side(now);
  }

  /** The ships as they are drawn, for tests and for the curious. */
  get ships(): readonly ShipView[] {
    return this.#ships;
  }

  close(): void {
    this.#undo();
    setText(this.#clock, "");
  }

  #choose(seat: number): void {
    this.#follow = seat;
    this.#whole.setAttribute("aria-pressed", String(seat === 0));
    for (const [s, row] of this.#rows) row.setAttribute("aria-pressed", String(s === seat));
  }

  #side(now: number): void {
    this.#sideAt = now + SIDE_EVERY;
    const { tick, rate } = this.#moment;
    const round = this.#match?.value("Round");
    const left = round?.Phase === "Playing" ? minutes(round.Ends - tick, rate) : round?.Phase === "Podium" ? "Round over" : "";
    setText(this.#clock, left);
    setText(this.#empty, this.#moment.replay ? "No ship is in play at this moment. Play on, or go to another." : "No ship is in play.");
    show(this.#empty, this.#ranks.length === 0);
    const gone = new Set(this.#rows.keys());
    let before: Element = this.#whole.parentElement!;
    for (const r of this.#ranks) {
      gone.delete(r.seat);
      const row = this.#rows.get(r.seat) ?? this.#add(r.seat);
      setText(row.querySelector(".name")!, r.name);
      setText(row.querySelector(".score")!, String(r.score));
      setText(row.querySelector(".hidden-text")!, `${r.score === 1 ? "kill" : "kills"}${r.away ? ", connection lost" : ""}`);
      row.classList.toggle("away", r.away);
      const item = row.parentElement!;
      if (before.nextElementSibling !== item) before.after(item);
      before = item;
    }
    for (const seat of gone) {
      this.#rows.get(seat)?.parentElement?.remove();
      this.#rows.delete(seat);
      if (seat === this.#follow) this.#choose(0);
    }
  }

  #add(seat: number): HTMLButtonElement {
    const row = make("button", "pilot", make("i", "dot"), make("span", "name"), make("span", "score"), make("span", "hidden-text"));
    row.type = "button";
    row.setAttribute("aria-pressed", String(seat === this.#follow));
    row.addEventListener("click", () => this.#choose(seat));
    this.#rows.set(seat, row);
    make("li", "", row);
    this.#paintNames();
    return row;
  }

  #paintNames(): void {
    for (const [seat, row] of this.#rows) (row.firstElementChild as HTMLElement).style.background = tint(seat);
  }
}
