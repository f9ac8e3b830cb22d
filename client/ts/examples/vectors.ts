// A test of a step: plays what a test in Go recorded, and throws at the first difference.
import { readFileSync } from "node:fs";
import type { PredictStep } from "@muster/client";
import { playVectors } from "@muster/client/vectors";

playVectors(JSON.parse(readFileSync("flights.json", "utf8")), step, { tables: ["Ships", "Bullets"] });

interface Ship { X: number; Y: number; Angle: number; Owner: number }
interface Bullet { X: number; Y: number; Owner: number }
interface Input { Turn: number; Thrust: number; Fire: boolean }

/** The game's step; a program has it in a module that the page and this test import. */
function step(s: PredictStep<{ Ships: Ship; Bullets: Bullet }, Input>): void {
  for (const ship of s.state.Ships.values()) {
    if (ship.Owner === s.seat && s.input) ship.Angle += (4 * s.dt * s.input.Turn) / 127;
  }
}
