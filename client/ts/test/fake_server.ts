// A server of one seat for tests: sockets that the test answers by hand, and the messages of a small game.
import { SUBPROTOCOL } from "../src/protocol.js";
import { BlockWriter, zigzag } from "./block_writer.js";
import { type Any, decode, encode } from "./msgpack.js";

export const SCHEMA: Any[] = [
  1,
  [
    ["Ships", false, 8, [["X", 3, 0, 16], ["Name", 8, 0, 12], ["Owner", 3, 32, 16], ["Ammo", 3, 1, 8]]],
    ["Round", true, 1, [["Left", 3, 0, 32]]],
  ],
  [["Turn", 2, 0, 8], ["Fire", 1, 0]],
  [["Hit", [["By", 3, 0, 16]]]],
];

/** The same game with an X that glides, in steps of 0.5: keyframe takes the steps. */
export const GLIDING: Any[] = [
  1,
  [
    ["Ships", false, 8, [["X", 4, 0, 0, 0.5, 65535], ["Name", 8, 0, 12], ["Owner", 3, 32, 16], ["Ammo", 3, 1, 8]]],
    ["Round", true, 1, [["Left", 3, 0, 32]]],
  ],
  ...SCHEMA.slice(2),
];

export interface Ship {
  X: number;
  Name: string;
  Owner: number;
  Ammo?: number;
}

export interface State {
  Ships: Ship;
  Round: { Left: number };
}

export interface Input {
  Turn?: number;
  Fire?: boolean;
}

export interface Events {
  Hit: { By: number };
}

export interface WelcomeFields {
  version?: number;
  seat?: number;
  epoch?: number;
  tick?: number;
  rate?: number;
  commands?: boolean;
  seq?: number;
  event?: number;
  resume?: string;
  schema?: Any[];
  expires?: number;
  kept?: number;
}

export function welcome(w: WelcomeFields = {}): Uint8Array {
  return encode([
    1, w.version ?? 1, "room-1", "test", "1", w.seat ?? 1, "alice", w.epoch ?? 7, w.tick ?? 100, w.rate ?? 20, w.commands ? 1 : 0,
    w.seq ?? 0, w.event ?? 0, encode(w.schema ?? SCHEMA), w.resume ?? "secret-1",
    w.expires ?? 0, w.kept ?? 0,
  ]);
}

export interface FrameFields {
  epoch?: number;
  processed?: number;
  durable?: number;
  lead?: number;
  scopes?: number[];
  hashes?: [scope: number, sum: bigint][];
  blocks?: SentBlock[];
}

/** A block, or what is from a byte on of a keyframe of a tick that has so many in all. */
export type SentBlock = [scope: number, data: number[], part?: [tick: number, from: number, size: number]];

/** A frame with an absolute head. */
export function frame(tick: number, f: FrameFields = {}): Uint8Array {
  const processed = f.processed ?? 0;
  const flags = 1 | 2 | 4 | (f.hashes ? 8 : 0);
  return encode([
    16 | flags, f.epoch ?? 7, tick, processed, f.lead ?? 0, processed - (f.durable ?? processed), f.scopes ?? [0],
    ...(f.hashes ? [f.hashes.flat()] : []),
    ...(f.blocks ?? []).flatMap(([scope, data, part]): Any[] => {
      const bytes = Uint8Array.from(data);
      return [scope, part ? [...part, bytes] : bytes];
    }),
  ]);
}

/** The room's keyframe: ships by slot from 0 on, and what is left of the round. */
export function keyframe(ships: [x: number, name: string, owner: number][], left: number): [number, number[]] {
  const w = BlockWriter.begin(true);
  if (ships.length === 0) w.same();
  else {
    w.rows([], ships.length);
    ships.forEach(([x, name, owner], slot) => w.id(slot, 3).put(x, 16).text(name).put(owner, 16));
    w.bit(0, 0, 0); // no row was there before
  }
  return [0, w.rows([], 1).id(0, 0).put(left, 32).bit(0).bytes()];
}

