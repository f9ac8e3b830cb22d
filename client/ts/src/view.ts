import type { PlayoutOptions } from "./interpolate.js";
import type { Row } from "./tables.js";

/**
 * How a table's rows are shown. Interpolate: between two states, a little late and evenly. Extrapolate: where they are
 * at the server's present time if they go on as they did. Raw: as the newest frame left them.
 */
export type ViewMode = "interpolate" | "extrapolate" | "raw";

/** How a match shows its rows. */
export interface ViewOptions<S = Record<string, Row>> extends PlayoutOptions {
  /** By table. Default: interpolate. */
  readonly tables?: { readonly [K in keyof S]?: ViewMode };
}
