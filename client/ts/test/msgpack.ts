// MessagePack for tests: values of any shape, written apart from the client's reader and with its writer.
import { Writer } from "../src/writer.js";

export type Any = null | boolean | number | bigint | string | Uint8Array | Any[];

/** Decodes one value: integers, floats, booleans, nil, text, bytes, arrays. */
export function decode(bytes: Uint8Array): Any {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let pos = 0;
  const list = (n: number): Any[] => Array.from({ length: n }, () => value());
  const text = (n: number): string => {
    pos += n;
    return new TextDecoder().decode(bytes.subarray(pos - n, pos));
  };
  const take = (size: number): number => (pos += size) - size;
  const bin = (n: number): Uint8Array => {
    pos += n;
    return Uint8Array.from(bytes.subarray(pos - n, pos));
  };
  function value(): Any {
    const c = view.getUint8(take(1));
    if (c <= 0x7f) return c;
    if (c >= 0xe0) return c - 256;
    if (c >> 4 === 9) return list(c & 15);
    if (c >> 5 === 5) return text(c & 31);
    switch (c) {
      case 0xc0:
        return null;
      case 0xc2:
      case 0xc3:
        return c === 0xc3;
      case 0xc4:
        return bin(view.getUint8(take(1)));
      case 0xc5:
        return bin(view.getUint16(take(2)));
      case 0xc6:
        return bin(view.getUint32(take(4)));
      case 0xca:
        return view.getFloat32(take(4));
      case 0xcb:
        return view.getFloat64(take(8));
      case 0xcc:
        return view.getUint8(take(1));
      case 0xcd:
        return view.getUint16(take(2));
      case 0xce:
        return view.getUint32(take(4));
      case 0xcf:
        return view.getBigUint64(take(8));
      case 0xd0:
        return view.getInt8(take(1));
      case 0xd1:
        return view.getInt16(take(2));
      case 0xd2:
        return view.getInt32(take(4));
      case 0xd3:
        return view.getBigInt64(take(8));
      case 0xd9:
        return text(view.getUint8(take(1)));
      case 0xda:
        return text(view.getUint16(take(2)));
      case 0xdb:
        return text(view.getUint32(take(4)));
      case 0xdc:
        return list(view.getUint16(take(2)));
      case 0xdd:
        return list(view.getUint32(take(4)));
    }
    throw new Error(`code ${c}`);
  }
  const v = value();
  if (pos !== bytes.length) throw new Error("bytes after the end");
  return v;
}

/** Encodes any value. */
export function encode(v: Any): Uint8Array {
  const w = new Writer();
  write(w, v);
  return w.bytes();
}

function write(w: Writer, v: Any): void {
  if (typeof v === "boolean") w.bool(v);
  else if (typeof v === "string") w.str(v);
  else if (v instanceof Uint8Array) w.bin(v);
  else if (Array.isArray(v)) {
    w.array(v.length);
    for (const e of v) write(w, e);
  } else if (v === null) w.raw(Uint8Array.of(0xc0));
  else if (typeof v === "number" && !Number.isInteger(v)) w.float64(v);
  else w.int(v);
}
