// The party, and the way into a match.

import type { Party, Queue } from "@muster/client";
import { copy } from "../shared/copy.ts";
import { byId, make, setText, show } from "../shared/dom.ts";
import { PlaceKeeper } from "../shared/place.ts";
import { refusal } from "../shared/talk.ts";
import { pageOf, placeOf } from "./goto.ts";
import { button, initial, presence, redraw } from "./render.ts";
import type { Session } from "./session.ts";
import { hrefOf } from "./side.ts";
import { allReady, elapsed, endedText, stateText, usual, whyWaiting } from "./words.ts";

const partyStatus = byId("party-status", HTMLElement);
const queueStatus = byId("queue-status", HTMLElement);
const code = byId("party-code", HTMLInputElement);
const inviteWho = byId("party-invite-who", HTMLInputElement);
const members = byId("party-members", HTMLElement);
const ticketBox = byId("ticket", HTMLElement);

export class PlayView {
  readonly #s: Session;

  constructor(s: Session) {
    this.#s = s;
    const { parties } = s.lobby;
    byId("party-create", HTMLButtonElement).addEventListener("click", () => this.#party(() => parties.create(undefined, { key: crypto.randomUUID() }), "Give others the code, or invite them."));
    byId("party-join", HTMLFormElement).addEventListener("submit", (e) => {
      e.preventDefault();
      const text = code.value.toUpperCase().replace(/[^A-Z0-9]/g, "");
      if (!text) return code.focus();
      this.#party(() => parties.join(text), "You are in.");
      code.value = "";
    });
    byId("party-invite", HTMLFormElement).addEventListener("submit", (e) => {
      e.preventDefault();
      const who = s.who(inviteWho.value);
      if (!who) return inviteWho.focus();
      this.#say(parties.invite(who), `${s.nameOf(who)} is invited.`);
      inviteWho.value = "";
    });
    byId("party-copy", HTMLButtonElement).addEventListener("click", (e) => void copy(s.party?.code ?? "", e.currentTarget as HTMLElement));
  }

  draw(): void {
    this.#drawParty(this.#s.party);
    this.#drawQueues();
    this.#drawTicket();
  }

  #drawParty(p: Party | undefined): void {
    const s = this.#s;
    show(byId("party-none", HTMLElement), !p);
    show(byId("party-some", HTMLElement), p !== undefined);
    if (!p) return;
    setText(byId("party-code-text", HTMLElement), p.code ? `${p.code.slice(0, 3)} ${p.code.slice(3)}` : "…");
    const leads = p.leader === s.me.id;
    const list = p.members.map((m) => ({ ...m, state: s.state(m.player) ?? "offline", leads, leader: m.player === p.leader }));
    redraw(members, list, () => list.map((m) => {
      const me = m.player === s.me.id;
      const name = make("b", "title", me ? `${m.name} (you)` : m.name);
      const row = make("li", `member${m.ready ? " ready" : ""}`, initial(m.name), make("span", "words", name,
        make("span", "state-line", presence(m.state, stateText(m.state)), make("span", m.ready ? "yes" : "no", m.ready ? "ready" : "not ready"))));
      if (m.leader) name.append(make("span", "badge", "leader"));
      if (m.leads && !me) {
        row.append(make("span", "actions",
          button("Make leader", `lead ${m.player}`, () => this.#party(() => s.lobby.parties.promote(m.player), `${m.name} leads now.`), "plain small", `Make leader: ${m.name}`),
          button("Remove", `kick ${m.player}`, () => this.#say(s.lobby.parties.kick(m.player), `${m.name} is out.`), "plain small", `Remove ${m.name}`)));
      }
      return row;
    }));
    const ready = p.members.find((m) => m.player === s.me.id)?.ready ?? false;
    redraw(byId("party-actions", HTMLElement), [ready, p.id], () => {
      const talk = make("a", "plain small link", "Chat");
      talk.href = hrefOf(`party:${p.id}`);
      talk.dataset["id"] = "chat";
      const toggle = button(ready ? "Not ready" : "I am ready", "ready", () => this.#party(() => s.lobby.parties.ready(!ready), ""), ready ? "plain small" : "primary small");
      return [toggle, talk, button("Leave", "leave", () => {
        this.#say(s.lobby.parties.leave().then(() => s.setParty(undefined)), "You have left the party.");
      })];
    });
  }

  #drawQueues(): void {
    const s = this.#s;
    const { queues, waiting } = s.play;
    show(byId("queues", HTMLElement), !waiting && s.play.ticket?.state !== "matched");
    byId("queue-card", HTMLElement).classList.toggle("asked", s.play.ticket !== undefined);
    const p = s.party;
    const together = (p?.members.length ?? 0) > 1;
    const leads = !together || p?.leader === s.me.id;
    redraw(byId("queues", HTMLElement), [queues, together, leads], () => queues.map((q) => {
      const wait = q.expected_wait[0];
      const about = [q.players_waiting === 0 ? "nobody waits" : q.players_waiting === 1 ? "1 waits" : `${q.players_waiting} wait`, wait && `usually ${usual(wait.p50_seconds)}`].filter(Boolean).join(", ");
      const join = button(together ? "Join as party" : "Join", `queue ${q.name}`, () => this.#join(q.name), "primary small", `${together ? "Join as party" : "Join"}: ${q.name}`);
      join.disabled = !leads;
      return make("li", "queue", make("span", "words", make("b", "title", q.name), make("span", "state", q.game === q.name ? about : `${q.game} · ${about}`)), join);
    }));
    const free = !waiting && s.play.ticket?.state !== "matched";
    if (together && !leads && free) setText(queueStatus, "Your party's leader chooses the queue.");
    else if (together && p && !allReady(p) && free && leads) setText(queueStatus, "Not all of the party are ready.");
    else if (/leader chooses|Not all/.test(queueStatus.textContent ?? "")) setText(queueStatus, "");
  }

  #drawTicket(): void {
    const { play } = this.#s;
    const t = play.ticket;
    show(ticketBox, t !== undefined);
    if (!t) return redraw(ticketBox, undefined, () => []);
    const x = play.explanation;
    const seconds = Math.floor((Date.now() - Date.parse(t.created_at)) / 1000);
    const left = t.confirm ? Math.max(0, Math.ceil((Date.parse(t.confirm.until) - Date.now()) / 1000)) : 0;
    redraw(ticketBox, [t, x], () => this.#ticket());
    const clock = ticketBox.querySelector<HTMLElement>(".clock");
    if (clock) setText(clock, t.state === "confirming" ? `${left} s left` : elapsed(seconds * 1000));
  }

  #ticket(): HTMLElement[] {
    const { play } = this.#s;
    const t = play.ticket!;
    const who = t.players.length > 1 ? ` with ${t.players.length - 1} ${t.players.length > 2 ? "others" : "other"}` : "";
    const clock = make("span", "clock");
    clock.setAttribute("aria-hidden", "true");
    switch (t.state) {
      case "waiting": {
        const why = play.explanation && whyWaiting(play.explanation);
        const box = make("div", "why-box", make("h3", "", "Why am I waiting?"), make("p", "", why?.text ?? "Asking the lobby …"));
        if (why?.rules.length) box.append(make("ul", "rules", ...why.rules.map((r) => make("li", "", r))));
        if (why?.usual) box.append(make("p", "soft", why.usual));
        if (play.explanation && play.explanation.needed > 0) {
          const there = Math.min(play.explanation.needed, play.explanation.fitting + t.players.length);
          const bar = make("progress");
          bar.max = play.explanation.needed;
          bar.value = there;
          bar.setAttribute("aria-label", "Players found");
          box.append(make("p", "found", bar, ` ${there} of ${play.explanation.needed} players`));
        }
        return [
          make("p", "progress-line", make("b", "", `Waiting in ${t.queue}${who}`), clock), box,
          button("Stop waiting", "cancel", () => this.#do(() => play.cancel())),
        ];
      }
      case "confirming": {
        const c = t.confirm;
        const lines = [make("p", "progress-line", make("b", "", "A match was found"), clock)];
        if (!c) return lines;
        lines.push(make("p", "soft", `${c.accepted} of ${c.players} have said yes.`));
        if (c.mine) lines.push(make("p", "", "You are ready. The others are asked."));
        else {
          lines.push(make("p", "actions",
            button("Accept", "accept", () => this.#do(() => play.confirm(true)), "primary"),
            button("Decline", "decline", () => this.#do(() => play.confirm(false)), "plain")));
        }
        return lines;
      }
      case "matched":
        return [
          make("p", "progress-line", make("b", "", "Your match is ready"), make("span", "soft", t.queue)),
          make("p", "actions", button("Play", "play", () => this.#toGame(), "primary"), button("Not now", "forget", () => play.forget())),
        ];
      default:
        return [make("p", "", endedText(t)), button("All right", "forget", () => play.forget())];
    }
  }

  #join(queue: string): void {
    setText(queueStatus, "");
    this.#do(() => this.#s.play.join(queue));
  }

  /** Goes to the game's page, with what it needs to take the seat that waits there. */
  #toGame(): void {
    const s = this.#s;
    const t = s.play.ticket;
    if (!t?.match) return;
    const queue = s.play.queues.find((q: Queue) => q.name === t.queue);
    const game = queue?.game ?? t.queue;
    const to = pageOf(game);
    if (to) new PlaceKeeper<{ kind: string }>(to.page).set(placeOf({ name: s.me.name, token: s.lobby.token }, { id: t.id, room: t.match.room }, to.way));
    location.assign(`/${to?.page ?? encodeURIComponent(game)}`);
  }

  /** Does something of which the party comes as it is then. */
  #party(act: () => Promise<Party>, done: string): void {
    this.#say(act().then((p) => this.#s.setParty(p)), done);
  }

  #say(doing: Promise<unknown>, done: string): void {
    doing.then(() => setText(partyStatus, done), (error: unknown) => setText(partyStatus, refusal(error)));
  }

  #do(act: () => Promise<unknown>): void {
    act().then(() => setText(queueStatus, ""), (error: unknown) => setText(queueStatus, refusal(error)));
  }
}
