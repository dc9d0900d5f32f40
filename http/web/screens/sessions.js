// @ts-check
// All sessions, newest first.
/** @import { Session } from "../openapi.js" */
import { html } from "../html.js";
import { Choice, Empty, Head, Older, Rows } from "../components/basics.js";
import { useParam } from "../router.js";
import { SessionRow } from "../components/session-row.js";
import { ACTIVE, newestFirst, state, useStore, WAITING } from "../store.js";

export const Sessions = () => {
  useStore("sessions", "tasks", "repos");
  const [shown, setShown] = useParam("show", "all");
  const rows = newestFirst(state.sessions).filter(
    (s) => shown === "all" || (shown === "active" ? ACTIVE.has(s.status) || WAITING.has(s.status) : s.status === shown),
  );
  return html`
    <${Head} title="Sessions" note="Each run of a task">
      <${Choice} label="Which sessions" value=${shown} onChange=${setShown}
        options=${[["all", "All"], ["active", "Active"], ["failed", "Failed"], ["completed", "Done"]]} />
    <//>
    ${rows.length
      ? html`<${Rows} rows=${rows} more=${html`<${Older} kind="sessions" />`}>
          ${(/** @type {Session} */ session) => html`<${SessionRow} session=${session} />`}
        <//>`
      : state.cursors.sessions
        ? html`<p class="quiet-line">None of the newest ${state.sessions.size}.</p><${Older} kind="sessions" />`
        : html`<${Empty} icon="sessions" title="No session here" curl=${`curl -X POST ${location.origin}/api/tasks/1/run`}>
          <p>Run a task, and its session is here, live.</p><p><a class="button primary" href="#/tasks/new"><span>New task</span></a></p>
        <//>`}
  `;
};
