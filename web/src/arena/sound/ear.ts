// What the own pilot hears, and how: how loud from afar, from which side, and how much at once.

import type { Happening } from "../scene.ts";
import type { Place, Voice } from "./voices.ts";

/** A sound to play now. */
export interface Heard extends Place {
  voice: Voice;
}

/** Where the ear is, and how wide the window is, in units. */
export interface Ear {
  x: number;
  y: number;
  half: number;
  own: number;
}

/** Beyond this many halves of the window nothing is heard. */
const REACH = 2.2;
/** How many of a voice may begin within a window of time, in ms: a hundred guns are a noise, not a hundred sounds. */
const BUDGET: { readonly [V in Voice]?: { most: number; within: number } } = {
  shot: { most: 4, within: 120 },
  hit: { most: 3, within: 120 },
  explosion: { most: 3, within: 250 },
  spawn: { most: 2, within: 300 },
  marker: { most: 2, within: 60 },
};

/** How something at a place sounds from an ear; undefined when it is too far. */
export function placed(x: number, y: number, ear: Ear): Place | undefined {
  const far = Math.hypot(x - ear.x, y - ear.y) / ear.half;
  if (far >= REACH) return undefined;
  return { gain: (1 - far / REACH) ** 2, pan: Math.max(-0.8, Math.min(0.8, (x - ear.x) / ear.half)) };
}

/** Turns happenings into sounds. */
export class Listener {
  readonly #begun = new Map<Voice, number[]>();

  /** What is heard of some happenings at a time in ms. where tells where a seat's ship is drawn. */
  hear(happenings: readonly Happening[], where: (seat: number) => { x: number; y: number } | undefined, ear: Ear, now: number): Heard[] {
    const list: Heard[] = [];
    const near = { gain: 1, pan: 0 };
    const add = (voice: Voice, place: Place | undefined, louder = 1) => {
      if (place && this.#may(voice, now)) list.push({ voice, gain: Math.min(1, place.gain * louder), pan: place.pan });
    };
    const from = (seat: number) => {
      const at = where(seat);
      return at && placed(at.x, at.y, ear);
    };
    for (const h of happenings) {
      switch (h.kind) {
        case "shot":
          if (h.owner === ear.own) add("shot", { gain: 0.8, pan: 0 });
          else add("shot", placed(h.x, h.y, ear), 0.5);
          break;
        case "hit":
          if (h.victim === ear.own) add("hurt", near);
          else add("hit", from(h.victim), 0.6);
          if (h.by === ear.own && h.victim !== ear.own) add("marker", near);
          break;
        case "kill":
          add("explosion", h.victim === ear.own ? near : from(h.victim), 0.9);
          if (h.by === ear.own && h.victim !== ear.own) add("kill", near);
          break;
        case "spawn":
          add("spawn", h.seat === ear.own ? near : from(h.seat), h.seat === ear.own ? 1 : 0.35);
          break;
        case "gone":
          break; // the end of a bullet is seen, that is enough
      }
    }
    return list;
  }

  #may(voice: Voice, now: number): boolean {
    const budget = BUDGET[voice];
    if (!budget) return true;
    const begun = (this.#begun.get(voice) ?? []).filter((at) => now - at < budget.within);
    const may = begun.length < budget.most;
    if (may) begun.push(now);
    this.#begun.set(voice, begun);
    return may;
  }
}
