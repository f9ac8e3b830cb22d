// One match: from a seat to its end, by whatever cause. Inputs go out from here; what is seen of it is in show.ts.

import { CloseError, Match, type CloseInfo } from "@muster/client";
import { byId } from "../shared/dom.ts";
import { Ending, gone, type Gone } from "../shared/ending.ts";
import { Controls, isWidget } from "./controls.ts";
import type { Snapshot } from "./debug.ts";
import { readPad } from "./gamepad.ts";
import type { Instruments } from "./instruments.ts";
import type { Pose } from "./pose.ts";
import type { Seated } from "./seating.ts";
import { Show, type ArenaMatch, type Stage } from "./show.ts";
import { Sender } from "./sender.ts";
import { step } from "./step.ts";
import { attachTouch } from "./touch.ts";
import type { Events, Input, World } from "./world.ts";

/** How a match ended for this player: with a podium, or by what ends matches of all games. */
export type Outcome = { kind: "ended" } | Gone;

const SNAP = 80; // units: what moves that far at once was put elsewhere, as a ship that comes back into play

export class Game {
  readonly #stage: Stage;
  readonly #instruments: Instruments;
  readonly #refresh: () => Promise<string>;
  readonly #controls = new Controls(window);
  readonly #undo: (() => void)[] = [];
  readonly #end = new Ending<Outcome>();

  #match: ArenaMatch | undefined;
  #show: Show | undefined;
  #tick = 0; // the newest
  #leaving = false;
  #raf = 0;

  /** refresh gets a newer token of the player while the match lasts. */
  constructor(stage: Stage, instruments: Instruments, refresh: () => Promise<string>) {
    this.#refresh = refresh;
    this.#stage = stage;
    this.#instruments = instruments;
  }

  /** Whether a round was ever on the screen. */
  get played(): boolean {
    return this.#tick > 0;
  }

  /** Plays in a seat until the match is over, by whatever cause. begun is called when the seat is taken. */
  async play({ seat, code }: Seated, begun: () => void): Promise<Outcome> {
    try {
      const match = await Match.connect<World, Input, Events>(seat, {
        reconnect: true,
        refresh: this.#refresh,
        view: { tables: { Round: "raw", Field: "raw", Blips: "raw", Leaders: "raw" }, snap: SNAP },
        ...this.#instruments.options(),
        onState: (state) => {
          if (state !== "playing") this.#controls.release();
          this.#stage.hud.link(state !== "reconnecting");
        },
        onFrame: (frame) => {
          this.#tick = frame.tick;
          this.#show?.frame();
        },
        onEnd: () => this.#end.set({ kind: "ended" }),
        onClose: (info) => this.#closed(info, seat.room),
      });
      this.#match = match;
      if (this.#end.come) this.leave(); // its player has changed their mind meanwhile
      else {
        this.#open(match, code);
        begun();
      }
      return await this.#end.outcome;
    } catch (error) {
      if (!(error instanceof CloseError)) throw error;
      this.#closed(error.info, seat.room);
      return await this.#end.outcome;
    } finally {
      this.#close();
    }
  }

  /** Gives the seat back. */
  leave(then: Outcome = { kind: "left" }): void {
    this.#end.set(then);
    // The page does not wait for the answer: a seat that is not given back is freed in time.
    void this.#match?.leave().catch(() => undefined);
    this.#leaving = this.#match !== undefined;
  }

  /** Reads the game for the debug hook. */
  snapshot(): Snapshot {
    const match = this.#match;
    const ships = this.#show?.ships ?? [];
    const own = match?.info.seat ?? 0;
    const pose = ({ x, y, angle }: Pose): Pose => ({ x, y, angle });
    return {
      state: match?.state ?? "connecting",
      ready: match?.state === "playing" && ships.some((s) => s.seat === own),
      seat: own,
      room: match?.info.room ?? "",
      tick: this.#tick,
      epoch: Number(match?.info.epoch ?? 0),
      shownTick: this.#show?.tick ?? 0,
      seats: ships.map((s) => s.seat),
      fps: this.#show?.fps ?? 0,
      prediction: match?.stats.prediction,
      stats: match?.stats,
      ship: (seat = own) => {
        const ship = ships.find((s) => s.seat === seat);
        return ship && pose(ship);
      },
      ships: () => ships.map((s) => ({ ...pose(s), seat: s.seat, hp: s.hp })),
    };
  }

  #open(match: ArenaMatch, code: string): void {
    const show = (this.#show = new Show(match, this.#stage, code));
    match.predict({ tables: ["Ships", "Bullets", "Round", "Field"], step, snap: SNAP });
    match.onEvent("*", (fields, e) => show.event(e.tick, e.name, { ...fields }));
    this.#controls.pad = () => readPad(navigator.getGamepads?.() ?? []);
    const sender = new Sender(match.info.rate, () => this.#input(match), (input) => match.send(input));
    this.#controls.changed = () => sender.changed();
    this.#undo.push(() => sender.close());
    this.#undo.push(attachTouch(byId("field", HTMLElement), this.#controls), this.#instruments.attach(match));
    this.#listen(window, "keydown", (e) => this.#key(e as KeyboardEvent, true));
    this.#listen(window, "keyup", (e) => this.#key(e as KeyboardEvent, false));
    this.#listen(window, "blur", () => show.expand(false));
    this.#listen(document, "visibilitychange", () => this.#controls.release());
    this.#raf = requestAnimationFrame((now) => this.#draw(now));
  }

  #close(): void {
    cancelAnimationFrame(this.#raf);
    for (const undo of this.#undo.splice(0)) undo();
    this.#controls.close();
    this.#show?.close();
    if (!this.#leaving) this.#match?.close();
  }

  #listen(target: EventTarget, name: string, handle: (e: Event) => void): void {
    target.addEventListener(name, handle);
    this.#undo.push(() => target.removeEventListener(name, handle));
  }

  /** Tab shows all scores while it is held; Escape leads to the button that leaves, where Tab is the browser's again. */
  #key(e: KeyboardEvent, down: boolean): void {
    if (e.code === "Escape" && down) byId("leave", HTMLElement).focus();
    if (e.code !== "Tab" || (down && (isWidget(e.target) || e.ctrlKey || e.altKey || e.metaKey || e.shiftKey))) return;
    if (down) e.preventDefault();
    if (!e.repeat) this.#show?.expand(down);
  }

  #closed(info: CloseInfo, room: string): void {
    this.#end.set(gone(info, room) ?? { kind: "ended" });
  }

  /** The controls as they are, while they count. */
  #input(match: ArenaMatch): Input | undefined {
    if (match.state !== "playing" || document.hidden || match.value("Round")?.Phase !== "Playing") return undefined;
    return this.#controls.input(this.#show?.angle ?? 0);
  }

  #draw(now: number): void {
    this.#raf = requestAnimationFrame((at) => this.#draw(at));
    const shown = this.#match?.view(now);
    if (shown) this.#show?.draw({ tick: shown.tick, ships: shown.tables.Ships, bullets: shown.tables.Bullets }, now);
  }
}
