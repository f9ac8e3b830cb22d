// Who is ahead of whom: one order for the scores, the crown and the podium.

import type { Ship } from "./world.ts";

export interface Rank {
  rank: number; // equal scores have equal ranks; 0 is not known
  seat: number;
  name: string;
  score: number;
  deaths: number;
  away: boolean;
}

/** One of those who lead where a player does not see all ships. */
export interface Leading {
  Seat: number;
  Name: string;
  Score: number;
}

/** Ranks ships by score. Equal ones stand in the order of their losses, then of their seats. */
export function ranking(ships: Iterable<[number, Ship]>): Rank[] {
  const list: Rank[] = [];
  for (const [, s] of ships) list.push({ rank: 0, seat: s.Owner, name: s.Name, score: s.Score, deaths: s.Deaths, away: s.Away });
  return order(list);
}

/** Ranks the leaders, and the own ship, whose rank is not known when it is none of them. */
export function leaders(rows: Iterable<[number, Leading]>, own: Ship | undefined): Rank[] {
  const list: Rank[] = [];
  for (const [, l] of rows) {
    const mine = own?.Owner === l.Seat;
    list.push({ rank: 0, seat: l.Seat, name: l.Name, score: mine ? own.Score : l.Score, deaths: mine ? own.Deaths : 0, away: false });
  }
  order(list);
  if (own && !list.some((r) => r.seat === own.Owner)) {
    list.push({ rank: 0, seat: own.Owner, name: own.Name, score: own.Score, deaths: own.Deaths, away: own.Away });
  }
  return list;
}

function order(list: Rank[]): Rank[] {
  list.sort((a, b) => b.score - a.score || a.deaths - b.deaths || a.seat - b.seat);
  list.forEach((r, i) => {
    const before = list[i - 1];
    r.rank = before?.score === r.score ? before.rank : i + 1;
  });
  return list;
}

/** Who has the most points alone, or 0. */
export function leader(ranks: Rank[]): number {
  const [first, second] = ranks;
  return first && first.score > 0 && first.score !== second?.score ? first.seat : 0;
}

/** The rows of a short list: the best, and the own row in the last place when it is not among them. */
export function shortlist(ranks: Rank[], own: number, rows: number): Rank[] {
  const best = ranks.slice(0, rows);
  const mine = ranks.find((r) => r.seat === own);
  if (mine && !best.includes(mine)) best[best.length - 1] = mine;
  return best;
}

/** A rank in words: 1st, 2nd; "" when it is not known. */
export function ordinal(rank: number): string {
  if (rank < 1) return "";
  const teen = rank % 100 >= 11 && rank % 100 <= 13;
  return `${rank}${teen ? "th" : (["th", "st", "nd", "rd"][rank % 10] ?? "th")}`;
}
