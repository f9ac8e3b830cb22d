// How a match ends for its player, by whatever cause.

import type { CloseInfo } from "@muster/client";
import { Codes } from "@muster/client/wire";

/** An end that is the same in all games. */
export type Gone =
  | { kind: "left" }
  | { kind: "again"; afterMs: number; why?: string } // the match is gone, another one will do
  | { kind: "lost"; room: string; afterMs: number } // the link is gone, the seat may still be there
  | { kind: "stopped"; why: string };

/** The end of one match. It comes once: what would end it later counts no more. */
export class Ending<Outcome> {
  readonly outcome: Promise<Outcome>;
  #finish: (outcome: Outcome) => void = () => undefined;
  #come = false;

  constructor() {
    this.outcome = new Promise((finish) => (this.#finish = finish));
  }

  /** Whether it has come. */
  get come(): boolean {
    return this.#come;
  }

  set(outcome: Outcome): void {
    this.#come = true;
    this.#finish(outcome);
  }
}

/** What it means that a match in a room was closed; undefined where its rules have ended it. */
export function gone(info: CloseInfo, room: string): Gone | undefined {
  switch (info.action) {
    case "done":
      return undefined;
    case "requeue":
      return { kind: "again", afterMs: info.afterMs, ...(info.reason && { why: info.reason }) };
    case "reconnect":
      return { kind: "lost", room, afterMs: info.afterMs };
    case "stop":
      return { kind: "stopped", why: closed(info, "The server closed the match.") };
  }
}

/** Why the server sent this player away, in words; else what is said where it gave no reason. */
export function closed(info: CloseInfo, otherwise: string): string {
  if (info.name === "replaced") return "You play in another window now.";
  return info.reason || Codes.find((c) => c.code === info.code)?.meaning || otherwise;
}
