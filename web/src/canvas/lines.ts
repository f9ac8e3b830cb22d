// A plain text as elements, one a line: a change touches the lines that it is in, so that a long text costs no more than
// a short one. An empty line has a <br>, as browsers want it.

import type { Change } from "./change.ts";

/** A place in the page, as selections have it. */
export interface Spot {
  readonly node: Node;
  readonly offset: number;
}

export class Lines {
  readonly #root: HTMLElement;
  #lines: HTMLElement[] = [];
  #texts: string[] = []; // of the lines, without their ends
  #text = "";

  constructor(root: HTMLElement) {
    this.#root = root;
    this.#rebuild([""]);
  }

  /** What is shown, but for what is being composed. */
  get text(): string {
    return this.#text;
  }

  get count(): number {
    return this.#lines.length;
  }

  /** Makes a change. It must be within the text. */
  apply({ at, removed, inserted }: Change): void {
    const first = this.#lineOf(at);
    const last = removed === 0 ? first : this.#lineOf(at + removed, first);
    const head = this.#texts[first.line]!.slice(0, at - first.start);
    const tail = this.#texts[last.line]!.slice(at + removed - last.start);
    this.#text = this.#text.slice(0, at) + inserted + this.#text.slice(at + removed);
    if (first.line === last.line && !inserted.includes("\n")) {
      this.#edit(first.line, at - first.start, removed, inserted);
      return;
    }
    const texts = (head + inserted + tail).split("\n");
    // The first line's element stays, and what is selected in front of the change with it.
    this.#edit(first.line, head.length, this.#texts[first.line]!.length - head.length, texts[0]!.slice(head.length));
    const gone = this.#lines.slice(first.line + 1, last.line + 1);
    const fresh = texts.slice(1).map(lineElement);
    const anchor = this.#lines[first.line]!;
    for (const line of gone) line.remove();
    anchor.after(...fresh);
    this.#lines = [...this.#lines.slice(0, first.line + 1), ...fresh, ...this.#lines.slice(last.line + 1)];
    this.#texts = [...this.#texts.slice(0, first.line), ...texts, ...this.#texts.slice(last.line + 1)];
  }

  /** Shows a text whatever was there. */
  set(text: string): void {
    this.#text = text;
    this.#rebuild(text.split("\n"));
  }

  /** The text as the page has it now, which a browser may have changed by itself. */
  read(): string {
    const parts: string[] = [];
    let open = false; // whether a line has begun that another one would have to end
    const visit = (node: Node) => {
      for (let child = node.firstChild; child; child = child.nextSibling) {
        if (child instanceof Text) {
          parts.push(child.data);
          open = true;
        } else if (child instanceof HTMLBRElement) {
          if (child.nextSibling || child.previousSibling) parts.push("\n"); // else it only keeps an empty line open
          open = true;
        } else if (child instanceof HTMLElement) {
          if (open) parts.push("\n");
          open = false;
          visit(child);
          open = true;
        }
      }
    };
    visit(this.#root);
    return parts.join("");
  }

  /** Puts right what a browser has changed by itself: the page shows text again, and no other. */
  restore(): void {
    let child = this.#root.firstChild;
    const same = this.#lines.every((line) => {
      const is = child === line;
      child = child?.nextSibling ?? null;
      return is;
    });
    if (!same || child) return this.#rebuild(this.#texts);
    this.#lines.forEach((line, i) => {
      if (!isLine(line, this.#texts[i]!)) line.replaceChildren(content(this.#texts[i]!));
    });
  }

  /** Where a place of the text is in the page. */
  spot(at: number): Spot {
    const { line, start } = this.#lineOf(Math.max(0, Math.min(at, this.#text.length)));
    const element = this.#lines[line]!;
    const text = element.firstChild;
    return text instanceof Text ? { node: text, offset: at - start } : { node: element, offset: 0 };
  }

  /** What place of the text a place of the page is; undefined for one that is outside. */
  place(node: Node, offset: number): number | undefined {
    if (node === this.#root) {
      let start = 0;
      for (let i = 0; i < Math.min(offset, this.#texts.length); i++) start += this.#texts[i]!.length + 1;
      return Math.min(start, this.#text.length);
    }
    let child: Node | null = node;
    while (child && child.parentNode !== this.#root) child = child.parentNode;
    const line = this.#lines.indexOf(child as HTMLElement);
    if (!child || line < 0) return undefined;
    let start = 0;
    for (let i = 0; i < line; i++) start += this.#texts[i]!.length + 1;
    const length = this.#texts[line]!.length;
    const within = node instanceof Text ? offset : offset > 0 ? length : 0;
    return start + Math.min(within, length);
  }

  /** The line of a place from 0, and the place at which it starts. It looks from a line on. */
  #lineOf(at: number, from = { line: 0, start: 0 }): { line: number; start: number } {
    let { line, start } = from;
    while (line < this.#texts.length - 1 && start + this.#texts[line]!.length < at) start += this.#texts[line++]!.length + 1;
    return { line, start };
  }

  /** Changes the text of one line. The browser keeps what is selected around it. */
  #edit(line: number, at: number, removed: number, inserted: string): void {
    if (removed === 0 && inserted === "") return;
    const element = this.#lines[line]!;
    const before = this.#texts[line]!;
    const after = before.slice(0, at) + inserted + before.slice(at + removed);
    this.#texts[line] = after;
    const node = element.firstChild;
    if (node instanceof Text && after !== "") node.replaceData(at, removed, inserted);
    else element.replaceChildren(content(after));
  }

  #rebuild(texts: readonly string[]): void {
    this.#texts = [...texts];
    this.#lines = texts.map(lineElement);
    this.#root.replaceChildren(...this.#lines);
  }
}

function content(text: string): Node {
  return text === "" ? document.createElement("br") : document.createTextNode(text);
}

function lineElement(text: string): HTMLElement {
  const line = document.createElement("div");
  line.append(content(text));
  return line;
}

function isLine(line: HTMLElement, text: string): boolean {
  const only = line.firstChild;
  if (!only || only.nextSibling) return false;
  return text === "" ? only instanceof HTMLBRElement : only instanceof Text && only.data === text;
}
