import { cellValue, elementsOf, type Field, isValid, type Value } from "./field.js";
import { KIND_BOOL, KIND_BYTES, KIND_FLOAT32, KIND_FLOAT64, KIND_INT, KIND_STRING } from "./kinds.js";
import { EVENT_REFUSED, MAX_UINT32 } from "./protocol.js";
import { Reader } from "./reader.js";
import type { Schema } from "./schema.js";

/** What an event says: that a command was refused, or something of the game's. */
export type EventBody =
  | { kind: "refused"; seq: number; reason: string }
  | { kind: "game"; name: string; fields: Record<string, Value> };

/** Reads one event, a whole MessagePack array of its type and its fields. Throws a MalformedError. */
export function readEvent(schema: Schema, body: Uint8Array): EventBody {
  const r = new Reader(body);
  const n = r.array(257);
  const type = r.uint(255);
  if (type === EVENT_REFUSED) {
    const e: EventBody = { kind: "refused", seq: r.uint(MAX_UINT32), reason: r.str(1 << 10) };
    r.skipRest(n, 3);
    r.done();
    return e;
  }
  const info = schema.events[type - 1] ?? r.fail();
  const fields: Record<string, Value> = {};
  for (const f of info.fields) fields[f.name] = readValue(r, f);
  elementsOf(info.fields).forEach((e, i) => { // those that a slice does not have have no meaning
    if (e && e.index >= (fields[info.fields[e.len]!.name] as number)) delete fields[info.fields[i]!.name];
  });
  r.skipRest(n, 1 + info.fields.length);
  r.done();
  return { kind: "game", name: info.name, fields };
}

/** Reads a column of an event, or of an input. */
export function readValue(r: Reader, f: Field): Value {
  switch (f.kind) {
    case KIND_BOOL:
      return r.bool();
    case KIND_STRING:
      return r.str(f.max);
    case KIND_BYTES:
      return r.bin(f.max).slice();
    case KIND_FLOAT32:
    case KIND_FLOAT64: {
      const v = r.float();
      const rounded = f.kind === KIND_FLOAT32 ? Math.fround(v) : v;
      return Number.isFinite(rounded) ? rounded : r.fail();
    }
    default: {
      if (f.bits === 64) return f.kind === KIND_INT ? r.int64() : r.uint64();
      const n = r.int(f.least, f.top);
      return isValid(f, n) ? cellValue(f, n) : r.fail();
    }
  }
}
