// The question that an eight asks.

import { byId } from "../shared/dom.ts";
import { SUITS, type Suit } from "./world.ts";

export class SuitDialog {
  readonly #dialog = byId("suits", HTMLDialogElement);
  #answer: ((suit: Suit | undefined) => void) | undefined;

  constructor() {
    this.#dialog.addEventListener("close", () => {
      const suit = SUITS.find((s) => s === this.#dialog.returnValue);
      this.#answer?.(suit);
      this.#answer = undefined;
    });
    this.#dialog.addEventListener("click", (e) => {
      if (e.target === this.#dialog) this.close(); // beside it
    });
  }

  get open(): boolean {
    return this.#dialog.open;
  }

  /** Asks for a suit; undefined is none. likely is where the keyboard begins. */
  ask(likely: Suit): Promise<Suit | undefined> {
    this.close();
    this.#dialog.returnValue = "";
    this.#dialog.showModal();
    this.#dialog.querySelector<HTMLButtonElement>(`button[value=${likely}]`)?.focus();
    return new Promise((resolve) => (this.#answer = resolve));
  }

  /** Takes the question back. */
  close(): void {
    if (this.#dialog.open) this.#dialog.close("");
  }
}
