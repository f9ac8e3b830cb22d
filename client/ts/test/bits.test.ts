import assert from "node:assert/strict";
import { test } from "node:test";
import { BitReader, BlockError } from "../src/bits.js";
import { BlockWriter } from "./block_writer.js";
import { random } from "./random.js";

const reader = (w: BlockWriter): BitReader => new BitReader(Uint8Array.from(w.bytes()));

test("bits fill bytes from the lowest, a number's lowest bit first", () => {
  assert.deepEqual(new BlockWriter().put(0b101, 3).put(0b11, 2).put(0x1ff, 9).bytes(), [0b11111101, 0b00111111]);
  const r = new BitReader(Uint8Array.of(0b11111101, 0b00111111));
  assert.deepEqual([r.get(3), r.get(2), r.get(9), r.left], [0b101, 0b11, 0x1ff, 2]);
  r.done();
});

test("numbers have the bits that PROTOCOL.md shows", () => {
  const cases: [v: number, k: number, bits: string][] = [
    [0, 0, "0"], [1, 0, "10"], [2, 0, "110"], [3, 0, "1110" + "0"], [4, 0, "1110" + "1"], [5, 0, "11110" + "00"],
    [8, 0, "11110" + "11"], [9, 0, "111110" + "000"], [0, 2, "0" + "00"], [3, 2, "0" + "11"], [11, 2, "110" + "11"],
    [12, 2, "1110" + "000"], [19, 2, "1110" + "111"], [20, 2, "11110" + "0000"],
  ];
  for (const [v, k, bits] of cases) {
    const ones = bits.indexOf("0") + 1;
    const shown = bits.slice(0, ones) + [...bits.slice(ones)].reverse().join(""); // as it is sent
    const w = new BlockWriter().bit(...[...shown].map(Number));
    assert.equal(reader(w).number(k), v, `${v} with ${k}`);
    assert.deepEqual(new BlockWriter().number(v, k).bytes(), w.bytes());
  }
});

test("bits come back as they were written", () => {
  const rng = random(1);
  for (let round = 0; round < 50; round++) {
    const w = new BlockWriter();
    const checks: ((r: BitReader) => void)[] = [];
    for (let i = 0; i < 30; i++) {
      const kind = rng(4);
      const k = rng(46);
      const n = rng(54);
      const v = Math.floor(rng() * 2 ** n);
      if (kind === 0) {
        w.put(v, n);
        checks.push((r) => assert.equal(r.get(n), v));
      } else if (kind === 1) {
        const number = Math.floor(rng() * 2 ** rng(46));
        w.number(number, k);
        checks.push((r) => assert.equal(r.number(k), number, `with ${k}`));
      } else if (kind === 2) {
        const big = BigInt.asIntN(64, BigInt(Math.floor(rng() * 2 ** 53)) * 0x9e3779b97f4a7c15n);
        w.put(big, 64);
        checks.push((r) => assert.equal(r.get64(), big));
      } else {
        w.bit(v & 1);
        checks.push((r) => assert.equal(r.bit(), (v & 1) === 1));
      }
    }
    const r = reader(w);
    for (const check of checks) check(r);
    r.done();
  }
});

test("what is past the end is an error, and so is what is left", () => {
  const two = () => new BitReader(Uint8Array.of(0xff, 0x01));
  const bad: [string, () => unknown, RegExp][] = [
    ["a bit of nothing", () => new BitReader(new Uint8Array()).bit(), /end at byte 0/],
    ["17 bits of 16", () => two().get(17), /end/],
    ["40 bits of 16", () => two().get(40), /end/],
    ["64 bits of 16", () => two().get64(), /end/],
    ["a number whose ones do not end", () => new BitReader(Uint8Array.of(0xff)).number(0), /end/],
    ["a number whose bits are not there", () => two().number(0), /end/],
    ["a number of 51 bits", () => new BitReader(new Uint8Array(40).fill(0xff)).number(0), /number/],
    ["a number of 51 bits with 45", () => new BitReader(new Uint8Array(40).fill(0xff)).number(45), /number/],
    ["a byte that is left", () => new BitReader(Uint8Array.of(0)).done(), /end/],
  ];
  for (const [name, read, text] of bad) assert.throws(read, (e) => e instanceof BlockError && text.test(e.message), name);
  const r = two();
  r.get(8);
  assert.throws(() => r.done(), /end at byte 1/);
  r.bit();
  r.done(); // seven zeros fill the byte
});
