// A tree as a treegrid: one line for each branch, keys as the pattern has them.

import { make, setText } from "../shared/dom.ts";
import { type Branch, type Line, linesOf, parentOf } from "./tree.ts";

export class TreeView {
  readonly #body: HTMLTableSectionElement;
  readonly #rows = new Map<string, HTMLTableRowElement>();
  readonly #open = new Set<string>();
  #tree: readonly Branch[] = [];
  #lines: readonly Line[] = [];
  #current = ""; // the line that Tab comes to

  constructor(table: HTMLTableElement) {
    this.#body = table.tBodies[0] ?? table.createTBody();
    this.#body.addEventListener("keydown", (e) => this.#key(e));
    this.#body.addEventListener("click", (e) => {
      const row = (e.target as Element).closest("tr");
      const at = this.#lines.findIndex((l) => this.#rows.get(l.branch.path) === row);
      if (at < 0) return;
      this.#toggle(at);
      this.#focus(at);
    });
  }

  /** Shows a tree. What was open stays open; values that differ from before are marked where mark says so. */
  show(tree: readonly Branch[], mark: boolean): void {
    this.#tree = tree;
    this.#draw(mark);
  }

  /** Forgets everything. */
  clear(): void {
    this.#open.clear();
    this.#current = "";
    this.show([], false);
  }

  #draw(mark: boolean): void {
    this.#lines = linesOf(this.#tree, this.#open);
    if (!this.#lines.some((l) => l.branch.path === this.#current)) this.#current = this.#lines[0]?.branch.path ?? "";
    const paths = new Set(this.#lines.map((l) => l.branch.path));
    for (const [path, row] of this.#rows) {
      if (paths.has(path)) continue;
      row.remove();
      this.#rows.delete(path);
    }
    this.#lines.forEach((line, i) => {
      let row = this.#rows.get(line.branch.path);
      if (!row) this.#rows.set(line.branch.path, (row = makeRow(line)));
      fill(row, line, mark);
      row.tabIndex = line.branch.path === this.#current ? 0 : -1;
      if (this.#body.rows[i] !== row) this.#body.insertBefore(row, this.#body.rows[i] ?? null);
    });
  }

  #toggle(at: number, to?: boolean): void {
    const line = this.#lines[at];
    if (!line || line.branch.children.length === 0) return;
    if (to ?? !line.open) this.#open.add(line.branch.path);
    else this.#open.delete(line.branch.path);
    this.#draw(false);
  }

  #focus(at: number): void {
    const line = this.#lines[Math.max(0, Math.min(at, this.#lines.length - 1))];
    if (!line) return;
    this.#current = line.branch.path;
    for (const [path, row] of this.#rows) row.tabIndex = path === this.#current ? 0 : -1;
    this.#rows.get(this.#current)?.focus();
  }

  #key(e: KeyboardEvent): void {
    const at = this.#lines.findIndex((l) => l.branch.path === this.#current);
    const line = this.#lines[at];
    if (!line || e.ctrlKey || e.metaKey || e.altKey) return;
    switch (e.key) {
      case "ArrowDown": this.#focus(at + 1); break;
      case "ArrowUp": this.#focus(at - 1); break;
      case "Home": this.#focus(0); break;
      case "End": this.#focus(this.#lines.length - 1); break;
      case "PageDown": this.#focus(at + 15); break;
      case "PageUp": this.#focus(at - 15); break;
      case "ArrowRight":
        if (line.open) this.#focus(at + 1);
        else this.#toggle(at, true);
        break;
      case "ArrowLeft":
        if (line.open) this.#toggle(at, false);
        else this.#focus(parentOf(this.#lines, at));
        break;
      case "Enter":
      case " ": this.#toggle(at); break;
      default: return;
    }
    e.preventDefault();
  }
}

function makeRow(line: Line): HTMLTableRowElement {
  const twist = make("span", "twist");
  twist.setAttribute("aria-hidden", "true");
  const cells = [make("td", "", twist, make("span")), make("td")];
  for (const cell of cells) cell.setAttribute("role", "gridcell");
  const row = make("tr", "", ...cells);
  row.setAttribute("role", "row");
  row.setAttribute("aria-level", String(line.branch.level));
  row.style.setProperty("--level", String(line.branch.level));
  return row;
}

function fill(row: HTMLTableRowElement, line: Line, mark: boolean): void {
  const [name, value] = row.cells;
  if (!name || !value) return;
  if (line.branch.children.length > 0) row.setAttribute("aria-expanded", String(line.open));
  else row.removeAttribute("aria-expanded");
  row.setAttribute("aria-posinset", String(line.place));
  row.setAttribute("aria-setsize", String(line.of));
  const text = line.open && line.branch.level > 1 ? "" : line.branch.value; // what is below says it
  row.classList.toggle("changed", mark && value.textContent !== "" && value.textContent !== text);
  setText(name.lastElementChild ?? name, line.branch.name);
  setText(value, text);
}
