const MOST_TEXT = 300;
const MOST_RETRY_S = 60;

/** A lobby's refusal: its problem document (RFC 9457). */
export class APIError extends Error {
  override readonly name = "APIError";
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  /** The fields that were wrong, and where the lobby says it the value that it means. */
  readonly errors: { message: string; location: string; value?: unknown }[];
  /** From the Retry-After header, in milliseconds, at most a minute; 0 when absent. */
  readonly retryAfterMs: number;

  constructor(status: number, body: unknown, retryAfter: string | null) {
    const problem = Object(body) as Record<string, unknown>;
    const title = text(problem["title"]);
    const detail = text(problem["detail"]);
    const errors = fieldErrors(problem["errors"]);
    const words = [detail || title, ...errors.map((e) => `${e.location}: ${e.message}`)].filter(Boolean).join("; ");
    super(`the lobby answered ${status}${words && `: ${words}`}`);
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.errors = errors;
    this.retryAfterMs = 1000 * (/^\d+$/.test(retryAfter ?? "") ? Math.min(Number(retryAfter), MOST_RETRY_S) : 0);
  }

  /** Whether the same request may succeed later. */
  get temporary(): boolean {
    return this.status === 429 || this.status >= 500;
  }
}

/** Whether an error is a refusal that stays one, however often the same is asked for. */
export function isFinal(e: unknown): boolean {
  return e instanceof APIError && !e.temporary && (e.cause === undefined || isFinal(e.cause));
}

/** For how long a refusal asks to wait; 0 for any other error. */
export function retryAfterMs(e: unknown): number {
  return e instanceof APIError ? e.retryAfterMs : 0;
}

function text(v: unknown): string {
  return typeof v === "string" ? v.slice(0, MOST_TEXT) : "";
}

function fieldErrors(v: unknown): APIError["errors"] {
  if (!Array.isArray(v)) return [];
  return v.slice(0, 16).map((e) => {
    return { message: text(e?.message), location: text(e?.location), ...(e?.value !== undefined && { value: e.value }) };
  });
}
