// What went wrong, in words.

import { APIError } from "@muster/client";

/** Whether a request was answered, and refused for who asked. */
export const refused = (error: unknown): boolean => error instanceof APIError && (error.status === 401 || error.status === 403);

/** Whether what was asked for is not there. */
export const missing = (error: unknown): boolean => error instanceof APIError && error.status === 404;

export { explain } from "../shared/seating.ts";
