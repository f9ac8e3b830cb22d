// Dark or light: as the system has it, until somebody chooses on the page. The choice is remembered while it differs
// from the system's.

import { Prefs } from "./prefs.ts";

export type Theme = "dark" | "light";

const NAME = "theme";
const prefs = new Prefs();
const heard = new Set<(theme: Theme) => void>();

/** What counts: a remembered choice, else what the system has. */
export function decide(remembered: string | undefined, system: Theme): Theme {
  return remembered === "dark" || remembered === "light" ? remembered : system;
}

/** What to remember of a choice: nothing when the system has the same, so that the page follows it again. */
export function worth(choice: Theme, system: Theme): Theme | undefined {
  return choice === system ? undefined : choice;
}

function system(): Theme {
  return matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
}

/** The theme of the page now. */
export function theme(): Theme {
  return decide(prefs.get(NAME), system());
}

/** Makes the page look as it was chosen. The style sheets follow the attribute, and the system where there is none. */
export function applyTheme(): void {
  const root = document.documentElement;
  const remembered = prefs.get(NAME);
  if (remembered === "dark" || remembered === "light") root.dataset["theme"] = remembered;
  else delete root.dataset["theme"];
  const now = theme();
  document.querySelector('meta[name="theme-color"]')?.setAttribute("content", now === "dark" ? "#070b14" : "#e9eff8");
  for (const tell of heard) tell(now);
}

/** Calls a function with the theme, now and whenever it changes. Returns what ends that. */
export function onTheme(tell: (theme: Theme) => void): () => void {
  heard.add(tell);
  tell(theme());
  return () => void heard.delete(tell);
}

/** Makes a button switch between the two. */
export function attachThemeSwitch(button: HTMLButtonElement): void {
  onTheme((now) => {
    const other = now === "dark" ? "Light" : "Dark";
    button.setAttribute("aria-label", `${other} theme`);
    button.title = `${other} theme`;
  });
  button.addEventListener("click", () => {
    prefs.set(NAME, worth(theme() === "dark" ? "light" : "dark", system()));
    applyTheme();
  });
  matchMedia("(prefers-color-scheme: light)").addEventListener("change", applyTheme);
  addEventListener("storage", (e) => {
    if (e.key === null || e.key.endsWith(NAME)) applyTheme(); // another tab chose
  });
}
