// The types of the game "arena", rules version "3". Printed by: muster types --game arena

export interface Ship {
  /** 0 to 4000 in steps of 0.05. */
  X: number;
  /** 0 to 4000 in steps of 0.05. */
  Y: number;
  /** Radians from 0 to 2π, in 256 steps. */
  Angle: number;
  /** -256 to 256 in steps of 0.25; for the row's owner only. */
  VX?: number;
  /** -256 to 256 in steps of 0.25; for the row's owner only. */
  VY?: number;
  /** A seat, 0 for none. */
  Owner: number;
  /** At most 24 bytes of UTF-8. */
  Name: string;
  /** 0 to 255. */
  HP: number;
  /** 0 to 65535. */
  Score: number;
  /** 0 to 65535. */
  Deaths: number;
  Thrust: boolean;
  Shield: boolean;
  Away: boolean;
  Spawn: number;
  /** 0 to 100 in steps of 1; for the row's owner only. */
  Heat?: number;
  /** For the row's owner only. */
  Jammed?: boolean;
}

export interface Bullet {
  /** 0 to 4000 in steps of 0.05. */
  X: number;
  /** 0 to 4000 in steps of 0.05. */
  Y: number;
  /** A seat, 0 for none. */
  Owner: number;
}

export interface Round {
  Phase: "Waiting" | "Playing" | "Podium";
  Ends: number;
  /** A seat, 0 for none. */
  Winner: number;
}

export interface Field {
  /** 0 to 65535. */
  Size: number;
}

export interface Blip {
  /** 0 to 4000 in steps of 40. */
  X: number;
  /** 0 to 4000 in steps of 40. */
  Y: number;
  Bot: boolean;
}

export interface Leader {
  /** A seat, 0 for none. */
  Seat: number;
  /** At most 24 bytes of UTF-8. */
  Name: string;
  /** 0 to 65535. */
  Score: number;
}

/** The state, table by table. */
export interface State {
  /** At most 256 rows. */
  Ships: Ship;
  /** At most 1024 rows. */
  Bullets: Bullet;
  /** A single row. */
  Round: Round;
  /** A single row. */
  Field: Field;
  /** At most 256 rows. */
  Blips: Blip;
  /** At most 10 rows. */
  Leaders: Leader;
}

/** What a player sends. */
export interface Input {
  /** -128 to 127. */
  Turn: number;
  /** -128 to 127. */
  Thrust: number;
  Fire: boolean;
}

export interface HitEvent {
  /** A seat, 0 for none. */
  Victim: number;
  /** A seat, 0 for none. */
  By: number;
}

export interface KillEvent {
  /** A seat, 0 for none. */
  Victim: number;
  /** A seat, 0 for none. */
  By: number;
}

export interface SpawnedEvent {
  /** A seat, 0 for none. */
  Seat: number;
}

/** The events, by their names. */
export interface Events {
  Hit: HitEvent;
  Kill: KillEvent;
  Spawned: SpawnedEvent;
}
