import { type Field, isOwners, isTeams, namesOwner, readFields, readName } from "./field.js";
import { KIND_REF } from "./kinds.js";
import { Reader } from "./reader.js";

const FORM = 1;
const MAX_TABLES = 64;
const MAX_EVENT_TYPES = 255;
const MAX_ROWS = 1 << 15;

/** One table of the state, or its single row. */
export interface Table {
  readonly name: string;
  readonly single: boolean;
  /** How many rows it may have. */
  readonly max: number;
  readonly fields: readonly Field[];
  /** The columns sent to everybody, by index in fields. */
  readonly room: readonly number[];
  /** The columns sent to a row's owner only. */
  readonly own: readonly number[];
  /** The columns sent to the team of a row's owner only; to the owner while in none. */
  readonly team: readonly number[];
}

/** For whom columns are: for who sees the row, for its owner, for the owner's team. */
export type Audience = "room" | "own" | "team";

export const AUDIENCES: readonly Audience[] = ["room", "own", "team"];

/** One type of event. */
export interface EventType {
  readonly name: string;
  readonly fields: readonly Field[];
}

/** What a welcome says of a game: the tables of its state, its input and its events. Immutable. */
export class Schema {
  readonly tables: readonly Table[];
  readonly input: readonly Field[];
  /** events[i] has the wire type i + 1. */
  readonly events: readonly EventType[];
  /** The binary form: equal for equal schemas. */
  readonly bytes: Uint8Array;

  private constructor(tables: Table[], input: Field[], events: EventType[], bytes: Uint8Array) {
    this.tables = tables;
    this.input = input;
    this.events = events;
    this.bytes = bytes;
  }

  /** Reads the binary form; throws a MalformedError. */
  static parse(bytes: Uint8Array): Schema {
    const r = new Reader(bytes);
    const n = r.array(16);
    const form = r.uint(1 << 16);
    if (form !== FORM) r.fail();
    const tables: Table[] = [];
    for (let left = r.array(MAX_TABLES); left > 0; left--) tables.push(readTable(r));
    const input = readFields(r);
    const events: EventType[] = [];
    for (let left = r.array(MAX_EVENT_TYPES); left > 0; left--) {
      const k = r.array(16);
      events.push({ name: readName(r), fields: readFields(r) });
      r.skipRest(k, 2);
    }
    r.skipRest(n, 4);
    r.done();
    for (const fields of [input, ...tables.map((t) => t.fields), ...events.map((e) => e.fields)]) {
      for (const f of fields) {
        if (f.kind === KIND_REF && (tables[f.ref]?.single ?? true)) r.fail();
      }
    }
    return new Schema(tables, input, events, bytes.slice());
  }
}

/** Whether a scope is what one seat alone sees. */
export function isSeat(scope: number): boolean {
  return scope >= 0x001 && scope <= 0x3ff;
}

/** Whether a scope is what one team alone sees. */
export function isTeam(scope: number): boolean {
  return scope >= 0x400 && scope <= 0x7ff;
}

/** Whether a scope is a cell of the plane. */
export function isCell(scope: number): boolean {
  return scope >= 0x800;
}

/** Whether a scope has columns for an audience. */
export function hasAudience(scope: number, to: Audience): boolean {
  return to === "room" || isSeat(scope) || (to === "team" && isTeam(scope));
}

function readTable(r: Reader): Table {
  const n = r.array(16);
  const name = readName(r);
  const single = r.bool();
  const max = r.uint(MAX_ROWS);
  const fields = readFields(r);
  r.skipRest(n, 4);
  const room: number[] = [];
  const own: number[] = [];
  const team: number[] = [];
  fields.forEach((f, i) => {
    if (isOwners(f) && isTeams(f)) r.fail();
    (isOwners(f) ? own : isTeams(f) ? team : room).push(i);
  });
  if (new Set(fields.map((f) => f.name)).size !== fields.length) r.fail();
  if (own.length + team.length > 0 && !fields.some(namesOwner)) r.fail();
  return { name, single, max, fields, room, own, team };
}
