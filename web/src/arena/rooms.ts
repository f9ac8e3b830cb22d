// Rooms that a player makes, and those that others have made: what the page asks of the lobby about them.

import { APIError, type Lobby, type MatchSeat } from "@muster/client";

/** A seat, and the code by which others come into the same room, where there is one. */
export interface Seated {
  seat: MatchSeat;
  code: string;
}

/** The calls; a stand-in for them in tests. */
export interface Rooms {
  create(lobby: Lobby, room: { game: string; config: object }, signal: AbortSignal): Promise<Seated>;
  joinCode(lobby: Lobby, code: string, signal: AbortSignal): Promise<Seated>;
}

async function post<T>(lobby: Lobby, path: string, body: object | undefined, signal: AbortSignal): Promise<T> {
  const response = await fetch(path, {
    method: "POST", redirect: "error", signal,
    headers: { Accept: "application/json", "Content-Type": "application/json", Authorization: `Bearer ${lobby.token}` },
    ...(body && { body: JSON.stringify(body) }),
  });
  const reply: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw new APIError(response.status, reply, response.headers.get("Retry-After"));
  return reply as T;
}

export const rooms: Rooms = {
  async create(lobby, room, signal) {
    const made = await post<{ match: MatchSeat; room: { code?: string } }>(lobby, "/v1/rooms", room, signal);
    return { seat: made.match, code: made.room.code ?? "" };
  },
  async joinCode(lobby, code, signal) {
    return { seat: await post<MatchSeat>(lobby, `/v1/codes/${encodeURIComponent(code)}/join`, undefined, signal), code };
  },
};
