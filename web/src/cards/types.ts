// The types of the game "cards", rules version "2". Printed by: muster types --game cards

export interface Chair {
  /** A seat, 0 for none. */
  Owner: number;
  /** 0 to 255. */
  Place: number;
  /** At most 24 bytes of UTF-8. */
  Name: string;
  Bot: boolean;
  Away: boolean;
  Ready: boolean;
  /** 0 to 255. */
  Cards: number;
  /** 0 to 65535. */
  Score: number;
}

export interface Held {
  /** A seat, 0 for none. */
  Owner: number;
  "Card.Rank": "None" | "Ace" | "Two" | "Three" | "Four" | "Five" | "Six" | "Seven" | "Eight" | "Nine" | "Ten" | "Jack" | "Queen" | "King";
  "Card.Suit": "None" | "Clubs" | "Diamonds" | "Hearts" | "Spades";
}

export interface Laid {
  /** 0 to 65535. */
  N: number;
  "Card.Rank": "None" | "Ace" | "Two" | "Three" | "Four" | "Five" | "Six" | "Seven" | "Eight" | "Nine" | "Ten" | "Jack" | "Queen" | "King";
  "Card.Suit": "None" | "Clubs" | "Diamonds" | "Hearts" | "Spades";
  /** A seat, 0 for none. */
  By: number;
}

export interface Round {
  Phase: "Waiting" | "Playing" | "Scored" | "Over";
  /** 0 to 255. */
  Number: number;
  /** A seat, 0 for none. */
  Turn: number;
  Began: number;
  Ends: number;
  Wanted: "None" | "Clubs" | "Diamonds" | "Hearts" | "Spades";
  Drawn: boolean;
  /** 0 to 255. */
  Stock: number;
  /** 0 to 65535. */
  Acts: number;
  /** A seat, 0 for none. */
  Winner: number;
  /** 0 to 65535. */
  Target: number;
}

/** The state, table by table. */
export interface State {
  /** At most 4 rows. */
  Seats: Chair;
  /** At most 64 rows. */
  Hands: Held;
  /** At most 52 rows. */
  Pile: Laid;
  /** A single row. */
  Round: Round;
}

/** What a player sends. */
export interface Input {
  Act: "Ready" | "Play" | "Draw" | "Pass";
  /** The id of a row of Hands, or 0. */
  Card: number;
  Suit: "None" | "Clubs" | "Diamonds" | "Hearts" | "Spades";
}

export interface DealtEvent {
  /** 0 to 255. */
  Round: number;
}

export interface PlayedEvent {
  /** A seat, 0 for none. */
  Seat: number;
  "Card.Rank": "None" | "Ace" | "Two" | "Three" | "Four" | "Five" | "Six" | "Seven" | "Eight" | "Nine" | "Ten" | "Jack" | "Queen" | "King";
  "Card.Suit": "None" | "Clubs" | "Diamonds" | "Hearts" | "Spades";
  Suit: "None" | "Clubs" | "Diamonds" | "Hearts" | "Spades";
}

export interface DrewEvent {
  /** A seat, 0 for none. */
  Seat: number;
}

export interface PassedEvent {
  /** A seat, 0 for none. */
  Seat: number;
  Late: boolean;
}

export interface TurnedEvent {
}

export interface WonEvent {
  /** A seat, 0 for none. */
  Seat: number;
  /** 0 to 65535. */
  Points: number;
}

/** The events, by their names. */
export interface Events {
  Dealt: DealtEvent;
  Played: PlayedEvent;
  Drew: DrewEvent;
  Passed: PassedEvent;
  Turned: TurnedEvent;
  Won: WonEvent;
}
