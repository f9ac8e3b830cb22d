// One match: from a seat to its end, by whatever cause. Commands go out from here; what is seen of it is in table.ts.

import { CloseError, Match, type CloseInfo } from "@muster/client";
import { Ending, gone, type Gone } from "../shared/ending.ts";
import type { Seated } from "../shared/seating.ts";
import { sentence } from "../shared/sentence.ts";
import type { Snapshot } from "./debug.ts";
import { look, type Mine, type Seen } from "./seen.ts";
import type { SuitDialog } from "./suits.ts";
import type { Acts, Table } from "./table.ts";
import { happened, type Happening, type Who } from "./words.ts";
import { type Chair, type Events, FIRST_BOT, type Input, keyOf, SUITS, type Suit, type World } from "./world.ts";

/** How a match ended for this player: with a winner, for a match against bots, or by what ends matches of all games. */
export type Outcome = { kind: "ended"; seen: Seen | undefined } | { kind: "instead" } | Gone;

const HELD = 240_000; // ms for which a lost socket is taken up again: the seat is held for five minutes
const EARLY = 8; // events that wait for the first frame
const BEHIND = 20; // commands that nothing has come of: the player presses faster than the table

export class Game {
  readonly #refresh: () => Promise<string>;
  readonly #company: () => void;
  readonly #table: Table;
  readonly #suits: SuitDialog;
  readonly #names = new Map<number, string>(); // by seats, of whoever was seen there
  readonly #stop = new AbortController();
  readonly #end = new Ending<Outcome>();
  #match: Match<World, Input, Events> | undefined;
  #seen: Seen | undefined;
  #tick = 0;
  #leaving = false;
  #met = false; // somebody else
  #early: Happening[] = []; // that came before the first frame
  #raf = 0;

  /** refresh gets a newer token of the player; company is called once somebody else is here who is no bot. */
  constructor(stage: { table: Table; suits: SuitDialog }, refresh: () => Promise<string>, company: () => void) {
    this.#company = company;
    this.#table = stage.table;
    this.#suits = stage.suits;
    this.#refresh = refresh;
  }

  /** Whether a table was ever on the screen. */
  get played(): boolean {
    return this.#tick > 0;
  }

