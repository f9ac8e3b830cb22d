// The lobby's REST interface. Written by go test ./lobby -update from its OpenAPI document: change it there.

/** What POST /v1/admin/rooms/{id}/announce takes. */
export interface AdminAnnounceBody {
  /** Plain text; newlines are the only control characters. */
  body?: string;
  /** One line of plain text. */
  title: string;
}

/** What POST /v1/admin/rooms/{id}/end takes. */
export interface AdminEndBody {
  /** One line that its players are shown. */
  reason: string;
}

/** What POST /v1/admin/rooms/{id}/kick takes. */
export interface AdminKickBody {
  /** The player's id. */
  player: string;
  /** One line that he is shown. */
  reason: string;
}

/** A part of AdminNode. */
export interface AdminLoad {
  /** Of its rooms, those that do not tick since nobody is connected. */
  asleep?: number;
  /** What is alive. */
  heap_bytes: number;
  /** Share of its ticks that began late. */
  late: number;
  /** What its process may use; none: no bound. */
  limit_bytes?: number;
  /** Written to sockets of matches since it began. */
  out_bytes?: number;
  /** Bytes a second. */
  out_rate?: number;
  players: number;
  rooms: number;
  /** Of matches, for rooms of other servers, too. */
  sockets: number;
  /** Share of its processors' time that its rooms' ticks took, from 0 to 1. */
  tick: number;
  /** Microseconds that half of the last five seconds' ticks did not exceed. */
  tick_p50_us?: number;
  /** Microseconds that 99 in 100 of them did not exceed. */
  tick_p99_us?: number;
  /** Ticks a second. */
  tick_rate?: number;
  /** Of its rooms, since it began. */
  ticks?: number;
  /** Connections that watch its rooms without a seat. */
  watching?: number;
}

/** A part of AdminNodes. */
export interface AdminNode {
  /** The most rooms that it takes; none: its load alone decides. */
  capacity?: number;
  /** Why it takes no new rooms. */
  closed?: string;
  /** An operator wants no new rooms on it. */
  draining: boolean;
  /** The version of the rules by game. */
  games: Record<string, string>;
  /** Of this run of it; it changes when others have taken its rooms over. */
  id: string;
  /** For how long it counts as alive if it says nothing; below 0 since when it does not. */
  lease_ms: number;
  load: AdminLoad;
  /** Where other servers reach it: its own address, also behind a load balancer. */
  peer_url?: string;
  region?: string;
  /** lobby, match or all. */
  role: string;
  /** When its process began, by its own clock. RFC 3339. */
  started_at?: string;
  tags?: Record<string, string>;
  /** Where clients reach its rooms directly; none: they come by any server. */
  url?: string;
  /** The release that it runs. */
  version?: string;
}

/** What GET /v1/admin/nodes answers. */
export interface AdminNodes {
  nodes: AdminNode[] | null;
}

/** What GET /v1/admin/placement answers. */
export interface AdminPlacement {
  /** The server that would get it; none: there is no room to be had. */
  node?: string;
  nodes: AdminVerdict[] | null;
  /** Why there is no room to be had. */
  reason?: string;
  /** The version of the game's rules that this lobby makes rooms for. */
  rules: string;
}

/** A part of AdminRooms. */
export interface AdminRoom {
  /** By which anybody may join who knows it. */
  code?: string;
  /** RFC 3339. */
  created_at: string;
  /** Why it is over and about to be forgotten. */
  ended?: string;
  /** Seats that new players may have now. */
  free: number;
  game: string;
  id: string;
  /** The server that runs it; released: it is about to go on elsewhere. */
  node: string;
  /** Tags that a server must have to run it. */
  on?: Record<string, string>;
  /** Its rules take new players. */
  open: boolean;
  /** The player who made it. */
  owner?: string;
  /** Seats that are taken or kept for somebody who is on the way. */
  players: number;
  /** Anybody may find it and join. */
  public: boolean;
  /** That made the match. */
  queue?: string;
  region?: string;
  /** The version of its game's rules. */
  rules: string;
  seats: number;
  tags?: Record<string, string>;
  title?: string;
}

