import assert from "node:assert/strict";
import { test } from "node:test";

import { cardOf, fits, inOrder, keyOf, nameOf, points, RANKS, SUITS, type Card } from "./world.ts";

const deck: Card[] = SUITS.flatMap((suit) => RANKS.map((rank) => ({ rank, suit })));

test("a card fits by its suit, by its rank, or as an eight", () => {
  const top: Card = { rank: "Seven", suit: "Hearts" };
  const fit = deck.filter((c) => fits(c, top, "Hearts")).map(keyOf);
  assert.equal(fit.length, 13 + 3 + 3, "hearts, sevens, eights");
  assert.ok(fit.includes("Seven Clubs") && fit.includes("Eight Spades") && fit.includes("King Hearts") && !fit.includes("King Clubs"));
});

test("after an eight the suit counts that was asked for", () => {
  const top: Card = { rank: "Eight", suit: "Hearts" };
  const fit = deck.filter((c) => fits(c, top, "Spades"));
  assert.ok(fit.every((c) => c.suit === "Spades" || c.rank === "Eight"));
  assert.equal(fit.length, 13 + 3);
});

test("cards count as the rules have it", () => {
  const of = (rank: Card["rank"]) => points({ rank, suit: "Clubs" });
  assert.deepEqual(RANKS.map(of), [1, 2, 3, 4, 5, 6, 7, 50, 9, 10, 10, 10, 10]);
});

test("a hand is in order, with eights at its end", () => {
  const sorted = [...deck].reverse().sort(inOrder);
  assert.equal(nameOf(sorted[0]!), "Ace of Spades");
  assert.ok(sorted.slice(-4).every((c) => c.rank === "Eight"));
  assert.equal(new Set(sorted.map(keyOf)).size, 52);
});

test("a row without a card has none", () => {
  assert.equal(cardOf({ "Card.Rank": "None", "Card.Suit": "None" }), undefined);
  assert.deepEqual(cardOf({ "Card.Rank": "Ace", "Card.Suit": "Spades" }), { rank: "Ace", suit: "Spades" });
});
