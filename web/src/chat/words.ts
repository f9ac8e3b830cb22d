// What the page says in words.

import type { Explanation, Party, PartyState, Presence, Ticket } from "@muster/client";

export type State = Presence["state"];

const STATES: Record<State, string> = { offline: "offline", online: "online", in_queue: "in a queue", in_match: "in a match" };

/** How somebody is. */
export function stateText(state: State | undefined): string {
  return STATES[state ?? "offline"] ?? "offline";
}

/** How long ago, or when. */
export function ago(at: number, now: number = Date.now()): string {
  const minutes = Math.round((now - at) / 60_000);
  if (minutes < 1) return "now";
  if (minutes < 60) return `${minutes} min`;
  const date = new Date(at);
  if (minutes < 24 * 60 && date.getDate() === new Date(now).getDate()) return date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return date.toLocaleDateString([], { day: "numeric", month: "short" });
}

/** A time that goes on, as m:ss. */
export function elapsed(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
}

/** How long one waits usually, as the lobby has it. */
export function usual(seconds: number): string {
  if (seconds < 1) return "under a second";
  if (seconds < 90) return `about ${Math.round(seconds)} s`;
  return `about ${Math.round(seconds / 60)} min`;
}

/** Why a ticket waits: a sentence or two, then a line for each rule that keeps somebody away. */
export function whyWaiting(x: Explanation): { text: string; rules: string[]; usual: string } {
  const rules = x.rules.filter((r) => !x.text.includes(r.text)).map((r) => {
    const removes = r.removes > 0 ? ` (keeps ${r.removes} away)` : "";
    return `${r.text}${removes}`;
  });
  return { text: x.text, rules: rules.slice(0, 4), usual: x.expected_wait ? `Others waited ${usual(x.expected_wait.p50_seconds)} lately.` : "" };
}

/** How it ended with a ticket that found no match. */
export function endedText(t: Pick<Ticket, "state" | "reason">): string {
  const why = t.reason ? ` ${t.reason.charAt(0).toUpperCase()}${t.reason.slice(1)}.` : "";
  return (t.state === "expired" ? "Nobody was found in time." : "No longer waiting.") + why;
}

/** Whether all of a party are ready. */
export function allReady(p: Party | PartyState): boolean {
  return p.members.every((m) => m.ready);
}

/** A list of names in words, of which not all are told. */
export function names(list: readonly string[], most = 3): string {
  if (list.length <= most) return list.length < 2 ? (list[0] ?? "") : `${list.slice(0, -1).join(", ")} and ${list.at(-1)}`;
  return `${list.slice(0, most).join(", ")} and ${list.length - most} more`;
}
