// The lobby's REST interface. Written by go test ./lobby -update from its OpenAPI document: change it there.

import type {
  AdminAnnounceBody,
  AdminEndBody,
  AdminKickBody,
  AdminNodes,
  AdminPlacement,
  AdminRoomDetail,
  AdminRoomState,
  AdminRooms,
  Blocks,
  ChatMessage,
  Code,
  Explanation,
  Group,
  Guest,
  GuestRenewal,
  History,
  LobbyEvents,
  MadeRoom,
  MatchSeat,
  Me,
  MutedPlayer,
  Mutes,
  NewGroup,
  NewGuest,
  NewMessage,
  NewNotification,
  NewParty,
  NewReplay,
  NewRoom,
  NewTicket,
  Notified,
  Ordered,
  OtherPlayer,
  Party,
  PlayedMatches,
  Player,
  Profile,
  PublishBody,
  Published,
  Queues,
  Ready,
  ReplayControl,
  ReplaySession,
  ReplayState,
  Result,
  RoomChange,
  RoomInfo,
  RoomList,
  RoomMute,
  Ticket,
  TicketConfirmation,
} from "./lobby_types.js";

/** What each route takes, from its path, its query and its body together, and what it answers. */
export interface Routes {
  /** Give a server rooms again. */
  "DELETE /v1/admin/nodes/{id}/drain": { args: { id: string }; reply: void };
  /** Let a player write in a room again. */
  "DELETE /v1/chat/{channel}/mute/{player}": { args: { channel: string; player: string }; reply: void };
  /** Forget what is kept of one: profile, ratings, blocks, mutes and list of matches. */
  "DELETE /v1/me": { args: {}; reply: void };
  /** Unblock a player. */
  "DELETE /v1/me/blocks/{player}": { args: { player: string }; reply: void };
  /** Unmute a player. */
  "DELETE /v1/me/mutes/{player}": { args: { player: string }; reply: void };
  /** End a session. */
  "DELETE /v1/replays/{id}": { args: { id: string }; reply: void };
  /** Close a room. */
  "DELETE /v1/rooms/{id}": { args: { id: string }; reply: void };
  /** Give a ticket up. */
  "DELETE /v1/tickets/{id}": { args: { id: string }; reply: Ticket };
  /** List the servers. */
  "GET /v1/admin/nodes": { args: {}; reply: AdminNodes };
  /** Explain where a room would go. */
  "GET /v1/admin/placement": { args: { game: string; region?: string | undefined; tag?: string[] | undefined }; reply: AdminPlacement };
  /** List all rooms. */
  "GET /v1/admin/rooms": { args: { game?: string | undefined; node?: string | undefined; limit?: number | undefined; cursor?: string | undefined }; reply: AdminRooms };
  /** Look at a room. */
  "GET /v1/admin/rooms/{id}": { args: { id: string }; reply: AdminRoomDetail };
  /** Look into a room's state. */
  "GET /v1/admin/rooms/{id}/state": { args: { id: string }; reply: AdminRoomState };
  /** Read what was written in a channel. */
  "GET /v1/chat/{channel}/messages": { args: { channel: string; before?: string | undefined; limit?: number | undefined }; reply: History };
  /** Read a group that one is in. */
  "GET /v1/groups/{id}": { args: { id: string }; reply: Group };
  /** Read the result of a match that one played to its end. */
  "GET /v1/matches/{id}": { args: { id: string }; reply: Result };
  /** Read one's own profile, ratings, tickets and party. */
  "GET /v1/me": { args: {}; reply: Me };
  /** List the players whom one blocks. */
  "GET /v1/me/blocks": { args: {}; reply: Blocks };
  /** Read what one must hear of, or wait for it. */
  "GET /v1/me/inbox": { args: { after?: string | undefined; limit?: number | undefined; wait?: string | undefined }; reply: LobbyEvents };
  /** List the matches that one played to their end, the newest first. */
  "GET /v1/me/matches": { args: { cursor?: string | undefined; limit?: number | undefined }; reply: PlayedMatches };
  /** List the players whom one mutes. */
  "GET /v1/me/mutes": { args: {}; reply: Mutes };
  /** Read the party that one is in. */
  "GET /v1/me/party": { args: {}; reply: Party };
  /** Read a party that one is in. */
  "GET /v1/parties/{id}": { args: { id: string }; reply: Party };
  /** Read a player's profile and ratings. */
  "GET /v1/players/{player}": { args: { player: string }; reply: Player };
  /** Read how the queues do. */
  "GET /v1/queues": { args: {}; reply: Queues };
  /** Read how a replay that is shown stands. */
  "GET /v1/replays/{id}": { args: { id: string }; reply: ReplayState };
  /** List rooms that anybody may find. */
  "GET /v1/rooms": { args: { game?: string | undefined; region?: string | undefined; tag?: string[] | undefined; open_seats?: number | undefined; limit?: number | undefined; cursor?: string | undefined }; reply: RoomList };
  /** Read a room. */
  "GET /v1/rooms/{id}": { args: { id: string }; reply: RoomInfo };
  /** Read a ticket, or wait until it is matched. */
  "GET /v1/tickets/{id}": { args: { id: string; wait?: string | undefined; known?: "waiting" | "confirming" | undefined }; reply: Ticket };
  /** Read why a ticket waits. */
  "GET /v1/tickets/{id}/explain": { args: { id: string }; reply: Explanation };
  /** Seek, pause, or change the speed. */
  "PATCH /v1/replays/{id}": { args: { id: string } & ReplayControl; reply: ReplayState };
  /** Change a room's title, tags or whether it is public. */
  "PATCH /v1/rooms/{id}": { args: { id: string } & RoomChange; reply: RoomInfo };
  /** Give a server no more rooms. */
  "POST /v1/admin/nodes/{id}/drain": { args: { id: string }; reply: void };
  /** Tell those in a room something. */
  "POST /v1/admin/rooms/{id}/announce": { args: { id: string } & AdminAnnounceBody; reply: Notified };
  /** End a room's match. */
  "POST /v1/admin/rooms/{id}/end": { args: { id: string } & AdminEndBody; reply: Ordered };
  /** Send a player out of a room. */
  "POST /v1/admin/rooms/{id}/kick": { args: { id: string } & AdminKickBody; reply: Ordered };
  /** Write a message. */
  "POST /v1/chat/{channel}/messages": { args: { channel: string } & NewMessage; reply: ChatMessage };
  /** Have a player not write in a room for a while. */
  "POST /v1/chat/{channel}/mute": { args: { channel: string } & RoomMute; reply: MutedPlayer };
  /** Join a room by its code. */
  "POST /v1/codes/{code}/join": { args: { code: string }; reply: MatchSeat };
  /** Join a room by its name. */
  "POST /v1/games/{game}/rooms/{name}/join": { args: { game: string; name: string }; reply: MatchSeat };
  /** Make a chat group. */
  "POST /v1/groups": { args: NewGroup; reply: Group };
  /** Invite a player to a group. */
  "POST /v1/groups/{id}/invite": { args: { id: string } & OtherPlayer; reply: void };
  /** Join a group to which one is invited. */
  "POST /v1/groups/{id}/join": { args: { id: string }; reply: Group };
  /** Leave a group. */
  "POST /v1/groups/{id}/leave": { args: { id: string }; reply: void };
  /** Make up a player (development only). */
  "POST /v1/guests": { args: NewGuest; reply: Guest };
  /** Exchange a guest's token for a newer one (development only). */
  "POST /v1/guests/renew": { args: GuestRenewal; reply: Guest };
  /** Tell players something. */
  "POST /v1/notifications": { args: NewNotification; reply: Notified };
  /** Form a party. */
  "POST /v1/parties": { args: NewParty; reply: Party };
  /** Join a party by its code. */
  "POST /v1/parties/join": { args: Code; reply: Party };
  /** Give a party another code. */
  "POST /v1/parties/{id}/code": { args: { id: string }; reply: Party };
  /** Invite a player. */
  "POST /v1/parties/{id}/invite": { args: { id: string } & OtherPlayer; reply: void };
  /** Join a party to which one is invited. */
  "POST /v1/parties/{id}/join": { args: { id: string }; reply: Party };
  /** Remove a member. */
  "POST /v1/parties/{id}/kick": { args: { id: string } & OtherPlayer; reply: void };
  /** Leave a party. */
  "POST /v1/parties/{id}/leave": { args: { id: string }; reply: void };
  /** Make another member the leader. */
  "POST /v1/parties/{id}/promote": { args: { id: string } & OtherPlayer; reply: Party };
  /** Say whether one is ready. */
  "POST /v1/parties/{id}/ready": { args: { id: string } & Ready; reply: Party };
  /** Publish into a room or to players. */
  "POST /v1/publish": { args: PublishBody; reply: Published };
  /** Show the replay of a match. */
  "POST /v1/replays": { args: NewReplay; reply: ReplaySession };
  /** Watch a replay that is shown. */
  "POST /v1/replays/{id}/watch": { args: { id: string }; reply: ReplaySession };
  /** Make a room. */
  "POST /v1/rooms": { args: NewRoom; reply: MadeRoom };
  /** Join a public room. */
  "POST /v1/rooms/{id}/join": { args: { id: string }; reply: MatchSeat };
  /** Claim one's seat again. */
  "POST /v1/rooms/{id}/rejoin": { args: { id: string }; reply: MatchSeat };
  /** Watch a room. */
  "POST /v1/rooms/{id}/spectate": { args: { id: string }; reply: MatchSeat };
  /** Wait for a match. */
  "POST /v1/tickets": { args: NewTicket; reply: Ticket };
  /** Confirm or decline a match that was found. */
  "POST /v1/tickets/{id}/confirm": { args: { id: string } & TicketConfirmation; reply: Ticket };
  /** Replace one's own profile. */
  "PUT /v1/me": { args: Profile; reply: Me };
  /** Block a player. */
  "PUT /v1/me/blocks/{player}": { args: { player: string }; reply: void };
  /** Mute a player. */
  "PUT /v1/me/mutes/{player}": { args: { player: string }; reply: void };
}
