// What went wrong, in words.

import { APIError } from "@muster/client";

/** Whether a request was answered, and refused for who asked. */
export const refused = (error: unknown): boolean => error instanceof APIError && (error.status === 401 || error.status === 403);

/** Whether what was asked for is not there. */
export const missing = (error: unknown): boolean => error instanceof APIError && error.status === 404;

/** Says what went wrong. */
export function explain(error: unknown): string {
  if (error instanceof APIError) {
    const words = [error.detail || error.title || `the server answered ${error.status}`];
    const [field] = error.errors;
    if (field) words.push(field.message);
    if (error.retryAfterMs > 0) words.push(`try again in ${Math.ceil(error.retryAfterMs / 1000)} s`);
    return sentence(words.join(": "));
  }
  // Browsers say no more than this of a server that does not answer.
  if (error instanceof TypeError && /fetch|network|load failed/i.test(error.message)) return "The server does not answer.";
  return sentence(error instanceof Error ? error.message : "");
}

/** A sentence of words that may be none. */
export function sentence(text: string): string {
  if (!text) return "Something went wrong, and nobody said what.";
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(capital) ? capital : `${capital}.`;
}
