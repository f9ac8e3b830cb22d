// Shows what the network does, and makes it worse: the key left of 1 opens the diagnostics.
import { Lobby, Match } from "@muster/client";
import { Overlay, PRESETS, Simulator } from "@muster/client/overlay";
import type { Input, State } from "./dots.js";

const lobby = new Lobby(location.origin);
await lobby.guest("alice");
const seat = await lobby.play("dots");

const sim = new Simulator(PRESETS["Mobile"]); // or new Simulator(), and choose in the overlay
const match = await Match.connect<State, Input>(seat, { webSocket: sim.sockets(), onClose: () => overlay.close() });
const overlay = new Overlay(match, { sim, open: false });
addEventListener("keydown", (e) => {
  if (e.code === "Backquote") overlay.toggle();
});

// The same without a page, for tests and bots: 200 ms, and the socket is lost each half minute.
sim.set({ latencyMs: 200, dropEveryMs: 30_000 });
console.log(match.stats.rttMs, match.stats.takeover?.pausedMs);
