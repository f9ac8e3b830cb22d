import assert from "node:assert/strict";
import { test } from "node:test";

import { colour, faint, hull, hullNumber, seatColour } from "./colours.ts";

/** How light a colour is, as WCAG has it. */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const part = parseInt(hex.slice(i, i + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

test("sixteen seats have sixteen colours, and small letters in them can be read on either ground", () => {
  for (const [ground, back] of [["dark", "#0f1830"], ["light", "#e9eff8"]] as const) {
    const all = Array.from({ length: 16 }, (_, i) => colour(i + 1, ground));
    assert.equal(new Set(all).size, 16);
    for (const c of all) assert.ok(contrast(c, back) >= 4.5, `${c} on ${back}: ${contrast(c, back).toFixed(2)}`);
  }
});

test("seats beyond the table, as bots have them, get a colour and a hull", () => {
  for (const seat of [0, 17, 256, 257, 456, 65535]) {
    assert.match(colour(seat, "dark"), /^#[0-9a-f]{6}$/);
    assert.ok(hull(seat).length >= 4);
    assert.ok(hullNumber(seat) >= 0 && hullNumber(seat) < 4);
  }
  assert.equal(seatColour(1), `light-dark(${colour(1, "light")}, ${colour(1, "dark")})`);
});

test("the first player and the first dozen bots differ", () => {
  const all = [colour(1, "dark"), ...Array.from({ length: 14 }, (_, i) => colour(256 + i, "dark"))];
  assert.equal(new Set(all).size, all.length);
});

test("a faint colour keeps its hue", () => {
  assert.equal(faint("#112233", 0.5), "#11223380");
  assert.equal(faint("#112233", 7), "#112233ff");
  assert.equal(faint("#112233", -1), "#11223300");
});
