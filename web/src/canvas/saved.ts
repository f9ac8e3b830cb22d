// Whether what was done here is safe. Moving the pointer is nothing that has to be.

export type SavedState = "saved" | "saving";

export class Saved {
  #open = false; // something was done that the room may not have
  #need: number | undefined; // the newest input that has to be durable

  /** Something was drawn or written. */
  edited(): void {
    this.#open = true;
    this.#need = undefined;
  }

  /** A frame: how many own edits it does not contain, and its acknowledgements. */
  frame(waiting: number, processed: number, durable: number): SavedState {
    if (this.#open && waiting === 0) this.#need ??= processed;
    if (this.#need !== undefined && durable >= this.#need) {
      this.#open = false;
      this.#need = undefined;
    }
    return this.state;
  }

  get state(): SavedState {
    return this.#open ? "saving" : "saved";
  }
}
