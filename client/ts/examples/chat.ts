// A room's chat beside any game, with nothing but the SDK: what docs/uses/CHAT.md builds. It is compiled, and no program to run.
import { APIError, type ChatEvent, type Live, type Lobby } from "@muster/client";

/** Shows what is written in a room, and sends what is typed. Returns what ends it. */
export async function roomChat(lobby: Lobby, room: string, log: HTMLElement, form: HTMLFormElement): Promise<() => void> {
  const live = await lobby.live();
  const channel = `room:${room}` as const;
  const seen = new Set<string>();
  const show = (m: ChatEvent) => {
    if (m.channel !== channel || seen.has(m.id)) return; // it was in the history, too
    seen.add(m.id);
    const line = document.createElement("p");
    line.textContent = `${m.name ?? m.from}: ${m.text}`; // plain text: never innerHTML
    log.append(line);
  };
  const undo = live.on("chat", show);
  const { messages } = await live.chat.history(channel); // the newest first
  messages.reverse().forEach(show);
  const field = form.querySelector("input")!;
  const typed = () => field.setCustomValidity(""); // or a form with a refused message could not be sent again
  const send = (e: Event) => {
    e.preventDefault();
    void say(live, channel, field.value).then((why) => {
      if (why) field.setCustomValidity(why), form.reportValidity();
      else field.value = "";
    });
  };
  field.addEventListener("input", typed);
  form.addEventListener("submit", send);
  return () => {
    undo();
    field.removeEventListener("input", typed);
    form.removeEventListener("submit", send);
    live.close();
  };
}

/** Writes a message, and returns why it was refused, or "". The key is the message's: sent again, it is written once. */
async function say(live: Live, channel: `room:${string}`, text: string, key: string = crypto.randomUUID()): Promise<string> {
  for (;;) {
    try {
      await live.chat.send(channel, text, key);
      return "";
    } catch (error) {
      if (live.state === "closed") return "you are signed out";
      if (error instanceof RangeError) return error.message; // longer, or more at once, than a socket takes
      const refusal = error instanceof APIError ? error : undefined; // else the socket was lost, and comes back by itself
      if (refusal && !refusal.temporary) return refusal.errors[0]?.message ?? refusal.detail; // 403: muted until …; 422: no such text
      await new Promise((done) => setTimeout(done, refusal?.retryAfterMs || 1000)); // 429: too much at once
    }
  }
}

/** No longer reads what a player writes; he is not told. */
export function mute(lobby: Lobby, player: string): Promise<void> {
  return lobby.request("PUT /v1/me/mutes/{player}", { player });
}

/** As who made the room: has a player be silent for ten minutes. He is told why. */
export async function silence(lobby: Lobby, room: string, player: string): Promise<Date> {
  const { until } = await lobby.request("POST /v1/chat/{channel}/mute", {
    channel: `room:${room}`, player, minutes: 10, reason: "Let others talk, too.",
  });
  return new Date(until);
}
