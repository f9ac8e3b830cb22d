import type { CallOptions, CreateOptions, Lobby } from "./lobby.js";
import type { Routes } from "./lobby_routes.js";
import type { MadeRoom, MatchSeat, NewRoom, RoomChange } from "./lobby_types.js";
import { MalformedError } from "./reader.js";

/** A property of a reply that must be a text. */
export function text(reply: object, name: string): string {
  const value = (reply as Record<string, unknown>)[name];
  if (typeof value !== "string") throw new MalformedError(`the lobby's reply has no ${name}`);
  return value;
}

/** A seat with nothing else in it. */
export function seatOf(reply: MatchSeat): MatchSeat {
  return { room: text(reply ?? {}, "room"), url: text(reply, "url"), token: text(reply, "token") };
}

/** Rooms that players make, find and join by themselves. */
export function rooms(lobby: Lobby) {
  return {
    /** A page of public rooms, the newest first. The next one has its `next` as cursor; the last one has none. */
    list: (filter: Routes["GET /v1/rooms"]["args"] = {}, o?: CallOptions) => lobby.request("GET /v1/rooms", filter, o),
    /** Makes a room: match is its maker's seat. */
    create: async (room: NewRoom, o?: CreateOptions): Promise<MadeRoom> => {
      const made = await lobby.request("POST /v1/rooms", room, o);
      seatOf(made.match);
      return made;
    },
    /** A public room, or one's own. */
    get: (id: string, o?: CallOptions) => lobby.request("GET /v1/rooms/{id}", { id }, o),
    /** A seat in a public room. */
    join: (id: string, o?: CallOptions) => lobby.request("POST /v1/rooms/{id}/join", { id }, o).then(seatOf),
    /** A seat by the code of six letters that the room's maker has. */
    joinCode: (code: string, o?: CallOptions) => lobby.request("POST /v1/codes/{code}/join", { code }, o).then(seatOf),
    /** A seat in a room that has a name, for games whose rooms are kept. */
    joinNamed: (game: string, name: string, o?: CallOptions) =>
      lobby.request("POST /v1/games/{game}/rooms/{name}/join", { game, name }, o).then(seatOf),
    /** A token to watch a public room. */
    spectate: (id: string, o?: CallOptions) => lobby.request("POST /v1/rooms/{id}/spectate", { id }, o).then(seatOf),
    /** Changes a room that one made. */
    change: (id: string, change: RoomChange, o?: CallOptions) => lobby.request("PATCH /v1/rooms/{id}", { ...change, id }, o),
    /** Closes a room that one made. */
    close: (id: string, o?: CallOptions) => lobby.request("DELETE /v1/rooms/{id}", { id }, o),
  };
}

type Action = keyof Routes extends infer R ? R extends `POST /v1/parties/{id}/${infer A}` ? A : never : never;
type Done<A extends Action> = Promise<Routes[`POST /v1/parties/{id}/${A}`]["reply"]>;

/** The party of a player, who is in one at most. */
export function parties(lobby: Lobby) {
  const get = (o?: CallOptions) => lobby.request("GET /v1/me/party", {}, o);
  const act = async <A extends Action>(action: A, args: object, o?: CallOptions): Done<A> => {
    const id = text(await get(o), "id");
    return lobby.request(`POST /v1/parties/{id}/${action}`, { ...args, id } as never, o);
  };
  return {
    /** Forms one of at most max members, 8 where it is not said, and leads it. */
    create: (max?: number, o?: CreateOptions) =>
      lobby.request("POST /v1/parties", { max } as object, o),
    /** The party that the player is in; an APIError with status 404 where there is none. */
    get,
    /** Joins by a code that a member has. */
    join: (code: string, o?: CallOptions) => lobby.request("POST /v1/parties/join", { code }, o),
    /** Joins by the id of an invitation. */
    accept: (id: string, o?: CallOptions) => lobby.request("POST /v1/parties/{id}/join", { id }, o),
    /** Invites a player, who hears of it in his inbox. */
    invite: (player: string, o?: CallOptions) => act("invite", { player }, o),
    /** Says whether the player is ready. */
    ready: (ready = true, o?: CallOptions) => act("ready", { ready }, o),
    /** Makes another member the leader; for the leader, as kick and renewCode are. */
    promote: (player: string, o?: CallOptions) => act("promote", { player }, o),
    /** Removes a member, which changes the code. */
    kick: (player: string, o?: CallOptions) => act("kick", { player }, o),
    /** Gives the party another code. */
    renewCode: (o?: CallOptions) => act("code", {}, o),
    /** Leaves the party. */
    leave: (o?: CallOptions) => act("leave", {}, o),
  };
}
