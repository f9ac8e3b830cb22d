// The front page: a match that plays itself behind a few words, and the ways into the arena.

import { Attract } from "../arena/attract.ts";
import { Picture } from "../arena/draw/picture.ts";
import { wear } from "../arena/draw/look.ts";
import { byId, setText } from "../shared/dom.ts";
import { attachThemeSwitch, onTheme } from "../shared/theme.ts";

const canvas = byId("scene", HTMLCanvasElement);
const still = byId("still", HTMLButtonElement);
const attract = new Attract(new Picture(canvas));
const motion = matchMedia("(prefers-reduced-motion: reduce)");
let paused = false;
let visible = true;

attachThemeSwitch(byId("theme", HTMLButtonElement));
onTheme((theme) => {
  wear(theme);
  attract.redraw();
});

/** Lets the picture move while somebody can see it and nobody has stopped it. */
function decide(): void {
  still.hidden = motion.matches; // it stands still already
  still.setAttribute("aria-pressed", String(paused));
  setText(still, paused ? "Let it play" : "Pause the picture");
  if (motion.matches || paused || !visible) attract.freeze();
  else attract.start();
}

still.addEventListener("click", () => {
  paused = !paused;
  decide();
});
motion.addEventListener("change", decide);
new IntersectionObserver(([entry]) => {
  visible = entry?.isIntersecting ?? true;
  decide();
}).observe(canvas);
addEventListener("resize", () => attract.redraw());
decide();
