import assert from "node:assert/strict";
import { test } from "node:test";

import { count, happened, turn, wanted, type Who } from "./words.ts";

const who: Who = { own: 1, name: (seat) => ["", "Anna", "Ben"][seat] ?? "Somebody" };

test("what happens is told of oneself and of others", () => {
  const card = { "Card.Rank": "Seven", "Card.Suit": "Hearts", Suit: "Hearts" } as const;
  assert.equal(happened({ name: "Played", fields: { Seat: 1, ...card } }, who), "You play the Seven of Hearts.");
  assert.equal(happened({ name: "Played", fields: { Seat: 2, ...card } }, who), "Ben plays the Seven of Hearts.");
  const eight = { "Card.Rank": "Eight", "Card.Suit": "Hearts", Suit: "Spades" } as const;
  assert.equal(happened({ name: "Played", fields: { Seat: 2, ...eight } }, who), "Ben plays the Eight of Hearts and asks for Spades.");
  assert.equal(happened({ name: "Played", fields: { Seat: 1, ...eight } }, who), "You play the Eight of Hearts and ask for Spades.");
  assert.equal(happened({ name: "Drew", fields: { Seat: 2 } }, who), "Ben draws a card.");
  assert.equal(happened({ name: "Passed", fields: { Seat: 1, Late: true } }, who), "Time is up: you pass.");
  assert.equal(happened({ name: "Passed", fields: { Seat: 2, Late: false } }, who), "Ben passes.");
  assert.equal(happened({ name: "Won", fields: { Seat: 1, Points: 1 } }, who), "You win the round: 1 point.");
  assert.equal(happened({ name: "Won", fields: { Seat: 0, Points: 0 } }, who), "Nobody can go on: the round is a draw.");
  assert.equal(happened({ name: "Dealt", fields: { Round: 2 } }, who), "Round 2: the cards are dealt.");
  assert.match(happened({ name: "Turned", fields: {} }, who), /shuffled/);
});

test("whoever is to play is told what", () => {
  const round = { Phase: "Playing", Turn: 1, Wanted: "Hearts", Drawn: false } as const;
  const top = { rank: "Ace", suit: "Hearts" } as const;
  assert.equal(turn(round, top, true, true, who), "Your turn: Hearts, an Ace or an Eight.");
  assert.equal(turn(round, top, false, true, who), "Your turn: Hearts, an Ace or an Eight. You have none, so draw a card.");
  assert.match(turn({ ...round, Drawn: true }, top, false, true, who), /so pass/);
  assert.match(turn(round, top, false, false, who), /so pass/);
  assert.equal(turn({ ...round, Turn: 2 }, top, true, true, who), "Ben is to play Hearts, an Ace or an Eight.");
  assert.equal(turn({ ...round, Phase: "Scored" }, top, true, true, who), "");
  assert.equal(wanted({ Wanted: "Spades" }, { rank: "Eight", suit: "Hearts" }), "Spades or an Eight");
});

test("one thing is one", () => {
  assert.equal(count(1, "card"), "1 card");
  assert.equal(count(0, "card"), "0 cards");
});
