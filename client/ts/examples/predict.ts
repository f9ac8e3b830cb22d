// Draws a match so that all others move evenly and the own dot answers at once, however far away the server is.
import { Lobby, Match, type PredictStep } from "@muster/client";
import type { Input, State } from "./dots.js";

/** One tick of the rules, as far as this player's inputs reach: what Step says in Go. */
function step({ state, input, seat }: PredictStep<State, Input>): void {
  if (!input) return;
  for (const dot of state.Dots.values()) {
    if (dot.Owner !== seat) continue;
    dot.X += input.DX / 127;
    dot.Y += input.DY / 127;
  }
}

const lobby = new Lobby(location.origin);
await lobby.guest("alice");
const match = await Match.connect<State, Input>(await lobby.play("dots"), { refresh: () => lobby.refresh() });
match.predict({ tables: ["Dots"], step });

const held = new Set<string>();
addEventListener("keydown", (e) => held.add(e.code));
addEventListener("keyup", (e) => held.delete(e.code));
addEventListener("blur", () => held.clear());
const axis = (less: string, more: string) => 127 * (Number(held.has(more)) - Number(held.has(less)));

const canvas = document.querySelector("canvas")!;
const picture = canvas.getContext("2d")!;
requestAnimationFrame(function draw(now) {
  requestAnimationFrame(draw);
  match.send({ DX: axis("ArrowLeft", "ArrowRight"), DY: axis("ArrowUp", "ArrowDown") });
  picture.clearRect(0, 0, canvas.width, canvas.height);
  for (const dot of match.view(now)?.tables.Dots.values() ?? []) {
    picture.fillStyle = dot.Owner === match.info.seat ? "crimson" : "gray";
    picture.fillRect((dot.X / 100) * canvas.width - 3, (dot.Y / 100) * canvas.height - 3, 6, 6);
  }
});
