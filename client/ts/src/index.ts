/**
 * `@muster/client`: the lobby and a match. What tools need of the wire is in `@muster/client/wire`, sin and cos in
 * `@muster/client/math`.
 *
 * @module client
 */

export { APIError } from "./api_error.js";
export { type CallOptions, type CreateOptions, Lobby, type LobbyOptions, TicketError } from "./lobby.js";
export type { Live, LiveOptions, LiveState } from "./live.js";
export type { Channel, LiveHello, LiveRequests, LiveTells, Presence } from "./live_types.js";
export type { Routes } from "./lobby_routes.js";
export type * from "./lobby_types.js";
export { Match, type MatchOptions, type MatchState, type Refusal } from "./match.js";
export type { AnyEvents, EventInfo, OnAdd, OnChange, OnEvent, OnField, OnRemove, Undo } from "./match_callbacks.js";
export type { Predicted, PredictOptions, PredictStep } from "./match_predict.js";
export type { PredictionStats } from "./reconcile.js";
export type { PlayoutOptions as ViewOptions, Shown, ViewMode } from "./interpolate.js";
export type { FrameInfo, MatchInfo, MatchStats, Takeover } from "./play.js";
export { CloseError, type CloseInfo } from "./close.js";
export { type Action, actionOf, codeName } from "./codes.js";
export { BacklogError } from "./outbox.js";
export { MalformedError } from "./reader.js";
export type { Value } from "./field.js";
export type { Row, TableView } from "./tables.js";
export type { Placement } from "./from_server.js";
export type { Schedule } from "./schedule.js";
export type { SocketFactory } from "./socket.js";
