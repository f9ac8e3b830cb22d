// The types of the game "cards", rules version "3". Printed by: muster types --game cards

export interface Card {
  /** A seat, 0 for none. */
  Owner: number;
  Suit: "calm" | "wild \"one\"";
  /** -1 to 1 in steps of 0.25. */
  "Pos.X": number;
  /** -1 to 1 in steps of 0.25. */
  "Pos.Y": number;
  /** Radians from 0 to 2π, in 16 steps. */
  Turn: number;
  /** 0 to 255; for the row's owner only. */
  Face?: number;
  /** At most 8 bytes of UTF-8; for the team of the row's owner only. */
  Plan?: string;
  /** The id of a row of Cards, or 0. */
  On: number;
  /** How many elements there are, at most 2. */
  "Bag.len": number;
  "Bag.0.Kind"?: "calm" | "wild \"one\"";
  /** 0 to 65535. */
  "Bag.0.Count"?: number;
  "Bag.1.Kind"?: "calm" | "wild \"one\"";
  /** 0 to 65535. */
  "Bag.1.Count"?: number;
  /** At most 3 bytes. */
  Blob: Uint8Array;
  Big: bigint;
  Raw: number;
  "Pair.0": boolean;
  "Pair.1": boolean;
}

export interface RoundRow {
  Left: number;
}

/** The state, table by table. */
export interface State {
  /** At most 52 rows. */
  Cards: Card;
  /** At most 32768 rows. */
  More: Card;
  /** A single row. */
  Round: RoundRow;
}

/** What a player sends. */
export interface Input {
  /** The id of a row of Cards, or 0. */
  Play: number;
  Mood: "calm" | "wild \"one\"";
  /** How many elements there are, at most 2. */
  "Moves.len": number;
  /** -128 to 127. */
  "Moves.0"?: number;
  /** -128 to 127. */
  "Moves.1"?: number;
}

export interface PlayedEvent {
  /** A seat, 0 for none. */
  By: number;
}

/** The events, by their names. */
export interface Events {
  played: PlayedEvent;
}
