// Points of lines as the server has them: games/canvas/points.go.

/** A point of the board. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

const FIRST = 63; // '?'

function step(d: number): string {
  let v = d < 0 ? ~(d << 1) : d << 1;
  let text = "";
  for (; v >= 0x20; v >>= 5) text += String.fromCharCode((0x20 | (v & 0x1f)) + FIRST);
  return text + String.fromCharCode(v + FIRST);
}

/** Points as a text; the first is as far from 0, 0 as it says. They are whole numbers. */
export function encodePoints(points: readonly Point[]): string {
  let [x, y, text] = [0, 0, ""];
  for (const p of points) {
    text += step(p.x - x) + step(p.y - y);
    ({ x, y } = p);
  }
  return text;
}

/** The points of a text. What is none ends the list. */
export function decodePoints(text: string): Point[] {
  const points: Point[] = [];
  let [x, y, at] = [0, 0, 0];
  const next = (): number => {
    for (let [v, shift] = [0, 0]; at < text.length; shift += 5) {
      const c = text.charCodeAt(at++) - FIRST;
      v |= (c & 0x1f) << shift;
      if (c < 0x20) return v & 1 ? ~(v >> 1) : v >> 1;
    }
    return NaN;
  };
  while (at < text.length) {
    x += next();
    y += next();
    if (Number.isNaN(x + y)) break;
    points.push({ x, y });
  }
  return points;
}
