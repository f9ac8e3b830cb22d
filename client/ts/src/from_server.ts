import {
  FROM_FRAME, MAX_EVENTS, MAX_ID, MAX_SCHEMA, MAX_SERVER_MESSAGE, MAX_TOKEN, MAX_UINT16, MAX_UINT32,
} from "./protocol.js";
import { Reader } from "./reader.js";

/** The first message on a socket: who the client is in the match and how to read what follows. */
export interface Welcome {
  version: number;
  room: string;
  game: string;
  rules: string;
  seat: number;
  player: string;
  epoch: bigint;
  tick: number;
  rate: number;
  inputs: "samples" | "commands";
  /** The newest input of this seat that the room has. */
  seq: number;
  /** The newest event that this seat acknowledged. */
  event: number;
  schema: Uint8Array;
  /** The bearer token for the next socket of this seat. */
  resume: string;
  /** In how many seconds the player's own token ends; 0 for never. */
  expires: number;
  /** Events of earlier epochs up to this number are what they were; later numbers are given anew. */
  kept: number;
}

/** Events of one tick, numbered for their seat without gaps from first on; each is a whole MessagePack array. */
export interface Events {
  tick: number;
  first: number;
  list: Uint8Array[];
}

/** The room's tick time: tick began frac / 65536 of a tick ago. */
export interface Pong {
  stamp: bigint;
  tick: number;
  frac: number;
}

/** One seat's part of a match's result. A score beyond ±2^53 is rounded. */
export interface Placement {
  seat: number;
  player: string;
  team: number;
  rank: number;
  score: number;
}

/** That the match is over, and how. */
export interface End {
  tick: number;
  placements: Placement[];
}

/** The last message before a close: its code again, and what does not fit into a close frame. */
export interface Bye {
  code: number;
  reason: string;
  afterMs: number;
  url: string;
}

/** A message's kind, the number of its array's elements, and the reader behind both. */
export interface Message {
  kind: number;
  n: number;
  r: Reader;
}

/** Reads the head of a message. The caller then reads the message of that kind, or passes over a kind it does not know. */
export function openMessage(bytes: Uint8Array): Message {
  const r = new Reader(bytes);
  const n = r.array(MAX_SERVER_MESSAGE);
  if (n === 0) r.fail();
  return { kind: r.uint(255), n, r };
}

/** Whether a message of this kind is a frame. */
export function isFrame(kind: number): boolean {
  return kind >= FROM_FRAME && kind < FROM_FRAME + 16;
}

export function readWelcome({ r, n }: Message): Welcome {
  const w: Welcome = {
    version: r.uint(1 << 15),
    room: r.str(MAX_ID),
    game: r.str(MAX_ID),
    rules: r.str(MAX_ID),
    seat: r.uint(MAX_UINT16),
    player: r.str(MAX_ID),
    epoch: r.uint64(),
    tick: r.uint(MAX_UINT32),
    rate: r.int(1, 128),
    inputs: r.uint(1) === 0 ? "samples" : "commands",
    seq: r.uint(MAX_UINT32),
    event: r.uint(MAX_UINT32),
    schema: r.bin(MAX_SCHEMA),
    resume: r.str(MAX_TOKEN),
    expires: r.uint(MAX_UINT32),
    kept: r.uint(MAX_UINT32),
  };
  r.skipRest(n, 17);
  r.done();
  return w;
}

export function readEvents({ r, n }: Message): Events {
  if (n < 3 || n - 3 > MAX_EVENTS) r.fail();
  const m: Events = { tick: r.uint(MAX_UINT32), first: r.uint(MAX_UINT32), list: [] };
  for (let i = 3; i < n; i++) m.list.push(r.raw());
  r.done();
  return m;
}

export function readPong({ r, n }: Message): Pong {
  const m: Pong = { stamp: r.uint64(), tick: r.uint(MAX_UINT32), frac: r.uint(MAX_UINT16) };
  r.skipRest(n, 4);
  r.done();
  return m;
}

export function readEnd({ r, n }: Message): End {
  const m: End = { tick: r.uint(MAX_UINT32), placements: [] };
  for (let left = r.array(MAX_UINT16); left > 0; left--) {
    const k = r.array(64);
    m.placements.push({
      seat: r.uint(MAX_UINT16),
      player: r.str(MAX_ID),
      team: r.uint(MAX_UINT16),
      rank: r.uint(MAX_UINT16),
      score: Number(r.int64()),
    });
    r.skipRest(k, 5);
  }
  r.skipRest(n, 3);
  r.done();
  return m;
}

/** Reads in how many seconds a newer token that the server took ends; 0 for never. */
export function readRefreshed({ r, n }: Message): number {
  const expires = r.uint(MAX_UINT32);
  r.skipRest(n, 2);
  r.done();
  return expires;
}

export function readBye({ r, n }: Message): Bye {
  const m: Bye = {
    code: r.uint(MAX_UINT16),
    reason: r.str(125),
    afterMs: r.uint(MAX_UINT32),
    url: r.str(2 << 10),
  };
  r.skipRest(n, 5);
  r.done();
  return m;
}
