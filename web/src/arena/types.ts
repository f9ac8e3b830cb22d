// The types of the game "arena", rules version "2". Printed by: muster types --game arena

export interface Ship {
  /** 0 to 1000 in steps of 0.05. */
  X: number;
  /** 0 to 1000 in steps of 0.05. */
  Y: number;
  /** Radians from 0 to 2π, in 256 steps. */
  Angle: number;
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
  /** 0 to 1000 in steps of 0.05. */
  X: number;
  /** 0 to 1000 in steps of 0.05. */
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

/** The state, table by table. */
export interface State {
  /** At most 256 rows. */
  Ships: Ship;
  /** At most 1024 rows. */
  Bullets: Bullet;
  /** A single row. */
  Round: Round;
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
