// A gamepad, when one is there: the left stick flies, any of the four buttons or a trigger fires.

import type { Push } from "./controls.ts";

/** What a gamepad says now. */
export interface Pad {
  push: Push | undefined; // undefined while the stick is at rest
  fire: boolean;
}

/** What is read of the platform's gamepads. */
export type RawPad = { readonly axes: readonly number[]; readonly buttons: readonly { readonly pressed: boolean }[] };

const REST = 0.2;
const FIRE = [0, 1, 2, 3, 5, 7]; // the standard layout's face buttons and right triggers

/** Reads the first gamepad that is in use; undefined where there is none. */
export function readPad(pads: readonly (RawPad | null)[]): Pad | undefined {
  let idle: Pad | undefined;
  for (const pad of pads) {
    if (!pad) continue;
    const [x = 0, y = 0] = pad.axes;
    const push = Math.hypot(x, y) > REST ? { x, y } : undefined;
    const fire = FIRE.some((i) => pad.buttons[i]?.pressed);
    if (push || fire) return { push, fire };
    idle ??= { push, fire };
  }
  return idle;
}
