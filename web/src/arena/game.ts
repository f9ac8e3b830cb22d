// One match on the screen: states in, pictures out, inputs in between.

import { CloseError, Match, type CloseInfo, type FrameInfo } from "@muster/client";
import { Codes } from "@muster/client/wire";
import { byId } from "../shared/dom.ts";
import { Controls, isWidget } from "./controls.ts";
import type { Snapshot } from "./debug.ts";
import { drawMap } from "./draw/map.ts";
import type { Picture } from "./draw/picture.ts";
import { readPad } from "./gamepad.ts";
import type { Hud } from "./hud.ts";
import { PODIUM_PAUSE, type PodiumScreen } from "./podium.ts";
import { Predictor } from "./predict.ts";
import type { Pose } from "./pose.ts";
import { leader, ranking, type Rank } from "./ranking.ts";
import type { Seated } from "./rooms.ts";
import { Scene, type Happening, type ShipView } from "./scene.ts";
import { Playhead } from "./smooth.ts";
import { cues, type Moment } from "./sound/cues.ts";
import { Listener } from "./sound/ear.ts";
import type { Sound } from "./sound/sound.ts";
import { Streak } from "./streak.ts";
import { attachTouch } from "./touch.ts";
import { MAX_SPEED, type Input, type Round, type Ship, type World } from "./world.ts";

/** How a match ended for this player. */
export type Outcome =
  | { kind: "ended" } // with a podium
  | { kind: "left" }
  | { kind: "again"; afterMs: number } // the match is gone, another one will do
  | { kind: "lost"; room: string; afterMs: number } // the link is gone, the seat may still be there
  | { kind: "stopped"; why: string };

const SLOW = 250; // ms between updates of what needs no haste
const NAP = 1000; // ms between two pictures that mean that the tab was hidden
const SPACING = 620; // of 1000: the least part of a tick between two inputs

/** What a game is played on, and how. */
export interface Stage {
  picture: Picture;
  hud: Hud;
  podium: PodiumScreen;
  sound: Sound;
  /** With the instruments on from the start. */
  overlay: boolean;
  /** The network to simulate; "" for the real one. */
  sim: string;
  /** Whether it may be that nobody else is there. */
  alone: boolean;
}

export class Game {
  readonly #stage: Stage;
  readonly #picture: Picture;
  readonly #hud: Hud;
  readonly #podium: PodiumScreen;
  readonly #sound: Sound;
  readonly #listener = new Listener();
  readonly #streak = new Streak();
  #moment: Moment | undefined;
  #heardAt: { x: number; y: number } | undefined; // where the own ship was when its engine was set
  #began = 0; // ms: when the seat was taken
  readonly #map = byId("map", HTMLCanvasElement);
  readonly #controls = new Controls(window);
  readonly #playhead = new Playhead();
  readonly #undo: (() => void)[] = [];
  readonly #done: Promise<Outcome>;
  #finish: (outcome: Outcome) => void = () => undefined;

