// The hook of a page for tests and for the curious, window.muster. What is on it each page's debug.ts says.

/** Puts these names on the window, to read and not to change; read gives them as they are now. */
export function hook<Snapshot extends object>(names: readonly (keyof Snapshot & string)[], read: () => Snapshot): void {
  const muster = {};
  for (const name of names) Object.defineProperty(muster, name, { enumerable: true, get: () => read()[name] });
  Object.defineProperty(window, "muster", { value: Object.freeze(muster), enumerable: true });
}
