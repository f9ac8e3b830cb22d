// Numbers of the wire. The Go package proto is where they are decided.

/** The wire version that this client speaks. */
export const PROTOCOL = 1;

/** The WebSocket subprotocol that client and server agree on. */
export const SUBPROTOCOL = "muster.v1";

/** What a browser, which cannot set headers, puts before its token in the list of subprotocols. */
export const BEARER_PREFIX = "bearer.";

/** Bounds of one socket message, in bytes. */
export const MAX_CLIENT_MESSAGE = 8 << 10;
export const MAX_SERVER_MESSAGE = 1 << 20;

/** Bounds of a welcome's parts, in bytes. */
export const MAX_ID = 64;
export const MAX_SCHEMA = 32 << 10;
export const MAX_TOKEN = 4 << 10;

/** How many inputs one packet may hold, and how many bytes one of them. */
export const MAX_INPUTS = 32;
export const MAX_INPUT_BODY = 4 << 10;

/** How many events one message may hold. */
export const MAX_EVENTS = 256;

/** Each how many ticks a scope is sent at least. */
export const MAX_EVERY = 256;

/** How many bytes a keyframe has at most that is sent in parts. */
export const MAX_KEYFRAME = 2 ** 24;

/** How many scopes one viewer may have. */
export const MAX_SCOPES = 1024;

export const MAX_UINT16 = 0xffff;
export const MAX_UINT32 = 0xffffffff;

/** Kinds of messages to the server. */
export const TO_INPUT = 1;
export const TO_PING = 2;
export const TO_RESYNC = 3;
export const TO_LEAVE = 4;
export const TO_REFRESH = 5;

/** Kinds of messages from the server. Those from FROM_FRAME to FROM_FRAME + 15 are frames with their head's flags. */
export const FROM_WELCOME = 1;
export const FROM_EVENTS = 2;
export const FROM_PONG = 3;
export const FROM_END = 4;
export const FROM_BYE = 5;
export const FROM_REFRESHED = 6;
export const FROM_FRAME = 16;

/** The type of the event that tells a seat that a command of its was refused. A game's own types count from 1. */
export const EVENT_REFUSED = 0;
