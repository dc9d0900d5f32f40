// @ts-check
// What an automation is called and what it says to Codex, shown and changed.
/** @import { Automation } from "../openapi.js" */
import { ME, patch } from "../api.js";
import { html, useState } from "../html.js";
import { learn } from "../store.js";
import { Button, Field, focused, Problem, useAct } from "./basics.js";

/** @param {{automation: Automation}} props */
export const AutomationWords = ({ automation }) => {
  const [isEdited, edit] = useState(false);
  return isEdited
    ? html`<${Edited} automation=${automation} onClose=${() => edit(false)} />`
    : html`
      <p class="prompt card">${automation.payload.prompt}</p>
      <div class="actions"><${Button} onClick=${() => edit(true)}>Edit<//></div>
    `;
};

/** @param {{automation: Automation, onClose: () => void}} props */
const Edited = ({ automation, onClose }) => {
  const { payload } = automation;
  const [title, setTitle] = useState(automation.title);
  const [prompt, setPrompt] = useState(payload.prompt);
  const { busy, error, run } = useAct();
  const save = () =>
    run("save", async () => {
      learn(
        "automations",
        await patch(`/api/automations/${automation.id}`, {
          title: title.trim(),
          payload: { ...payload, prompt },
          requestedBy: ME,
        }),
      );
      onClose();
    });
  return html`<form class="stack"
    onSubmit=${(/** @type {any} */ e) => {
      e.preventDefault();
      save();
    }}>
    <${Field} label="Title">
      <input ref=${focused} required maxlength="200" value=${title}
        onInput=${(/** @type {any} */ e) => setTitle(e.currentTarget.value)} />
    <//>
    <${Field} label="What is to be done">
      <textarea rows="6" required value=${prompt}
        onInput=${(/** @type {any} */ e) => setPrompt(e.currentTarget.value)}></textarea>
    <//>
    <${Problem} error=${error} />
    <div class="actions">
      <${Button} onClick=${onClose}>Not now<//>
      <${Button} kind="primary" type="submit" busy=${busy}
        disabled=${!title.trim() || !prompt.trim()}>
        Save
      <//>
    </div>
  </form>`;
};
