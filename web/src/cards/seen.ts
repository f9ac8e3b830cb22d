// What a player sees of the table, put together from the rows that the server sends.

import { type Card, cardOf, type Chair, fits, type Held, inOrder, type Laid, PLACES, type Round } from "./world.ts";

/** A card of one's own, by the row that names it to the server. */
export interface Mine {
  id: number;
  card: Card;
  /** Whether it may be laid on the pile now. */
  fits: boolean;
}

/** A card on the pile. */
export interface OnPile {
  n: number;
  card: Card;
  by: number;
}

export interface Seen {
  own: number;
  round: Round;
  /** Who sits here, the own chair first, then in the order of turns. Without an own chair they are as they sit. */
  chairs: Chair[];
  me: Chair | undefined;
  hand: Mine[];
  /** Hands that lie open, by seats. */
  open: Map<number, Card[]>;
  /** From the lowest to the top. */
  pile: OnPile[];
  top: Card | undefined;
  myTurn: boolean;
  canPlay: boolean;
  canDraw: boolean;
  canPass: boolean;
}

type Rows<R> = Iterable<readonly [number, R]>;

/** Looks at the rows as the player in a seat; 0 is one who watches. undefined before anything has come. */
export function look(tables: { Seats: Rows<Chair>; Hands: Rows<Held>; Pile: Rows<Laid>; Round: Rows<Round> }, own: number): Seen | undefined {
  const [first] = [...tables.Round];
  if (!first) return undefined;
  const round = first[1];
  const all = [...tables.Seats].map(([, chair]) => chair);
  const me = all.find((c) => c.Owner === own);
  const from = me?.Place ?? 0;
  const chairs = all.sort((a, b) => ((a.Place - from + PLACES) % PLACES) - ((b.Place - from + PLACES) % PLACES));
  const pile: OnPile[] = [];
  for (const [, laid] of tables.Pile) {
    const card = cardOf(laid);
    if (card) pile.push({ n: laid.N, card, by: laid.By });
  }
  pile.sort((a, b) => a.n - b.n);
  const top = pile.at(-1)?.card;
  const hand: Mine[] = [];
  const open = new Map<number, Card[]>();
  for (const [id, held] of tables.Hands) {
    const card = cardOf(held);
    if (!card) continue;
    if (held.Owner === own) hand.push({ id, card, fits: fits(card, top, round.Wanted) });
    else open.set(held.Owner, [...(open.get(held.Owner) ?? []), card]);
  }
  hand.sort((a, b) => inOrder(a.card, b.card));
  for (const cards of open.values()) cards.sort(inOrder);
  const myTurn = round.Phase === "Playing" && round.Turn === own && own > 0;
  const stock = round.Stock > 0 || pile.length > 1;
  return {
    own, round, chairs, me, hand, open, pile, top, myTurn,
    canPlay: myTurn && hand.some((m) => m.fits),
    canDraw: myTurn && !round.Drawn && stock,
    canPass: myTurn && (round.Drawn || !stock),
  };
}

/** Who has how many points, best first; equal points have equal ranks. */
export function ranking(chairs: readonly Chair[]): { chair: Chair; rank: number }[] {
  const sorted = [...chairs].sort((a, b) => b.Score - a.Score || a.Place - b.Place);
  return sorted.map((chair) => ({ chair, rank: 1 + sorted.findIndex((c) => c.Score === chair.Score) }));
}
