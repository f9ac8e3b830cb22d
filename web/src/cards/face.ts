// A card's picture, drawn with the four suits and the crowns that the page has as symbols.

import { type Card, RANKS, type Suit } from "./world.ts";

const SPACE = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [250, 350];

/** Where a card's pips are, in parts of its inner field. Those in the lower half stand on their heads. */
const COLUMN = { left: 0, middle: 0.5, right: 1 };
const two = (y: number): [number, number][] => [[COLUMN.left, y], [COLUMN.right, y]];
const PIPS: { [n: number]: [number, number][] } = {
  2: [[COLUMN.middle, 0], [COLUMN.middle, 1]],
  3: [[COLUMN.middle, 0], [COLUMN.middle, 0.5], [COLUMN.middle, 1]],
  4: [...two(0), ...two(1)],
  5: [...two(0), [COLUMN.middle, 0.5], ...two(1)],
  6: [...two(0), ...two(0.5), ...two(1)],
  7: [...two(0), [COLUMN.middle, 0.25], ...two(0.5), ...two(1)],
  8: [...two(0), [COLUMN.middle, 0.25], ...two(0.5), [COLUMN.middle, 0.75], ...two(1)],
  9: [...two(0), ...two(1 / 3), [COLUMN.middle, 0.5], ...two(2 / 3), ...two(1)],
  10: [...two(0), [COLUMN.middle, 1 / 6], ...two(1 / 3), ...two(2 / 3), [COLUMN.middle, 5 / 6], ...two(1)],
};

/** What stands in a card's corner. */
export function indexOf({ rank }: Card): string {
  const n = RANKS.indexOf(rank) + 1;
  return n === 1 || n > 10 ? rank.charAt(0) : String(n);
}

/** Draws a face. */
export function face(card: Card): SVGSVGElement {
  const svg = picture(`face ${card.suit === "Hearts" || card.suit === "Diamonds" ? "red" : "black"}`);
  const corner = element("g", { class: "corner" });
  const text = element("text", { x: 31, y: 56, class: "index" });
  text.textContent = indexOf(card);
  corner.append(text, pip(card.suit, 31, 88, 36));
  svg.append(corner, turned(corner));
  const n = RANKS.indexOf(card.rank) + 1;
  if (n === 1) svg.append(pip(card.suit, WIDTH / 2, HEIGHT / 2, 116));
  else if (n > 10) svg.append(...court(card));
  else for (const [x, y] of PIPS[n] ?? []) svg.append(pip(card.suit, 84 + 82 * x, 66 + 218 * y, 50, y > 0.5));
  return svg;
}

/** Jack, queen and king: a crown over a suit, twice. */
function court(card: Card): SVGElement[] {
  const half = element("g", {});
  half.append(
    element("use", { href: `#crown-${card.rank}`, x: 75, y: 52, width: 100, height: 66, class: "crown" }),
    pip(card.suit, WIDTH / 2, 143, 46),
  );
  return [
    element("rect", { x: 56, y: 38, width: 138, height: 274, rx: 8, class: "frame" }),
    element("path", { d: "M56 175 H194", class: "waist" }),
    half, turned(half),
  ];
}

/** The same, standing on its head. */
function turned(group: SVGElement): SVGElement {
  const copy = group.cloneNode(true) as SVGElement;
  copy.setAttribute("transform", `rotate(180 ${WIDTH / 2} ${HEIGHT / 2})`);
  return copy;
}

function pip(suit: Suit, x: number, y: number, size: number, upsideDown = false): SVGElement {
  const use = element("use", { href: `#suit-${suit}`, x: x - size / 2, y: y - size / 2, width: size, height: size });
  if (upsideDown) use.setAttribute("transform", `rotate(180 ${x} ${y})`);
  return use;
}

/** Draws a back: the same for every card. */
export function back(): SVGSVGElement {
  const svg = picture("back");
  svg.append(
    element("rect", { x: 16, y: 16, width: WIDTH - 32, height: HEIGHT - 32, rx: 12, class: "field" }),
    element("rect", { x: 16, y: 16, width: WIDTH - 32, height: HEIGHT - 32, rx: 12, fill: "url(#weave)" }),
    element("path", { d: "M180 175 L80 225 L104 175 L80 125 Z", class: "sign" }),
  );
  return svg;
}

/** A suit alone. */
export function suitIcon(suit: Suit): SVGSVGElement {
  const svg = element("svg", { viewBox: "0 0 100 100", class: `suit ${suit === "Hearts" || suit === "Diamonds" ? "red" : "black"}`, "aria-hidden": "true" });
  svg.append(element("use", { href: `#suit-${suit}`, width: 100, height: 100 }));
  return svg as SVGSVGElement;
}

function picture(name: string): SVGSVGElement {
  return element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: name, "aria-hidden": "true" }) as SVGSVGElement;
}

function element(tag: string, attributes: { [name: string]: string | number }): SVGElement {
  const e = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, String(value));
  return e as SVGElement;
}
