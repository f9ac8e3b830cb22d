// A text as games/canvas has it, and what commands do to it: pieces in their order, the deleted ones among them, which
// keep their places. Pieces never change: one that is other is a new one, so that documents share them.

/** A character's name: the n-th that an author typed. 0, 0 is none: the text's begin. */
export interface Place {
  readonly author: number;
  readonly n: number;
}

export const BEGIN: Place = { author: 0, n: 0 };

/** Characters n to n + len - 1 of an author, which stand behind each other. */
export interface Piece {
  readonly author: number;
  readonly n: number;
  readonly len: number;
  readonly text: string; // empty: they are deleted
  readonly was?: string; // what deleted ones said, where that is known
  readonly by?: number; // who deleted them, where that is known
}

/** Characters, or lines, n to n + count - 1 of an author. */
export interface Range {
  readonly author: number;
  readonly n: number;
  readonly count: number;
}

/** What characters say, from n on. */
export interface Said {
  readonly author: number;
  readonly n: number;
  readonly text: string;
}

const SURROGATE = /[\ud800-\udfff]/;

/** How many characters a text has: pairs of surrogates are one. */
export function characters(text: string): number {
  return SURROGATE.test(text) ? [...text].length : text.length;
}

/** Where in a text its first n characters end, in UTF-16 units. */
export function unitsOf(text: string, n: number): number {
  if (!SURROGATE.test(text)) return n;
  let at = 0;
  for (; n > 0 && at < text.length; n--) at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  return at;
}

/** How many characters begin in the first so many units of a text. */
function charactersIn(text: string, units: number): number {
  if (!SURROGATE.test(text)) return units;
  let n = 0;
  for (let at = 0; at < units; n++) {
    at += text.codePointAt(at)! > 0xffff ? 2 : 1;
    if (at > units) break; // in the middle of a pair is before it
  }
  return n;
}

function part(p: Piece, from: number, to: number): Piece {
  const cut = (s: string) => s.slice(unitsOf(s, from), unitsOf(s, to));
  return { ...p, n: p.n + from, len: to - from, text: cut(p.text), ...(p.was !== undefined && { was: cut(p.was) }) };
}

/** A document that is changed by commands. */
export class Doc {
  pieces: Piece[];

  constructor(pieces: readonly Piece[] = []) {
    this.pieces = pieces.slice();
  }

  get text(): string {
    let text = "";
    for (const p of this.pieces) text += p.text;
    return text;
  }

