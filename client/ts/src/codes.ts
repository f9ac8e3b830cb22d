// Close codes: their names, and what a client does after them. The Go package proto is where they are decided; a test
// compares them with its golden file.

/** What a client does after a close. */
export type Action = "stop" | "reconnect" | "requeue" | "done";

const NAMES: Readonly<Record<number, string>> = {
  1000: "done", 1002: "protocol", 1003: "wrong_type", 1006: "lost", 1007: "bad_payload", 1008: "policy", 1009: "too_big",
  1011: "internal", 4001: "moved", 4002: "node_leaving", 4003: "slow_reader", 4004: "idle", 4005: "overloaded",
  4201: "match_gone", 4202: "match_full", 4203: "seat_expired", 4204: "rules_failed", 4205: "token_expired",
  4401: "token_bad", 4403: "not_your_seat", 4406: "replaced", 4410: "kicked", 4426: "version", 4429: "rate",
};

/** Stands for a socket that ended without a close frame (RFC 6455, 7.1.5). */
export const CODE_LOST = 1006;

/** The code's name as metrics and documentation spell it; "lost" for 1006, "unknown" for one without a name. */
export function codeName(code: number): string {
  return NAMES[code] ?? "unknown";
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
