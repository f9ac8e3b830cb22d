// The clipboard.

import { setText } from "./dom.ts";

const labels = new WeakMap<HTMLElement, string>(); // as they were: somebody may press again before they are so

/** Puts a text into the clipboard, or shows it where that is not allowed, and says so for a while on what was pressed. */
export async function copy(text: string, on: HTMLElement): Promise<void> {
  const label = labels.get(on) ?? on.textContent ?? "";
  labels.set(on, label);
  try {
    await navigator.clipboard.writeText(text);
    setText(on, "Copied");
  } catch {
    setText(on, text);
  }
  setTimeout(() => setText(on, label), 4000);
}
