// Others' carets in the text, with their names, and what they have selected.

import { make, setText } from "../shared/dom.ts";
import type { Editor } from "./editor.ts";
import { PEOPLE_COLOURS, personColour, personStyle } from "./palette.ts";

/** Another one's caret: places in the text, in UTF-16 units. */
export interface Caret {
  readonly key: number;
  readonly author: number;
  readonly name: string;
  readonly away: boolean;
  readonly caret: number;
  readonly mark: number;
}

interface Shown {
  readonly element: HTMLElement;
  readonly label: HTMLElement;
  at: number;
  movedAt: number;
}

const QUIET_MS = 3000; // a caret that has not moved for so long has no name on it

export class Carets {
  readonly #parent: HTMLElement;
  readonly #editor: Editor;
  readonly #shown = new Map<number, Shown>();
  #carets: readonly Caret[] = [];
  #frame = 0;
  #quiet: ReturnType<typeof setTimeout> | undefined;

  constructor(parent: HTMLElement, editor: Editor) {
    this.#parent = parent;
    this.#editor = editor;
    editor.root.addEventListener("scroll", () => this.place(), { passive: true });
    new ResizeObserver(() => this.place()).observe(editor.root);
  }

  /** What there is now. */
  show(carets: readonly Caret[]): void {
    this.#carets = carets;
    const gone = new Set(this.#shown.keys());
    for (const c of carets) {
      gone.delete(c.key);
      let s = this.#shown.get(c.key);
      if (!s) {
        const label = make("span", "", c.name);
        const element = make("div", "caret", label);
        s = { element, label, at: -1, movedAt: 0 };
        this.#shown.set(c.key, s);
        this.#parent.append(element);
      }
      setText(s.label, c.name);
      s.element.style.setProperty("--who", personStyle(c.author));
      s.element.classList.toggle("away", c.away);
      if (s.at !== c.caret) [s.at, s.movedAt] = [c.caret, performance.now()];
    }
    for (const key of gone) {
      this.#shown.get(key)?.element.remove();
      this.#shown.delete(key);
    }
    this.place();
  }

  /** Where they are shown; for tests. */
  get places(): { name: string; at: number }[] {
    return [...this.#shown.values()].map(({ label, at }) => ({ name: label.textContent ?? "", at }));
  }

  /** Puts them where they belong, before the next picture. */
  place(): void {
    if (this.#frame === 0 && (this.#carets.length > 0 || this.#shown.size > 0)) this.#frame = requestAnimationFrame(() => this.#place());
  }

  #place(): void {
    this.#frame = 0;
    const box = this.#parent.getBoundingClientRect();
    if (box.height === 0) return; // hidden
    const length = this.#editor.text.length;
    const now = performance.now();
    const marks: Range[][] = Array.from({ length: PEOPLE_COLOURS }, () => []);
    let next = Infinity;
    const rects = this.#carets.map((c) => this.#editor.rect(Math.min(c.caret, length))); // before anything is moved
    this.#carets.forEach((c, i) => {
      const s = this.#shown.get(c.key)!;
      const rect = rects[i];
      const seen = rect !== undefined && rect.bottom > box.top && rect.top < box.bottom;
      s.element.hidden = !seen;
      if (!rect || !seen) return;
      s.element.style.transform = `translate(${(rect.left - box.left).toFixed(1)}px, ${(rect.top - box.top).toFixed(1)}px)`;
      s.element.style.height = `${rect.height.toFixed(1)}px`;
      s.element.classList.toggle("below", rect.top - box.top < 22);
      const left = s.movedAt + QUIET_MS - now;
      s.element.classList.toggle("quiet", left <= 0);
      if (left > 0) next = Math.min(next, left);
      if (c.caret !== c.mark) {
        const [from, to] = [Math.min(c.caret, c.mark, length), Math.min(Math.max(c.caret, c.mark), length)];
        marks[personColour(c.author)]!.push(this.#editor.range(from, to));
      }
    });
    highlight(marks);
    clearTimeout(this.#quiet);
    if (next < Infinity) this.#quiet = setTimeout(() => this.place(), next);
  }
}

/** Shows what others have selected, where the browser can. */
function highlight(marks: readonly (readonly Range[])[]): void {
  if (typeof Highlight === "undefined") return;
  marks.forEach((ranges, i) => {
    const name = `person-${i}`;
    if (ranges.length > 0) CSS.highlights.set(name, new Highlight(...ranges));
    else CSS.highlights.delete(name);
  });
}
