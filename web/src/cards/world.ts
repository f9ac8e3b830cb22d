// What games/cards' rules decide and a page must know. The types of its state are printed: see types.ts.

import type { Held, Round } from "./types.ts";

export type { Chair, Events, Held, Input, Laid, Round, State as World } from "./types.ts";

export const GAME = "cards"; // and its queue
export const MOST_BOTS = 3;
export const MAX_NAME = 24; // bytes
export const PLACES = 4;
export const FIRST_BOT = 256; // the seat of a bot at place 0

export type Suit = Exclude<Round["Wanted"], "None">;
export type Rank = Exclude<Held["Card.Rank"], "None">;

export interface Card {
  rank: Rank;
  suit: Suit;
}

/** In the order of a hand: black and red take turns. */
export const SUITS: readonly Suit[] = ["Spades", "Hearts", "Clubs", "Diamonds"];
export const RANKS: readonly Rank[] = ["Ace", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Jack", "Queen", "King"];

/** The card of a row; undefined for one without. */
export function cardOf(row: Pick<Held, "Card.Rank" | "Card.Suit">): Card | undefined {
  const { "Card.Rank": rank, "Card.Suit": suit } = row;
  return rank === "None" || suit === "None" ? undefined : { rank, suit };
}

/** Names a card within a deck. */
export function keyOf(card: Card): string {
  return `${card.rank} ${card.suit}`;
}

/** A card in words. */
export function nameOf(card: Card): string {
  return `${card.rank} of ${card.suit}`;
}

/** Whether a card may be laid on another while a suit is wanted, as Card.Fits has it. */
export function fits(card: Card, top: Card | undefined, wanted: Round["Wanted"]): boolean {
  return card.rank === "Eight" || card.suit === wanted || card.rank === top?.rank;
}

/** What a card counts in a hand, as Card.Points has it. */
export function points(card: Card): number {
  if (card.rank === "Eight") return 50;
  return Math.min(10, RANKS.indexOf(card.rank) + 1);
}

/** The order of a hand: by suits, then ranks; eights, which one keeps, to the right of all. */
export function inOrder(a: Card, b: Card): number {
  const place = (c: Card) => (c.rank === "Eight" ? 100 : 0) + 20 * SUITS.indexOf(c.suit) + RANKS.indexOf(c.rank);
  return place(a) - place(b);
}