/** What GET /v1/admin/rooms/{id} answers. */
export interface AdminRoomDetail {
  /** By which anybody may join who knows it. */
  code?: string;
  /** Those for whom a seat is kept. */
  coming: string[];
  /** RFC 3339. */
  created_at: string;
  /** Why it is over and about to be forgotten. */
  ended?: string;
  /** Seats that new players may have now. */
  free: number;
  game: string;
  id: string;
  /** The server that runs it; released: it is about to go on elsewhere. */
  node: string;
  /** Tags that a server must have to run it. */
  on?: Record<string, string>;
  /** Its rules take new players. */
  open: boolean;
  /** The player who made it. */
  owner?: string;
  /** Seats that are taken or kept for somebody who is on the way. */
  players: number;
  /** Anybody may find it and join. */
  public: boolean;
  /** That made the match. */
  queue?: string;
  region?: string;
  /** The version of its game's rules. */
  rules: string;
  /** The players who have taken their seats. */
  seated: string[];
  seats: number;
  tags?: Record<string, string>;
  title?: string;
}

/** What GET /v1/admin/rooms/{id}/state answers. */
export interface AdminRoomState {
  tables: AdminTable[];
  /** After which it is so. */
  tick: number;
}

/** What GET /v1/admin/rooms answers. */
export interface AdminRooms {
  /** The cursor of the next page; absent at the end. A page may be short, or empty, and not be the last. */
  next?: string;
  rooms: AdminRoom[];
}

/** A part of AdminTable. */
export interface AdminRow {
  /** By the schema's names, those too that no client is sent. Nested ones are called Pos.X, an element List.0; texts are cut at 256 bytes. */
  fields: Record<string, unknown>;
  id: number;
}

/** A part of AdminRoomState. */
export interface AdminTable {
  /** How many rows it has; of a large table the first alone are in rows. */
  count: number;
  name: string;
  rows: AdminRow[];
  /** It is one row that is always there. */
  single: boolean;
}

/** A part of AdminPlacement. */
export interface AdminVerdict {
  /** It would get the room; the next one may go elsewhere. */
  chosen: boolean;
  /** It was one of the two that were compared. */
  drawn: boolean;
  id: string;
  /** Share of its time that it is taken to need, with late ticks and rooms that were placed a moment ago: less is better. */
  score: number;
  /** Why it gets no room. */
  why?: string;
}

/** What GET /v1/me/blocks answers. */
export interface Blocks {
  /** The ids of the players whom one blocks, at most 500, in their order. */
  players: string[];
}

/** An event's body. */
export interface ChatEvent {
  /** RFC 3339. */
  at: string;
  channel: string;
  from: string;
  id: string;
  name?: string;
  text: string;
}

/** A part of History. What POST /v1/chat/{channel}/messages answers. */
export interface ChatMessage {
  /** RFC 3339. */
  at: string;
  /** As the player who asks sees it. */
  channel: string;
  /** The player who wrote it. */
  from: string;
  /** Its place in the channel. */
  id: string;
  name: string;
  /** Plain text: what looks like markup is shown as it is. */
  text: string;
}

/** What POST /v1/parties/join takes. */
export interface Code {
  /** The party's code, in capitals or small letters. */
  code: string;
}

/** A part of Ticket. */
export interface Confirm {
  /** How many of them have confirmed it. */
  accepted: number;
  /** You have. */
  mine: boolean;
  /** How many players the match has. */
  players: number;
  /** Who has not confirmed it by then is out. RFC 3339. */
  until: string;
}

/** What GET /v1/tickets/{id}/explain answers. */
export interface Explanation {
  /** How long players of such ratings waited lately. */
  expected_wait?: Waits;
  /** How many of them could play with this ticket now. */
  fitting: number;
  /** How many players start a match. */
  needed: number;
  /** The rules that keep others away, the one that removes most first. */
  rules: RuleEffect[];
  state: "waiting" | "confirming" | "matched" | "cancelled" | "expired";
  /** In words. */
  text: string;
  /** How many other players wait in the queue. */
  waiting: number;
}

