import type { CloseInfo } from "./close.js";
import type { LiveState } from "./live.js";
import type {
  ChatEvent, ChatMessage, Explanation, GroupInvitation, History, LobbyEvent, Muting, Notification, PartyEvent, Ticket,
} from "./lobby_types.js";

/** A chat channel: of two players, a party, a room, the player's team in a room, or a group. */
export type Channel = `${"direct" | "party" | "room" | "team" | "group"}:${string}`;

/** What a lobby says first on its socket. */
export interface LiveHello {
  player: string;
  name: string;
  /** RFC 3339. */
  time: string;
  /** The place after the newest event: what comes up to it is from before. */
  last: string;
  /** In how many seconds the token ends; 0 is never. */
  expires: number;
}

/** How a watched player is. */
export interface Presence {
  player: string;
  state: "offline" | "online" | "in_queue" | "in_match";
}

/** What Live tells its listeners, by what is listened to. */
export interface LiveTells {
  /** A ticket as it is now: with its match and a seat that is good now, or with the match to be confirmed. */
  ticket: [ticket: Ticket, event: LobbyEvent];
  /** A change of the party, an invitation, or that one is out of it. */
  party: [change: PartyEvent, event: LobbyEvent];
  chat: [message: ChatEvent, event: LobbyEvent];
  group: [invitation: GroupInvitation, event: LobbyEvent];
  /** One may not write in a room for a while, or again. */
  mute: [muting: Muting, event: LobbyEvent];
  notification: [notification: Notification, event: LobbyEvent];
  /** What a backend has published to the player, of this kind: kept for him, or told only since he is there. */
  [kind: `x.${string}`]: [body: unknown, event: LobbyEvent];
  /** Every event that is kept, of kinds that this client does not know, too. */
  event: [event: LobbyEvent];
  /** How a player is whom one watches. */
  presence: [presence: Presence];
  /** Events are gone that were not told: what they were about is to be read anew. */
  missed: [];
  state: [state: LiveState];
  /** Once, when it is closed for good. */
  close: [info: CloseInfo];
}

/** Requests on the socket: their bodies and answers. */
export interface LiveRequests {
  "presence.watch": { body: { players: readonly string[] }; ok: { watched: number } };
  "ticket.get": { body: { ticket: string }; ok: Ticket };
  "ticket.explain": { body: { ticket: string }; ok: Explanation };
  "ticket.cancel": { body: { ticket: string }; ok: Ticket };
  "ticket.confirm": { body: { ticket: string; accept: boolean }; ok: Ticket };
  "chat.send": { body: { channel: Channel; text: string; key?: string }; ok: ChatMessage };
  "chat.history": { body: { channel: Channel; before?: string | undefined; limit?: number | undefined }; ok: History };
}
