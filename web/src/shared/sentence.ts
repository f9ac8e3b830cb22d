// Words of others as sentences of ours.

/** Makes a sentence of words that may be none. */
export function sentence(text: string): string {
  if (!text) return "Something went wrong, and nobody said what.";
  return capital(text) + (/[.!?…]$/.test(text) ? "" : ".");
}

/** Begins a text with a capital. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
