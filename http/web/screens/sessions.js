// @ts-check
// All sessions, newest first.
/** @import { QueryOf, Session } from "../openapi.js" */
import { html } from "../html.js";
import { Choice, Empty, Head, Older, Rows } from "../components/basics.js";
import { Icon } from "../components/icon.js";
import { useParam } from "../router.js";
import { SearchField } from "../components/filter.js";
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
  const [search, setSearch] = useParam("q");
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const archived = shown === "archived";
  /** @type {QueryOf<"GET", "/api/sessions">} */
  const filter = { query: words.join(" "), status: SHOWN[shown], archived: archived || undefined };
  const { rows, isAll } = listed(
    "sessions",
    filter,
    (session) =>
      session.archived === archived &&
      (filter.status?.includes(session.status) ?? true) &&
      words.every(
        (word) => `#${session.id}`.startsWith(word) || session.title.toLowerCase().includes(word),
      ),
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
      <${SearchField} label="Search sessions" value=${search} onChange=${setSearch} />
      <${Choice} label="Which sessions" value=${shown} onChange=${setShown}
        options=${[
          ["all", "All"],
          ["active", "Active"],
          ["failed", "Failed"],
          ["stopped", "Stopped"],
          ["completed", "Done"],
          ["archived", "Archived"],
        ]} />
    </div>
    ${
      rows.length
        ? html`<${Rows} rows=${rows} more=${older}>
          ${(/** @type {Session} */ session) => html`<${SessionRow} session=${session} />`}
        <//>`
        : !isAll
          ? html`<p class="quiet-line">None of the newest.</p>${older}`
          : words.length || archived
            ? html`<p class="quiet-line">${words.length ? "None has these words." : "None."}</p>`
            : html`<${Empty} icon="sessions" title="No session here"
            curl=${`curl -X POST ${location.origin}/api/tasks/1/run`}>
            <p>Run a task, and its session is here, live.</p>
            <p><a class="button primary" href="#/tasks/new"><span>New task</span></a></p>
          <//>`
    }
  `;
};
