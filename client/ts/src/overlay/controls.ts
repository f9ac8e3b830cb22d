import { type Conditions, PRESETS, type Simulator } from "../netsim.js";
import { make } from "./dom.js";

const FIELDS: readonly { name: keyof Conditions; label: string; unit: number }[] = [
  { name: "latencyMs", label: "Latency ms", unit: 1 },
  { name: "jitterMs", label: "Jitter ms", unit: 1 },
  { name: "stallMs", label: "Stall ms", unit: 1 },
  { name: "stallEveryMs", label: "Every s", unit: 1000 },
  { name: "dropEveryMs", label: "Cut after s", unit: 1000 },
];

let groups = 0; // names of groups of radio buttons, of all overlays

/** The simulator's part of the overlay: its presets, its numbers, and a cut. */
export class Controls {
  readonly element: HTMLElement;
  readonly #sim: Simulator;
  readonly #presets: { input: HTMLInputElement; conditions: Readonly<Conditions> }[] = [];
  readonly #fields: { input: HTMLInputElement; name: keyof Conditions; unit: number }[] = [];

  constructor(sim: Simulator) {
    this.#sim = sim;
    const group = `muster-network-${groups++}`;
    const presets = Object.entries(PRESETS).map(([name, conditions]) => {
      const input = make("input", { type: "radio", name: group });
      input.addEventListener("change", () => this.#take(conditions));
      this.#presets.push({ input, conditions });
      return make("label", {}, input, make("span", {}, name));
    });
    const fields = FIELDS.map(({ name, label, unit }) => {
      const input = make("input", { type: "number", min: "0", max: String(600_000 / unit), step: "any", inputmode: "decimal" });
      input.addEventListener("change", () => this.#change());
      this.#fields.push({ input, name, unit });
      return make("label", {}, label, input);
    });
    const cut = make("button", { type: "button" }, "Cut now");
    cut.addEventListener("click", () => sim.drop());
    this.element = make("div", { class: "part" }, make("fieldset", {},
      make("legend", {}, "Network simulator"),
      make("div", { class: "presets" }, ...presets, cut),
      make("div", { class: "fields" }, ...fields),
    ));
    this.show();
  }

  /** Shows the conditions, which the program may have changed. What is being typed stays. */
  show(): void {
    const now = this.#sim.conditions;
    for (const { input, conditions } of this.#presets) {
      input.checked = FIELDS.every(({ name }) => conditions[name] === now[name]);
    }
    for (const { input, name, unit } of this.#fields) {
      const text = String(now[name] / unit);
      if (input.value !== text && !input.matches(":focus")) input.value = text;
    }
  }

  #take(conditions: Readonly<Conditions>): void {
    this.#sim.set(conditions);
    this.show();
  }

  #change(): void {
    const conditions: Partial<Conditions> = {};
    for (const { input, name, unit } of this.#fields) {
      if (input.value === "" || !input.validity.valid) return;
      conditions[name] = input.valueAsNumber * unit;
    }
    this.#sim.set(conditions);
    this.show();
  }
}
