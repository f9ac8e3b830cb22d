// What the README shows is taken from the examples, which compile with everything else.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
const examples = readdirSync(new URL("../examples", import.meta.url)).filter((name) => name.endsWith(".ts"));

/** Whether lines stand together in a text, with as much space before each as they have, and more. */
function quotes(block: string, text: string): boolean {
  const want = block.trimEnd().split("\n");
  const lines = text.split("\n");
  return lines.some((first, at) => {
    const indent = first.length - first.trimStart().length;
    return want.every((line, i) => line === (lines[at + i] ?? "").slice(Math.min(indent, (lines[at + i] ?? "").length)));
  });
}

test("every program in the README is a part of an example, word for word", () => {
  const blocks = [...read("../README.md").matchAll(/```ts\n(.*?)```/gs)].map((m) => m[1]!);
  assert.ok(blocks.length >= 3, `${blocks.length} blocks`);
  const texts = examples.map((name) => read(`../examples/${name}`));
  for (const block of blocks) assert.ok(texts.some((text) => quotes(block, text)), `no example has:\n${block}`);
});

test("a quotation that differs in a letter, or leaves a line out, is none", () => {
  const text = "a\n  b\n    c\n  d\n";
  for (const [block, want] of [["b\n  c\nd\n", true], ["a\n  b\n", true], ["b\nd\n", false], ["B\n", false], ["b\nc\n", false]] as const) {
    assert.equal(quotes(block, text), want, block);
  }
});

test("the README names every example", () => {
  const text = read("../README.md");
  for (const name of examples.filter((n) => n !== "dots.ts")) assert.ok(text.includes(`examples/${name}`), name);
});
