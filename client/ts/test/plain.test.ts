// A stranger's client of the plain form: PROTOCOL.md, a MessagePack library and inflate, and nothing of this SDK.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inflateRawSync } from "node:zlib";
import { type Any, decode } from "./msgpack.js";
import { type Golden, golden, ungolden, unhex } from "./vectors.js";

type PlainRow = [id: number, ...values: Any[]];

/** One part of a scope: its rows by their ids. */
type PlainPart = Map<number, PlainRow>;

class PlainClient {
  tick = 0;
  readonly scopes = new Map<number, PlainPart[]>();
  /** By scope, the parts of a keyframe that is not whole yet. */
  readonly #halves = new Map<number, Uint8Array[]>();

  /** Reads a frame: a message of a kind from 16 to 31. */
  read(message: Uint8Array): void {
    const m = decode(message) as Any[];
    const flags = (m.shift() as number) - 16;
    if (flags & 1) m.shift(); // epoch
    this.tick = (flags & 1 ? 0 : this.tick) + (m.shift() as number);
    m.splice(0, flags & 2 ? 3 : 2); // processed, lead, durable
    if (flags & 4) {
      const watched = (m.shift() as number[]).map((w) => w % 0x10000);
      for (const map of [this.scopes, this.#halves]) {
        for (const scope of map.keys()) if (!watched.includes(scope)) map.delete(scope);
      }
    }
    if (flags & 8) m.shift(); // hashes
    while (m.length > 0) this.#block(m.shift() as number, m.shift() as Uint8Array | [number, number, number, Uint8Array]);
  }

  #block(scope: number, block: Uint8Array | [tick: number, offset: number, size: number, data: Uint8Array]): void {
    if (block instanceof Uint8Array) {
      this.#halves.delete(scope);
      this.#whole(scope, block);
      return;
    }
    const [, offset, size, data] = block;
    const half = offset === 0 ? [] : (this.#halves.get(scope) ?? []);
    this.#halves.set(scope, [...half, data]);
    if (offset + data.length < size) return;
    this.#whole(scope, Uint8Array.from([...half, data].flatMap((d) => [...d])));
    this.#halves.delete(scope);
  }

  #whole(scope: number, b: Uint8Array): void {
    const [key, ...parts] = decode(b[0] === 1 ? inflateRawSync(b.subarray(1)) : b.subarray(1)) as [boolean, ...Any[]];
    const had = key ? [] : this.scopes.get(scope)!;
    this.scopes.set(scope, parts.map((part, i) => {
      const rows: PlainPart = new Map(had[i]);
      const [gone, came] = (part ?? [[], []]) as [number[], PlainRow[]];
      for (const id of gone) rows.delete(id);
      for (const row of came) rows.set(row[0], row);
      return rows;
    }));
  }
}

interface Stream {
  schema: string;
  frames: { about?: string; tick: number; hex: string; rows: Record<string, Golden[][][]> }[];
}

const stream = golden<Stream>("proto/testdata/plain.json");

/** The rows of all scopes in the golden form: sorted by ids, integers of 64 bits as bigints. */
function shown(client: PlainClient, like: Record<string, unknown[][][]>): Record<string, Any[][][]> {
  const out: Record<string, Any[][][]> = {};
  for (const [scope, parts] of client.scopes) {
    out[scope] = parts.map((rows, i) => [...rows.values()].sort((a, b) => a[0] - b[0]).map((row, k) => {
      return row.map((v, c) => typeof like[scope]?.[i]?.[k]?.[c] === "bigint" ? BigInt(v as number | bigint) : v);
    }));
  }
  return out;
}

test("eighty lines of a stranger's read every golden frame of the plain form", () => {
  const client = new PlainClient();
  let compared = 0;
  for (const want of stream.frames) {
    client.read(unhex(want.hex));
    assert.equal(client.tick, want.tick);
    const rows = Object.fromEntries(Object.entries(want.rows).map(([k, v]) => [k, ungolden(v) as unknown[][][]]));
    assert.deepEqual(shown(client, rows), rows, `tick ${want.tick} ${want.about ?? ""}`);
    compared += Object.values(rows).flat(2).length;
  }
  assert.ok(compared > 300);
});
