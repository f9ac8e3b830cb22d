// Lists that are drawn anew when what they show has changed. Whatever had the focus has it again.

import { make } from "../shared/dom.ts";

const drawn = new WeakMap<Element, string>();

/** Draws what is in an element, unless it shows this already. Elements with the same data-id are the same to the focus. */
export function redraw(root: HTMLElement, shows: unknown, build: () => (Node | string)[]): void {
  const key = JSON.stringify(shows);
  if (drawn.get(root) === key) return;
  drawn.set(root, key);
  const active = document.activeElement;
  const focus = active instanceof HTMLElement && root.contains(active) ? active.dataset["id"] : undefined;
  root.replaceChildren(...build());
  if (focus) root.querySelector<HTMLElement>(`[data-id="${CSS.escape(focus)}"]`)?.focus({ preventScroll: true });
}

/** A button. label is its name where the text alone says too little. */
export function button(text: string, id: string, act: () => void, look = "plain small", label = ""): HTMLButtonElement {
  const b = make("button", look, text);
  b.type = "button";
  b.dataset["id"] = id;
  if (label) b.setAttribute("aria-label", label);
  b.addEventListener("click", act);
  return b;
}

/** How somebody is, as a mark and in words. */
export function presence(state: string, text: string): HTMLElement {
  const dot = make("span", `dot ${state}`);
  dot.setAttribute("aria-hidden", "true");
  return make("span", "state", dot, text);
}

/** The first letter of a name, as a picture. */
export function initial(name: string): HTMLElement {
  const box = make("span", "initial", [...name.trim()][0]?.toUpperCase() ?? "?");
  box.setAttribute("aria-hidden", "true");
  return box;
}
