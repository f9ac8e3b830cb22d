// Two thumbs on a screen: the left one drags a stick that appears under it, the right one fires.

import type { Controls } from "./controls.ts";
import { byId, show } from "../shared/dom.ts";

const REACH = 56; // CSS pixels for a full push

/** Lets touches on a surface steer. Returns what stops it. */
export function attachTouch(surface: HTMLElement, controls: Controls): () => void {
  const stick = byId("stick", HTMLElement);
  const knob = stick.firstElementChild as HTMLElement;
  let steering: { id: number; x: number; y: number } | undefined;
  let firing: number | undefined;

  const down = (e: PointerEvent) => {
    if (e.pointerType === "mouse") return;
    e.preventDefault();
    surface.setPointerCapture(e.pointerId);
    if (e.clientX < innerWidth / 2 && !steering) {
      steering = { id: e.pointerId, x: e.clientX, y: e.clientY };
      controls.push = { x: 0, y: 0 };
      stick.style.translate = `${e.clientX}px ${e.clientY}px`;
      knob.style.translate = "0 0";
      show(stick, true);
    } else if (firing === undefined) {
      firing = e.pointerId;
      controls.touchFire = true;
    }
  };
  const move = (e: PointerEvent) => {
    if (steering?.id !== e.pointerId) return;
    const [x, y] = [(e.clientX - steering.x) / REACH, (e.clientY - steering.y) / REACH];
    const far = Math.max(1, Math.hypot(x, y));
    controls.push = { x: x / far, y: y / far };
    knob.style.translate = `${(x / far) * REACH}px ${(y / far) * REACH}px`;
  };
  const up = (e: PointerEvent) => {
    if (steering?.id === e.pointerId) {
      steering = undefined;
      controls.push = undefined;
      show(stick, false);
    }
    if (firing === e.pointerId) {
      firing = undefined;
      controls.touchFire = false;
    }
  };

  surface.addEventListener("pointerdown", down);
  surface.addEventListener("pointermove", move);
  surface.addEventListener("pointerup", up);
  surface.addEventListener("pointercancel", up);
  return () => {
    surface.removeEventListener("pointerdown", down);
    surface.removeEventListener("pointermove", move);
    surface.removeEventListener("pointerup", up);
    surface.removeEventListener("pointercancel", up);
    show(stick, false);
  };
}
