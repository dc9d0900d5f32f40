// @ts-check
// All sessions, newest first.
/** @import { QueryOf, Session } from "../openapi.js" */
import { html } from "../html.js";
import { Choice, Empty, Head, Older, Rows } from "../components/basics.js";
import { Icon } from "../components/icon.js";
import { useParam } from "../router.js";
import { SessionRow } from "../components/session-row.js";
import { ACTIVE, listed, useStore, WAITING } from "../store.js";

/** @type {Record<string, Session["status"][] | undefined>} */
const SHOWN = {
  active: [...ACTIVE, ...WAITING],
  failed: ["failed", "interrupted"],
  stopped: ["stopped"],
  completed: ["completed"],
};

export const Sessions = () => {
  useStore("sessions", "tasks", "repos");
  const [shown, setShown] = useParam("show", "all");
  /** @type {QueryOf<"GET", "/api/sessions">} */
  const filter = { status: SHOWN[shown] };
  const { rows, isAll } = listed(
    "sessions",
    filter,
    ({ status }) => filter.status?.includes(status) ?? true,
  );
  const older = html`<${Older} kind="sessions" filter=${filter} />`;
  return html`
    <${Head} title="Sessions" note="Each run of a task">
      <a class="button primary" href="#/tasks/new">
        <${Icon} name="plus" size=${18} />
        <span>New task</span>
      </a>
    <//>
    <div class="filters">
      <${Choice} label="Which sessions" value=${shown} onChange=${setShown}
        options=${[
          ["all", "All"],
          ["active", "Active"],
          ["failed", "Failed"],
          ["stopped", "Stopped"],
          ["completed", "Done"],
        ]} />
    </div>
    ${
      rows.length
        ? html`<${Rows} rows=${rows} more=${older}>
          ${(/** @type {Session} */ session) => html`<${SessionRow} session=${session} />`}
        <//>`
        : !isAll
          ? html`<p class="quiet-line">None of the newest.</p>${older}`
          : html`<${Empty} icon="sessions" title="No session here"
            curl=${`curl -X POST ${location.origin}/api/tasks/1/run`}>
            <p>Run a task, and its session is here, live.</p>
            <p><a class="button primary" href="#/tasks/new"><span>New task</span></a></p>
          <//>`
    }
  `;
};
