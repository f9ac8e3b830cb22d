// The speaker: begins with a gesture, as browsers want it, and remembers how loud it was and whether it was mute.

import { Prefs } from "../../shared/prefs.ts";
import { Engine, makeNoise, VOICES, type Place, type Studio, type Voice } from "./voices.ts";

const VOLUME = "volume";
const MUTE = "mute";
const GESTURES = ["pointerdown", "keydown", "touchend"] as const;

export class Sound {
  readonly #prefs = new Prefs();
  #volume = this.#prefs.number(VOLUME, 0, 1, 0.6);
  #mute = this.#prefs.get(MUTE) === "yes";
  #studio: Studio | undefined;
  #master: GainNode | undefined;
  #engine: Engine | undefined;
  #hidden = false;
  /** Is told when volume or mute have changed. */
  changed: () => void = () => undefined;

  constructor() {
    for (const name of GESTURES) addEventListener(name, this.#begin, { capture: true, passive: true });
    document.addEventListener("visibilitychange", () => {
      this.#hidden = document.hidden;
      this.#turn();
    });
  }

  get volume(): number {
    return this.#volume;
  }

  set volume(volume: number) {
    this.#volume = Math.max(0, Math.min(1, volume));
    this.#mute = this.#volume === 0;
    this.#prefs.set(VOLUME, this.#volume.toFixed(2));
    this.#keepMute();
  }

  get mute(): boolean {
    return this.#mute;
  }

  set mute(on: boolean) {
    this.#mute = on;
    if (!on && this.#volume === 0) this.volume = 0.6;
    this.#keepMute();
  }

  /** Plays a voice, if somebody can hear it. */
  play(voice: Voice, place: Place = { gain: 1, pan: 0 }): void {
    const s = this.#studio;
    if (!s || this.#mute || this.#hidden || s.ctx.state !== "running" || place.gain < 0.01) return;
    VOICES[voice](s, place);
  }

  /** Sets the own engine, from 0 to 1 each; nothing is heard of it before the first gesture. */
  engine(push: number, speed: number): void {
    if (!this.#studio) return;
    this.#engine ??= new Engine(this.#studio);
    this.#engine.set(push, speed);
  }

  /** The own ship is gone. */
  stopEngine(): void {
    this.#engine?.stop();
    this.#engine = undefined;
  }

  #keepMute(): void {
    this.#prefs.set(MUTE, this.#mute ? "yes" : undefined);
    this.#turn();
    this.changed();
  }

  readonly #begin = (): void => {
    try {
      this.#studio ??= this.#build();
      // Not every gesture counts: of a touch only its end does.
      this.#studio.ctx.resume().then(this.#begun, () => undefined);
    } catch {
      this.#begun(); // a machine without sound plays silently
    }
  };

  readonly #begun = (): void => {
    for (const name of GESTURES) removeEventListener(name, this.#begin, { capture: true });
  };

  #build(): Studio {
    const ctx = new AudioContext({ latencyHint: "interactive" });
    // Many explosions at once must be loud, not broken.
    const squeeze = ctx.createDynamicsCompressor();
    squeeze.threshold.value = -16;
    squeeze.ratio.value = 6;
    squeeze.release.value = 0.18;
    this.#master = ctx.createGain();
    this.#master.gain.value = this.#level();
    squeeze.connect(this.#master).connect(ctx.destination);
    return { ctx, out: squeeze, noise: makeNoise(ctx) };
  }

  #level(): number {
    return this.#mute || this.#hidden ? 0 : this.#volume * this.#volume; // ears count in proportions
  }

  #turn(): void {
    if (this.#studio) this.#master?.gain.setTargetAtTime(this.#level(), this.#studio.ctx.currentTime, 0.03);
  }
}
