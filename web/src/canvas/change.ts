// Changes of a plain text, in UTF-16 units: what a text field counts in.

/** At a place, so many units give way to others. */
export interface Change {
  readonly at: number;
  readonly removed: number;
  readonly inserted: string;
}

/** The text after a change. */
export function applied(text: string, { at, removed, inserted }: Change): string {
  return text.slice(0, at) + inserted + text.slice(at + removed);
}

/**
 * Where a place of the text before is after a change. One at which something is inserted stays before it, or goes along
 * behind it with after; one in what was removed comes to the end of what was inserted.
 */
export function moved(place: number, { at, removed, inserted }: Change, after = false): number {
  if (place < at || (place === at && !after)) return place;
  if (place > at && place < at + removed) return at + inserted.length;
  if (place === at) return removed > 0 ? place : place + inserted.length;
  return place - removed + inserted.length;
}

/** moved, through several changes in their order. */
export function movedThrough(place: number, changes: readonly Change[], after = false): number {
  for (const change of changes) place = moved(place, change, after);
  return place;
}

/**
 * The one change that makes a text of another; undefined where they are equal. Where it could be at several places, as a
 * letter that was typed beside the same letter, it is the one that ends at the caret. It cuts no character in two.
 */
export function difference(before: string, after: string, caret = after.length): Change | undefined {
  if (before === after) return undefined;
  const shorter = Math.min(before.length, after.length);
  let tail = 0; // units that are the same at the end: those behind the caret first
  const mostTail = Math.min(shorter, Math.max(0, after.length - caret));
  while (tail < mostTail && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  let head = 0;
  while (head < shorter - tail && before[head] === after[head]) head++;
  while (tail < shorter - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  if (head > 0 && isHigh(before.charCodeAt(head - 1)) && (isLow(before.charCodeAt(head)) || isLow(after.charCodeAt(head)))) head--;
  if (tail > 0 && isLow(before.charCodeAt(before.length - tail))) {
    const [b, a] = [before.charCodeAt(before.length - tail - 1), after.charCodeAt(after.length - tail - 1)];
    if (isHigh(b) || isHigh(a)) tail--;
  }
  return { at: head, removed: before.length - tail - head, inserted: after.slice(head, after.length - tail) };
}

const LONG = 400; // units of a change that are worth a look for what is the same within
const ANCHOR = 48; // units that are taken for the same place where both texts have them

/**
 * The changes that make a text of another, from the last to the first, so that each is at its place of the text before.
 * Those that are far apart, as of two people who write at once, are changes of their own.
 */
export function changes(before: string, after: string): Change[] {
  const list: Change[] = [];
  const between = (from: number, to: number, start: number, end: number) => {
    const change = difference(before.slice(from, to), after.slice(start, end));
    if (!change) return;
    const [b, a] = [from + change.at, start + change.at];
    const [bEnd, aEnd] = [b + change.removed, a + change.inserted.length];
    const same = change.removed > LONG && change.inserted.length > LONG ? anchor(before.slice(b, bEnd), change.inserted) : undefined;
    if (!same) return void list.push({ ...change, at: b });
    between(b + same.before + ANCHOR, bEnd, a + same.after + ANCHOR, aEnd);
    between(b, b + same.before, a, a + same.after);
  };
  between(0, before.length, 0, after.length);
  return list;
}

/** A place that two texts have in common, about in the middle. */
function anchor(before: string, after: string): { before: number; after: number } | undefined {
  for (const part of [0.5, 0.25, 0.75]) {
    const at = Math.floor((before.length - ANCHOR) * part);
    const sample = before.slice(at, at + ANCHOR);
    const found = after.indexOf(sample, Math.max(0, at - Math.abs(after.length - before.length) - LONG));
    // One that is there twice could be any of them; and none may begin or end within a character.
    if (found < 0 || after.indexOf(sample, found + 1) >= 0) continue;
    if (isLow(sample.charCodeAt(0)) || isHigh(sample.charCodeAt(ANCHOR - 1))) continue;
    return { before: at, after: found };
  }
  return undefined;
}

/** The text as the document may have it: one kind of line end, no other control characters but tabs, no half characters. */
export function clean(text: string): string {
  return text.replace(/\r\n?|[\u2028\u2029]/g, "\n").replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufeff]/g, "").replace(/\p{Surrogate}/gu, "\ufffd");
}

const NEAR = 64; // units in which the characters beside a place are looked for
let segmenter: Intl.Segmenter | undefined;

/** Where what is seen as one character begins that ends at a place, or ends that begins there. */
export function neighbour(text: string, at: number, way: "before" | "behind"): number {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
  if (way === "behind") {
    const [first] = segmenter.segment(text.slice(at, at + NEAR));
    return at + (first?.segment.length ?? 0);
  }
  let last = 0;
  for (const { segment } of segmenter.segment(text.slice(Math.max(0, at - NEAR), at))) last = segment.length;
  return at - last;
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
