// Draws lines and the paper below them. The context has the world's units.

import type { Theme } from "../shared/theme.ts";
import type { Box } from "./camera.ts";
import { lineColour } from "./palette.ts";
import type { Stroke } from "./strokes.ts";

/** How paper looks. */
interface Paper {
  readonly paper: string;
  readonly dots: string;
  readonly edge: string;
}

const PAPER: Readonly<Record<Theme, Paper>> = {
  light: { paper: "#fdfdfb", dots: "#d3dae6", edge: "#b6c1d4" },
  dark: { paper: "#101827", dots: "#2a3850", edge: "#3a4a68" },
};

const DOTS = 32; // units between two dots of the paper, or a multiple of it
const LEAST_GAP = 18; // pixels between two dots
const STRAIGHT = 0.35; // pixels for a unit, below which no curve can be seen

/** Draws the paper within a box: what lies outside the board stays empty. scale is pixels for a unit. */
export function paintPaper(c: CanvasRenderingContext2D, board: Box, box: Box, scale: number, theme: Theme): void {
  const { paper, dots, edge } = PAPER[theme];
  const left = Math.max(board.left, box.left);
  const top = Math.max(board.top, box.top);
  const right = Math.min(board.right, box.right);
  const bottom = Math.min(board.bottom, box.bottom);
  if (right <= left || bottom <= top) return;
  c.fillStyle = paper;
  c.fillRect(left, top, right - left, bottom - top);
  let gap = DOTS;
  while (gap * scale < LEAST_GAP) gap *= 2;
  const side = Math.max(1.2, Math.min(2, scale * 2)) / scale;
  c.fillStyle = dots;
  for (let x = Math.ceil((left - board.left) / gap) * gap + board.left; x < right; x += gap) {
    if (x === board.left) continue;
    for (let y = Math.ceil((top - board.top) / gap) * gap + board.top; y < bottom; y += gap) {
      if (y !== board.top) c.fillRect(x - side / 2, y - side / 2, side, side);
    }
  }
  c.strokeStyle = edge;
  c.lineWidth = 1.5 / scale;
  c.strokeRect(board.left, board.top, board.right - board.left, board.bottom - board.top);
}

/** Draws a line. scale is pixels for a unit: what nobody could see is left out. */
export function paintStroke(c: CanvasRenderingContext2D, s: Omit<Stroke, "key" | "order">, scale: number, theme: Theme): void {
  const { points } = s;
  const count = points.length >> 1;
  if (count === 0) return;
  c.strokeStyle = c.fillStyle = lineColour(s.colour, theme);
  c.beginPath();
  if (count === 1) {
    c.arc(points[0]!, points[1]!, Math.max(s.width / 2, 0.5 / scale), 0, 2 * Math.PI);
    c.fill();
    return;
  }
  c.lineWidth = Math.max(s.width, 0.75 / scale);
  c.lineCap = c.lineJoin = "round";
  c.moveTo(points[0]!, points[1]!);
  if (scale < STRAIGHT) straight(c, points, count, 1 / scale);
  else curved(c, points, count);
  c.stroke();
}

/** Goes from point to point, past those that are within a pixel of the last one. */
function straight(c: CanvasRenderingContext2D, points: ArrayLike<number>, count: number, pixel: number): void {
  let [x, y] = [points[0]!, points[1]!];
  for (let i = 1; i < count; i++) {
    const [px, py] = [points[2 * i]!, points[2 * i + 1]!];
    if (i < count - 1 && Math.abs(px - x) < pixel && Math.abs(py - y) < pixel) continue;
    c.lineTo(px, py);
    [x, y] = [px, py];
  }
}

/** Rounds each point: curves from the middle of one piece to the middle of the next. */
function curved(c: CanvasRenderingContext2D, points: ArrayLike<number>, count: number): void {
  for (let i = 1; i < count - 1; i++) {
    const [x, y] = [points[2 * i]!, points[2 * i + 1]!];
    c.quadraticCurveTo(x, y, (x + points[2 * i + 2]!) / 2, (y + points[2 * i + 3]!) / 2);
  }
  c.lineTo(points[2 * count - 2]!, points[2 * count - 1]!);
}
