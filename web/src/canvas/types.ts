// The types of the game "canvas", rules version "1". Printed by: muster types --game canvas

export interface Cursor {
  /** A seat, 0 for none. */
  Owner: number;
  /** 0 to 65535. */
  Author: number;
  Away: boolean;
  On: "Nowhere" | "OnBoard" | "InText";
  /** 0 to 4096 in steps of 1. */
  X: number;
  /** 0 to 4096 in steps of 1. */
  Y: number;
  /** 0 to 65535. */
  "Caret.Author": number;
  "Caret.N": number;
  /** 0 to 65535. */
  "Mark.Author": number;
  "Mark.N": number;
}

export interface Author {
  /** 0 to 65535. */
  Number: number;
  /** At most 24 bytes of UTF-8. */
  Name: string;
  Next: number;
}

export interface Run {
  /** The id of a row of Runs, or 0. */
  After: number;
  /** 0 to 65535. */
  Author: number;
  N: number;
  /** 0 to 65535. */
  Len: number;
  /** At most 1024 bytes of UTF-8. */
  Text: string;
}

export interface Stroke {
  /** 0 to 65535. */
  Author: number;
  N: number;
  /** 0 to 65535. */
  Part: number;
  /** 0 to 255. */
  Colour: number;
  /** 0 to 255. */
  Width: number;
  /** At most 320 bytes of UTF-8. */
  Points: string;
}

export interface Board {
  Clock: number;
  /** 0 to 65535. */
  Lines: number;
  Ink: number;
}

/** The state, table by table. */
export interface State {
  /** At most 64 rows. */
  Cursors: Cursor;
  /** At most 1024 rows. */
  Authors: Author;
  /** At most 16384 rows. */
  Runs: Run;
  /** At most 24576 rows. */
  Strokes: Stroke;
  /** A single row. */
  Board: Board;
}

/** What a player sends. */
export interface Input {
  Op: "Hide" | "Point" | "Caret" | "Insert" | "Delete" | "Restore" | "Draw" | "Extend" | "Erase" | "Clear";
  N: number;
  /** 0 to 65535. */
  "At.Author": number;
  "At.N": number;
  /** 0 to 65535. */
  "Mark.Author": number;
  "Mark.N": number;
  /** At most 3000 bytes of UTF-8. */
  Text: string;
  /** At most 960 bytes. */
  Which: Uint8Array;
  /** 0 to 255. */
  Colour: number;
  /** 0 to 255. */
  Width: number;
  /** 0 to 4096 in steps of 1. */
  X: number;
  /** 0 to 4096 in steps of 1. */
  Y: number;
}

/** The events, by their names. */
export interface Events {
}
