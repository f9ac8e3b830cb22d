// Any game: its state as tables that live. A cell that changes is marked for a moment.

import type { FrameInfo, Match, Row } from "@muster/client";
import { make, setText, show } from "../shared/dom.ts";
import { cell, columns } from "./cells.ts";
import type { MatchScene, Moment } from "./scene.ts";

const EVERY = 250; // ms between two updates: faster nobody reads
const MARKED = 1200; // ms that a change stays marked
const MOST_ROWS = 200; // of a table

interface Shown {
  rows: Map<number, { line: HTMLTableRowElement; cells: HTMLTableCellElement[] }>;
  head: HTMLTableRowElement;
  body: HTMLTableSectionElement;
  names: string[];
  count: HTMLElement;
  none: HTMLElement;
  box: HTMLElement;
}

export class TablesScene implements MatchScene {
  readonly #stage: HTMLElement;
  readonly #side: HTMLElement;
  readonly #happened = make("ol", "happened");
  #tables = new Map<string, Shown>();
  #marked: { cell: HTMLElement; until: number }[] = [];
  #match: Match | undefined;
  #at = 0;
  #stale = false;

  constructor(stage: HTMLElement, side: HTMLElement) {
    this.#stage = stage;
    this.#side = side;
    stage.replaceChildren();
    stage.classList.add("as-tables");
    side.replaceChildren(make("h2", "", "Events"), this.#happened);
    this.#happened.append(make("li", "none", "None yet."));
  }

  begin(match: Match): void {
    this.#match = match;
    this.#tables = new Map();
    this.#stage.replaceChildren();
    for (const t of match.schema.tables) {
      const count = make("span", "count");
      const heading = make("h2", "", t.name, " ", count);
      heading.id = `table-${t.name}`;
      const [head, body] = [make("tr"), make("tbody")];
      const table = make("table", "", make("thead", "", head), body);
      table.setAttribute("aria-labelledby", heading.id);
      const none = make("p", "none", "No rows.");
      const scroll = make("div", "scroll", table);
      scroll.tabIndex = 0;
      scroll.setAttribute("role", "region");
      scroll.setAttribute("aria-labelledby", heading.id);
      this.#stage.append(make("section", "state", heading, none, scroll));
      this.#tables.set(t.name, { rows: new Map(), head, body, names: [], count, none, box: scroll });
    }
    match.onEvent("*", (fields, e) => this.#event(e.tick, e.name, fields as Row));
    this.#stale = true;
  }

  frame(_: FrameInfo, __: Moment, jumped: boolean): void {
    this.#stale = true;
    if (jumped) this.#at = 0;
  }

  draw(now: number): void {
    this.#marked = this.#marked.filter(({ cell, until }) => {
      if (until > now) return true;
      cell.classList.remove("changed");
      return false;
    });
    const match = this.#match;
    if (!match || !this.#stale || now < this.#at) return;
    this.#at = now + EVERY;
    this.#stale = false;
    for (const t of match.schema.tables) this.#table(t.fields, this.#tables.get(t.name)!, match.tables[t.name]!, now);
  }

  close(): void {
    this.#stage.classList.remove("as-tables");
    this.#side.replaceChildren();
  }

  #table(fields: readonly { readonly name: string }[], shown: Shown, rows: Iterable<[number, Row]> & { size: number }, now: number): void {
    const list: [number, Row][] = [];
    for (const r of rows) {
      if (list.length >= MOST_ROWS) break;
      list.push(r);
    }
    setText(shown.count, rows.size > list.length ? `${list.length} of ${rows.size}` : String(rows.size));
    show(shown.none, list.length === 0);
    show(shown.box, list.length > 0);
    const names = columns(fields, list.map(([, row]) => row));
    const fresh = names.join() !== shown.names.join();
    if (fresh) {
      shown.names = names;
      shown.head.replaceChildren(...names.map((name) => {
        const th = make("th", "", name);
        th.scope = "col";
        return th;
      }));
      shown.body.replaceChildren();
      shown.rows.clear();
    }
    const gone = new Set(shown.rows.keys());
    let at = 0;
    for (const [id, row] of list) {
      gone.delete(id);
      let line = shown.rows.get(id);
      if (!line) {
        const cells = names.map(() => make("td"));
        line = { line: make("tr", "", ...cells), cells };
        shown.rows.set(id, line);
        names.forEach((name, i) => setText(cells[i]!, cell(row[name])));
        if (!fresh) this.#mark(line.line, now);
      } else {
        names.forEach((name, i) => this.#set(line!.cells[i]!, cell(row[name]), now));
      }
      if (shown.body.children[at] !== line.line) shown.body.insertBefore(line.line, shown.body.children[at] ?? null);
      at++;
    }
    for (const id of gone) {
      shown.rows.get(id)!.line.remove();
      shown.rows.delete(id);
    }
  }

  #set(td: HTMLElement, text: string, now: number): void {
    if (td.textContent === text) return;
    td.textContent = text;
    this.#mark(td, now);
  }

  #mark(element: HTMLElement, now: number): void {
    element.classList.add("changed");
    this.#marked.push({ cell: element, until: now + MARKED });
  }

  #event(tick: number, name: string, fields: Row): void {
    const text = Object.entries(fields).map(([k, v]) => `${k} ${cell(v)}`).join(", ");
    this.#happened.querySelector(".none")?.remove();
    this.#happened.prepend(make("li", "", make("b", "", name), ` ${text}`));
    while (this.#happened.children.length > 30) this.#happened.lastElementChild!.remove();
    void tick;
  }
}
