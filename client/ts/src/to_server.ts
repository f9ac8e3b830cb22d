import { TO_INPUT, TO_LEAVE, TO_PING, TO_REFRESH, TO_RESYNC } from "./protocol.js";
import type { Writer } from "./writer.js";

/** One input of a packet. */
export interface PacketInput {
  /** Counts the inputs of a seat from 1. */
  seq: number;
  /** The tick that the input is for. */
  tick: number;
  /** The tick that its player looked at, and the fraction of the way to the next one, in 1/256. */
  view: number;
  frac: number;
  /** The game's input as writeInput writes it. */
  body: Uint8Array;
}

/**
 * Writes an input packet: what was received (the tick of the last frame, the newest event), and the inputs that the
 * server may not have, the newest first, their sequences falling by one; there may be none.
 */
export function writePacket(w: Writer, epoch: bigint, last: number, event: number, inputs: readonly PacketInput[]): void {
  w.array(6);
  w.uint(TO_INPUT);
  w.uint(epoch);
  w.uint(last);
  w.uint(event);
  w.uint(inputs[0]?.seq ?? 0);
  w.array(inputs.length);
  for (const input of inputs) {
    w.array(4);
    w.uint(input.tick);
    w.uint(input.view);
    w.uint(input.frac);
    w.raw(input.body);
  }
}

/** Writes a ping. The stamp is the client's own clock; it comes back unchanged. */
export function writePing(w: Writer, stamp: number | bigint): void {
  w.array(2);
  w.uint(TO_PING);
  w.uint(stamp);
}

/** Writes a request for a keyframe of one scope. */
export function writeResync(w: Writer, scope: number): void {
  w.array(2);
  w.uint(TO_RESYNC);
  w.uint(scope);
}

/** Writes a newer token of the player. */
export function writeRefresh(w: Writer, token: string): void {
  w.array(2);
  w.uint(TO_REFRESH);
  w.str(token);
}

/** Writes that the seat is given up for good. */
export function writeLeave(w: Writer): void {
  w.array(1);
  w.uint(TO_LEAVE);
}
