// The smallest page there can be of a room's text: a textarea that everybody in the room writes in. docs/uses/CANVAS.md
// has it.

import { Lobby, Match } from "@muster/client";

import { CanvasModel } from "./model.ts";
import type { Events, Input, State } from "./types.ts";

/** Makes a textarea the text of a room. What is returned gives the seat up. */
export async function share(area: HTMLTextAreaElement, room: string, name: string): Promise<() => Promise<void>> {
  const lobby = new Lobby(location.origin);
  await lobby.guest(name);
  let model: CanvasModel | undefined;
  const match = await Match.connect<State, Input, Events>(await lobby.rooms.joinNamed("canvas", room), {
    refresh: () => lobby.refresh(),
    onFrame: () => {
      if (!model) return;
      const { text } = model;
      const [start, end] = [text.placeAt(area.selectionStart), text.placeAt(area.selectionEnd)];
      if (!model.frame() || area.value === text.text) return;
      area.value = text.text; // as the server has it, with what this player has typed since
      area.setSelectionRange(text.positionOf(start), text.positionOf(end));
    },
    onRefused: (refusal) => model?.refused(refusal),
  });
  model = new CanvasModel(match);
  const { text } = model;
  area.addEventListener("input", () => {
    const [before, after] = [text.text, area.value];
    const tail = after.length - area.selectionEnd; // what is behind the caret was not typed
    let from = 0;
    while (from < Math.min(before.length, after.length) - tail && before[from] === after[from]) from++;
    text.edit(from, before.length - tail, after.slice(from, after.length - tail), performance.now());
  });
  area.addEventListener("keydown", (e) => {
    if (e.key !== "z" || !(e.ctrlKey || e.metaKey)) return;
    e.preventDefault();
    const caret = e.shiftKey ? text.redo() : text.undo();
    area.value = text.text;
    if (caret !== undefined) area.setSelectionRange(caret, caret);
  });
  return () => match.leave();
}
