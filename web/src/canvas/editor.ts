// A plain-text editor: what the browser wants to do to the text becomes changes, own ones at once, and others' come in
// between without moving what is selected. While a word is composed (IME, dead keys, keyboards of phones) the page is the
// browser's; what others do meanwhile waits, and what was composed becomes a change when it is done.

import { type Change, changes, clean, difference, movedThrough, neighbour } from "./change.ts";
import { Lines } from "./lines.ts";

/** What an editor tells and asks. */
export interface EditorHost {
  /** An own change; false: it may not be made, and the text stays. */
  edit(change: Change): boolean;
  undo(): void;
  redo(): void;
  /** The own selection, after each change of it: where it was begun and where it ends. */
  selected(anchor: number, focus: number): void;
}

/** Two places of the text: where a selection was begun, and where it ends, with the caret. */
export interface Selected {
  readonly anchor: number;
  readonly focus: number;
}

export class Editor {
  readonly root: HTMLElement;
  readonly #host: EditorHost;
  readonly #lines: Lines;
  readonly #abort = new AbortController();
  #told: Selected | undefined; // what the host knows to be selected
  #last: Selected | undefined; // what was selected when the keys were last here
  #pointed = false; // a pointer brings the keys here, and says where
  #composing = false;
  #began: Selected | undefined; // what was selected when that was begun
  #later: { text: string; selection: Selected | undefined } | undefined; // what is to be shown when it is done

