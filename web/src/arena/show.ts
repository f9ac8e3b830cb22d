// What of a match is shown and heard at a moment: the picture, the map, the sounds, and what lies over the picture.

import type { Match } from "@muster/client";
import { byId } from "../shared/dom.ts";
import { drawMap, type Blip } from "./draw/map.ts";
import type { Picture } from "./draw/picture.ts";
import type { Hud } from "./hud.ts";
import { PODIUM_PAUSE, type PodiumScreen } from "./podium.ts";
import { leader, leaders, ranking, type Rank } from "./ranking.ts";
import { Scene, type Happening, type ShipView } from "./scene.ts";
import { cues, type Moment } from "./sound/cues.ts";
import { Listener } from "./sound/ear.ts";
import type { Sound } from "./sound/sound.ts";
import { seen } from "./step.ts";
import { Streak } from "./streak.ts";
import { MAX_SPEED, SIZE, type Events, type Input, type Ship, type World } from "./world.ts";

export type ArenaMatch = Match<World, Input, Events>;

/** What a match is shown on, and how. */
export interface Stage {
  picture: Picture;
  hud: Hud;
  podium: PodiumScreen;
  sound: Sound;
  /** Whether it may be that nobody else is there. */
  alone: boolean;
}

/** The rows to show at a tick. */
export interface ShownTables {
  tick: number;
  ships: ReadonlyMap<number, Ship>;
  bullets: ReadonlyMap<number, World["Bullets"]>;
}

const SLOW = 250; // ms between updates of what needs no haste
const MAP_EVERY = 50; // ms between two maps
const NAP = 1000; // ms between two pictures that mean that the tab was hidden
const ALONE = "Nobody else is here yet. Whoever comes joins this round.";
const LONELY = 4000; // ms that one has to be alone before it is worth a word

export class Show {
  readonly #match: ArenaMatch;
  readonly #stage: Stage;
  readonly #own: number;
  readonly #scene: Scene;
  readonly #map = byId("map", HTMLCanvasElement);
  readonly #listener = new Listener();
  readonly #streak = new Streak();
  readonly #began = performance.now();
  #ships: ShipView[] = [];
  #ranks: Rank[] = [];
  #row: Ship | undefined; // the own one
  #tick = 0; // that is shown
  #killer = 0; // the seat that destroyed the own ship last
  #heardAt: { x: number; y: number } | undefined; // where the own ship was when its engine was set
  #moment: Moment | undefined;
  #last = 0;
  #fps = 60;
  #slowAt = 0;
  #mapAt = 0;
  #mapSide = 0; // CSS pixels
  #received = { at: 0, bytes: 0, rate: 0 };

