// Cards that move: an element is where it belongs at once, and is shown on its way there.

const TIME = 360; // ms
const STAGGER = 55; // ms between cards that are dealt

const still = matchMedia("(prefers-reduced-motion: reduce)");

/** Shows an element on its way from a place. index lets one come after the other. */
export function fly(element: HTMLElement, from: DOMRect | undefined, index = 0): void {
  if (still.matches || !from || from.width === 0 || document.hidden) return;
  const to = element.getBoundingClientRect();
  if (to.width === 0) return;
  const [dx, dy] = [from.x + from.width / 2 - to.x - to.width / 2, from.y + from.height / 2 - to.y - to.height / 2];
  const small = Math.max(0.4, Math.min(1.2, from.height / to.height));
  element.animate(
    [{ translate: `${dx}px ${dy}px`, scale: String(small) }, { translate: "0 0", scale: "1" }],
    { duration: TIME, delay: index * STAGGER, easing: "cubic-bezier(.2,.75,.3,1)", fill: "backwards" },
  );
}

/** Shakes what was refused. */
export function shake(element: HTMLElement): void {
  if (still.matches) return;
  element.animate({ translate: ["0", "-7px", "6px", "-4px", "0"] }, { duration: 280, easing: "ease-in-out" });
}