  #match: Match<World, Input> | undefined;
  #scene = new Scene(20);
  #predictor = new Predictor(20);
  #own = 0;
  #ownRow: { id: number; tick: number; row: Ship } | undefined; // the own ship in the frame before
  #ownShown: Pose | undefined;
  #killer = 0; // the seat that destroyed the own ship last
  #tick = 0;
  #sentAt = 0;
  #sending: ReturnType<typeof setInterval> | undefined;
  #finished = false;
  #leaving = false;
  #ranks: Rank[] = [];
  #shown: ShipView[] = [];
  #raf = 0;
  #last = 0;
  #fps = 60;
  #slowAt = 0;
  #received = { at: 0, bytes: 0, rate: 0 };

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#picture = stage.picture;
    this.#hud = stage.hud;
    this.#podium = stage.podium;
    this.#sound = stage.sound;
    this.#done = new Promise((finish) => {
      this.#finish = (outcome) => {
        this.#finished = true;
        finish(outcome);
      };
    });
  }

  /** Whether a round was ever on the screen. */
  get played(): boolean {
    return this.#tick > 0;
  }

  /** Plays in a seat until the match is over, by whatever cause. begun is called when the seat is taken. */
  async play({ seat, code }: Seated, begun: () => void): Promise<Outcome> {
    try {
      const match = await Match.connect<World, Input>(seat, {
        reconnect: true,
        onState: (state) => {
          if (state !== "playing") this.#controls.release();
          this.#hud.link(state !== "reconnecting");
        },
        onFrame: (frame) => this.#frame(frame),
        onEnd: () => this.#finish({ kind: "ended" }),
        onClose: (info) => this.#closed(info, seat.room),
      });
      match.onEvent("*", (fields, e) => this.#event(e.tick, e.name, fields));
      this.#match = match;
      if (this.#finished) this.leave(); // its player has changed their mind meanwhile
      else {
        this.#open(match, code);
        begun();
      }
      return await this.#done;
    } catch (error) {
      if (!(error instanceof CloseError)) throw error;
      this.#closed(error.info, seat.room);
      return await this.#done;
    } finally {
      this.#close();
    }
  }

  /** Gives the seat back. */
  leave(then: Outcome = { kind: "left" }): void {
    this.#finish(then);
    // The page does not wait for the answer: a seat that is not given back is freed in time.
    void this.#match?.leave().catch(() => undefined);
    this.#leaving = this.#match !== undefined;
  }

  /** Reads the game for the debug hook. */
  snapshot(): Snapshot {
    const match = this.#match;
    const pose = ({ x, y, angle }: Pose): Pose => ({ x, y, angle });
    return {
      state: match?.state ?? "connecting",
      ready: match?.state === "playing" && this.#shown.some((s) => s.seat === this.#own),
      seat: this.#own,
      room: match?.info.room ?? "",
      tick: this.#tick,
      epoch: Number(match?.info.epoch ?? 0),
      shownTick: this.#playhead.tick ?? 0,
      seats: this.#shown.map((s) => s.seat),
      fps: this.#fps,
      prediction: undefined,
      stats: match?.stats,
      ship: (seat = this.#own) => {
        const ship = this.#shown.find((s) => s.seat === seat);
        return ship && pose(ship);
      },
      ships: () => this.#shown.map((s) => ({ ...pose(s), seat: s.seat, hp: s.hp })),
    };
  }

  #open(match: Match<World, Input>, code: string): void {
    const { rate, seat } = match.info;
    this.#own = seat;
    this.#scene = new Scene(rate);
    this.#predictor = new Predictor(rate);
    this.#picture.clear();
    this.#hud.open(seat, code);
    this.#began = performance.now();
    this.#controls.pad = () => readPad(navigator.getGamepads?.() ?? []);
    this.#beat(rate);
    this.#undo.push(() => clearInterval(this.#sending));
    // A key need not wait for the timer, which begins anew with it: one input a tick stays the rule.
    this.#controls.changed = () => {
      if (this.#send()) this.#beat(rate);
    };
    this.#undo.push(attachTouch(byId("field", HTMLElement), this.#controls));
    this.#listen(window, "keydown", (e) => this.#scoreKey(e as KeyboardEvent, true));
    this.#listen(window, "keyup", (e) => this.#scoreKey(e as KeyboardEvent, false));
    this.#listen(window, "blur", () => this.#hud.expand(false));
    this.#listen(document, "visibilitychange", () => this.#controls.release());
    this.#raf = requestAnimationFrame((now) => this.#draw(now));
  }

  #close(): void {
    cancelAnimationFrame(this.#raf);
    for (const undo of this.#undo.splice(0)) undo();
    this.#controls.close();
    this.#sound.stopEngine();
    this.#hud.close();
    if (!this.#leaving) this.#match?.close();
  }

  #listen(target: EventTarget, name: string, handle: (e: Event) => void): void {
    target.addEventListener(name, handle);
    this.#undo.push(() => target.removeEventListener(name, handle));
  }

  /** Tab shows all scores while it is held; Escape leads to the button that leaves, where Tab is the browser's again. */
  #scoreKey(e: KeyboardEvent, down: boolean): void {
    if (e.code === "Escape" && down) byId("leave", HTMLElement).focus();
    if (e.code !== "Tab" || (down && (isWidget(e.target) || e.ctrlKey || e.altKey || e.metaKey || e.shiftKey))) return;
    if (down) e.preventDefault();
    if (e.repeat) return;
    this.#hud.expand(down);
    this.#hud.scores(this.#ranks, this.#own);
  }

  #closed(info: CloseInfo, room: string): void {
    switch (info.action) {
      case "done":
        return this.#finish({ kind: "ended" });
      case "requeue":
        return this.#finish({ kind: "again", afterMs: info.afterMs });
      case "reconnect":
        return this.#finish({ kind: "lost", room, afterMs: info.afterMs });
      case "stop":
        return this.#finish({ kind: "stopped", why: reason(info) });
    }
  }

  #frame(frame: FrameInfo): void {
    const match = this.#match;
    if (!match) return; // it is still being set up; the next frame has everything as well
    this.#playhead.frame(frame.tick, match.serverTick());
    this.#tick = frame.tick;
    this.#scene.frame(frame.tick, match.tables);
    this.#ranks = ranking(match.tables.Ships);
    this.#guess(match, frame);
  }

  /** Feeds the predictor with the own ship's state. Its velocity is what two positions say. */
  #guess(match: Match<World, Input>, frame: FrameInfo): void {
    let now: { id: number; tick: number; row: Ship } | undefined;
    for (const [id, row] of match.tables.Ships) if (row.Owner === this.#own) now = { id, tick: frame.tick, row: { ...row } };
    const before = this.#ownRow;
    this.#ownRow = now;
    if (!now || now.row.HP === 0) return this.#predictor.clear();
    const known = before && before.id === now.id && before.row.HP > 0 && now.tick > before.tick;
    const perSecond = known ? match.info.rate / (now.tick - before.tick) : 0;
    this.#predictor.state(
      {
        x: now.row.X, y: now.row.Y, angle: now.row.Angle,
        vx: known ? (now.row.X - before.row.X) * perSecond : 0,
        vy: known ? (now.row.Y - before.row.Y) * perSecond : 0,
      },
      frame.processed,
      performance.now(),
    );
  }

  #event(tick: number, name: string, fields: { [name: string]: unknown }): void {
    this.#scene.event(tick, name, fields);
  }

  /** Sends an input from now on, every tick. */
  #beat(rate: number): void {
    clearInterval(this.#sending);
    this.#sending = setInterval(() => this.#send(), 1000 / rate);
  }

  /** Sends the controls as they are, and says whether it was time for that. */
  #send(): boolean {
    const match = this.#match;
    if (!match || match.state !== "playing" || document.hidden || this.#phase() !== "Playing") return false;
    const now = performance.now();
    // A late timer catches up with two calls at once. The rules use one input a tick, so the second would count for
    // nothing and the predictor would wait for it.
    if (now - this.#sentAt < SPACING / match.info.rate) return false;
    this.#sentAt = now;
    const angle = this.#predictor.pose(now)?.angle ?? this.#ownRow?.row.Angle ?? 0;
    const input = this.#controls.input(angle);
    const seen = this.#playhead.tick;
    if (seen !== undefined && seen > 0) match.setView(Math.floor(seen), seen % 1);
    match.send(input);
    this.#predictor.sent(input, now);
    return true;
  }

  #phase(): Round["Phase"] {
    return this.#match?.value("Round")?.Phase ?? "Waiting";
  }

  #draw(now: number): void {
    this.#raf = requestAnimationFrame((at) => this.#draw(at));
    const match = this.#match!;
    const passed = now - this.#last;
    this.#last = now;
    if (passed > 0 && passed < NAP) this.#fps += (1000 / passed - this.#fps) * 0.05;
    const ticks = Math.min(10, (passed / 1000) * match.info.rate);
    const tick = this.#playhead.advance(match.serverTick(), ticks);
    this.#shown = this.#scene.ships(tick).map((s) => (s.seat === this.#own ? this.#mine(s, now) : s));
    const { bullets, shots } = this.#scene.bullets(tick, this.#own, Math.max(0, this.#tick + this.#predictor.ahead - tick));
    // After a nap of the tab, what happened meanwhile is over.
    const happened = [...this.#scene.happened(tick), ...shots];
    const happenings = passed < NAP ? happened : [];
    this.#picture.draw({ now, ships: this.#shown, bullets, happenings, own: this.#own, leader: leader(this.#ranks), labels: true });
    for (const h of happenings) if (h.kind === "kill") this.#killed(h.victim, h.by, now);
    drawMap(this.#map, this.#picture.ratio, this.#shown, [], this.#own, this.#picture.camera);
    this.#hear(match, happenings, now, passed);
    this.#notices(match);
    if (now >= this.#slowAt) this.#slow(match, now);
  }

  /** The own ship where it is guessed to be. Between its end and the moment that shows it, it stays where it was. */
  #mine(ship: ShipView, now: number): ShipView {
    if (ship.hp === 0) {
      this.#ownShown = undefined;
      return ship;
    }
    this.#ownShown = this.#predictor.pose(now) ?? this.#ownShown;
    return this.#ownShown ? { ...ship, ...this.#ownShown } : ship;
  }

  #killed(victim: number, by: number, now: number): void {
    const pilot = (seat: number) => ({ seat, name: this.#ranks.find((r) => r.seat === seat)?.name ?? "somebody" });
    const streak = by === this.#own && victim !== this.#own ? this.#streak.kill(now) : "";
    this.#hud.kill(pilot(victim), pilot(by), this.#own, streak);
    if (victim !== this.#own) return;
    this.#killer = by;
    this.#streak.end();
  }

  /** Makes the sounds of what is shown now. passed is ms since the picture before. */
  #hear(match: Match<World, Input>, happenings: Happening[], now: number, passed: number): void {
    const { camera } = this.#picture;
    const places = new Map(this.#shown.map((s) => [s.seat, s]));
    const me = places.get(this.#own);
    const ear = { x: me?.x ?? camera.x, y: me?.y ?? camera.y, half: Math.max(camera.halfWidth, camera.halfHeight), own: this.#own };
    for (const { voice, ...place } of this.#listener.hear(happenings, (seat) => places.get(seat), ear, now)) this.#sound.play(voice, place);
    const alive = me !== undefined && me.hp > 0;
    const far = me && this.#heardAt ? Math.hypot(me.x - this.#heardAt.x, me.y - this.#heardAt.y) : 0;
    this.#heardAt = me;
    const speed = passed > 0 && far < 60 ? Math.min(1, far / ((MAX_SPEED * passed) / 1000)) : 0;
    this.#sound.engine(alive && me.thrust ? 1 : 0, alive ? speed : 0);
    const round = match.value("Round");
    if (!round) return;
    const moment: Moment = {
      phase: round.Phase, left: Math.ceil((round.Ends - match.serverTick()) / match.info.rate), won: round.Winner === this.#own,
      jammed: alive && (this.#ownRow?.row.Jammed ?? false),
    };
    for (const voice of cues(this.#moment, moment)) this.#sound.play(voice);
    this.#moment = moment;
  }

  /** What must keep pace with the picture: the gauges, the own end, and the round's. */
  #notices(match: Match<World, Input>): void {
    const { rate } = match.info;
    const row = this.#ownRow?.row;
    const round = match.value("Round");
    this.#hud.gauges(row);
    const shownDown = this.#shown.some((s) => s.seat === this.#own && s.hp === 0);
    const down = row !== undefined && row.HP === 0 && shownDown && row.Spawn > 0 && round?.Phase === "Playing";
    const by = this.#ranks.find((r) => r.seat === this.#killer)?.name ?? "";
    this.#hud.down(down ? { by, seconds: (row.Spawn - match.serverTick()) / rate } : undefined);
    if (round?.Phase === "Podium") {
      this.#podium.show(this.#ranks, round.Winner, this.#own);
      this.#podium.countdown(Math.max(0, (round.Ends - match.serverTick()) / rate) + PODIUM_PAUSE);
    }
  }

  /** Why nothing happens, when nothing does. */
  #hint(match: Match<World, Input>, now: number): string {
    if (match.state !== "playing" || now - this.#began < LONELY) return "";
    if (this.#phase() === "Waiting") return "The round begins with the first ship.";
    if (this.#ranks.length !== 1) return "";
    return this.#stage.alone ? "Nobody else is here yet. Whoever comes joins this round." : "Alone so far: send somebody the link.";
  }

  #slow(match: Match<World, Input>, now: number): void {
    this.#slowAt = now + SLOW;
    const { bytesIn, rttMs } = match.stats;
    const since = now - this.#received.at;
    if (since >= 1000) {
      const rate = this.#received.at === 0 ? 0 : ((bytesIn - this.#received.bytes) * 1000) / since;
      this.#received = { at: now, bytes: bytesIn, rate };
    }
    this.#hud.numbers({ ping: rttMs, tick: this.#tick, bytes: this.#received.rate, fps: this.#fps });
    this.#hud.scores(this.#ranks, this.#own);
    this.#hud.tally(this.#ranks.find((r) => r.seat === this.#own));
    this.#hud.hint(this.#hint(match, now));
    const round = match.value("Round");
    this.#hud.clock(round?.Phase === "Playing" ? (round.Ends - match.serverTick()) / match.info.rate : undefined);
  }
}

/** How long one has to be alone before it is worth a word, in ms. */
const LONELY = 4000;

/** Why the server sent this player away, in words. */
function reason(info: CloseInfo): string {
  if (info.name === "replaced") return "You play in another window now.";
  return info.reason || Codes.find((c) => c.code === info.code)?.meaning || "The server closed the match.";
}
