/**
 * `@muster/client/overlay`: shows what a match measures, and makes its network worse.
 *
 * @module overlay
 */

export { type Conditions, PRESETS, simulate, Simulator, type SimulatorOptions } from "../netsim.js";
export type { Incident } from "./incidents.js";
export { Overlay, type OverlayOptions, type Theme } from "./overlay.js";
export type { Observed, ObservedPrediction, ObservedStats } from "./probe.js";
