import assert from "node:assert/strict";
import { test } from "node:test";
import { MalformedError, Reader } from "../src/reader.js";
import { Writer } from "../src/writer.js";
import { hex, unhex } from "./vectors.js";

const reader = (bytes: string) => new Reader(unhex(bytes));

test("integers are written in their shortest form and read back", () => {
  const cases: [number | bigint, string][] = [
    [0, "00"], [127, "7f"], [128, "cc80"], [255, "ccff"], [256, "cd0100"], [65535, "cdffff"], [65536, "ce00010000"],
    [2 ** 32 - 1, "ceffffffff"], [2 ** 32, "cf0000000100000000"], [2 ** 53 - 1, "cf001fffffffffffff"],
    [2n ** 64n - 1n, "cfffffffffffffffff"], [-1, "ff"], [-32, "e0"], [-33, "d0df"], [-128, "d080"], [-129, "d1ff7f"],
    [-32768, "d18000"], [-32769, "d2ffff7fff"], [-(2 ** 31), "d280000000"], [-(2 ** 31) - 1, "d3ffffffff7fffffff"],
    [-(2n ** 63n), "d38000000000000000"],
  ];
  for (const [v, bytes] of cases) {
    const w = new Writer();
    w.int(v);
    assert.equal(hex(w.bytes()), bytes, String(v));
    const r = reader(bytes);
    assert.equal(v < 0 ? r.int64() : r.uint64(), BigInt(v));
    r.done();
  }
});

test("64-bit integers are exact, and what has no place in a number is refused as one", () => {
  assert.equal(reader("cf0020000000000001").uint64(), 2n ** 53n + 1n);
  assert.equal(reader("cf001fffffffffffff").uint(Number.MAX_SAFE_INTEGER), 2 ** 53 - 1);
  assert.throws(() => reader("cf0020000000000000").uint(Number.MAX_SAFE_INTEGER), MalformedError);
  assert.throws(() => reader("cfffffffffffffffff").int(-5, 5), MalformedError);
  assert.throws(() => reader("cf8000000000000000").int64(), MalformedError);
  assert.equal(reader("cf7fffffffffffffff").int64(), 2n ** 63n - 1n);
  assert.throws(() => reader("d3ffffffffffffffff").uint64(), MalformedError);
});

test("a declared length is not believed", () => {
  for (const bytes of ["dd7fffffff01", "ddffffffff", "9f01", "dcffff"]) {
    assert.throws(() => reader(bytes).array(2 ** 32), MalformedError, bytes);
  }
  for (const bytes of ["c6ffffffff00", "c47f00", "c5ffff"]) {
    assert.throws(() => reader(bytes).bin(2 ** 32), MalformedError, bytes);
  }
  for (const bytes of ["dbffffffff61", "bf61", "d9ff61"]) {
    assert.throws(() => reader(bytes).str(2 ** 32), MalformedError, bytes);
  }
  for (const bytes of ["dfffffffff0102", "8201", "ddffffffff", "c6ffffffff", "dbffffffff", "cb00"]) {
    assert.throws(() => reader(bytes).skip(), MalformedError, bytes);
  }
});

test("text is UTF-8 to the letter", () => {
  assert.throws(() => reader("a2c328").str(9), MalformedError);
  assert.throws(() => reader("a3eda080").str(9), MalformedError); // half a surrogate pair
  assert.equal(reader("a3efbbbf").str(9), "\ufeff"); // a byte order mark stays
  assert.throws(() => reader("a3616263").str(2), MalformedError);
});

test("floats are finite", () => {
  assert.equal(reader("ca3f800000").float(), 1);
  assert.equal(reader("cb3ff8000000000000").float(), 1.5);
  assert.equal(reader("cfffffffffffffffff").float(), 2 ** 64);
  for (const bytes of ["cb7ff8000000000000", "cb7ff0000000000000", "caff800000", "a131", "ca3f80"]) {
    assert.throws(() => reader(bytes).float(), MalformedError, bytes);
  }
});

test("nesting is followed eight deep", () => {
  assert.doesNotThrow(() => reader("9191919191919190").skip());
  assert.throws(() => reader("919191919191919190").skip(), MalformedError);
  assert.throws(() => new Reader(new Uint8Array(1 << 20).fill(0x91)).skip(), MalformedError);
});

test("values that Muster does not use are refused", () => {
  for (const bytes of ["c1", "d40101", "c70101ff", "d8010000"]) assert.throws(() => reader(bytes).skip(), MalformedError, bytes);
  assert.doesNotThrow(() => reader("82a16101a16280").skip());
});

test("an error names its byte", () => {
  const r = reader("0102");
  r.uint(9);
  assert.throws(() => r.str(9), { name: "MalformedError", message: /at byte 2$/ });
});

test("a writer grows at any byte", () => {
  for (let n = 0; n < 300; n++) {
    const w = new Writer();
    w.raw(new Uint8Array(n).fill(0xc0));
    w.uint(7);
    w.raw(Uint8Array.of(1, 2, 3));
    w.float64(1.5);
    w.str("end");
    assert.equal(hex(w.bytes()), "c0".repeat(n) + "07010203cb3ff8000000000000a3656e64");
  }
});
