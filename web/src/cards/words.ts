// What happens at the table, in words: for the list on the page, and for who cannot see it.

import { type Card, cardOf, type Events, nameOf, type Round } from "./world.ts";

/** Who sits where, as a sentence needs it. */
export interface Who {
  own: number;
  name(seat: number): string;
}

/** An event of the game. */
export type Happening = { [K in keyof Events]: { name: K; fields: Events[K] } }[keyof Events];

/** One happening as a sentence. */
export function happened(event: Happening, who: Who): string {
  const does = (seat: number, own: string, other: string) => (seat === who.own ? `You ${own}` : `${who.name(seat)} ${other}`);
  switch (event.name) {
    case "Dealt":
      return `Round ${event.fields.Round}: the cards are dealt.`;
    case "Played": {
      const card = cardOf(event.fields);
      const asks = card?.rank === "Eight" ? ` and ${event.fields.Seat === who.own ? "ask" : "asks"} for ${event.fields.Suit}` : "";
      return `${does(event.fields.Seat, "play", "plays")} the ${card ? nameOf(card) : "card"}${asks}.`;
    }
    case "Drew":
      return `${does(event.fields.Seat, "draw", "draws")} a card.`;
    case "Passed":
      return event.fields.Late
        ? `Time is up: ${does(event.fields.Seat, "pass", "passes").replace(/^You/, "you")}.`
        : `${does(event.fields.Seat, "pass", "passes")}.`;
    case "Turned":
      return "The pile is shuffled and is the stock again.";
    case "Won":
      if (!event.fields.Seat) return "Nobody can go on: the round is a draw.";
      return `${does(event.fields.Seat, "win", "wins")} the round: ${count(event.fields.Points, "point")}.`;
  }
}

/** What may be laid now. */
export function wanted(round: Pick<Round, "Wanted">, top: Card | undefined): string {
  if (round.Wanted === "None") return "";
  if (!top || top.rank === "Eight") return `${round.Wanted} or an Eight`;
  return `${round.Wanted}, ${article(top.rank)} ${top.rank} or an Eight`;
}

function article(rank: string): string {
  return rank === "Ace" ? "an" : "a";
}

/** Whose turn it is, and what to do where it is one's own. */
export function turn(round: Pick<Round, "Turn" | "Wanted" | "Drawn" | "Phase">, top: Card | undefined, canPlay: boolean, canDraw: boolean, who: Who): string {
  if (round.Phase !== "Playing") return "";
  if (round.Turn !== who.own) return `${who.name(round.Turn)} is to play ${wanted(round, top)}.`;
  const want = wanted(round, top);
  if (canPlay) return `Your turn: ${want}.`;
  if (!round.Drawn && canDraw) return `Your turn: ${want}. You have none, so draw a card.`;
  return `Your turn: ${want}. You have none, so pass.`;
}

/** A number of things. */
export function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}
