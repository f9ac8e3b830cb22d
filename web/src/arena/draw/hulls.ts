// Ships as ready pictures: a hull is stroked once for each colour and shape, and then only put in its place. Two
// hundred ships cost what two hundred stamps cost.

import { faint, hull, hullNumber } from "../colours.ts";
import { look, tint } from "./look.ts";

/** Half of a picture's side, in units. */
export const REACH = 20;

const LADEN = 64; // pictures that are kept: sixteen seats, the own one's form, both themes
const stamps = new Map<string, HTMLCanvasElement>();
let fine = 0; // pixels for a unit

/** The picture of a seat's ship with its nose to the right; pixels is how many of the screen's a unit has. */
export function stamp(seat: number, own: boolean, pixels: number): HTMLCanvasElement {
  if (pixels !== fine || stamps.size > LADEN) {
    stamps.clear();
    fine = pixels;
  }
  const key = `${tint(seat)} ${hullNumber(seat)} ${own}`;
  let picture = stamps.get(key);
  if (!picture) {
    picture = document.createElement("canvas");
    picture.width = picture.height = Math.ceil(2 * REACH * pixels);
    const ctx = picture.getContext("2d")!;
    ctx.setTransform(pixels, 0, 0, pixels, picture.width / 2, picture.height / 2);
    paint(ctx, seat, own);
    stamps.set(key, picture);
  }
  return picture;
}

/** Makes a seat's hull the path of a context. */
export function outline(ctx: CanvasRenderingContext2D, seat: number): void {
  ctx.beginPath();
  for (const [x, y] of hull(seat)) ctx.lineTo(x, y);
  ctx.closePath();
}

function paint(ctx: CanvasRenderingContext2D, seat: number, own: boolean): void {
  const { body, bright, theme } = look();
  const hex = tint(seat);
  outline(ctx, seat);
  ctx.lineJoin = "round";
  ctx.fillStyle = body;
  ctx.fill();
  ctx.fillStyle = faint(hex, own ? 0.42 : 0.24);
  ctx.fill();
  ctx.strokeStyle = faint(hex, theme === "dark" ? 0.28 : 0.16);
  ctx.lineWidth = 5;
  ctx.stroke();
  ctx.strokeStyle = hex;
  ctx.lineWidth = own ? 2.1 : 1.7;
  ctx.stroke();
  // The cockpit says at a glance where a ship looks.
  ctx.fillStyle = own ? bright : faint(hex, 0.9);
  ctx.beginPath();
  ctx.ellipse(3.2, 0, 2.6, 1.3, 0, 0, 7);
  ctx.fill();
}
