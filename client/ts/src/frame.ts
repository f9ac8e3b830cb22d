import type { Message } from "./from_server.js";
import type { Reader } from "./reader.js";
import { MAX_EVERY, MAX_KEYFRAME, MAX_SCOPES, MAX_SERVER_MESSAGE, MAX_UINT16, MAX_UINT32 } from "./protocol.js";

// Flags of a frame's head: the low four bits of its kind.
const ABSOLUTE = 1; // epoch is present, and tick and processed are absolute, not differences to the frame before
const DURABLE = 2; // the distance from processed to durable is present; without it they are equal
const SCOPES = 4; // the viewer's scopes are present; without it they are those of the frame before
const HASHES = 8; // view hashes by scope are present

/** The part of a frame that is one viewer's own. */
export interface Head {
  /** Of the room's owner; names a tick together with tick. */
  epoch: bigint;
  /** The state that this frame leads to. */
  tick: number;
  /** The newest input of this seat that the state contains, and the newest that no failover can take back. */
  processed: number;
  durable: number;
  /** Ticks that the seat's newest input came before it was used; negative: too late. */
  lead: number;
  /** The viewer's scopes; scopeOf and everyOf say what their numbers are made of. */
  scopes: readonly number[];
}

/** The scope's number of an element of a head's scopes. */
export function scopeOf(watch: number): number {
  return watch % 0x10000;
}

/** Each how many ticks it is sent. */
export function everyOf(watch: number): number {
  return Math.floor(watch / 0x10000) + 1;
}

/** One scope's part of a frame, the same for every viewer of the scope. */
export interface Block {
  scope: number;
  data: Uint8Array;
  /** Set where the data is a part of a keyframe. */
  part?: KeyframePart;
}

/** Which part of a keyframe that is sent over several frames: that of a tick, from a byte on, of so many in all. */
export interface KeyframePart {
  tick: number;
  from: number;
  size: number;
}

/** The view hash of one scope at the frame's tick. */
export interface ScopeHash {
  scope: number;
  sum: bigint;
}

/** A frame with an absolute head. Blocks' data are parts of the message. */
export interface Frame {
  head: Head;
  hashes: ScopeHash[];
  blocks: Block[];
}

/** The head that the first frame of a socket differs from. */
export const noHead: Head = { epoch: 0n, tick: 0, processed: 0, durable: 0, lead: 0, scopes: [] };

/** Reads a frame. Its head is relative to prev, that of the frame before on the same socket. */
export function readFrame({ kind, n, r }: Message, prev: Head): Frame {
  const flags = kind & 15;
  let read = 4;
  let { epoch, tick, processed, scopes } = prev;
  if (flags & ABSOLUTE) {
    read++;
    epoch = r.uint64();
    tick = r.uint(MAX_UINT32);
    processed = r.uint(MAX_UINT32);
  } else {
    tick += r.uint(MAX_UINT32 - tick);
    processed += r.uint(MAX_UINT32 - processed);
  }
  const lead = r.int(-128, 127);
  let durable = processed;
  if (flags & DURABLE) {
    read++;
    durable -= r.uint(processed);
  }
  if (flags & SCOPES) {
    read++;
    const list: number[] = [];
    for (let left = r.array(MAX_SCOPES); left > 0; left--) list.push(r.uint(MAX_EVERY * 0x10000 - 1));
    scopes = list;
  }
  const hashes: ScopeHash[] = [];
  if (flags & HASHES) {
    read++;
    const k = r.array(2 * MAX_SCOPES);
    if (k % 2 !== 0) r.fail();
    for (let i = 0; i < k; i += 2) hashes.push({ scope: r.uint(MAX_UINT16), sum: r.uint64() });
  }
  const blocks: Block[] = [];
  if (n < read || (n - read) % 2 !== 0) r.fail();
  for (; read < n; read += 2) blocks.push(readBlock(r));
  r.done();
  return { head: { epoch, tick, processed, durable, lead, scopes }, hashes, blocks };
}

function readBlock(r: Reader): Block {
  const scope = r.uint(MAX_UINT16);
  if (!r.isArray()) return { scope, data: r.bin(MAX_SERVER_MESSAGE) };
  if (r.array(4) !== 4) r.fail();
  const part = {
    tick: r.uint(MAX_UINT32), from: r.uint(MAX_KEYFRAME),
    size: r.uint(MAX_KEYFRAME),
  };
  const data = r.bin(MAX_SERVER_MESSAGE);
  if (data.length === 0 || part.from + data.length > part.size) r.fail();
  return { scope, data, part };
}
