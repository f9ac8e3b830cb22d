// The switch and the slider of the sound, and the key M.

import { byId } from "../../shared/dom.ts";
import { isWidget } from "../controls.ts";
import type { Sound } from "./sound.ts";

/** Lets the page's controls turn the sound. */
export function attachSoundSwitch(sound: Sound): void {
  const mute = byId("mute", HTMLButtonElement);
  const volume = byId("volume", HTMLInputElement);
  const show = () => {
    mute.setAttribute("aria-pressed", String(sound.mute));
    volume.value = String(sound.mute ? 0 : Math.round(100 * sound.volume));
  };
  sound.changed = show;
  show();
  mute.addEventListener("click", () => (sound.mute = !sound.mute));
  volume.addEventListener("input", () => (sound.volume = Number(volume.value) / 100));
  volume.addEventListener("change", () => sound.play("marker")); // so that one hears what was chosen
  addEventListener("keydown", (e) => {
    if (e.code !== "KeyM" || e.repeat || e.ctrlKey || e.altKey || e.metaKey) return;
    if (isWidget(e.target) && e.target !== mute) return;
    sound.mute = !sound.mute;
  });
}
