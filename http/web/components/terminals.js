// @ts-check
// The commands that the turns of a thread have left running, each with the way to end it.
/** @import { Session, Terminals as Left } from "../openapi.js" */
import { get, ME, remove } from "../api.js";
import { seen, size } from "../format.js";
import { html, useState } from "../html.js";
import { Button, Loading, Problem, useAct, useLoaded } from "./basics.js";

/** @param {{session: Session, version?: unknown}} props */
export const Terminals = ({ session, version }) => {
  const { host, codexThreadId } = session;
  const path = /** @type {const} */ (`/api/codex/threads/${codexThreadId}/terminals`);
  const load = async () => /** @type {Left} */ (await get(path, { host }));
  const [listed, error, again] = useLoaded(load, [path, host], version);
  const { busy, error: refused, run } = useAct();
  if (!listed) return error ? html`<${Problem} error=${error} />` : html`<${Loading} />`;
  const end = (/** @type {string} */ processId) =>
    run(processId, async () => {
      await remove(`${path}/${encodeURIComponent(processId)}`, { host, requestedBy: ME });
      again();
    });
  return html`
    <${Problem} error=${refused || error} />
    ${!listed.items.length && html`<p class="quiet-line">Nothing runs in the background.</p>`}
    <ul class="terminals" aria-label="Commands in the background">
      ${listed.items.map(
        (one) => html`<li key=${one.processId} class="actions">
          <div class="row-main">
            <code>${seen(one.command)}</code>
            <div class="hint">
              ${one.cpuPercent !== null && `${Math.round(one.cpuPercent)} % of a core · `}
              ${one.memoryBytes !== null && size(one.memoryBytes)}
            </div>
          </div>
          <${Button} kind="danger" busy=${busy === one.processId}
            onClick=${() => end(one.processId)}>
            End<span class="visually-hidden"> ${seen(one.command)}</span>
          <//>
        </li>`,
      )}
    </ul>
    <${Button} kind="quiet" icon="refresh" onClick=${again}>Look again<//>
  `;
};

/** The same, once it is asked for. @param {{session: Session}} props */
export const FoldedTerminals = ({ session }) => {
  const [isOpen, setOpen] = useState(false);
  return html`<details class="fold"
    onToggle=${(/** @type {any} */ e) => setOpen(e.currentTarget.open)}>
    <summary>Commands in the background</summary>
    ${isOpen && html`<${Terminals} session=${session} />`}
  </details>`;
};
