// The way into a match: the queues, a ticket, why it waits, the question whether one is ready, and the match.

import { APIError, type Explanation, type Queue, type Ticket } from "@muster/client";
import { queued } from "./goto.ts";
import type { Session } from "./session.ts";
import type { State } from "./words.ts";

const EXPLAIN_MS = 3000;
const MATCH_LASTS = 5 * 60_000; // how long a match that was found is shown

export class Play {
  queues: Queue[] = [];
  /** The ticket that waits, or has ended a moment ago. */
  ticket: Ticket | undefined;
  explanation: Explanation | undefined;

  readonly #session: Session;
  readonly #changed: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #matchedAt = 0;

  constructor(session: Session, changed: () => void) {
    this.#session = session;
    this.#changed = changed;
  }

  /** How the player is by this. */
  get state(): State | undefined {
    if (this.waiting) return "in_queue";
    return undefined;
  }

  get waiting(): boolean {
    return this.ticket?.state === "waiting" || this.ticket?.state === "confirming";
  }

  /** Goes on with tickets that the lobby has of the player. */
  async resume(tickets: readonly string[]): Promise<void> {
    const id = this.ticket && (this.waiting || this.ticket.state === "matched") ? this.ticket.id : tickets[0];
    if (!id) return;
    try {
      this.told(await this.#session.live.ask("ticket.get", { ticket: id }));
    } catch (error) {
      if (error instanceof APIError && error.status === 404) this.forget();
    }
  }

  /** Reads how the queues do, again and again while somebody looks. */
  async look(): Promise<void> {
    this.queues = (await this.#session.lobby.queues()).filter((q) => queued(q.game));
    this.#changed();
  }

  /** Waits in a queue: alone, or with the party. */
  async join(queue: string): Promise<void> {
    const party = (this.#session.party?.members.length ?? 0) > 1;
    const t = await this.#session.lobby.createTicket(party ? { queue, party: true } : queue, { key: crypto.randomUUID() });
    if (this.ticket?.id !== t.id) this.told(t); // else the socket has told what became of it since
  }

  async cancel(): Promise<void> {
    if (!this.ticket) return;
    this.told(await this.#session.live.ask("ticket.cancel", { ticket: this.ticket.id }));
  }

  async confirm(accept: boolean): Promise<void> {
    if (!this.ticket) return;
    this.told(await this.#session.live.ask("ticket.confirm", { ticket: this.ticket.id, accept }));
  }

  /** Takes a ticket as it is now. */
  told(t: Ticket): void {
    const other = this.ticket && this.ticket.id !== t.id;
    const ended = t.state !== "waiting" && t.state !== "confirming";
    if (ended && t.state !== "matched" && (!this.ticket || other)) return; // one of long ago
    if (t.state === "matched" && this.ticket?.id !== t.id && Date.now() - Date.parse(t.created_at) > MATCH_LASTS) return;
    if (other && this.waiting && t.state !== "matched") return;
    const was = this.ticket;
    this.ticket = t;
    if (t.state !== "waiting") this.explanation = undefined;
    if (t.state === "confirming" && was?.state !== "confirming") this.#session.say("A match was found. Are you ready?");
    if (t.state === "matched" && was?.state !== "matched") {
      this.#matchedAt = Date.now();
      this.#session.say("Your match is ready");
    }
    this.#explainSoon(0);
    this.#changed();
  }

  forget(): void {
    this.ticket = undefined;
    this.explanation = undefined;
    this.#changed();
  }

  /** Whether the match that was found can still be gone to. */
  get fresh(): boolean {
    return this.ticket?.state === "matched" && Date.now() - this.#matchedAt < MATCH_LASTS;
  }

  #explainSoon(ms: number): void {
    clearTimeout(this.#timer);
    if (this.ticket?.state !== "waiting") return;
    this.#timer = setTimeout(() => void this.#explain(), ms);
  }

  async #explain(): Promise<void> {
    const id = this.ticket?.id;
    if (!id || this.ticket?.state !== "waiting") return;
    try {
      const x = await this.#session.live.ask("ticket.explain", { ticket: id });
      if (this.ticket?.id !== id || this.ticket.state !== "waiting") return;
      if (x.state === "waiting") this.explanation = x;
      else this.told(await this.#session.live.ask("ticket.get", { ticket: id })); // it has not been told, or is about to be
    } catch {
      // the next one says it
    }
    this.#changed();
    this.#explainSoon(EXPLAIN_MS);
  }
}
