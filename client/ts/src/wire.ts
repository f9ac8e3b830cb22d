/**
 * `@muster/client/wire`: the pieces of the wire that tools need.
 *
 * @module wire
 */

export { type CodeInfo, Codes } from "./code_table.js";
export { PROTOCOL, SUBPROTOCOL } from "./protocol.js";
export { fingerprint } from "./fingerprint.js";
export { type Audience, type EventType, Schema, type Table } from "./schema.js";
export { type Cell, cellValue, type Field, type Value } from "./field.js";
export { Decoder, type RawRow, ScopeError } from "./decoder.js";
export { type Block, type Frame, type Head, type KeyframePart, noHead, readFrame, type ScopeHash } from "./frame.js";
export { isFrame, type Message, openMessage } from "./from_server.js";
export { MalformedError, Reader } from "./reader.js";
export { interpolateRow, Playout, type PlayoutOptions, type Shown } from "./interpolate.js";
export { Prediction } from "./reconcile.js";
export type { PredictedEvent, PredictedInput, PredictedState, PredictedStep, PredictionOptions } from "./predicted.js";
export { TickClock } from "./clock.js";
