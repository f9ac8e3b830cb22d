import assert from "node:assert/strict";
import { test } from "node:test";

import { look, ranking } from "./seen.ts";
import type { Chair, Held, Laid, Round } from "./world.ts";

const chair = (Owner: number, Place: number, more: Partial<Chair> = {}): [number, Chair] => [
  Owner, { Owner, Place, Name: `P${Owner}`, Bot: false, Away: false, Ready: false, Cards: 5, Score: 0, ...more },
];
const held = (id: number, Owner: number, rank: Held["Card.Rank"], suit: Held["Card.Suit"]): [number, Held] => [id, { Owner, "Card.Rank": rank, "Card.Suit": suit }];
const laid = (N: number, rank: Held["Card.Rank"], suit: Held["Card.Suit"], By = 0): [number, Laid] => [N * 7, { N, "Card.Rank": rank, "Card.Suit": suit, By }];
const round: Round = { Phase: "Playing", Number: 1, Turn: 2, Began: 0, Ends: 200, Wanted: "Hearts", Drawn: false, Stock: 20, Acts: 3, Winner: 0, Target: 100 };

const tables = (over: Partial<Round> = {}) => ({
  Seats: [chair(1, 0), chair(2, 1), chair(259, 3, { Bot: true })],
  Hands: [held(900, 2, "King", "Clubs"), held(17, 2, "Two", "Hearts"), held(500, 2, "Eight", "Spades")],
  Pile: [laid(2, "Seven", "Hearts", 1), laid(1, "Seven", "Clubs")],
  Round: [[1, { ...round, ...over }]] as [number, Round][],
});

test("a player sees the table from the own chair on", () => {
  const seen = look(tables(), 2)!;
  assert.deepEqual(seen.chairs.map((c) => c.Owner), [2, 259, 1]);
  assert.equal(seen.me?.Owner, 2);
  assert.deepEqual(seen.pile.map((p) => p.n), [1, 2]);
  assert.deepEqual(seen.top, { rank: "Seven", suit: "Hearts" });
  assert.deepEqual(seen.hand.map((m) => [m.id, m.fits]), [[17, true], [900, false], [500, true]]);
  assert.ok(seen.myTurn && seen.canPlay && seen.canDraw && !seen.canPass);
});

test("one draws once, and passes when there is nothing else", () => {
  const drawn = look(tables({ Drawn: true }), 2)!;
  assert.ok(!drawn.canDraw && drawn.canPass);
  const empty = look({ ...tables({ Stock: 0 }), Pile: [laid(1, "Seven", "Clubs")] }, 2)!;
  assert.ok(!empty.canDraw && empty.canPass);
  const turned = look(tables({ Stock: 0 }), 2)!;
  assert.ok(turned.canDraw, "the pile can be turned over");
  const other = look(tables({ Turn: 1 }), 2)!;
  assert.ok(!other.myTurn && !other.canPlay && !other.canDraw && !other.canPass);
});

test("open hands are others', and one who watches has none", () => {
  const seen = look(tables({ Phase: "Scored", Turn: 0 }), 1)!;
  assert.deepEqual(seen.open.get(2)?.map((c) => c.rank), ["Two", "King", "Eight"]);
  assert.equal(seen.hand.length, 0);
  const watched = look({ ...tables(), Hands: [] }, 0)!;
  assert.equal(watched.me, undefined);
  assert.deepEqual(watched.chairs.map((c) => c.Owner), [1, 2, 259]);
  assert.ok(!watched.myTurn);
  assert.equal(look({ ...tables(), Round: [] }, 1), undefined);
});

test("equal points have equal ranks", () => {
  const chairs = [chair(1, 0, { Score: 4 }), chair(2, 1, { Score: 9 }), chair(3, 2, { Score: 4 })].map(([, c]) => c);
  assert.deepEqual(ranking(chairs).map((r) => [r.chair.Owner, r.rank]), [[2, 1], [1, 2], [3, 2]]);
});
