// The types of the game "dots", rules version "1". Printed by: muster types --game dots

export interface Dot {
  /** 0 to 100 in steps of 0.1. */
  X: number;
  /** 0 to 100 in steps of 0.1. */
  Y: number;
  /** A seat, 0 for none. */
  Owner: number;
}

/** The state, table by table. */
export interface State {
  /** At most 16 rows. */
  Dots: Dot;
}

/** What a player sends. */
export interface Input {
  /** -128 to 127. */
  DX: number;
  /** -128 to 127. */
  DY: number;
}
