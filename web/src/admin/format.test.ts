import assert from "node:assert/strict";
import { test } from "node:test";

import { ago, brief, bytes, count, memory, micros, share, shortly, waited } from "./format.ts";

test("numbers are short and say their unit", () => {
  for (const [got, want] of [
    [count(12345), "12,345"], [brief(9999), "9,999"], [brief(12345), "12.3K"],
    [bytes(0), "0 B"], [bytes(999), "999 B"], [bytes(1000), "1.0 kB"], [bytes(51_234), "51 kB"], [bytes(999_400), "999 kB"],
    [bytes(1_240_000), "1.2 MB"], [bytes(2e15), "2000 TB"],
    [micros(0), "0 µs"], [micros(127), "127 µs"], [micros(1151), "1.2 ms"], [micros(25_000), "25 ms"], [micros(2_000_000), "2.0 s"],
    [waited(120), "120 ms"], [waited(1500), "1.5 s"], [waited(42_000), "42 s"], [waited(180_000), "3 min"], [waited(9e6), "3 h"],
    [share(0), "0.0 %"], [share(31), "3.1 %"], [share(250), "25 %"], [share(1000), "100 %"],
    [memory(84), "84 MiB"], [memory(2048), "2.0 GiB"],
    [ago(3), "3 s"], [ago(180), "3 min"], [ago(7200), "2 h"], [ago(200_000), "2 d"], [ago(-4), "0 s"],
    [shortly("x5n2rm7ksm6vqzcgq3nyzj4k5e"), "x5n2rm7k…"], [shortly("dashboard.main"), "dashboard.main"],
    [shortly("a".repeat(40)), `${"a".repeat(26)}…`],
  ] as const) assert.equal(got, want);
});
