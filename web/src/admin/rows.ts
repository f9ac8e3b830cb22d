// Tables whose rows stay the same elements while their numbers change, so that what is focused or selected stays so.

import { make, setText } from "../shared/dom.ts";

/** A column: what is in a row's cell. */
export interface Column<T> {
  /** The row's name: a th. */
  head?: boolean;
  /** A number: on the right. */
  number?: boolean;
  text?: (row: T) => string;
  /** Makes the cell's content once, and returns what brings it up to date. */
  fill?: (cell: HTMLElement, key: string) => (row: T) => void;
}

export class Rows<T> {
  readonly #body: HTMLTableSectionElement;
  readonly #columns: readonly Column<T>[];
  readonly #empty: string;
  readonly #rows = new Map<string, { row: HTMLTableRowElement; update: ((row: T) => void)[] }>();

  /** @param empty what is said where there are no rows */
  constructor(table: HTMLTableElement, empty: string, columns: readonly Column<T>[]) {
    this.#body = table.tBodies[0] ?? table.createTBody();
    this.#columns = columns;
    this.#empty = empty;
  }

  /** Shows rows, by their keys, in this order. */
  show(list: readonly (readonly [key: string, row: T])[], empty = this.#empty): void {
    const keys = new Set(list.map(([key]) => key));
    for (const [key, { row }] of this.#rows) {
      if (keys.has(key)) continue;
      row.remove();
      this.#rows.delete(key);
    }
    this.#body.querySelector(".empty")?.closest("tr")?.remove();
    list.forEach(([key, row], i) => {
      let known = this.#rows.get(key);
      if (!known) this.#rows.set(key, (known = this.#make(key)));
      for (const update of known.update) update(row);
      if (this.#body.rows[i] !== known.row) this.#body.insertBefore(known.row, this.#body.rows[i] ?? null);
    });
    if (list.length > 0) return;
    const cell = make("td", "empty", empty);
    cell.colSpan = this.#columns.length;
    this.#body.append(make("tr", "", cell));
  }

  #make(key: string): { row: HTMLTableRowElement; update: ((row: T) => void)[] } {
    const row = make("tr");
    const update = this.#columns.map((column) => {
      const cell = make(column.head ? "th" : "td", column.number ? "n" : "");
      if (column.head) cell.scope = "row";
      row.append(cell);
      if (column.fill) return column.fill(cell, key);
      return (r: T) => setText(cell, column.text?.(r) ?? "");
    });
    return { row, update };
  }
}
