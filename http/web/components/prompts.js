// @ts-check
// Prompts that are said again in a repository: saved here, or in its own files.
/** @import { ReadyPrompt, Repository } from "../openapi.js" */
import { get, ME, put, remove } from "../api.js";
import { filesAt } from "../files.js";
import { seen } from "../format.js";
import { html, useState } from "../html.js";
import { Button, Confirm, Dialog, Field, Loading, Problem, useAct, useLoaded } from "./basics.js";

/** @type {ReadyPrompt} */
const NEW = { name: "", description: "", text: "", source: "saved", path: null };

/** @param {{repo: Repository}} props */
export const Prompts = ({ repo }) => {
  const [edited, edit] = useState(/** @type {ReadyPrompt | null} */ (null));
  const [listed, error, again] = useLoaded(() => get(`/api/repos/${repo.id}/prompts`), [repo.id]);
  if (!listed) return error ? html`<${Problem} error=${error} />` : html`<${Loading} />`;
  const close = () => {
    edit(null);
    again();
  };
  return html`
    <h2 id="prompts" class="section">Prompts</h2>
    <p class="hint">Each is written by / and its name, where one says something.</p>
    <${Problem} error=${error} />
    <ul class="rows">
      ${listed.items.map(
        (prompt) => html`<li key=${`${prompt.source} ${prompt.name}`}>
          ${
            prompt.path
              ? html`<a class="row" href=${filesAt("repos", repo.id, { path: prompt.path })}>
                <${One} prompt=${prompt} />
              </a>`
              : html`<button type="button" class="row plain" onClick=${() => edit(prompt)}>
                <${One} prompt=${prompt} />
              </button>`
          }
        </li>`,
      )}
    </ul>
    <div class="actions start">
      <${Button} icon="plus" onClick=${() => edit(NEW)}>New prompt<//>
    </div>
    ${edited && html`<${Edit} repo=${repo} prompt=${edited} onClose=${close} />`}
  `;
};

/** @param {{prompt: ReadyPrompt}} props */
const One = ({ prompt }) => html`<div class="row-main">
  <div class="row-title">/${seen(prompt.name)}</div>
  <div class="row-note">
    ${prompt.path && `From the repository: ${seen(prompt.path)}. `}
    ${seen(prompt.description || prompt.text)}
  </div>
</div>`;

/** @param {{repo: Repository, prompt: ReadyPrompt, onClose: () => void}} props */
const Edit = ({ repo, prompt, onClose }) => {
  const [name, setName] = useState(prompt.name);
  const [description, setDescription] = useState(prompt.description);
  const [text, setText] = useState(prompt.text);
  const [deleting, setDeleting] = useState(false);
  const { busy, error, run } = useAct();
  const path = /** @type {const} */ (
    `/api/repos/${repo.id}/prompts/${encodeURIComponent(name.trim())}`
  );
  const save = () =>
    run("save", async () => {
      await put(path, { text, description: description.trim(), requestedBy: ME });
      onClose();
    });
  const fault = (/** @type {string} */ field) =>
    error?.details.find((detail) => detail.path === field)?.message;
  if (deleting)
    return html`<${Confirm} title=${`Delete /${prompt.name}?`} label="Delete it" onClose=${onClose}
      act=${() => remove(path, { requestedBy: ME })}>
      <p>What was said by it stays said.</p>
    <//>`;
  return html`<${Dialog} title=${prompt.name ? `/${prompt.name}` : "New prompt"} onClose=${onClose}>
    <form class="stack"
      onSubmit=${(/** @type {any} */ e) => {
        e.preventDefault();
        save();
      }}>
      ${
        !prompt.name &&
        html`<${Field} label="Name" hint="Letters, digits, - and _." error=${fault("name")}>
          <input required autofocus maxlength="64" value=${name} autocapitalize="none"
            autocomplete="off" spellcheck=${false}
            onInput=${(/** @type {any} */ e) => setName(e.currentTarget.value)} />
        <//>`
      }
      <${Field} label="What it is for" error=${fault("description")}>
        <input value=${description} maxlength="200"
          onInput=${(/** @type {any} */ e) => setDescription(e.currentTarget.value)} />
      <//>
      <${Field} label="Text" error=${fault("text")}
        hint="Where it has $ARGUMENTS, one goes on writing.">
        <textarea rows="7" required maxlength="8000" value=${text}
          onInput=${(/** @type {any} */ e) => setText(e.currentTarget.value)}></textarea>
      <//>
      <${Problem} error=${error} />
      <div class="actions">
        ${
          prompt.name &&
          html`<${Button} kind="danger" onClick=${() => setDeleting(true)}>Delete<//>`
        }
        <${Button} kind="primary" type="submit" busy=${busy === "save"} disabled=${!text.trim()}>
          Save
        <//>
      </div>
    </form>
  <//>`;
};
