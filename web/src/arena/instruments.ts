// What measures a match and makes its network worse: the overlay on the backquote key, and the simulated network that
// an address may ask for.

import type { MatchOptions } from "@muster/client";
import { type Conditions, Overlay, PRESETS, Simulator } from "@muster/client/overlay";
import { make } from "../shared/dom.ts";
import { onTheme } from "../shared/theme.ts";
import { isWidget } from "./controls.ts";
import type { ArenaMatch } from "./show.ts";
import type { Input, World } from "./world.ts";

/**
 * Reads a network from an address: a preset by its name in small letters with dashes, or numbers in milliseconds, as
 * 120,40,1000,8000,0: latency, jitter, stall, time between stalls, time between losses. Undefined for what is neither.
 */
export function conditions(text: string): Partial<Conditions> | undefined {
  const slug = (name: string) => name.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  for (const [name, preset] of Object.entries(PRESETS)) if (slug(name) === text) return preset;
  if (!/^\d{1,6}(,\d{1,6}){0,4}$/.test(text)) return undefined;
  const [latencyMs = 0, jitterMs = 0, stallMs = 0, stallEveryMs = 0, dropEveryMs = 0] = text.split(",").map(Number);
  if (Math.max(latencyMs, jitterMs, stallMs, stallEveryMs, dropEveryMs) > 600_000) return undefined;
  return { latencyMs, jitterMs, stallMs, stallEveryMs, dropEveryMs };
}

export class Instruments {
  readonly #sim: Simulator;
  readonly #place = make("div", "instruments"); // on the left, where it covers neither map nor scores
  #open: boolean;

  /** open says whether the overlay is there from the start, sim is the network that an address asks for. */
  constructor(open: boolean, sim: string) {
    this.#open = open;
    document.body.append(this.#place);
    this.#sim = new Simulator(conditions(sim) ?? {});
  }

  /** What a match is to be connected with, so that its network can be made worse at any time. */
  options(): MatchOptions<World, Input> {
    return { webSocket: this.#sim.sockets() };
  }

  /** Measures a match from now on. Returns what stops it. */
  attach(match: ArenaMatch): () => void {
    const overlay = new Overlay(match, { sim: this.#sim, open: this.#open, parent: this.#place });
    const stop = onTheme((theme) => (overlay.theme = theme));
    const key = (e: KeyboardEvent) => {
      if (e.code !== "Backquote" || e.repeat || e.ctrlKey || e.altKey || e.metaKey || isWidget(e.target)) return;
      e.preventDefault();
      overlay.toggle();
    };
    addEventListener("keydown", key);
    return () => {
      this.#open = overlay.open; // the next match begins as this one ends
      removeEventListener("keydown", key);
      stop();
      overlay.close();
    };
  }
}
