// A test, in Node: whether the step of a page is the game's rules. A test in Go has recorded dots.json.
import { readFileSync } from "node:fs";
import test from "node:test";
import type { PredictStep } from "@muster/client";
import { playVectors } from "@muster/client/vectors";
import type { Input, State } from "./dots.js";

function step({ state, input, seat }: PredictStep<State, Input>): void {
  for (const dot of state.Dots.values()) {
    if (!input || dot.Owner !== seat) continue;
    dot.X += input.DX / 127;
    dot.Y += input.DY / 127;
  }
}

test("the step is the game's rules", () => {
  playVectors(JSON.parse(readFileSync("dots.json", "utf8")), step, { tables: ["Dots"] });
});
