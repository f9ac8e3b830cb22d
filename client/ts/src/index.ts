// @muster/client: the lobby, a match, and the pieces of the wire that tools need.

export { APIError } from "./api_error.js";
export { type CallOptions, type CreateOptions, Lobby, type LobbyOptions, TicketError } from "./lobby.js";
export type { Live, LiveOptions, LiveState } from "./live.js";
export type { Channel, LiveHello, LiveRequests, LiveTells, Presence } from "./live_types.js";
export type * from "./lobby_types.js";
export { Match, type MatchEvent, type MatchOptions, type MatchState, type Refusal } from "./match.js";
export type { FrameInfo, MatchInfo, MatchStats } from "./play.js";
export { CloseError, type CloseInfo } from "./close.js";
export { BacklogError } from "./outbox.js";
export type { Row, TableView } from "./tables.js";
export { interpolateRow, Playout, type PlayoutOptions, type Shown } from "./interpolate.js";
export type { Placement } from "./from_server.js";
export type { Schedule } from "./schedule.js";
export type { SocketFactory } from "./socket.js";

export { type Action, actionOf, type CodeInfo, codeName, Codes } from "./codes.js";
export { PROTOCOL, SUBPROTOCOL } from "./protocol.js";

export { atan2, cos, sin } from "./fixedmath.js";
export { type EventType, Schema, type Table } from "./schema.js";
export { type Cell, cellValue, type Field, type Value } from "./field.js";
export { Decoder, type RawRow, ScopeError } from "./decoder.js";
export { type Block, type Frame, type Head, noHead, readFrame, type ScopeHash } from "./frame.js";
export { openMessage, isFrame } from "./from_server.js";
export { MalformedError } from "./reader.js";