/** A part of Me. A part of Player. */
export interface GameRating {
  /** How unsure it is, as a standard deviation; 333 for a new player. */
  deviation: number;
  game: string;
  /** How many were rated. */
  matches: number;
  /** In whole points: 1000 is a new player's, and who has 200 more wins seven of ten. */
  rating: number;
}

/** What GET /v1/groups/{id} answers. What POST /v1/groups answers. */
export interface Group {
  /** Its channel is group:ID. */
  id: string;
  /** At most 64. */
  members: GroupMember[];
  title: string;
}

/** An event's body. */
export interface GroupInvitation {
  from: string;
  id: string;
  name: string;
  title: string;
}

/** A part of Group. */
export interface GroupMember {
  name: string;
  player: string;
}

/** What POST /v1/guests answers. What POST /v1/guests/renew answers. */
export interface Guest {
  /** RFC 3339. */
  expires_at: string;
  /** The player's id. */
  player: string;
  /** A player token. */
  token: string;
}

/** What POST /v1/guests/renew takes. */
export interface GuestRenewal {
  /** The guest's token: one that is good, or ended within the last week. */
  token: string;
}

/** What GET /v1/chat/{channel}/messages answers. */
export interface History {
  /** The newest first. */
  messages: ChatMessage[];
  /** Before which message to go on; absent where there is nothing more. */
  next?: string;
}

/** A part of LobbyEvents. */
export interface LobbyEvent {
  /** RFC 3339. */
  at: string;
  /** What happened. */
  body: unknown;
  /** After which to go on. */
  id: string;
  /** What the body is: ticket, party, chat, group, notification, room. */
  kind: string;
}

/** What GET /v1/me/inbox answers. */
export interface LobbyEvents {
  /** The oldest first. */
  events: LobbyEvent[];
  /** Whether events have gone that were never read: an inbox keeps about 256 of a week. */
  missed: boolean;
}

/** What POST /v1/rooms answers. */
export interface MadeRoom {
  /** One's own seat. */
  match: MatchSeat;
  room: RoomInfo;
}

/** A part of MadeRoom. A part of Ticket. */
export interface MatchSeat {
  room: string;
  /** Claims the seat once, within seconds: as Authorization: Bearer, or for browsers as the subprotocols muster.v1, bearer.TOKEN. */
  token: string;
  /** The match's WebSocket. */
  url: string;
}

/** What GET /v1/me answers. What PUT /v1/me answers. */
export interface Me {
  /** A few words, without line breaks. */
  about?: string;
  /** The https address of a picture. Who shows it tells that server who looks: fetch it from hosts that you trust alone. */
  avatar?: string;
  /** Two letters (ISO 3166). */
  country?: string;
  /** As it stood in the player's token when he was last here. */
  name?: string;
  /** The player's party, if there is one. */
  party?: string;
  /** The player's id. */
  player: string;
  /** By the games' names. */
  ratings: GameRating[];
  /** What is on the player's mind now, without line breaks. */
  status?: string;
  /** The player's tickets that have not ended: those that wait, and those of matches that have just been made. None is left out. */
  tickets?: string[];
  /** Who may see whether the player is online, in a queue or in a match. Whom he blocks never may. */
  watch: "everyone" | "party" | "nobody";
}

/** A part of NewTicket. */
export interface MemberWish {
  latency?: Record<string, number>;
  roles?: string[] | null;
}

/** What POST /v1/chat/{channel}/mute answers. */
export interface MutedPlayer {
  player: string;
  /** RFC 3339. */
  until: string;
}

/** What GET /v1/me/mutes answers. */
export interface Mutes {
  /** The ids of the players whom one mutes, at most 500, in their order. */
  players: string[];
}

/** An event's body. */
export interface Muting {
  channel: string;
  reason?: string;
  /** RFC 3339. */
  until?: string;
}

/** What POST /v1/groups takes. */
export interface NewGroup {
  /** What the group is called. */
  title: string;
}

/** What POST /v1/guests takes. */
export interface NewGuest {
  /** What other players see. */
  name: string;
}

