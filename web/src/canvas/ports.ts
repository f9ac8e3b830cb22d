// The room's model as the drawing and the text of the page use it.

import type { DrawingPort } from "./drawing.ts";
import type { CanvasModel } from "./model.ts";
import type { Line } from "./model_board.ts";
import type { Stroke } from "./strokes.ts";
import type { Place } from "./text_doc.ts";
import type { WritingPort } from "./writing.ts";

/** A line as the picture has it. */
export function strokeOf({ key, author, n, colour, width, points }: Line): Stroke {
  const flat = new Float32Array(2 * points.length); // whole numbers far below 2^24
  points.forEach(({ x, y }, i) => {
    flat[2 * i] = x;
    flat[2 * i + 1] = y;
  });
  return { key, order: n * 0x10000 + author, colour, width, points: flat };
}

/**
 * The board. edited is called after each own act, changed for each line that came, went, or has more points, left when the
 * own pointer leaves it.
 */
export function drawingPort(
  model: CanvasModel, edited: () => void, changed: (stroke: Stroke | undefined, key: string) => void, left: () => void,
): DrawingPort {
  const { board } = model;
  const lines = new Map<string, Line>(board.lines.map((line) => [line.key, line]));
  board.onChange = (what, line) => {
    if (what === "remove") lines.delete(line.key);
    else lines.set(line.key, line);
    changed(what === "remove" ? undefined : strokeOf(line), line.key);
  };
  return {
    begin: ([x, y], colour, width) => {
      const line = board.begin({ x, y }, colour, width);
      if (line) edited();
      return line?.key;
    },
    extend: (key, numbers) => {
      const line = lines.get(key);
      const points = [];
      for (let i = 0; i + 1 < numbers.length; i += 2) points.push({ x: numbers[i]!, y: numbers[i + 1]! });
      if (line) board.extend(line, points);
      edited();
    },
    end: (key) => {
      const line = lines.get(key);
      if (line) board.end(line);
      edited();
    },
    line: (key) => {
      const line = lines.get(key);
      return line && strokeOf(line);
    },
    erase: (keys) => {
      board.erase(keys.map((key) => lines.get(key)).filter((line) => line !== undefined));
      edited();
    },
    undo: () => {
      board.undo();
      edited();
    },
    redo: () => {
      board.redo();
      edited();
    },
    get canUndo() {
      return board.canUndo;
    },
    get canRedo() {
      return board.canRedo;
    },
    point: (at) => (at ? model.point(at.x, at.y) : left()),
  };
}

/** The text. now is a steady clock in ms. */
export function writingPort(model: CanvasModel, edited: () => void, now = () => performance.now()): WritingPort {
  const { text } = model;
  let selected: { anchor: Place; focus: Place } | undefined;
  return {
    get text() {
      return text.text;
    },
    edit: (from, to, inserted) => {
      const done = text.edit(from, to, inserted, now());
      if (done) edited();
      return done;
    },
    undo: () => {
      const caret = text.undo();
      edited();
      return caret;
    },
    redo: () => {
      const caret = text.redo();
      edited();
      return caret;
    },
    get canUndo() {
      return text.canUndo;
    },
    get canRedo() {
      return text.canRedo;
    },
    select: (anchor, focus) => {
      selected = { anchor: text.placeAt(anchor), focus: text.placeAt(focus) };
      model.caret(selected.focus, selected.anchor);
    },
    get selection() {
      if (!selected || !text.has(selected.anchor) || !text.has(selected.focus)) return undefined;
      return { anchor: text.positionOf(selected.anchor), focus: text.positionOf(selected.focus) };
    },
  };
}
