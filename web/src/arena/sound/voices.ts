// The sounds, made on the spot from oscillators and noise: nothing is loaded. Each voice is a few nodes that end by
// themselves. Times are in seconds, frequencies in Hz.

/** What a voice plays into, and what noise it may use. */
export interface Studio {
  ctx: AudioContext;
  out: AudioNode;
  noise: AudioBuffer;
}

/** How a voice sounds from where it is: gain from 0 to 1, pan from -1 (left) to 1. */
export interface Place {
  gain: number;
  pan: number;
}

/** Makes two seconds of noise that hiss and rumble are cut from. */
export function makeNoise(ctx: AudioContext): AudioBuffer {
  const buffer = ctx.createBuffer(1, 2 * ctx.sampleRate, ctx.sampleRate);
  const data = buffer.getChannelData(0);
  for (let i = 0; i < data.length; i++) data[i] = Math.random() * 2 - 1;
  return buffer;
}

/** A gain that rises at once and falls to nothing by a time, panned to a place. */
function envelope({ ctx, out }: Studio, place: Place, peak: number, length: number, at: number, attack = 0.003): GainNode {
  const gain = ctx.createGain();
  const pan = ctx.createStereoPanner();
  pan.pan.value = place.pan;
  gain.gain.setValueAtTime(0.0001, at);
  gain.gain.exponentialRampToValueAtTime(Math.max(0.0002, peak * place.gain), at + attack);
  gain.gain.exponentialRampToValueAtTime(0.0001, at + length);
  gain.connect(pan).connect(out);
  return gain;
}

interface Tone {
  type: OscillatorType;
  from: number;
  to: number;
  length: number;
  peak: number;
  delay?: number;
  attack?: number;
}

function tone(s: Studio, place: Place, t: Tone): void {
  const at = s.ctx.currentTime + (t.delay ?? 0);
  const osc = s.ctx.createOscillator();
  osc.type = t.type;
  osc.frequency.setValueAtTime(t.from, at);
  osc.frequency.exponentialRampToValueAtTime(t.to, at + t.length);
  osc.connect(envelope(s, place, t.peak, t.length, at, t.attack));
  osc.start(at);
  osc.stop(at + t.length + 0.02);
}

interface Burst {
  filter: BiquadFilterType;
  from: number;
  to: number;
  q?: number;
  length: number;
  peak: number;
  delay?: number;
  attack?: number;
}

function burst(s: Studio, place: Place, b: Burst): void {
  const at = s.ctx.currentTime + (b.delay ?? 0);
  const source = s.ctx.createBufferSource();
  source.buffer = s.noise;
  const filter = s.ctx.createBiquadFilter();
  filter.type = b.filter;
  filter.Q.value = b.q ?? 0.8;
  filter.frequency.setValueAtTime(b.from, at);
  filter.frequency.exponentialRampToValueAtTime(b.to, at + b.length);
  source.connect(filter).connect(envelope(s, place, b.peak, b.length, at, b.attack));
  source.start(at, Math.random() * 1.2, b.length + 0.05);
}