  /** Plays in a seat until the match is over, by whatever cause. begun is called when the seat is taken. */
  async play({ seat, code }: Seated, begun: () => void): Promise<Outcome> {
    try {
      const match = await Match.connect<World, Input, Events>(seat, {
        reconnect: true,
        reconnectForMs: HELD,
        refresh: this.#refresh,
        onState: (state) => {
          this.#table.link(state !== "reconnecting");
          if (state !== "playing") this.#suits.close();
        },
        onFrame: (frame) => this.#frame(frame.tick),
        onRefused: ({ reason, input }) => {
          this.#table.toast(reason ? sentence(reason) : "");
          if (input?.Act === "Play") this.#table.hand.refuse(input.Card);
        },
        onEnd: () => this.#end.set({ kind: "ended", seen: this.#seen }),
        onClose: (info) => this.#closed(info, seat.room),
      });
      this.#match = match;
      if (this.#end.come) this.leave();
      else {
        this.#table.open(this.#acts(), code);
        this.#listen();
        begun();
      }
      return await this.#end.outcome;
    } catch (error) {
      if (!(error instanceof CloseError)) throw error;
      this.#closed(error.info, seat.room);
      return await this.#end.outcome;
    } finally {
      this.#close();
    }
  }

  /** Gives the seat back. */
  leave(then: Outcome = { kind: "left" }): void {
    this.#end.set(then);
    void this.#match?.leave().catch(() => undefined); // a seat that is not given back is freed in time
    this.#leaving = this.#match !== undefined;
  }

  /** Reads the game for the debug hook. */
  snapshot(): Snapshot {
    const [match, seen] = [this.#match, this.#seen];
    return {
      state: match?.state ?? "connecting",
      ready: match?.state === "playing" && seen !== undefined,
      seat: match?.info.seat ?? 0,
      room: match?.info.room ?? "",
      tick: this.#tick,
      phase: seen?.round.Phase ?? "",
      round: seen?.round.Number ?? 0,
      turn: seen?.round.Turn ?? 0,
      hand: seen?.hand.map((m) => keyOf(m.card)) ?? [],
      playable: seen?.myTurn ? seen.hand.filter((m) => m.fits).map((m) => keyOf(m.card)) : [],
      top: seen?.top ? keyOf(seen.top) : "",
      chairs: seen?.chairs.map((c) => ({ seat: c.Owner, name: c.Name, cards: c.Cards, score: c.Score, bot: c.Bot, away: c.Away })) ?? [],
      stats: match?.stats,
    };
  }

  #acts(): Acts {
    const act = (Act: "Draw" | "Pass" | "Ready") => () => this.#act({ Act, Card: 0, Suit: "None" });
    return {
      play: (mine) => void this.#play(mine), draw: act("Draw"), pass: act("Pass"), ready: act("Ready"),
      instead: () => this.leave({ kind: "instead" }),
    };
  }

  #listen(): void {
    const match = this.#match!;
    match.onEvent("*", (fields, e) => {
      const event = { name: e.name, fields } as Happening;
      if (this.#seen) return this.#say(event);
      this.#early.push(event); // who it is about comes with the first frame
      if (this.#early.length > EARLY) this.#early.shift();
    });
    addEventListener("keydown", (e) => this.#key(e), { signal: this.#stop.signal });
    const draw = () => {
      this.#raf = requestAnimationFrame(draw);
      if (match.state === "playing") this.#table.time(match.serverTick());
    };
    this.#raf = requestAnimationFrame(draw);
  }

  #close(): void {
    cancelAnimationFrame(this.#raf);
    this.#stop.abort();
    this.#suits.close();
    this.#table.close();
    if (!this.#leaving) this.#match?.close();
  }

  #frame(tick: number): void {
    const match = this.#match;
    this.#tick = tick;
    if (!match) return;
    const seen = look(match.tables, match.info.seat);
    if (!seen) return;
    this.#note();
    if (this.#suits.open && !seen.myTurn) this.#suits.close();
    this.#seen = seen;
    if (!this.#met && seen.chairs.some((c) => !c.Bot && c !== seen.me)) {
      this.#met = true;
      this.#company();
    }
    this.#table.show(seen, this.#who());
    for (const event of this.#early.splice(0)) this.#say(event);
  }

  #say(event: Happening): void {
    this.#note();
    this.#table.say(happened(event, this.#who()));
  }

  /** Remembers names: an event can be of one who has left since. */
  #note(): void {
    for (const [, chair] of (this.#match?.tables.Seats ?? []) as Iterable<[number, Chair]>) this.#names.set(chair.Owner, chair.Name);
  }

  #who(): Who {
    return { own: this.#match?.info.seat ?? 0, name: (seat) => this.#names.get(seat) ?? this.#heir(seat) ?? "Somebody" };
  }

  /** Who has the chair now of a bot that was never seen. */
  #heir(seat: number): string | undefined {
    return this.#seen?.chairs.find((c) => c.Place === seat - FIRST_BOT)?.Name;
  }

  /** Plays a card; of an eight it is asked first what is wanted. */
  async #play({ id, card, fits }: Mine): Promise<void> {
    let suit: Suit | "None" = "None";
    if (card.rank === "Eight" && this.#seen?.myTurn && fits) {
      const asked = await this.#suits.ask(this.#likely());
      if (!asked) return this.#table.hand.focus();
      suit = asked;
    }
    this.#act({ Act: "Play", Card: id, Suit: suit });
  }

  /** The suit of which one has most. */
  #likely(): Suit {
    const has = (suit: Suit) => this.#seen?.hand.filter((m) => m.card.suit === suit && m.card.rank !== "Eight").length ?? 0;
    return [...SUITS].sort((a, b) => has(b) - has(a))[0]!;
  }

  #act(input: Input): void {
    const match = this.#match;
    if (match?.state !== "playing" || match.unprocessed.length >= BEHIND) return;
    this.#table.toast("");
    match.send(input); // the server says what it thinks of it
  }

  #key(e: KeyboardEvent): void {
    if (e.repeat || e.ctrlKey || e.altKey || e.metaKey || this.#suits.open || e.target instanceof HTMLInputElement || e.target instanceof HTMLTextAreaElement) return;
    if (this.#seen?.round.Phase !== "Playing") return;
    if (e.key === "d" || e.key === "D") this.#act({ Act: "Draw", Card: 0, Suit: "None" });
    if (e.key === "p" || e.key === "P") this.#act({ Act: "Pass", Card: 0, Suit: "None" });
    if (e.key === "ArrowLeft" || e.key === "ArrowRight") if (!this.#table.hand.focused && document.activeElement === document.body) this.#table.hand.focus();
  }

  #closed(info: CloseInfo, room: string): void {
    this.#end.set(gone(info, room) ?? { kind: "ended", seen: this.#seen });
  }
}