  constructor(match: ArenaMatch, stage: Stage, code: string) {
    this.#match = match;
    this.#stage = stage;
    this.#own = match.info.seat;
    this.#scene = new Scene(match.info.rate);
    stage.picture.clear();
    stage.picture.camera.zoom = 1; // the same for everybody
    stage.hud.open(this.#own, code);
  }

  get ships(): readonly ShipView[] {
    return this.#ships;
  }

  get tick(): number {
    return this.#tick;
  }

  get fps(): number {
    return this.#fps;
  }

  /** The angle of the own ship as it is drawn. */
  get angle(): number {
    return this.#ships.find((s) => s.seat === this.#own)?.angle ?? 0;
  }

  /** Takes an event of the game. */
  event(tick: number, name: string, fields: { [name: string]: unknown }): void {
    this.#scene.event(tick, name, fields, this.#own);
  }

  /** Ranks anew, after a frame. */
  frame(): void {
    const { Ships, Leaders } = this.#match.tables;
    this.#row = undefined;
    for (const [, row] of Ships) if (row.Owner === this.#own) this.#row = row;
    this.#ranks = Leaders && Leaders.size > 0 ? leaders(Leaders, this.#row) : ranking(Ships);
  }

  /** Draws some rows at a time of requestAnimationFrame. */
  draw(rows: ShownTables, now: number): void {
    const { picture } = this.#stage;
    const passed = now - this.#last;
    this.#last = now;
    if (passed > 0 && passed < NAP) this.#fps += (1000 / passed - this.#fps) * 0.05;
    this.#tick = rows.tick;
    picture.camera.size = this.#match.value("Field")?.Size || SIZE;
    const moment = this.#scene.show({ tick: rows.tick, Ships: rows.ships, Bullets: this.#bullets(rows) }, this.#own);
    this.#ships = moment.ships;
    // After a nap of the tab, what happened meanwhile is over.
    const happenings = passed < NAP ? moment.happenings : [];
    picture.draw({ now, ships: moment.ships, bullets: moment.bullets, happenings, own: this.#own, leader: leader(this.#ranks), labels: true });
    for (const h of happenings) if (h.kind === "kill") this.#killed(h.victim, h.by, now);
    if (now >= this.#mapAt) this.#drawMap(now);
    this.#hear(happenings, now, passed);
    this.#notices();
    if (now >= this.#slowAt) this.#slow(now);
  }

  close(): void {
    this.#stage.sound.stopEngine();
    this.#stage.hud.close();
  }

  /** Shows every row of the scores, or the short list. */
  expand(on: boolean): void {
    this.#stage.hud.expand(on);
    this.#stage.hud.scores(this.#ranks, this.#own);
  }

  /** The bullets, the own ones where they are for their shooter's eyes. */
  *#bullets({ bullets }: ShownTables): Iterable<[number, World["Bullets"]]> {
    const { rate } = this.#match.info;
    for (const [id, b] of bullets) yield [id, b.Owner === this.#own ? { ...b, ...seen(b, rate) } : b];
  }

  #drawMap(now: number): void {
    this.#mapAt = now + MAP_EVERY;
    const blips: Blip[] = [];
    for (const [, b] of this.#match.tables.Blips ?? []) blips.push({ x: b.X, y: b.Y, bot: b.Bot });
    drawMap(this.#map, this.#mapSide, this.#stage.picture.ratio, this.#ships, blips, this.#own, this.#stage.picture.camera);
  }

  #killed(victim: number, by: number, now: number): void {
    const pilot = (seat: number) => ({ seat, name: this.#name(seat) });
    const streak = by === this.#own && victim !== this.#own ? this.#streak.kill(now) : "";
    this.#stage.hud.kill(pilot(victim), pilot(by), this.#own, streak);
    if (victim !== this.#own) return;
    this.#killer = by;
    this.#streak.end();
  }

  #name(seat: number): string {
    return this.#ships.find((s) => s.seat === seat)?.name ?? this.#ranks.find((r) => r.seat === seat)?.name ?? "somebody";
  }

  /** Makes the sounds of what is shown now. passed is ms since the picture before. */
  #hear(happenings: Happening[], now: number, passed: number): void {
    const { picture: { camera }, sound } = this.#stage;
    const places = new Map(this.#ships.map((s) => [s.seat, s]));
    const me = places.get(this.#own);
    const ear = { x: me?.x ?? camera.x, y: me?.y ?? camera.y, half: Math.max(camera.halfWidth, camera.halfHeight), own: this.#own };
    for (const { voice, ...place } of this.#listener.hear(happenings, (seat) => places.get(seat), ear, now)) sound.play(voice, place);
    const alive = me !== undefined && me.hp > 0;
    const far = me && this.#heardAt ? Math.hypot(me.x - this.#heardAt.x, me.y - this.#heardAt.y) : 0;
    this.#heardAt = me;
    const speed = passed > 0 && far < 60 ? Math.min(1, far / ((MAX_SPEED * passed) / 1000)) : 0;
    sound.engine(alive && me.thrust ? 1 : 0, alive ? speed : 0);
    const round = this.#match.value("Round");
    if (!round) return;
    const moment: Moment = {
      phase: round.Phase, left: Math.ceil(this.#seconds(round.Ends)), won: round.Winner === this.#own,
      jammed: alive && (this.#row?.Jammed ?? false),
    };
    for (const voice of cues(this.#moment, moment)) sound.play(voice);
    this.#moment = moment;
  }

  /** What must keep pace with the picture: the gauges, the own end, and the round's. */
  #notices(): void {
    const { hud, podium } = this.#stage;
    const round = this.#match.value("Round");
    hud.gauges(this.#row);
    const shownDown = this.#ships.some((s) => s.seat === this.#own && s.hp === 0);
    const down = this.#row !== undefined && this.#row.HP === 0 && shownDown && this.#row.Spawn > 0 && round?.Phase === "Playing";
    hud.down(down && this.#row ? { by: this.#killer ? this.#name(this.#killer) : "", seconds: this.#seconds(this.#row.Spawn) } : undefined);
    if (round?.Phase !== "Podium") return;
    podium.show(this.#ranks, round.Winner, this.#own);
    podium.countdown(Math.max(0, this.#seconds(round.Ends)) + PODIUM_PAUSE);
  }

  #slow(now: number): void {
    this.#slowAt = now + SLOW;
    this.#mapSide = this.#map.clientWidth;
    const { hud } = this.#stage;
    const { bytesIn, rttMs } = this.#match.stats;
    const since = now - this.#received.at;
    if (since >= 1000) {
      const rate = this.#received.at === 0 ? 0 : ((bytesIn - this.#received.bytes) * 1000) / since;
      this.#received = { at: now, bytes: bytesIn, rate };
    }
    hud.numbers({ ping: rttMs, tick: Math.floor(this.#tick), bytes: this.#received.rate, fps: this.#fps });
    hud.scores(this.#ranks, this.#own);
    hud.tally(this.#ranks.find((r) => r.seat === this.#own));
    const hint = this.#hint(now);
    hud.hint(hint, hint === ALONE);
    const round = this.#match.value("Round");
    hud.clock(round?.Phase === "Playing" ? this.#seconds(round.Ends) : undefined);
  }

  /** Why nothing happens, when nothing does. */
  #hint(now: number): string {
    if (this.#match.state !== "playing" || now - this.#began < LONELY) return "";
    if (this.#match.value("Round")?.Phase === "Waiting") return "The round begins with the first ship.";
    if (this.#ranks.length !== 1) return "";
    return this.#stage.alone ? ALONE : "Alone so far: send somebody the link.";
  }

  /** How many seconds it is until a tick. */
  #seconds(tick: number): number {
    return (tick - this.#match.serverTick()) / this.#match.info.rate;
  }
}
