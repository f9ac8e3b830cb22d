import assert from "node:assert/strict";
import { test } from "node:test";
import { type Block, type Frame, type Head, noHead, readFrame } from "../src/frame.js";
import {
  isFrame, type Message, openMessage, readBye, readEnd, readEvents, readPong, readRefreshed, readWelcome,
} from "../src/from_server.js";
import { MalformedError } from "../src/reader.js";
import { writeLeave, writePacket, writePing, writeRefresh, writeResync } from "../src/to_server.js";
import { Writer } from "../src/writer.js";
import { type Any, encode } from "./msgpack.js";
import { type Golden, golden, hex, ungolden, unhex } from "./vectors.js";

interface Vector {
  name: string;
  from: "client" | "server";
  hex: string;
  value: Golden[];
  after?: string;
  head?: { epoch: number; tick: number; processed: number; durable: number; lead: number; scopes: number[] };
}

const vectors = golden<Vector[]>("proto/testdata/messages.json");

/** The elements of a message behind its kind. */
function elements(v: Vector): Any[] {
  return (ungolden(v.value) as Any[]).slice(1);
}

/** Writes a client's message from its golden elements. */
function write(w: Writer, kind: Golden | undefined, e: Any[]): void {
  if (kind === 2) return writePing(w, e[0] as bigint);
  if (kind === 3) return writeResync(w, e[0] as number);
  if (kind === 4) return writeLeave(w);
  if (kind === 5) return writeRefresh(w, e[0] as string);
  assert.equal(kind, 1);
  const [epoch, last, event, seq, inputs] = e as [number, number, number, number, Any[][]];
  const list = inputs.map(([tick, view, frac, body], i) => ({
    seq: seq - i, tick: tick as number, view: view as number, frac: frac as number, body: encode(body!),
  }));
  writePacket(w, BigInt(epoch), last, event, list);
}

/** What the parser of a server's message must have made of its golden elements. */
const parsed: Record<string, (m: Message, e: Any[]) => [actual: unknown, expected: unknown]> = {
  1: (m, [version, room, game, rules, seat, player, epoch, tick, rate, inputs, seq, event, schema, resume, expires, kept]) => [
    readWelcome(m),
    {
      version, room, game, rules, seat, player, epoch: BigInt(epoch as number), tick, rate,
      inputs: inputs === 0 ? "samples" : "commands", seq, event, schema, resume, expires, kept,
    },
  ],
  2: (m, [tick, first, ...list]) => [readEvents(m), { tick, first, list: list.map(encode) }],
  3: (m, [stamp, tick, frac]) => [readPong(m), { stamp, tick, frac }],
  4: (m, [tick, list]) => [
    readEnd(m),
    { tick, placements: (list as Any[][]).map(([seat, player, team, rank, score]) => ({ seat, player, team, rank, score })) },
  ],
  5: (m, [code, reason, afterMs, url]) => [readBye(m), { code, reason, afterMs, url }],
  6: (m, [expires]) => [readRefreshed(m), expires],
};

/** The blocks and hashes of a frame's golden elements, which end with pairs of scope and bytes. */
function tail(v: Vector): Pick<Frame, "blocks" | "hashes"> {
  const flags = Number(v.value[0]) & 15;
  const e = elements(v);
  let at = 3 + (flags & 1) + ((flags >> 1) & 1) + ((flags >> 2) & 1);
  const hashes = [];
  if (flags & 8) {
    const pairs = e[at++] as (number | bigint)[];
    for (let i = 0; i < pairs.length; i += 2) hashes.push({ scope: pairs[i] as number, sum: BigInt(pairs[i + 1]!) });
  }
  const blocks: Block[] = [];
  for (; at < e.length; at += 2) {
    const [scope, block] = [e[at] as number, e[at + 1] as Uint8Array | [number, number, number, Uint8Array]];
    if (Array.isArray(block)) blocks.push({ scope, data: block[3], part: { tick: block[0], from: block[1], size: block[2] } });
    else blocks.push({ scope, data: block });
  }
  return { hashes, blocks };
}

for (const v of vectors.filter((v) => v.from === "client")) {
  test(`${v.name} is written as the golden bytes`, () => {
    const w = new Writer();
    write(w, v.value[0], elements(v));
    assert.equal(hex(w.bytes()), v.hex);
  });
}

