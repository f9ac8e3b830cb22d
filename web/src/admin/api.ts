// What operators ask of the lobby, by REST: /docs lists it under Operators.

import type { Lobby } from "@muster/client";
import type { RoomState } from "./tree.ts";

/** A room as operators see it. */
export interface AdminRoom {
  id: string;
  game: string;
  rules: string;
  node: string;
  queue?: string;
  title?: string;
  region?: string;
  public: boolean;
  code?: string;
  owner?: string;
  created_at: string;
  seats: number;
  free: number;
  players: number;
  open: boolean;
  ended?: string;
}

/** A room and who is in it. */
export interface AdminRoomDetail extends AdminRoom {
  seated: string[];
  coming: string[];
}

export interface AdminRooms {
  rooms: AdminRoom[];
  next?: string;
}

/** What became of an order to a room. */
export interface Ordered {
  id: string;
  state: string;
}

/** The requests of one operator. Each act has a key: made again with it, it does nothing more. */
export class Admin {
  readonly #lobby: Lobby;

  constructor(lobby: Lobby) {
    this.#lobby = lobby;
  }

  /** Asks for something that only operators may have; rejects where this is none. */
  async check(): Promise<void> {
    await this.#call("GET /v1/admin/nodes", {});
  }

  async drain(node: string, on: boolean): Promise<void> {
    await this.#call(`${on ? "POST" : "DELETE"} /v1/admin/nodes/{id}/drain`, { id: node });
  }

  /** A page of all rooms; "" is no bound. */
  rooms(game: string, node: string, cursor: string): Promise<AdminRooms> {
    return this.#call("GET /v1/admin/rooms", { game: game || undefined, node: node || undefined, cursor: cursor || undefined, limit: 20 });
  }

  room(id: string): Promise<AdminRoomDetail> {
    return this.#call("GET /v1/admin/rooms/{id}", { id });
  }

  state(id: string): Promise<RoomState> {
    return this.#call("GET /v1/admin/rooms/{id}/state", { id });
  }

  end(id: string, reason: string, key: string): Promise<Ordered> {
    return this.#call("POST /v1/admin/rooms/{id}/end", { id, reason }, key);
  }

  kick(id: string, player: string, reason: string, key: string): Promise<Ordered> {
    return this.#call("POST /v1/admin/rooms/{id}/kick", { id, player, reason }, key);
  }

  /** Returns how many players are told. */
  async announce(id: string, title: string, body: string, key: string): Promise<number> {
    const args = { id, title, ...(body && { body }) };
    return (await this.#call<{ to: number }>("POST /v1/admin/rooms/{id}/announce", args, key)).to;
  }

  async announceToAll(title: string, body: string, key: string): Promise<void> {
    await this.#call("POST /v1/notifications", { to: "all", kind: "announcement", title, ...(body && { body }) }, key);
  }

  #call<T>(route: string, args: object, key?: string): Promise<T> {
    return this.#lobby.request(route as never, args as never, key ? { key } : {}) as Promise<T>;
  }
}