  /** Where the piece of a character is, or -1. */
  #find({ author, n }: Place): number {
    return this.pieces.findIndex((p) => p.author === author && n >= p.n && n < p.n + p.len);
  }

  has(place: Place): boolean {
    return place.author === 0 || this.#find(place) >= 0;
  }

  /** Puts characters n, n + 1, … of an author behind a place. False: there is no such place. */
  insert(author: number, n: number, at: Place, text: string): boolean {
    let i = -1;
    if (at.author !== 0) {
      if ((i = this.#find(at)) < 0) return false;
      const p = this.pieces[i]!;
      const before = at.n - p.n + 1;
      if (before < p.len) this.pieces.splice(i, 1, part(p, 0, before), part(p, before, p.len));
    }
    this.pieces.splice(i + 1, 0, { author, n, len: characters(text), text });
    return true;
  }

  /** Deletes characters; those that are not there, or deleted already, are passed over. */
  delete(by: number, ranges: readonly Range[]): void {
    this.#change(ranges, (p) => (p.text === "" ? p : { ...p, text: "", was: p.text, by }));
  }

  /** Brings back what an author deleted; said says what it was, where the document does not know. */
  restore(by: number, ranges: readonly Range[], said: readonly Said[] = []): void {
    this.#change(ranges, (p) => {
      if (p.text !== "" || (p.by !== undefined && p.by !== by)) return p;
      const text = p.was ?? textOf(said, p);
      return text === undefined ? p : { author: p.author, n: p.n, len: p.len, text };
    });
  }

  #change(ranges: readonly Range[], to: (p: Piece) => Piece): void {
    const pieces: Piece[] = [];
    for (const p of this.pieces) {
      let done = 0; // characters of the piece
      for (const r of ranges) {
        if (r.author !== p.author) continue;
        const from = Math.max(r.n - p.n, done);
        const end = Math.min(r.n + r.count - p.n, p.len);
        if (from >= end) continue;
        if (from > done) pieces.push(part(p, done, from));
        pieces.push(to(from === 0 && end === p.len ? p : part(p, from, end)));
        done = end;
      }
      if (done === 0) pieces.push(p);
      else if (done < p.len) pieces.push(part(p, done, p.len));
    }
    this.pieces = pieces;
  }

  /** What of some ranges is shown, or is deleted. */
  within(ranges: readonly Range[], shown: boolean): Range[] {
    const list: Range[] = [];
    for (const p of this.pieces) {
      if ((p.text !== "") !== shown) continue;
      for (const { author, n, count } of ranges) {
        const [from, end] = [Math.max(n, p.n), Math.min(n + count, p.n + p.len)];
        if (author === p.author && from < end) list.push({ author, n: from, count: end - from });
      }
    }
    return merged(list);
  }

  /** The place of a position in the text, in UTF-16 units: the character that ends there, or BEGIN. */
  placeAt(position: number): Place {
    let at = 0;
    let last: Piece | undefined;
    for (const p of this.pieces) {
      if (p.text === "") continue;
      if (at + p.text.length >= position) {
        const n = charactersIn(p.text, Math.max(0, position - at));
        if (n > 0) return { author: p.author, n: p.n + n - 1 };
        break;
      }
      at += p.text.length;
      last = p;
    }
    return last ? { author: last.author, n: last.n + last.len - 1 } : BEGIN;
  }

  /** The position behind a place; behind the text before it where its character is deleted; undefined where there is none. */
  positionOf(place: Place): number | undefined {
    if (place.author === 0) return 0;
    let at = 0;
    for (const p of this.pieces) {
      const i = place.n - p.n;
      if (p.author === place.author && i >= 0 && i < p.len) return at + (p.text === "" ? 0 : unitsOf(p.text, i + 1));
      at += p.text.length;
    }
    return undefined;
  }

  /** What is shown between two positions, by its characters' names. */
  between(from: number, to: number): Said[] {
    const list: Said[] = [];
    let at = 0;
    for (const { author, n, text } of this.pieces) {
      if (at >= to) break;
      const [a, b] = [charactersIn(text, Math.max(0, from - at)), charactersIn(text, Math.min(text.length, to - at))];
      if (b > a) list.push({ author, n: n + a, text: text.slice(unitsOf(text, a), unitsOf(text, b)) });
      at += text.length;
    }
    return list;
  }
}

/** What a piece says by what characters are known to say, if all of it is known. */
function textOf(said: readonly Said[], p: Piece): string | undefined {
  let text = "";
  let n = p.n;
  for (const s of said) {
    const len = characters(s.text);
    if (s.author !== p.author || n < s.n || n >= s.n + len) continue;
    const from = n - s.n;
    const to = Math.min(len, p.n + p.len - s.n);
    text += s.text.slice(unitsOf(s.text, from), unitsOf(s.text, to));
    n = s.n + to;
    if (n === p.n + p.len) return text;
  }
  return undefined;
}

/** The ranges of what was said, in order, those that touch as one: what Which lists. */
export function rangesOf(said: readonly Said[]): Range[] {
  return merged(said.map(({ author, n, text }) => ({ author, n, count: characters(text) })));
}

/** Ranges in order, those that touch as one. */
export function merged(ranges: readonly Range[]): Range[] {
  const list: Range[] = [];
  for (const r of ranges.toSorted((a, b) => a.author - b.author || a.n - b.n)) {
    const last = list.at(-1);
    if (last && last.author === r.author && r.n <= last.n + last.count) {
      list[list.length - 1] = { ...last, count: Math.max(last.count, r.n + r.count - last.n) };
    } else list.push(r);
  }
  return list;
}

const MAX_WHICH = 960; // bytes

/** Ranges as Which has them, in as many as it takes. */
export function whichOf(ranges: readonly Range[]): Uint8Array[] {
  const list: Uint8Array[] = [];
  let bytes: number[] = [];
  for (const { author, n, count } of ranges) {
    const one: number[] = [];
    for (let v of [author, n, count]) {
      for (; v >= 0x80; v = Math.floor(v / 0x80)) one.push((v % 0x80) | 0x80);
      one.push(v);
    }
    if (bytes.length + one.length > MAX_WHICH) {
      list.push(Uint8Array.from(bytes));
      bytes = [];
    }
    bytes.push(...one);
  }
  if (bytes.length > 0) list.push(Uint8Array.from(bytes));
  return list;
}