/** A keyframe of a tick in two parts. */
export function inTwo([scope, data]: SentBlock, tick: number): [SentBlock, SentBlock] {
  const half = data.length >> 1;
  return [[scope, data.slice(0, half), [tick, 0, data.length]], [scope, data.slice(half), [tick, half, data.length]]];
}

/** A change of the first of some ships' x by a difference, from a frame some ticks before. */
export function moved(distance: number, dx: number, ships = 1): [number, number[]] {
  const w = BlockWriter.begin(false, 1, distance).bit(1, 0); // Ships differ, none went or came
  w.bit(1, 1).put(0, 3).put(0, 3).number(0, 0).number(zigzag(dx) - 1, 0); // in X, the first
  if (ships > 1) w.number(ships - 1, 0); // and no other
  return [0, w.bit(0, 0).same().bytes()];
}

/** The keyframe of the seat's own scope: what the first ship's owner sees of it. */
export function ammo(n: number): [number, number[]] {
  return [1, BlockWriter.begin(true).same().rows([], 1).id(0, 3).put(n, 8).bit(0).same().bytes()];
}

export const events = (tick: number, first: number, ...list: Any[][]): Uint8Array => encode([2, tick, first, ...list]);
export const hit = (by: number): Any[] => [1, by];
export const refusal = (seq: number, reason: string): Any[] => [0, seq, reason];
export const refreshed = (expires: number): Uint8Array => encode([6, expires]);
export const pong = (stamp: Any, tick: number, frac: number): Uint8Array => encode([3, stamp, tick, frac]);
export const end = (...placements: Any[][]): Uint8Array => encode([4, 500, placements]);

export function bye(code: number, reason = "", afterMs = 0, url = ""): Uint8Array {
  return encode([5, code, reason, afterMs, url]);
}

/** A WebSocket's client end, with the server in the test's hands. */
export class FakeSocket {
  readonly url: string;
  readonly protocols: string[];
  binaryType = "blob";
  protocol = "";
  readyState = 0;
  bufferedAmount = 0;
  onopen: (() => void) | undefined;
  onmessage: ((event: { data: unknown }) => void) | undefined;
  onclose: ((event: { code: number; reason: string }) => void) | undefined;
  onerror: (() => void) | undefined;
  /** The messages that the client has sent, decoded. */
  readonly sent: Any[][] = [];
  /** That the client has closed it. */
  closed = false;

  constructor(url: string, protocols: string[]) {
    this.url = url;
    this.protocols = protocols;
  }

  send(bytes: Uint8Array): void {
    if (this.readyState !== 1) throw new Error("send on a socket that is not open");
    this.sent.push(decode(bytes) as Any[]);
  }

  close(): void {
    this.closed = true;
    // Some platforms tell of it from within the call, while the state is still the old one.
    if (this.readyState === 0) this.onerror?.();
    if (this.readyState === 1) this.onclose?.({ code: 1005, reason: "" });
    this.readyState = 3;
  }

  /** The server accepts the handshake. */
  open(protocol = SUBPROTOCOL): void {
    this.readyState = 1;
    this.protocol = protocol;
    this.onopen?.();
  }

  /** The server sends messages. */
  say(...messages: (Uint8Array | string)[]): void {
    for (const m of messages) {
      this.onmessage?.({ data: typeof m === "string" ? m : m.slice().buffer });
    }
  }

  /** The handshake fails, on a platform that does not send a close then. */
  fail(): void {
    this.onerror?.();
  }

  /** The socket ends. */
  end(code: number, reason = ""): void {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }

  /** The messages of a kind that the client has sent since the last call, and forgets all that it sent. */
  take(kind: number): Any[][] {
    return this.sent.splice(0).filter((m) => m[0] === kind);
  }
}
