// The player's hands: keys and touches become the game's input. Nothing is sent from here; the game asks once a tick.

import type { Pad } from "./gamepad.ts";
import { turn } from "./pose.ts";
import { FULL, type Input } from "./world.ts";

type Action = "left" | "right" | "ahead" | "back" | "fire";

/** Keys by their place on the keyboard, so that WASD is where it should be on any layout. */
const KEYS: { [code: string]: Action } = {
  ArrowLeft: "left", KeyA: "left",
  ArrowRight: "right", KeyD: "right",
  ArrowUp: "ahead", KeyW: "ahead",
  ArrowDown: "back", KeyS: "back",
  Space: "fire",
};

/** What controls are attached to: a window, or a stand-in for one. */
export type Keys = Pick<EventTarget, "addEventListener" | "removeEventListener">;

/** How far a thumb has pushed the stick, from -1 to 1 on each axis. */
export interface Push {
  x: number;
  y: number;
}

/** Below this push a stick only turns the ship. */
const STICK_THRUST = 0.55;

/** Steers a ship with this angle towards where the stick points. */
export function steer(push: Push, angle: number): { Turn: number; Thrust: number } {
  const far = Math.min(1, Math.hypot(push.x, push.y));
  if (far < 0.15) return { Turn: 0, Thrust: 0 };
  const off = turn(angle, Math.atan2(push.y, push.x));
  const straight = Math.abs(off) < 1;
  return {
    Turn: Math.round(FULL * Math.max(-1, Math.min(1, off / 0.5))),
    Thrust: straight && far > STICK_THRUST ? Math.round(FULL * Math.min(1, (far - STICK_THRUST) / (0.9 - STICK_THRUST))) : 0,
  };
}

/** Reads keys from a window and remembers what is held. */
export class Controls {
  /** The stick under the left thumb, and whether the right one fires; whoever handles touches sets them. */
  push: Push | undefined;
  touchFire = false;
  /** What a gamepad says, asked at each input. */
  pad: () => Pad | undefined = () => undefined;
  /** Is told when a key went down or up, for who will not wait for the next tick. */
  changed: () => void = () => undefined;

  readonly #keys: Keys;
  readonly #held = new Set<Action>();
  // A key that goes down and up between two ticks would be lost; it counts until it has been asked for.
  readonly #tapped = new Set<Action>();
  readonly #undo: (() => void)[] = [];

  constructor(keys: Keys) {
    this.#keys = keys;
    this.#on("keydown", (e) => this.#down(e as KeyboardEvent));
    this.#on("keyup", (e) => this.#up(e as KeyboardEvent));
    this.#on("blur", () => this.release());
  }

  /** The input for a tick, for a ship that is turned to this angle. */
  input(angle: number): Input {
    const on = (action: Action) => (this.#held.has(action) || this.#tapped.has(action) ? 1 : 0);
    let Turn = FULL * (on("right") - on("left"));
    let Thrust = FULL * (on("ahead") - on("back"));
    const pad = this.pad();
    const push = this.push ?? pad?.push;
    if (push && Turn === 0 && Thrust === 0) ({ Turn, Thrust } = steer(push, angle));
    const Fire = on("fire") === 1 || this.touchFire || pad?.fire === true;
    this.#tapped.clear();
    return { Turn, Thrust, Fire };
  }

  /** Lets go of everything: a key that is let go in another window is never told. */
  release(): void {
    this.#held.clear();
    this.#tapped.clear();
    this.push = undefined;
    this.touchFire = false;
  }

  /** Stops listening. */
  close(): void {
    this.release();
    for (const undo of this.#undo.splice(0)) undo();
  }

  #on(name: string, handle: (e: Event) => void): void {
    this.#keys.addEventListener(name, handle);
    this.#undo.push(() => this.#keys.removeEventListener(name, handle));
  }

  #down(e: KeyboardEvent): void {
    const action = KEYS[e.code];
    if (!action || e.ctrlKey || e.altKey || e.metaKey || isWidget(e.target)) return;
    e.preventDefault(); // the page must not scroll
    if (e.repeat) return;
    this.#held.add(action);
    this.#tapped.add(action);
    this.changed();
  }

  #up(e: KeyboardEvent): void {
    const action = KEYS[e.code];
    if (action && this.#held.delete(action)) this.changed();
  }
}

/** Says whether keys belong to what has the focus: a button takes the space bar, a field takes letters. */
export function isWidget(target: EventTarget | null): boolean {
  return typeof HTMLElement !== "undefined" && target instanceof HTMLElement && target.closest("button, input, a, select, textarea") !== null;
}
