/** Makes an element: its attributes, and what is in it. Attributes that are false are left out. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K, attributes: Record<string, string | boolean> = {}, ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** Sets a text where it is another one: a page is not laid out anew for the same. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}
