// The types of the game "dashboard", rules version "1". Printed by: muster types --game dashboard

export interface Status {
  At: number;
  Stale: boolean;
  /** At most 120 bytes of UTF-8. */
  Trouble: string;
}

export interface Totals {
  Nodes: number;
  Left: number;
  Rooms: number;
  Asleep: number;
  Players: number;
  Watching: number;
  Sockets: number;
  Waiting: number;
  Ticks: bigint;
  TickRate: number;
  P50: number;
  P99: number;
  /** 0 to 65535. */
  Busiest: number;
  Out: bigint;
  OutRate: bigint;
}

export interface Node {
  /** At most 64 bytes of UTF-8. */
  ID: string;
  /** At most 31 bytes of UTF-8. */
  Role: string;
  /** At most 31 bytes of UTF-8. */
  Region: string;
  /** At most 80 bytes of UTF-8. */
  Closed: string;
  Alive: boolean;
  Draining: boolean;
  Rooms: number;
  Asleep: number;
  Players: number;
  Watching: number;
  Sockets: number;
  /** 0 to 65535. */
  Busy: number;
  /** 0 to 65535. */
  Late: number;
  Ticks: bigint;
  TickRate: number;
  P50: number;
  P99: number;
  Out: bigint;
  OutRate: bigint;
  Heap: number;
  Limit: number;
}

export interface InGame {
  /** At most 31 bytes of UTF-8. */
  Game: string;
  Rooms: number;
  Players: number;
  Watching: number;
}

export interface Queue {
  /** At most 31 bytes of UTF-8. */
  Name: string;
  /** At most 31 bytes of UTF-8. */
  Game: string;
  Waiting: number;
  P50: number;
  PerMinute: number;
}

export interface Point {
  At: number;
  Rooms: number;
  Players: number;
  Sockets: number;
  Waiting: number;
  TickRate: number;
  P50: number;
  P99: number;
  /** 0 to 65535. */
  Busiest: number;
  OutRate: bigint;
}

/** The state, table by table. */
export interface State {
  /** A single row. */
  Status: Status;
  /** A single row. */
  Totals: Totals;
  /** At most 128 rows. */
  Nodes: Node;
  /** At most 64 rows. */
  Games: InGame;
  /** At most 64 rows. */
  Queues: Queue;
  /** At most 300 rows. */
  History: Point;
}

/** What a player sends. */
export interface Input {
}

/** The events, by their names. */
export interface Events {
}