/** What POST /v1/chat/{channel}/messages takes. */
export interface NewMessage {
  /** Plain text of 1 to 500 characters; newlines are the only control characters. */
  text: string;
}

/** What POST /v1/notifications takes. */
export interface NewNotification {
  /** Plain text; newlines are the only control characters. */
  body?: string;
  /** Anything in JSON, for the client; at most 2048 bytes. */
  data?: unknown;
  /** What it is about, for the client. */
  kind: string;
  /** Players, in the place of to. */
  players?: string[] | null;
  /** One line of plain text. */
  title: string;
  /** all, player:ID, party:ID or group:ID. */
  to?: string;
}

/** What POST /v1/parties takes. */
export interface NewParty {
  /** How many members it can have. */
  max?: number;
}

/** What POST /v1/replays takes. */
export interface NewReplay {
  /** Whose eyes it is seen with: public (the default), everything, or seat:N. */
  as?: string;
  /** The match, which is its room. */
  match: string;
}

/** What POST /v1/rooms takes. */
export interface NewRoom {
  /** What the game lets its rooms' makers choose, at most 4 KiB. */
  config?: unknown;
  /** The game. */
  game: string;
  /** Tags that the server must have on which it is made. */
  on?: Record<string, string>;
  /** Whether anybody may find it and join. Others need its code. */
  public?: boolean;
  /** Where it is to run. */
  region?: string;
  /** At most those of the game, which are the default. */
  seats?: number;
  /** Up to 8 tags, by which it is found. */
  tags?: Record<string, string>;
  /** What others read of it. */
  title?: string;
}

/** What POST /v1/tickets takes. */
export interface NewTicket {
  /** What the queue's rules ask of tickets: texts, numbers, or lists of texts. */
  attributes?: Record<string, unknown>;
  /** Milliseconds that you measured to regions. A region that is not named is not good for you, unless none is. */
  latency?: Record<string, number>;
  /** The highest latency that you want, in milliseconds, however long you wait; 0 is the queue's own. */
  max_latency?: number;
  /** The widest distance of ratings that you want, however long you wait; 0 is the queue's own. */
  max_spread?: number;
  /** What is another's of the party, by player; who is not named has your latencies and comes for any role. */
  members?: Record<string, MemberWish>;
  /** No match that runs already. */
  new_only?: boolean;
  /** Wait with your party. Its leader alone may ask for that. */
  party?: boolean;
  /** The queue to wait in. */
  queue: string;
  /** What you come for, in queues with roles; none is any. */
  roles?: string[] | null;
}

/** An event's body. */
export interface Notification {
  body?: string;
  data?: unknown;
  id?: string;
  kind: string;
  title: string;
}

/** What POST /v1/admin/rooms/{id}/announce answers. What POST /v1/notifications answers. */
export interface Notified {
  /** The notification's, which is in what players get too. */
  id: string;
  /** How many players got it; 0 for all, who are not counted. */
  to: number;
}

/** What POST /v1/admin/rooms/{id}/end answers. What POST /v1/admin/rooms/{id}/kick answers. */
export interface Ordered {
  /** The order's. The same request with the same Idempotency-Key has the same. */
  id: string;
  /** done: in a room with a journal it is durable. waiting: it will be done when the room can; asked again with the same Idempotency-Key, it is told. */
  state: "done" | "waiting";
}

/** What POST /v1/groups/{id}/invite takes. What POST /v1/parties/{id}/invite takes. */
export interface OtherPlayer {
  /** The player's id. */
  player: string;
}

/** What GET /v1/me/party answers. What GET /v1/parties/{id} answers. */
export interface Party {
  /** Whoever knows it may join. */
  code: string;
  id: string;
  /** The player who may kick, promote and make codes, and queues for all. */
  leader: string;
  /** How many members it can have. */
  max: number;
  /** The longest first: in this order they would lead. */
  members: PartyMember[];
  /** Grows with each change. */
  version: number;
}

/** An event's body. */
export interface PartyEvent {
  by?: PartyStateMember;
  event: "changed" | "out" | "invited";
  id: string;
  party?: PartyState;
  /** RFC 3339. */
  until?: string;
  version?: number;
}

