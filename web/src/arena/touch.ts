// Two thumbs on a screen: the left one drags a stick that appears under it, the right one fires.

import { byId } from "../shared/dom.ts";
import type { Controls } from "./controls.ts";

const REACH = 56; // CSS pixels for a full push

/** Lets touches on a surface steer. Returns what stops it. */
export function attachTouch(surface: HTMLElement, controls: Controls): () => void {
  const stick = byId("stick", HTMLElement);
  const knob = stick.firstElementChild as HTMLElement;
  const trigger = byId("trigger", HTMLElement);
  let steering: { id: number; x: number; y: number } | undefined;
  let firing: number | undefined;

  const rest = () => {
    stick.classList.remove("held");
    stick.removeAttribute("style");
    knob.removeAttribute("style");
  };
  const down = (e: PointerEvent) => {
    if (e.pointerType === "mouse") return;
    e.preventDefault();
    surface.setPointerCapture(e.pointerId);
    if (e.clientX < innerWidth / 2 && !steering) {
      steering = { id: e.pointerId, x: e.clientX, y: e.clientY };
      controls.push = { x: 0, y: 0 };
      stick.style.left = `${e.clientX}px`;
      stick.style.top = `${e.clientY}px`;
      stick.classList.add("held");
    } else if (firing === undefined) {
      firing = e.pointerId;
      controls.touchFire = true;
      trigger.classList.add("held");
      controls.changed();
      navigator.vibrate?.(8);
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
      rest();
    }
    if (firing === e.pointerId) {
      firing = undefined;
      controls.touchFire = false;
      trigger.classList.remove("held");
    }
  };

  const undo: (() => void)[] = [];
  const on = (name: "pointerdown" | "pointermove" | "pointerup" | "pointercancel", handle: (e: PointerEvent) => void) => {
    surface.addEventListener(name, handle);
    undo.push(() => surface.removeEventListener(name, handle));
  };
  on("pointerdown", down);
  on("pointermove", move);
  on("pointerup", up);
  on("pointercancel", up);
  // A second finger must not zoom, a long press must not open a menu.
  const keep = (e: Event) => e.preventDefault();
  surface.addEventListener("contextmenu", keep);
  surface.addEventListener("touchstart", keep, { passive: false });
  return () => {
    for (const stop of undo) stop();
    surface.removeEventListener("contextmenu", keep);
    surface.removeEventListener("touchstart", keep);
    rest();
    trigger.classList.remove("held");
  };
}
