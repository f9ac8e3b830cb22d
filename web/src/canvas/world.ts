// What the rules of games/canvas have as constants; the types are in types.ts.

import type { Box } from "./camera.ts";

/** The game's name, as rooms of it are joined. */
export const GAME = "canvas";

/** The board, in its units. */
export const BOARD: Box = { left: 0, top: 0, right: 4096, bottom: 3072 };

/** The widest line, in units of the board. */
export const MOST_WIDTH = 64;

/** The longest text, in bytes of UTF-8. */
export const MOST_TEXT = 128 << 10;

/** The longest name, in bytes of UTF-8. */
export const MOST_NAME = 24;