/** A part of Party. */
export interface PartyMember {
  name: string;
  player: string;
  ready: boolean;
}

/** A part of PartyEvent. An event's body. */
export interface PartyState {
  code?: string;
  id: string;
  leader: string;
  max: number;
  members: PartyStateMember[];
  version: number;
}

/** A part of PartyEvent. A part of PartyState. */
export interface PartyStateMember {
  name?: string;
  player: string;
  ready: boolean;
}

/** A part of PlayedMatches. */
export interface PlayedMatch {
  /** RFC 3339. */
  ended_at: string;
  game: string;
  /** How many are in the result. */
  players: number;
  /** Which made the match. */
  queue?: string;
  /** 1 is best; equal ranks are draws. */
  rank: number;
  /** What it did to one's rating, where it was rated. */
  rating?: RatingChange;
  /** Whether the room recorded a replay. */
  recorded: boolean;
  /** Where the replay can be fetched, if one may. */
  replay?: string;
  room: string;
  score: number;
  /** RFC 3339. */
  started_at: string;
  /** 0 where the game has no teams. */
  team: number;
}

/** What GET /v1/me/matches answers. */
export interface PlayedMatches {
  /** The newest first. */
  matches: PlayedMatch[];
  /** The cursor of the next page; absent on the last. */
  next?: string;
}

/** What GET /v1/players/{player} answers. */
export interface Player {
  /** A few words, without line breaks. */
  about?: string;
  /** The https address of a picture. Who shows it tells that server who looks: fetch it from hosts that you trust alone. */
  avatar?: string;
  /** Two letters (ISO 3166). */
  country?: string;
  /** As it stood in the player's token when he was last here. */
  name?: string;
  /** The player's id. */
  player: string;
  /** By the games' names. */
  ratings: GameRating[];
  /** What is on the player's mind now, without line breaks. */
  status?: string;
}

/** A part of Result. */
export interface PlayerPlacement {
  player: string;
  /** 1 is best; equal ranks are draws. */
  rank: number;
  score: number;
  seat: number;
  /** 0 where the game has no teams. */
  team: number;
}

/** What PUT /v1/me takes. */
export interface Profile {
  /** A few words, without line breaks. */
  about?: string;
  /** The https address of a picture. Who shows it tells that server who looks: fetch it from hosts that you trust alone. */
  avatar?: string;
  /** Two letters (ISO 3166). */
  country?: string;
  /** What is on the player's mind now, without line breaks. */
  status?: string;
  /** Who may see whether the player is online, in a queue or in a match. Default everyone. */
  watch?: "everyone" | "party" | "nobody";
}

/** What POST /v1/publish takes. */
export interface PublishBody {
  event?: PublishEvent;
  /** For a room, in the place of event: an input of its game, by the schema's names. The game's Feed hook gets it. */
  input?: unknown;
  /** For players: the event waits in their inboxes, for a week. Otherwise those alone hear it who are there now. */
  keep?: boolean;
  /** room:ID, player:ID, party:ID, group:ID, or all: everybody. */
  to: string;
}

/** A part of PublishBody. */
export interface PublishEvent {
  /** For players: anything in JSON, at most 3072 bytes. */
  body?: unknown;
  /** In a room: its fields, by the schema's names; those left out are zero. */
  fields?: unknown;
  /** For players: what it is about, for the client. */
  kind?: string;
  /** In a room: for this player alone. */
  player?: string;
  /** In a room: for this team alone. */
  team?: number;
  /** In a room: one of the game's events. */
  type?: string;
}

/** What POST /v1/publish answers. */
export interface Published {
  /** The order's. The same request with the same Idempotency-Key has the same. */
  id: string;
  /** done: in a room with a journal it is durable. waiting: it will be done when the room can; asked again with the same Idempotency-Key, it is told. */
  state: "done" | "waiting";
  /** How many players it was for; absent for a room, and for all, who are not counted. */
  to?: number;
}

