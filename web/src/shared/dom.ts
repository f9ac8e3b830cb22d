// The little that this page needs of a framework.

/** The element of an id, which the page is known to have. */
export function byId<T extends Element>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${kind.name} called ${id}`);
  return found;
}

/** Sets a text, and touches the page only when it differs. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Shows or hides. */
export function show(element: HTMLElement | SVGElement, on: boolean): void {
  if (element.hasAttribute("hidden") === on) element.toggleAttribute("hidden", !on);
}

/** Makes an element with a class and children. */
export function make<K extends keyof HTMLElementTagNameMap>(tag: K, name = "", ...children: (Node | string)[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...children);
  return element;
}

/** Makes a picture of a polygon, as an icon in the text's colour. */
export function polygon(points: readonly (readonly [number, number])[], name: string): SVGSVGElement {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "-16 -13 32 26");
  svg.setAttribute("class", name);
  svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS(space, "polygon");
  shape.setAttribute("points", points.map(([x, y]) => `${x},${y}`).join(" "));
  svg.append(shape);
  return svg;
}