for (const v of vectors.filter((v) => v.from === "server" && !v.head)) {
  test(`${v.name} is read as the golden values`, () => {
    const m = openMessage(unhex(v.hex));
    const [actual, expected] = parsed[m.kind]!(m, elements(v));
    assert.deepEqual(actual, expected);
  });
}

test("frames are read one after the other, each head by the one before", () => {
  const heads = new Map<string, Head>();
  const frames = vectors.filter((v) => v.head);
  assert.ok(frames.length >= 7);
  for (const v of frames) {
    const prev = v.after === undefined ? noHead : heads.get(v.after);
    assert.ok(prev, `${v.name} comes after ${v.after}`);
    const m = openMessage(unhex(v.hex));
    assert.ok(isFrame(m.kind));
    const frame = readFrame(m, prev);
    heads.set(v.name, frame.head);
    assert.deepEqual(frame, { head: { ...v.head!, epoch: BigInt(v.head!.epoch) }, ...tail(v) }, v.name);
  }
});

/** Reads a message of any kind as a client would. */
function read(bytes: Uint8Array): void {
  const m = openMessage(bytes);
  if (isFrame(m.kind)) readFrame(m, noHead);
  else parsed[m.kind]?.(m, Array<Any>(20).fill([]));
}

test("a message that is cut short is refused wherever it is cut", () => {
  for (const v of vectors.filter((v) => v.from === "server")) {
    const whole = unhex(v.hex);
    for (let n = 0; n < whole.length; n++) {
      assert.throws(() => read(whole.subarray(0, n)), MalformedError, `${v.name} cut to ${n} bytes`);
    }
    const longer = new Uint8Array(whole.length + 1);
    longer.set(whole);
    assert.throws(() => read(longer), MalformedError, `${v.name} with a byte more`);
  }
});

test("what a newer server appends is passed over", () => {
  const appended: Any[] = [7, "new", [1, [2, null]], Uint8Array.of(1), 1.5, false];
  for (const v of vectors.filter((v) => v.from === "server" && !v.head && v.name !== "events")) {
    const m = openMessage(encode([...(ungolden(v.value) as Any[]), ...appended]));
    const [actual, expected] = parsed[m.kind]!(m, elements(v));
    assert.deepEqual(actual, expected, v.name);
  }
  const end = readEnd(openMessage(encode([4, 9, [[1, "a", 0, 1, -5, "medal"]]])));
  assert.deepEqual(end.placements, [{ seat: 1, player: "a", team: 0, rank: 1, score: -5 }]);
});

test("values outside their bounds are refused", () => {
  const welcome = elements(vectors.find((v) => v.name === "welcome")!);
  const withElement = (i: number, v: Any): Any[] => [1, ...welcome.slice(0, i), v, ...welcome.slice(i + 1)];
  const bad: Record<string, Any> = {
    "no array": 1,
    "no kind": [],
    "a kind above a byte": [256],
    "a seat above 16 bits": withElement(4, 65536),
    "a negative epoch": withElement(6, -1),
    "a tick above 32 bits": withElement(7, 2 ** 32),
    "rate 0": withElement(8, 0),
    "rate 129": withElement(8, 129),
    "a third input mode": withElement(9, 2),
    "a room of 65 bytes": withElement(1, "é".repeat(33)),
    "a schema that is text": withElement(12, "abc"),
    "a welcome without its last element": [1, ...welcome.slice(0, -1)],
    "a lead of 128": [21, 7, 300, 5, 128, [0]],
    "a durable above processed": [16 | 3, 7, 300, 5, 0, 6],
    "hashes that are not pairs": [16 | 9, 7, 300, 5, 0, [1, 2, 3]],
    "a block without its bytes": [16 | 1, 7, 300, 5, 0, 1],
    "a tick beyond 32 bits after the first": [16, 2 ** 32, 0, 0],
    "257 events": [2, 1, 1, ...Array<Any>(257).fill([1])],
    "a pong with a text stamp": [3, "1", 2, 3],
  };
  for (const [name, v] of Object.entries(bad)) assert.throws(() => read(encode(v)), MalformedError, name);
  assert.doesNotThrow(() => read(encode([2, 1, 1, ...Array<Any>(256).fill([1])])));
});