/** A part of Queues. */
export interface Queue {
  /** How long players waited lately, by rating; empty where nobody was matched. */
  expected_wait: Waits[];
  game: string;
  matches_per_minute: number;
  name: string;
  players_waiting: number;
  /** Whether anybody may watch its matches. */
  watch: boolean;
}

/** What GET /v1/queues answers. */
export interface Queues {
  /** By name. */
  queues: Queue[];
}

/** A part of PlayedMatch. */
export interface RatingChange {
  after: number;
  /** In whole points, as the deviations are. */
  before: number;
  deviation_after: number;
  deviation_before: number;
}

/** What POST /v1/parties/{id}/ready takes. */
export interface Ready {
  /** Whether one is ready. */
  ready: boolean;
}

/** What PATCH /v1/replays/{id} takes. */
export interface ReplayControl {
  /** The session's, for one who did not open it and was given it. */
  key?: string;
  paused?: boolean;
  /** How many times as fast as it was played. */
  speed?: number;
  /** Go there. Beyond the recording it is its first or last tick, and the answer says that it is clamped. A newer one takes the place of one that is under way. */
  tick?: number;
}

/** A part of ReplaySession. */
export interface ReplayMark {
  /** To a player: joined, dropped, resumed, left. To the match: started. To the recording: missing (ticks before this one were not recorded), skipped (the rules had failed with its inputs). */
  kind: "joined" | "dropped" | "resumed" | "left" | "started" | "missing" | "skipped";
  name?: string;
  seat?: number;
  tick: number;
}

/** What POST /v1/replays answers. What POST /v1/replays/{id}/watch answers. */
export interface ReplaySession {
  /** Whose eyes it is seen with: public, everything, or seat:N. */
  as: string;
  /** The tick that was asked for is beyond the recording. */
  clamped?: boolean;
  /** Why it cannot be played further. */
  failed?: string;
  /** The first tick that can be shown. */
  from: number;
  game: string;
  /** Of the exact state, as the rules made it here. */
  hash: string;
  /** The tick that the hash is of. */
  hash_tick: number;
  /** The session. Whoever knows it may watch. */
  id: string;
  /** For who opened it: whoever is given it may control the session, too. */
  key?: string;
  /** What happened, the first 512 of it. */
  marks: ReplayMark[];
  /** The room that was recorded. */
  match: string;
  /** It stands still, as it does at its end. */
  paused: boolean;
  /** Whether the recording has the same hash there; absent where it has none. */
  proof?: "same" | "differs";
  /** Ticks a second at speed 1. */
  rate: number;
  /** The version of the game's rules, of the recording and here. */
  rules: string;
  /** It runs forward to the target. */
  seeking: boolean;
  speed: number;
  /** Where a seek is going; the tick where there is none. */
  target: number;
  /** The one that is shown. Frames on the socket say it as processed. */
  tick: number;
  /** The last one. */
  to: number;
  /** Good for sockets that are opened within 15 seconds. It watches and takes no seat. */
  token: string;
  /** The recording ends in the middle. */
  truncated?: boolean;
  /** Of the socket. */
  url: string;
  /** How many connections watch. */
  viewers: number;
  /** Whether one may control it. */
  yours: boolean;
}

/** What GET /v1/replays/{id} answers. What PATCH /v1/replays/{id} answers. */
export interface ReplayState {
  /** Whose eyes it is seen with: public, everything, or seat:N. */
  as: string;
  /** The tick that was asked for is beyond the recording. */
  clamped?: boolean;
  /** Why it cannot be played further. */
  failed?: string;
  /** The first tick that can be shown. */
  from: number;
  game: string;
  /** Of the exact state, as the rules made it here. */
  hash: string;
  /** The tick that the hash is of. */
  hash_tick: number;
  /** The session. Whoever knows it may watch. */
  id: string;
  /** The room that was recorded. */
  match: string;
  /** It stands still, as it does at its end. */
  paused: boolean;
  /** Whether the recording has the same hash there; absent where it has none. */
  proof?: "same" | "differs";
  /** Ticks a second at speed 1. */
  rate: number;
  /** The version of the game's rules, of the recording and here. */
  rules: string;
  /** It runs forward to the target. */
  seeking: boolean;
  speed: number;
  /** Where a seek is going; the tick where there is none. */
  target: number;
  /** The one that is shown. Frames on the socket say it as processed. */
  tick: number;
  /** The last one. */
  to: number;
  /** The recording ends in the middle. */
  truncated?: boolean;
  /** How many connections watch. */
  viewers: number;
  /** Whether one may control it. */
  yours: boolean;
}

