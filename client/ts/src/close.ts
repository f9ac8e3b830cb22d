import { type Action, actionOf, codeName } from "./codes.js";
import type { Bye } from "./from_server.js";

/** Why a match's socket ended, and what to do next. */
export interface CloseInfo {
  /** A WebSocket close code; the bye's where there was one, since a close frame can be lost. */
  code: number;
  name: string;
  /** The server's words for people, or this client's; "" when there are none that say more than the name. */
  reason: string;
  action: Action;
  /** How long to wait before coming back, in milliseconds; at most a minute. */
  afterMs: number;
}

/** What connect and leave reject with. */
export class CloseError extends Error {
  override readonly name = "CloseError";
  readonly info: CloseInfo;

  constructor(doing: string, info: CloseInfo) {
    super(`${doing}: the socket was closed: ${info.code} ${info.name}${info.reason && `: ${info.reason}`}`);
    this.info = info;
  }
}

const MOST_AFTER_MS = 60_000;

/** Describes a close. The code's range says what to do, also for a code without a name. */
export function closeInfo(code: number, reason = "", afterMs = 0): CloseInfo {
  return { code, name: codeName(code), reason, action: actionOf(code), afterMs: Math.min(afterMs, MOST_AFTER_MS) };
}

/** The end of one socket. */
export interface Ended {
  info: CloseInfo;
  /** Where the server says that the match is now; "" when it did not say. */
  url: string;
}

export function ended(code: number, reason = "", afterMs = 0): Ended {
  return { info: closeInfo(code, reason, afterMs), url: "" };
}

export function endedByBye(bye: Bye): Ended {
  return { info: closeInfo(bye.code, bye.reason, bye.afterMs), url: bye.url };
}
