// @muster/client/wire: the pieces of the wire that tools need.

export { type CodeInfo, Codes } from "./code_table.js";
export { PROTOCOL, SUBPROTOCOL } from "./protocol.js";
export { type EventType, Schema, type Table } from "./schema.js";
export { type Cell, cellValue, type Field, type Value } from "./field.js";
export { Decoder, type RawRow, ScopeError } from "./decoder.js";
export { type Block, type Frame, type Head, noHead, readFrame, type ScopeHash } from "./frame.js";
export { openMessage, isFrame } from "./from_server.js";
export { MalformedError } from "./reader.js";
export { interpolateRow, Playout, type PlayoutOptions, type Shown } from "./interpolate.js";
export { type PredictedStep, Prediction, type PredictionOptions } from "./reconcile.js";
export { TickClock } from "./clock.js";