/** What GET /v1/matches/{id} answers. */
export interface Result {
  /** RFC 3339. */
  ended_at: string;
  game: string;
  /** Best first. */
  placements: PlayerPlacement[];
  /** Which made the match. */
  queue?: string;
  room: string;
  /** The version of the game's rules. */
  rules: string;
  /** RFC 3339. */
  started_at: string;
  /** The last one. */
  tick: number;
}

/** What PATCH /v1/rooms/{id} takes. */
export interface RoomChange {
  /** Whether anybody may find it and join. */
  public?: boolean;
  /** Up to 8 tags, in the place of those that it has. */
  tags?: Record<string, string>;
  /** What others read of it. */
  title?: string;
}

/** A part of MadeRoom. A part of RoomList. */
export interface RoomInfo {
  /** By which anybody may join who knows it. Only who made the room sees it. */
  code?: string;
  /** RFC 3339. */
  created_at: string;
  /** How much later those who watch see it. */
  delay_ms?: number;
  /** Seats that anybody may have now. */
  free: number;
  game: string;
  id: string;
  /** Seats that are taken or kept for somebody who is on the way. */
  players: number;
  /** Anybody may find it and join. */
  public: boolean;
  /** The queue whose match it is, which anybody may watch: its tickets alone lead into it. */
  queue?: string;
  region?: string;
  seats: number;
  /** How long until those who watch are shown something, about. The delay begins anew where the match goes on at another server: what was still to be shown is not. */
  shown_in_ms?: number;
  tags?: Record<string, string>;
  title?: string;
  /** Whether one may watch it without a seat, where one may find it. */
  watch: boolean;
}

/** What GET /v1/rooms answers. */
export interface RoomList {
  /** The cursor of the next page; absent at the end. A page may be short, or empty, and not be the last. */
  next?: string;
  rooms: RoomInfo[];
}

/** What POST /v1/chat/{channel}/mute takes. */
export interface RoomMute {
  /** For how long, at most a day. */
  minutes: number;
  /** The player's id. */
  player: string;
  /** What the player is told: one line of plain text. The room's chat filter sees it, and may change or refuse it. */
  reason?: string;
}

/** A part of Explanation. */
export interface RuleEffect {
  /** How many of these no other rule keeps away. */
  alone: number;
  /** How many players the rule keeps away by itself. */
  removes: number;
  rule: string;
  text: string;
  /** When its bound moves next. RFC 3339. */
  widens_at?: string;
}

/** What DELETE /v1/tickets/{id} answers. What GET /v1/tickets/{id} answers. */
export interface Ticket {
  /** The match that its players are asked to confirm. */
  confirm?: Confirm;
  /** Since when it waits. A ticket that comes back to the queue keeps it. RFC 3339. */
  created_at: string;
  id: string;
  /** Where to play, once it is matched. */
  match?: MatchSeat;
  /** Whom it is for: one player, or a party. */
  players: string[];
  queue: string;
  /** Why it waits, or why it ended. */
  reason?: string;
  state: "waiting" | "confirming" | "matched" | "cancelled" | "expired";
}

/** What POST /v1/tickets/{id}/confirm takes. */
export interface TicketConfirmation {
  /** Whether you play. Who does not is out, and may not queue again for a while. */
  accept: boolean;
}

/** A part of Explanation. A part of Queue. */
export interface Waits {
  /** Half of them waited no longer. */
  p50_seconds: number;
  /** Nine of ten waited no longer. */
  p90_seconds: number;
  rating_from: number;
  rating_to: number;
  /** How many tickets this is worked out from. */
  tickets: number;
}
