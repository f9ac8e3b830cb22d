import { CODE_LOST } from "./codes.js";
import { BEARER_PREFIX, MAX_SERVER_MESSAGE, SUBPROTOCOL } from "./protocol.js";

/** Opens a WebSocket. */
export type SocketFactory = (url: string, protocols: string[]) => WebSocket;

export const systemSocket: SocketFactory = (url, protocols) => new WebSocket(url, protocols);

/** Above this many bytes that wait in the socket nothing is added: commands are repeated anyway. */
const MOST_BUFFERED = 64 << 10;

const OPEN = 1; // WebSocket.OPEN, where there may be no global of that name

/** Called by a socket: message for each whole message, then ended once with a close code. */
export interface SocketListener {
  message(bytes: Uint8Array): void;
  ended(code: number, reason: string): void;
}

/** One WebSocket that speaks Muster. The token goes as a subprotocol, since a browser cannot set headers. */
export class Socket {
  readonly #ws: WebSocket;
  #listener: SocketListener | undefined;

  /** Throws what the factory throws, for an address that is none. */
  constructor(factory: SocketFactory, url: string, token: string, listener: SocketListener) {
    this.#listener = listener;
    const ws = factory(url, [SUBPROTOCOL, BEARER_PREFIX + token]);
    this.#ws = ws;
    ws.binaryType = "arraybuffer";
    let opened = false;
    ws.onopen = () => {
      opened = true;
      if (ws.protocol === SUBPROTOCOL) return;
      this.#end(4426);
    };
    ws.onmessage = ({ data }) => {
      if (!(data instanceof ArrayBuffer)) this.#end(1003);
      else if (data.byteLength > MAX_SERVER_MESSAGE) this.#end(1009);
      else this.#listener?.message(new Uint8Array(data));
    };
    ws.onclose = (event) => this.#end(event.code || CODE_LOST, event.reason);
    ws.onerror = () => {
      // After an error of an open socket its close says more. Before that, not every platform sends one.
      if (!opened) this.#end(CODE_LOST);
    };
  }

  /** How many bytes wait in the socket. */
  get buffered(): number {
    return this.#ws.bufferedAmount;
  }

  /** Sends a message if the socket takes one now, and says whether. */
  send(bytes: Uint8Array<ArrayBuffer>): boolean {
    if (!this.#listener || this.#ws.readyState !== OPEN || this.#ws.bufferedAmount > MOST_BUFFERED) return false;
    this.#ws.send(bytes);
    return true;
  }

  /** Closes the socket; the listener hears nothing more. */
  close(): void {
    if (!this.#listener) return; // the platform may report the close from within it
    this.#listener = undefined;
    this.#ws.close();
  }

  #end(code: number, reason = ""): void {
    const listener = this.#listener;
    this.close();
    listener?.ended(code, reason);
  }
}

/** How many bytes a message of n bytes takes with its WebSocket framing; what a client sends is masked. */
export function framed(n: number, masked: boolean): number {
  return n + (n < 126 ? 2 : n < 1 << 16 ? 4 : 10) + (masked ? 4 : 0);
}