/** Every sound by its name. */
export const VOICES = {
  /** A short fall with a snap at its front. */
  shot(s: Studio, p: Place): void {
    const sharp = 0.94 + 0.12 * Math.random();
    tone(s, p, { type: "square", from: 1150 * sharp, to: 170 * sharp, length: 0.11, peak: 0.16 });
    tone(s, p, { type: "triangle", from: 620 * sharp, to: 90, length: 0.13, peak: 0.22 });
    burst(s, p, { filter: "highpass", from: 3800, to: 1400, length: 0.05, peak: 0.2 });
  },
  /** Metal that is struck. */
  hit(s: Studio, p: Place): void {
    const sharp = 0.92 + 0.16 * Math.random();
    for (const [hz, peak] of [[523, 0.2], [1409, 0.14], [2217, 0.09]] as const) {
      tone(s, p, { type: "triangle", from: hz * sharp, to: hz * 0.97 * sharp, length: 0.2, peak });
    }
    burst(s, p, { filter: "bandpass", from: 2600, to: 700, q: 1.2, length: 0.12, peak: 0.5 });
  },
  /** The own hull is struck: lower, and nearer. */
  hurt(s: Studio, p: Place): void {
    tone(s, p, { type: "sawtooth", from: 190, to: 58, length: 0.26, peak: 0.3 });
    tone(s, p, { type: "triangle", from: 330, to: 300, length: 0.22, peak: 0.18 });
    burst(s, p, { filter: "lowpass", from: 1700, to: 180, length: 0.22, peak: 0.8 });
  },
  /** An own shot has hit: a tick that is heard through everything. */
  marker(s: Studio, p: Place): void {
    tone(s, p, { type: "sine", from: 1960, to: 1870, length: 0.05, peak: 0.26, attack: 0.001 });
    tone(s, p, { type: "sine", from: 2940, to: 2800, length: 0.04, peak: 0.12, attack: 0.001 });
  },
  /** A ship bursts: a thump, a roar that sinks, and crackling. */
  explosion(s: Studio, p: Place): void {
    tone(s, p, { type: "sine", from: 132, to: 30, length: 0.75, peak: 0.85 });
    burst(s, p, { filter: "lowpass", from: 2900, to: 85, length: 1.15, peak: 1.1 });
    burst(s, p, { filter: "bandpass", from: 1500, to: 320, q: 0.6, length: 0.4, peak: 0.5 });
    for (const delay of [0.09, 0.17, 0.3]) burst(s, p, { filter: "highpass", from: 2600, to: 1500, length: 0.06, peak: 0.2, delay });
  },
  /** An own kill: two notes up. */
  kill(s: Studio, p: Place): void {
    for (const [i, hz] of [659.3, 987.8].entries()) {
      tone(s, p, { type: "triangle", from: hz, to: hz, length: 0.26, peak: 0.36, delay: 0.08 * i });
      tone(s, p, { type: "sine", from: 2 * hz, to: 2 * hz, length: 0.18, peak: 0.08, delay: 0.08 * i });
    }
  },
  /** A ship comes into play: a sweep upwards that ends in a chime. */
  spawn(s: Studio, p: Place): void {
    tone(s, p, { type: "triangle", from: 165, to: 880, length: 0.42, peak: 0.34, attack: 0.12 });
    burst(s, p, { filter: "bandpass", from: 500, to: 4200, q: 2.2, length: 0.42, peak: 0.28, attack: 0.2 });
    tone(s, p, { type: "sine", from: 1318, to: 1318, length: 0.35, peak: 0.13, delay: 0.33 });
  },
  /** The gun has jammed. */
  jam(s: Studio, p: Place): void {
    for (const delay of [0, 0.09, 0.18]) tone(s, p, { type: "square", from: 150, to: 92, length: 0.08, peak: 0.26, delay });
  },
  /** One of the last seconds. */
  tick(s: Studio, p: Place): void {
    tone(s, p, { type: "sine", from: 880, to: 880, length: 0.09, peak: 0.3 });
  },
  /** The round begins. */
  start(s: Studio, p: Place): void {
    for (const [i, hz] of [392, 523.3, 784].entries()) tone(s, p, { type: "triangle", from: hz, to: hz, length: 0.3, peak: 0.32, delay: 0.1 * i });
  },
  /** The round is over, and somebody else has won: a chord that settles. */
  end(s: Studio, p: Place): void {
    for (const [i, hz] of [523.3, 440, 349.2].entries()) chord(s, p, hz, 0.17 * i, 0.7);
  },
  /** The round is over, and it was won: four notes up, the last one held. */
  win(s: Studio, p: Place): void {
    for (const [i, hz] of [523.3, 659.3, 784, 1046.5].entries()) chord(s, p, hz, 0.13 * i, i === 3 ? 1.3 : 0.3);
  },
};

function chord(s: Studio, p: Place, hz: number, delay: number, length: number): void {
  tone(s, p, { type: "triangle", from: hz, to: hz, length, peak: 0.24, delay, attack: 0.012 });
  tone(s, p, { type: "sine", from: hz / 2, to: hz / 2, length, peak: 0.2, delay, attack: 0.012 });
  tone(s, p, { type: "sine", from: hz * 1.5, to: hz * 1.5, length: length * 0.8, peak: 0.07, delay, attack: 0.02 });
}

export type Voice = keyof typeof VOICES;

/** The own engine: a rumble that is always there and opens up with thrust. */
export class Engine {
  readonly #ctx: AudioContext;
  readonly #gain: GainNode;
  readonly #filter: BiquadFilterNode;
  readonly #hum: OscillatorNode;
  readonly #source: AudioBufferSourceNode;

  constructor({ ctx, out, noise }: Studio) {
    this.#ctx = ctx;
    this.#gain = ctx.createGain();
    this.#gain.gain.value = 0;
    this.#filter = ctx.createBiquadFilter();
    this.#filter.type = "lowpass";
    this.#filter.frequency.value = 120;
    this.#source = ctx.createBufferSource();
    this.#source.buffer = noise;
    this.#source.loop = true;
    this.#hum = ctx.createOscillator();
    this.#hum.type = "sawtooth";
    this.#hum.frequency.value = 46;
    const hum = ctx.createGain();
    hum.gain.value = 0.32;
    this.#source.connect(this.#filter);
    this.#hum.connect(hum).connect(this.#filter);
    this.#filter.connect(this.#gain).connect(out);
    this.#source.start();
    this.#hum.start();
  }

  /** Sets how hard it pushes, from 0 to 1, and how fast the ship is, from 0 to 1. */
  set(push: number, speed: number): void {
    const at = this.#ctx.currentTime;
    this.#gain.gain.setTargetAtTime(0.16 * push + 0.025 * speed, at, 0.06);
    this.#filter.frequency.setTargetAtTime(110 + 380 * push + 130 * speed, at, 0.08);
    this.#hum.frequency.setTargetAtTime(42 + 22 * speed + 10 * push, at, 0.1);
  }

  stop(): void {
    this.#gain.gain.setTargetAtTime(0, this.#ctx.currentTime, 0.05);
    this.#source.stop(this.#ctx.currentTime + 0.4);
    this.#hum.stop(this.#ctx.currentTime + 0.4);
  }
}