  /** root becomes the text field: an element with a role and a name. */
  constructor(root: HTMLElement, host: EditorHost) {
    this.root = root;
    this.#host = host;
    this.#lines = new Lines(root);
    root.spellcheck = false;
    this.writable = false;
    const on = <K extends keyof HTMLElementEventMap>(name: K, call: (e: HTMLElementEventMap[K]) => void) => {
      root.addEventListener(name, call, { signal: this.#abort.signal });
    };
    on("beforeinput", (e) => this.#before(e as InputEvent));
    on("input", () => this.#adopt()); // what could not be prevented
    on("compositionstart", () => {
      this.#selected();
      this.#began = this.#told;
      this.#composing = true;
    });
    on("compositionend", () => {
      this.#composing = false;
      this.#adopt();
    });
    on("pointerdown", () => void (this.#pointed = true));
    on("blur", () => void (this.#last = this.selection ?? this.#last));
    on("focus", () => {
      // Browsers begin at the text's begin, but for a textarea.
      if (!this.#pointed && this.#last) this.select(this.#last.anchor, this.#last.focus);
      this.#told = undefined; // whatever it was, it is here again
      this.#selected();
    });
    on("keydown", (e) => this.#key(e));
    on("copy", (e) => void this.#copy(e));
    on("cut", (e) => {
      const range = this.#copy(e);
      if (range && this.writable) this.#change({ at: range.from, removed: range.to - range.from, inserted: "" });
    });
    addEventListener("pointerup", () => void (this.#pointed = false), { signal: this.#abort.signal, capture: true });
    document.addEventListener("selectionchange", () => this.#selected(), { signal: this.#abort.signal });
  }

  close(): void {
    this.#abort.abort();
  }

  get text(): string {
    return this.#lines.text;
  }

  /** The text that is shown when nothing is composed any more: what was set meanwhile waits. */
  get pending(): string {
    return this.#later?.text ?? this.text;
  }

  get writable(): boolean {
    return this.root.contentEditable !== "false";
  }

  /** Whether it takes what is typed. */
  set writable(on: boolean) {
    if (on === this.writable && this.root.hasAttribute("contenteditable")) return;
    // Not "plaintext-only": browsers do not say there what a key deletes.
    this.root.contentEditable = String(on);
    this.root.setAttribute("aria-readonly", String(!on));
  }

  /**
   * Shows a text that is not of this editor: with others' changes, or of an undo. What is selected stays with its text, or
   * becomes what the caller says that it is.
   */
  set(text: string, selection?: Selected): void {
    if (this.#composing) {
      this.#later = { text, selection };
      return;
    }
    const list = changes(this.#lines.text, text);
    if (list.length === 0) return;
    const own = this.selection;
    for (const change of list) this.#lines.apply(change);
    if (this.#last) this.#last = { anchor: movedThrough(this.#last.anchor, list), focus: movedThrough(this.#last.focus, list) };
    if (!own || document.activeElement !== this.root) return; // a selection would bring the keys here
    // The caller knows best, but for what was selected a moment ago. Browsers keep a selection within a line, but not over
    // lines that come and go.
    const known = own.anchor === this.#told?.anchor && own.focus === this.#told.focus ? selection : undefined;
    const now = known ?? { anchor: movedThrough(own.anchor, list), focus: movedThrough(own.focus, list) };
    if (known) this.#told = known;
    this.select(now.anchor, now.focus);
  }

  /** What is selected, where the page's selection is in here. */
  get selection(): Selected | undefined {
    const s = document.getSelection();
    if (!s?.anchorNode || !s.focusNode || !this.root.contains(s.anchorNode)) return undefined;
    const anchor = this.#lines.place(s.anchorNode, s.anchorOffset);
    const focus = this.#lines.place(s.focusNode, s.focusOffset);
    return anchor === undefined || focus === undefined ? undefined : { anchor, focus };
  }

  /** Selects. Where it is selected already the browser is left alone. */
  select(anchor: number, focus = anchor): void {
    const [a, f] = [this.#lines.spot(anchor), this.#lines.spot(focus)];
    const now = document.getSelection();
    if (now?.anchorNode === a.node && now.anchorOffset === a.offset && now.focusNode === f.node && now.focusOffset === f.offset) return;
    now?.setBaseAndExtent(a.node, a.offset, f.node, f.offset);
  }

  /** Brings a place into sight. */
  reveal(at: number): void {
    const caret = this.rect(at);
    if (!caret) return;
    const box = this.root.getBoundingClientRect();
    const room = caret.height * 0.5;
    if (caret.top < box.top + room) this.root.scrollTop -= box.top + room - caret.top;
    else if (caret.bottom > box.bottom - room) this.root.scrollTop += caret.bottom - box.bottom + room;
  }

  /** The range in the page of two places. */
  range(from: number, to: number): Range {
    const [a, b] = [this.#lines.spot(from), this.#lines.spot(to)];
    const range = document.createRange();
    range.setStart(a.node, a.offset);
    range.setEnd(b.node, b.offset);
    return range;
  }

  /** Where a caret stands in the window. */
  rect(at: number): DOMRect | undefined {
    const { node, offset } = this.#lines.spot(at);
    if (node instanceof HTMLElement) return node.getBoundingClientRect();
    const range = document.createRange();
    range.setStart(node, offset);
    range.collapse(true);
    // At the end of a row that goes on below there are two; the caret is at the beginning of the lower one.
    return [...range.getClientRects()].at(-1) ?? node.parentElement?.getBoundingClientRect();
  }

  /** Turns what the browser is about to do into a change. */
  #before(e: InputEvent): void {
    if (e.inputType === "historyUndo" || e.inputType === "historyRedo") {
      e.preventDefault();
      if (e.inputType === "historyUndo") this.#host.undo();
      else this.#host.redo();
      return;
    }
    if (this.#composing || e.isComposing || !e.cancelable || /Composition/.test(e.inputType)) return; // input tells of it
    e.preventDefault();
    const range = this.#target(e);
    if (!range) return;
    const inserted = insertion(e);
    if (inserted === undefined) return;
    if (e.inputType.startsWith("delete") && range.from === range.to) return;
    this.#change({ at: range.from, removed: range.to - range.from, inserted });
  }

  /** What an event is about to change. */
  #target(e: InputEvent): { from: number; to: number } | undefined {
    const own = this.#selectedRange();
    const said = e.getTargetRanges()[0];
    const from = said && this.#lines.place(said.startContainer, said.startOffset);
    const to = said && this.#lines.place(said.endContainer, said.endOffset);
    const target = from === undefined || to === undefined ? undefined : { from: Math.min(from, to), to: Math.max(from, to) };
    // What is dragged, or put right by a spelling checker, is elsewhere. Else the selection counts: what browsers say is not
    // exact behind spaces at a line's end.
    if (!own || /Drag|Drop|Replacement/.test(e.inputType)) return target ?? own;
    if (own.from !== own.to) return own;
    const { text } = this;
    const caret = own.from;
    if (e.inputType === "deleteContentBackward") return { from: neighbour(text, caret, "before"), to: caret };
    if (e.inputType === "deleteContentForward") return { from: caret, to: neighbour(text, caret, "behind") };
    if (!target) return own;
    if (e.inputType.endsWith("Backward")) return { from: Math.min(target.from, caret), to: caret };
    if (e.inputType.endsWith("Forward")) return { from: caret, to: Math.max(target.to, caret) };
    if (e.inputType.startsWith("delete")) return { from: Math.min(target.from, caret), to: Math.max(target.to, caret) };
    return target.from === target.to ? own : target; // a word that is put right as it is typed
  }

  /** Makes an own change, where the host lets it be made. */
  #change(change: Change): void {
    if (change.removed === 0 && change.inserted === "") return;
    if (!this.#host.edit(change)) return;
    this.#lines.apply(change);
    const caret = change.at + change.inserted.length;
    this.select(caret);
    this.#last = { anchor: caret, focus: caret };
    this.reveal(caret);
  }

  /** Takes over what the browser did by itself. */
  #adopt(): void {
    if (this.#composing) return;
    const caret = this.selection?.focus;
    const before = this.#lines.text;
    const done = difference(before, clean(this.#lines.read()), caret);
    this.#lines.restore();
    const later = this.#later;
    const began = this.#began;
    this.#began = this.#later = undefined;
    if (later) this.set(later.text);
    if (!done) return;
    // Others have written meanwhile. What was composed is where the selection was then, wherever that is now.
    const [was, is] = [began && ends(began), later?.selection && ends(later.selection)];
    if (later && was && is && done.at >= was.from && done.at <= was.to) {
      const at = Math.min(is.from + done.at - was.from, is.to);
      return this.#change({ at, removed: done.removed === 0 ? 0 : Math.min(done.removed, later.text.length - at), inserted: done.inserted });
    }
    const meanwhile = later ? changes(before, later.text) : [];
    const at = movedThrough(done.at, meanwhile);
    const end = movedThrough(done.at + done.removed, meanwhile);
    this.#change({ at, removed: Math.max(0, end - at), inserted: done.inserted });
  }

  /** Undo and redo are this editor's: browsers know nothing of what others wrote in between. */
  #key(e: KeyboardEvent): void {
    if (e.isComposing || e.altKey || !(e.ctrlKey || e.metaKey)) return;
    const key = e.key.toLowerCase();
    if (key !== "z" && key !== "y") return;
    e.preventDefault();
    e.stopPropagation();
    if (key === "y" || e.shiftKey) this.#host.redo();
    else this.#host.undo();
  }

  #copy(e: ClipboardEvent): { from: number; to: number } | undefined {
    const range = this.#selectedRange();
    if (!range || range.from === range.to) return undefined;
    e.preventDefault();
    e.clipboardData?.setData("text/plain", this.#lines.text.slice(range.from, range.to));
    return range;
  }

  #selectedRange(): { from: number; to: number } | undefined {
    const own = this.selection;
    return own && ends(own);
  }

  #selected(): void {
    const own = this.selection;
    if (!own || this.#composing || document.activeElement !== this.root) return;
    this.#last = own;
    if (own.anchor === this.#told?.anchor && own.focus === this.#told.focus) return;
    this.#told = own;
    this.#host.selected(own.anchor, own.focus);
  }
}

function ends({ anchor, focus }: Selected): { from: number; to: number } {
  return { from: Math.min(anchor, focus), to: Math.max(anchor, focus) };
}

/** What an event inserts; undefined for what a plain text has not, such as bold letters. */
function insertion(e: InputEvent): string | undefined {
  if (e.inputType.startsWith("delete")) return "";
  if (e.inputType === "insertLineBreak" || e.inputType === "insertParagraph") return "\n";
  if (!e.inputType.startsWith("insert")) return undefined;
  return clean(e.data ?? e.dataTransfer?.getData("text/plain") ?? "");
}
