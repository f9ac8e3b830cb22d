// The text on the page: the editor, others' carets in it, and how much there is.

import { byId, setText, show } from "../shared/dom.ts";
import { type Caret, Carets } from "./carets.ts";
import type { Change } from "./change.ts";
import { Editor, type Selected } from "./editor.ts";
import { MOST_TEXT } from "./world.ts";

/** The room, as far as the text needs it. Places are in UTF-16 units of the text as it is shown. */
export interface WritingPort {
  readonly text: string;
  /** Puts a text in the place of another one; false where it may not be: the text is full, or too much waits. */
  edit(from: number, to: number, inserted: string): boolean;
  /** Takes the newest own edit back, or does it again; where the caret belongs then. */
  undo(): number | undefined;
  redo(): number | undefined;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  /** What is selected here. */
  select(anchor: number, focus: number): void;
  /** Where that is now, when others have written; undefined where it is not known. */
  readonly selection: Selected | undefined;
}

export class Writing {
  readonly editor: Editor;
  readonly carets: Carets;

  readonly #say: (text: string) => void;
  #port: WritingPort | undefined;
  #bytes = 0;

  constructor(say: (text: string) => void) {
    this.#say = say;
    this.editor = new Editor(byId("text", HTMLElement), {
      edit: (change) => this.#edit(change),
      undo: () => this.undo(),
      redo: () => this.redo(),
      selected: (anchor, focus) => this.#port?.select(anchor, focus),
    });
    this.carets = new Carets(byId("carets", HTMLElement), this.editor);
    byId("text-undo", HTMLButtonElement).addEventListener("click", () => this.undo());
    byId("text-redo", HTMLButtonElement).addEventListener("click", () => this.redo());
    this.#shown();
  }

  /** The room to write in; undefined: there is none now, and the text can only be read. */
  set port(port: WritingPort | undefined) {
    this.#port = port;
    this.editor.writable = port !== undefined;
    if (port) this.editor.set(port.text);
    this.#bytes = bytesOf(this.editor.text);
    this.again();
    this.#shown();
  }

  /** Shows the text as it is now, after others have written or what was refused has gone. */
  refresh(): void {
    if (!this.#port || this.#port.text === this.editor.pending) return;
    this.editor.set(this.#port.text, this.#port.selection);
    this.#bytes = bytesOf(this.editor.pending);
    this.#shown();
  }

  undo(): void {
    if (this.#port?.canUndo) this.#back(this.#port.undo(), "Undone");
  }

  redo(): void {
    if (this.#port?.canRedo) this.#back(this.#port.redo(), "Done again");
  }

  #back(caret: number | undefined, told: string): void {
    this.refresh();
    if (caret !== undefined && document.activeElement === this.editor.root) {
      this.editor.select(caret);
      this.editor.reveal(caret);
    }
    this.#say(told);
    this.#shown();
  }

  #edit(change: Change): boolean {
    if (!this.#port) return false;
    const more = bytesOf(change.inserted) - (change.removed > 0 ? bytesOf(this.editor.text.slice(change.at, change.at + change.removed)) : 0);
    if ((more > 0 && this.#bytes + more > MOST_TEXT) || !this.#port.edit(change.at, change.at + change.removed, change.inserted)) {
      this.#say("The text is full.");
      byId("text-size", HTMLElement).classList.add("full");
      return false;
    }
    this.#bytes += more;
    queueMicrotask(() => this.#shown()); // once the editor has it
    return true;
  }

  #shown(): void {
    const part = this.#bytes / MOST_TEXT;
    const size = byId("text-size", HTMLElement);
    setText(size, part > 0.5 ? `${Math.floor(part * 100)}% full` : "");
    size.classList.toggle("full", part > 0.95);
    show(byId("text-empty", HTMLElement), this.#port !== undefined && this.editor.text === "");
    byId("text-undo", HTMLButtonElement).disabled = !this.#port?.canUndo;
    byId("text-redo", HTMLButtonElement).disabled = !this.#port?.canRedo;
    this.carets.place();
  }

  /** Says again what is selected here; false: the keys go elsewhere. */
  again(): boolean {
    const own = document.activeElement === this.editor.root ? this.editor.selection : undefined;
    if (own) this.#port?.select(own.anchor, own.focus);
    return own !== undefined;
  }

  /** Shows others' carets. */
  others(carets: readonly Caret[]): void {
    this.carets.show(carets);
  }
}

const encoder = new TextEncoder();

/** How many bytes a text has in UTF-8. */
function bytesOf(text: string): number {
  return encoder.encode(text).length;
}
