// Codes by which friends come into a room.

const CODE = /^[A-Z0-9]{6}$/;

/** Makes a code of what somebody typed: capitals, without what is between them. */
export function tidyCode(text: string): string {
  return text.toUpperCase().replace(/[^A-Z0-9]/g, "").slice(0, 6);
}

/** Says whether a code could be one. */
export function isCode(code: string): boolean {
  return CODE.test(code);
}
