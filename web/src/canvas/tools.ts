// The bar of tools: what is chosen there, by hand or by key, and remembered.

import { byId, make } from "../shared/dom.ts";
import type { Prefs } from "../shared/prefs.ts";
import { onTheme } from "../shared/theme.ts";
import type { Tool } from "./hands.ts";
import { COLOURS, WIDTHS } from "./palette.ts";

const TOOL_KEYS: Readonly<Record<string, Tool>> = { p: "pen", e: "eraser", m: "hand" };

export class Tools {
  /** Called when another tool is chosen. */
  changed: (tool: Tool) => void = () => undefined;

  readonly #prefs: Prefs;
  #width: number = WIDTHS[1].width;
  #colour = 0;

  constructor(prefs: Prefs) {
    this.#prefs = prefs;
    const widths = byId("widths", HTMLFieldSetElement);
    for (const { name, width } of WIDTHS) {
      widths.append(choice("width", String(width), name, make("span", `width width-${width}`), () => this.#set("width", width)));
    }
    const colours = byId("colours", HTMLFieldSetElement);
    COLOURS.forEach(({ name }, i) => {
      colours.append(choice("colour", String(i), name, make("span", "swatch"), () => this.#set("colour", i)));
    });
    onTheme((theme) => {
      colours.querySelectorAll<HTMLElement>(".swatch").forEach((s, i) => s.style.setProperty("--colour", COLOURS[i]![theme]));
    });
    const width = prefs.number("canvas.width", 1, 64, this.#width);
    this.width = WIDTHS.some((w) => w.width === width) ? width : this.#width;
    this.colour = Math.floor(prefs.number("canvas.colour", 0, COLOURS.length - 1, 0));
    byId("tools", HTMLFieldSetElement).addEventListener("change", () => this.changed(this.tool));
  }

  get tool(): Tool {
    return (checked("tool")?.value ?? "pen") as Tool;
  }

  set tool(tool: Tool) {
    check("tool", tool);
    this.changed(tool);
  }

  get width(): number {
    return this.#width;
  }

  set width(width: number) {
    check("width", String(width));
    this.#set("width", width);
  }

  get colour(): number {
    return this.#colour;
  }

  set colour(number: number) {
    check("colour", String(number));
    this.#set("colour", number);
  }

  /** Chooses by a key: a tool, a width with the brackets, a colour by its number. Returns what to say of it; "" is nothing. */
  key(key: string): string {
    const tool = TOOL_KEYS[key.toLowerCase()];
    if (tool) {
      this.tool = tool;
      return { pen: "Pen", eraser: "Eraser", hand: "Move the paper" }[tool];
    }
    const at = WIDTHS.findIndex((w) => w.width === this.#width);
    const next = key === "[" ? WIDTHS[at - 1] : key === "]" ? WIDTHS[at + 1] : undefined;
    if (next) {
      this.width = next.width;
      return `${next.name} line`;
    }
    const colour = /^[1-9]$/.test(key) ? COLOURS[Number(key) - 1] : undefined;
    if (!colour) return "";
    this.colour = Number(key) - 1;
    return colour.name;
  }

  #set(what: "width" | "colour", value: number): void {
    if (what === "width") this.#width = value;
    else this.#colour = value;
    this.#prefs.set(`canvas.${what}`, String(value));
    // Who chooses these wants to draw.
    if (this.tool !== "pen") this.tool = "pen";
  }
}

function choice(group: string, value: string, name: string, look: HTMLElement, chosen: () => void): HTMLElement {
  const input = make("input");
  input.type = "radio";
  input.name = group;
  input.value = value;
  input.setAttribute("aria-label", name);
  input.addEventListener("change", chosen);
  look.setAttribute("aria-hidden", "true");
  const label = make("label", "", input, look);
  label.title = name;
  return label;
}

function checked(group: string): HTMLInputElement | null {
  return document.querySelector<HTMLInputElement>(`input[name="${group}"]:checked`);
}

function check(group: string, value: string): void {
  const input = document.querySelector<HTMLInputElement>(`input[name="${group}"][value="${CSS.escape(value)}"]`);
  if (input) input.checked = true;
}
