// Asks before something is done, and says what came of it.

import { byId, make, setText, show } from "../shared/dom.ts";
import { explain } from "./words.ts";

/** A text that is asked for. */
export interface Field {
  name: string;
  label: string;
  most: number;
  required?: boolean;
  lines?: number;
  value?: string;
}

export interface Question {
  title: string;
  text: string;
  yes: string;
  danger?: boolean;
  fields?: readonly Field[];
  /**
   * Does it, and returns what is said then. What it rejects with is shown, and it may be done again; the key is the same then,
   * so that an act of which only the answer was lost is not done twice.
   */
  act: (values: Readonly<Record<string, string>>, key: string) => Promise<string>;
}

const TOLD_MS = 9000;

const dialog = byId("ask", HTMLDialogElement);
const form = byId("ask-form", HTMLFormElement);
const status = byId("ask-status", HTMLElement);
const yes = byId("ask-yes", HTMLButtonElement);
const told = byId("told", HTMLElement);
let now: { question: Question; key: string } | undefined;
let toldUntil: ReturnType<typeof setTimeout> | undefined;

form.addEventListener("submit", (e) => {
  e.preventDefault();
  void submit();
});
byId("ask-no", HTMLButtonElement).addEventListener("click", () => dialog.close());
dialog.addEventListener("close", () => (now = undefined));

/** Asks a question. */
export function ask(question: Question): void {
  now = { question, key: crypto.randomUUID() };
  setText(byId("ask-title", HTMLElement), question.title);
  setText(byId("ask-text", HTMLElement), question.text);
  say("", false);
  setText(yes, question.yes);
  yes.classList.toggle("danger", question.danger ?? false);
  yes.disabled = false;
  byId("ask-fields", HTMLElement).replaceChildren(...(question.fields ?? []).flatMap((f) => {
    const input = f.lines ? make("textarea") : make("input");
    if (input instanceof HTMLTextAreaElement) input.rows = f.lines ?? 1;
    else input.type = "text";
    Object.assign(input, { id: `ask-field-${f.name}`, name: f.name, maxLength: f.most, required: f.required ?? false, value: f.value ?? "", autocomplete: "off" });
    const label = make("label", "", f.label);
    label.htmlFor = input.id;
    return [label, input];
  }));
  dialog.showModal();
  const first = dialog.querySelector<HTMLElement>("input, textarea") ?? byId("ask-no", HTMLElement); // nothing is done by a stray Enter
  first.focus();
}

/** Says what came of something. */
export function tell(text: string): void {
  clearTimeout(toldUntil);
  setText(told, text);
  show(told, true);
  toldUntil = setTimeout(() => show(told, false), TOLD_MS);
}

async function submit(): Promise<void> {
  const asked = now;
  if (!asked || yes.disabled) return;
  const values: Record<string, string> = {};
  for (const f of asked.question.fields ?? []) {
    const input = byId(`ask-field-${f.name}`, HTMLElement) as HTMLInputElement;
    const value = (values[f.name] = input.value.trim());
    if (f.required && !value) {
      say(`${f.label}: say something, please.`, true);
      return input.focus();
    }
  }
  say("One moment …", false);
  yes.disabled = true;
  try {
    const result = await asked.question.act(values, asked.key);
    if (now === asked) dialog.close();
    tell(result);
  } catch (error) {
    if (now === asked) say(explain(error), true);
    else tell(explain(error));
  } finally {
    if (now === asked) yes.disabled = false;
  }
}

function say(text: string, wrong: boolean): void {
  setText(status, text);
  status.classList.toggle("wrong", wrong);
}
