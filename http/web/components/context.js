// @ts-check
// How full a thread's context is, and the way to make its history shorter.
import { ME, post } from "../api.js";
import { number } from "../format.js";
import { html } from "../html.js";
import { can, ENDED } from "../store.js";
import { Button, Problem, useAct } from "./basics.js";
import { follow } from "./run-panel.js";

/** @import { Session } from "../openapi.js" */

/** Make the history of its thread shorter. @param {Session} session */
export const compact = async (session) =>
  follow(
    await post(`/api/codex/threads/${session.codexThreadId}/compact`, {
      repositoryId: session.repositoryId,
      cwd: session.cwd,
      requestedBy: ME,
    }),
  );

/** @param {{session: Session}} props */
export const Context = ({ session }) => {
  const { error, busy, run } = useAct();
  const { last, modelContextWindow: window } = session.tokenUsage || {};
  if (!last || !window) return null;
  const used = Math.min(last.totalTokens, window);
  const percent = Math.round((100 * used) / window);
  const isFree = ENDED.has(session.status) && can(session.runner, "hasThreads");
  return html`<section class="context" aria-label="Context">
    <h2 class="section">Context</h2>
    <meter min="0" max="100" high="80" optimum="0" value=${percent}
      aria-label="of its context is used"></meter>
    <p class="quiet-line">
      ${percent} % used: ${number(used)} of ${number(window)} tokens
    </p>
    <${Problem} error=${error} />
    ${
      isFree &&
      session.codexThreadId &&
      html`<div class="actions start">
        <${Button} busy=${busy} onClick=${() => run("compact", () => compact(session))}>
          Make its history shorter
        <//>
      </div>`
    }
  </section>`;
};
