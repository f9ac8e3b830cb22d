// What operators ask of the lobby, by REST: /docs lists it under Operators.

import type { AdminRoomDetail, AdminRooms, AdminRoomState, Lobby, Ordered } from "@muster/client";

/** The requests of one operator. Each act has a key: made again with it, it does nothing more. */
export class Admin {
  readonly #lobby: Lobby;

  constructor(lobby: Lobby) {
    this.#lobby = lobby;
  }

  /** Asks for something that only operators may have; rejects where this is none. */
  async check(): Promise<void> {
    await this.#lobby.request("GET /v1/admin/nodes", {});
  }

  async drain(node: string, on: boolean): Promise<void> {
    await this.#lobby.request(`${on ? "POST" : "DELETE"} /v1/admin/nodes/{id}/drain`, { id: node });
  }

  /** A page of all rooms; "" is no bound. */
  rooms(game: string, node: string, cursor: string): Promise<AdminRooms> {
    return this.#lobby.request("GET /v1/admin/rooms", { game: game || undefined, node: node || undefined, cursor: cursor || undefined, limit: 20 });
  }

  room(id: string): Promise<AdminRoomDetail> {
    return this.#lobby.request("GET /v1/admin/rooms/{id}", { id });
  }

  state(id: string): Promise<AdminRoomState> {
    return this.#lobby.request("GET /v1/admin/rooms/{id}/state", { id });
  }

  end(id: string, reason: string, key: string): Promise<Ordered> {
    return this.#lobby.request("POST /v1/admin/rooms/{id}/end", { id, reason }, { key });
  }

  kick(id: string, player: string, reason: string, key: string): Promise<Ordered> {
    return this.#lobby.request("POST /v1/admin/rooms/{id}/kick", { id, player, reason }, { key });
  }

  /** Returns how many players are told. */
  async announce(id: string, title: string, body: string, key: string): Promise<number> {
    const args = { id, title, ...(body && { body }) };
    return (await this.#lobby.request("POST /v1/admin/rooms/{id}/announce", args, { key })).to;
  }

  async announceToAll(title: string, body: string, key: string): Promise<void> {
    await this.#lobby.request("POST /v1/notifications", { to: "all", kind: "announcement", title, ...(body && { body }) }, { key });
  }
}
