// What each close code says, for people and for tools: programs need no more than codes.ts has. The Go package proto is
// where they are decided; a test compares this table with its golden file.

import { codeName } from "./codes.js";

/** One row of the table of close codes. */
export interface CodeInfo {
  readonly code: number;
  readonly name: string;
  readonly meaning: string;
}

/** The close codes that have a name, in their order. */
export const Codes: readonly CodeInfo[] = ([
  [1000, "the match is over, or the player left"],
  [1002, "the client broke the protocol: unknown kind, wrong order, bad framing"],
  [1003, "a text message; Muster speaks binary"],
  [1007, "a message that is not the MessagePack that its kind asks for"],
  [1008, "a well-formed message that claims what cannot be"],
  [1009, "a message above the size limit"],
  [1011, "the server failed; the text stays in its log"],
  [4001, "the match is on another node; the bye says where"],
  [4002, "this node is shutting down"],
  [4003, "the client reads more slowly than the match needs"],
  [4004, "nothing was heard from the client for too long"],
  [4005, "the node has no room for this socket now"],
  [4201, "the match does not exist, or exists no longer"],
  [4202, "no seat is free"],
  [4203, "the seat was not taken, or not taken back, in time"],
  [4204, "the game's rules failed"],
  [4205, "the player's token expired and was not refreshed"],
  [4401, "the token is not acceptable"],
  [4403, "the token was used already, or is for another match or seat"],
  [4406, "the same player opened a newer socket"],
  [4410, "the player was removed from the match"],
  [4426, "client and server speak different versions"],
  [4429, "far too many messages"],
] as const).map(([code, meaning]) => ({ code, name: codeName(code), meaning }));
