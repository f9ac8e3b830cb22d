import { BlockError, BlockReader } from "./block.js";
import { type Cell, zeroCell } from "./field.js";
import type { Block, Frame, Head } from "./frame.js";
import { ViewHash } from "./hash.js";
import { columnsOf, type Schema, type Table } from "./schema.js";

/**
 * That a scope could not be brought to a frame's tick; the decoder then has nothing of it until its keyframe comes,
 * for which its client asks. "block": the bytes are malformed; "base": they build on a tick that is not here; "hash":
 * the view hash differs.
 */
export class ScopeError extends Error {
  override readonly name = "ScopeError";
  readonly scope: number;
  readonly reason: "block" | "base" | "hash";

  constructor(scope: number, reason: "block" | "base" | "hash", text: string) {
    super(`scope ${scope}: ${text}`);
    this.scope = scope;
    this.reason = reason;
  }
}

/** A row as one scope has it. Cells are by the schema's index; those of other scopes' columns are zero. */
export interface RawRow {
  readonly id: number;
  readonly cells: Cell[];
}

interface ScopeRows {
  tick: number;
  /** By table, in the order of ids. */
  tables: RawRow[][];
}

// Operations on a row, in the low bits of its head.
const OP_END = 0;
const OP_REMOVE = 1;
const OP_ADD = 2;

function slotOf(id: number): number {
  return id >>> 16;
}

/** Where in rows the first one is whose slot is not below slot. */
function search(rows: readonly RawRow[], slot: number): number {
  let lo = 0;
  let hi = rows.length;
  while (lo < hi) {
    const mid = (lo + hi) >>> 1;
    if (slotOf(rows[mid]!.id) < slot) lo = mid + 1;
    else hi = mid;
  }
  return lo;
}

/**
 * What a client has of a room. It takes bytes that nobody vouches for: what it allocates is bounded by a small multiple
 * of the input, each row costing at least a byte for each of its columns.
 */
export class Decoder {
  readonly schema: Schema;
  /**
   * Called with a table's index and a row's id when something of that row may have changed in some scope, also for
   * those that are gone. It may come more than once for a row.
   */
  touched: (table: number, id: number) => void = () => {};

  readonly #scopes = new Map<number, ScopeRows>();
  #tick = 0;

  constructor(schema: Schema) {
    this.schema = schema;
  }

  /** The tick of the last frame applied. */
  get tick(): number {
    return this.#tick;
  }

  /** The scopes of which something is here. */
  scopes(): number[] {
    return [...this.#scopes.keys()];
  }

  has(scope: number): boolean {
    return this.#scopes.has(scope);
  }

  /** The rows of a table, by its index, in one scope, in the order of ids. They must not be changed. */
  rows(scope: number, table: number): readonly RawRow[] {
    return this.#scopes.get(scope)?.tables[table] ?? [];
  }

  /** One row of a table in one scope. */
  row(scope: number, table: number, id: number): RawRow | undefined {
    const rows = this.rows(scope, table);
    const row = rows[search(rows, slotOf(id))];
    return row?.id === id ? row : undefined;
  }

  /** Brings the decoder to the frame's tick. Scopes with an error are left empty; the others are applied all the same. */
  apply(frame: Frame): ScopeError[] {
    const { head } = frame;
    const errors: ScopeError[] = [];
    for (const scope of this.#scopes.keys()) if (!head.scopes.includes(scope)) this.#drop(scope);
    this.#tick = head.tick;
    for (const block of frame.blocks) {
      try {
        this.#block(block, head);
      } catch (e) {
        this.#drop(block.scope);
        if (e instanceof BlockError) errors.push(new ScopeError(block.scope, "block", e.message));
        else if (e instanceof ScopeError) errors.push(e);
        else throw e;
      }
    }
    for (const s of this.#scopes.values()) s.tick = head.tick; // a scope without a block has not changed
    for (const { scope, sum } of frame.hashes) {
      const s = this.#scopes.get(scope);
      if (s && this.#hash(scope, s) !== sum) {
        this.#drop(scope);
        errors.push(new ScopeError(scope, "hash", "view hash differs"));
      }
    }
    return errors;
  }

  #drop(scope: number): void {
    const s = this.#scopes.get(scope);
    this.#scopes.delete(scope);
    s?.tables.forEach((rows, table) => {
      for (const row of rows) this.touched(table, row.id);
    });
  }

  #block({ scope, data }: Block, head: Head): void {
    const r = new BlockReader(data);
    if (!head.scopes.includes(scope)) r.fail("not one of the frame's scopes");
    const distance = r.uvarint();
    if (distance === 0) {
      this.#drop(scope);
      this.#scopes.set(scope, { tick: head.tick, tables: this.schema.tables.map(() => []) });
    }
    const s = this.#scopes.get(scope);
    if (!s || (distance > 0 && s.tick + distance !== head.tick)) {
      throw new ScopeError(scope, "base", "block is based on a tick that is not here");
    }
    this.schema.tables.forEach((table, i) => {
      const columns = columnsOf(table, scope);
      if (columns.length > 0) this.#rows(r, i, table, columns, s.tables[i]!);
    });
    if (r.left > 0) r.fail("bytes after the end");
  }

  /** Applies one table's part of a block. */
  #rows(r: BlockReader, index: number, table: Table, columns: readonly number[], rows: RawRow[]): void {
    for (let slot = -1; ; ) {
      const head = r.uvarint();
      const op = head % 4;
      const gap = Math.floor(head / 4);
      if (op === OP_END) {
        if (gap !== 0) r.fail(`${table.name}: end of rows`);
        return;
      }
      slot += gap;
      if (gap === 0 || slot >= table.max) r.fail(`${table.name}: slot beyond the table's bound`);
      const at = search(rows, slot);
      const found = rows[at];
      const row = found && slotOf(found.id) === slot ? found : undefined;
      if (op === OP_ADD) {
        const fresh = this.#added(r, table, columns, slot);
        rows.splice(at, row ? 1 : 0, fresh);
        if (row) this.touched(index, row.id);
        this.touched(index, fresh.id);
        continue;
      }
      if (!row) r.fail(`${table.name}: a row that is not here`);
      if (op === OP_REMOVE) {
        rows.splice(at, 1);
      } else {
        this.#changed(r, table, columns, row);
      }
      this.touched(index, row.id);
    }
  }

  #added(r: BlockReader, table: Table, columns: readonly number[], slot: number): RawRow {
    const gen = r.uvarint();
    if (gen > 0xffff || (slot === 0 && gen === 0)) r.fail(`${table.name}: no id`);
    const row: RawRow = { id: slot * 0x10000 + gen, cells: table.fields.map(zeroCell) };
    for (const i of columns) row.cells[i] = r.cell(table.fields[i]!, row.cells[i]!);
    return row;
  }

  /** Reads a bit for each column that differs, then their differences. */
  #changed(r: BlockReader, table: Table, columns: readonly number[], row: RawRow): void {
    const mask = r.bytes(Math.ceil(columns.length / 8));
    columns.forEach((i, k) => {
      if ((mask[k >> 3]! >> (k & 7)) & 1) row.cells[i] = r.cell(table.fields[i]!, row.cells[i]!);
    });
  }

  #hash(scope: number, s: ScopeRows): bigint {
    const hash = new ViewHash();
    this.schema.tables.forEach((table, t) => {
      const columns = columnsOf(table, scope);
      for (const row of s.tables[t]!) {
        for (const i of columns) hash.add(t, i, table.fields[i]!, row.id, row.cells[i]!);
      }
    });
    return hash.value;
  }
}
