// Close codes: what each says, and what a client does after it. The Go package proto is where they are decided; a test
// compares this table with its golden file.

/** What a client does after a close. */
export type Action = "stop" | "reconnect" | "requeue" | "done";

/** One row of the table of close codes. */
export interface CodeInfo {
  readonly code: number;
  readonly name: string;
  readonly meaning: string;
}

/** The close codes that have a name, in their order. */
export const Codes: readonly CodeInfo[] = [
  { code: 1000, name: "done", meaning: "the match is over, or the player left" },
  { code: 1002, name: "protocol", meaning: "the client broke the protocol: unknown kind, wrong order, bad framing" },
  { code: 1003, name: "wrong_type", meaning: "a text message; Muster speaks binary" },
  { code: 1007, name: "bad_payload", meaning: "a message that is not the MessagePack that its kind asks for" },
  { code: 1008, name: "policy", meaning: "a well-formed message that claims what cannot be" },
  { code: 1009, name: "too_big", meaning: "a message above the size limit" },
  { code: 1011, name: "internal", meaning: "the server failed; the text stays in its log" },
  { code: 4001, name: "moved", meaning: "the match is on another node; the bye says where" },
  { code: 4002, name: "node_leaving", meaning: "this node is shutting down" },
  { code: 4003, name: "slow_reader", meaning: "the client reads more slowly than the match needs" },
  { code: 4004, name: "idle", meaning: "nothing was heard from the client for too long" },
  { code: 4005, name: "overloaded", meaning: "the node has no room for this socket now" },
  { code: 4201, name: "match_gone", meaning: "the match does not exist, or exists no longer" },
  { code: 4202, name: "match_full", meaning: "no seat is free" },
  { code: 4203, name: "seat_expired", meaning: "the seat was not taken, or not taken back, in time" },
  { code: 4204, name: "rules_failed", meaning: "the game's rules failed" },
  { code: 4205, name: "token_expired", meaning: "the player's token expired and was not refreshed" },
  { code: 4401, name: "token_bad", meaning: "the token is not acceptable" },
  { code: 4403, name: "not_your_seat", meaning: "the token was used already, or is for another match or seat" },
  { code: 4406, name: "replaced", meaning: "the same player opened a newer socket" },
  { code: 4410, name: "kicked", meaning: "the player was removed from the match" },
  { code: 4426, name: "version", meaning: "client and server speak different versions" },
  { code: 4429, name: "rate", meaning: "far too many messages" },
];

/** Stands for a socket that ended without a close frame (RFC 6455, 7.1.5). */
export const CODE_LOST = 1006;

/** The code's name as metrics and documentation spell it; "lost" for 1006, "unknown" for one without a name. */
export function codeName(code: number): string {
  if (code === CODE_LOST) return "lost";
  return Codes.find((row) => row.code === code)?.name ?? "unknown";
}

/**
 * What a client does after a close with this code. The range of an own code decides, so a code that this client has
 * never heard of is handled too. Of the standard codes 1000 is the match's end; after 1001, 1005 and 1006 (the
 * connection was lost) and 1011 to 1014 (the server's fault) a client reconnects; all others stop it.
 */
export function actionOf(code: number): Action {
  if (code === 1000) return "done";
  if (code === 1001 || code === 1005 || code === CODE_LOST || (code >= 1011 && code <= 1014)) return "reconnect";
  if (code >= 4000 && code < 4200) return "reconnect";
  if (code >= 4200 && code < 4400) return "requeue";
  return "stop";
}
