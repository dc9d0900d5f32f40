// @ts-check
// Tasks: as a list or a board by state, filtered and searched.
/** @import { Found, QueryOf, Task } from "../openapi.js" */
import { html, useEffect, useState } from "../html.js";
import { curl, get } from "../api.js";
import {
  Ago,
  Badge,
  Choice,
  Empty,
  Head,
  lazily,
  Older,
  Rows,
  useLoaded,
} from "../components/basics.js";
import { SearchField } from "../components/filter.js";
import { Icon } from "../components/icon.js";
import { replace, usePlace } from "../router.js";
import { listed, labelOf, placeOf, state, useStore, useTask } from "../store.js";
import { count, Words } from "../format.js";

const SaidElsewhere = lazily(() => import("../components/said.js"), "SaidElsewhere");

/** @type {[string, Task["status"][]][]} */
const COLUMNS = [
  ["To do", ["open"]],
  ["Waiting", ["queued", "waiting_limit", "blocked", "waiting_approval"]],
  ["Running", ["running"]],
  ["Needs a look", ["failed", "interrupted", "stopped"]],
  ["Done", ["completed", "cancelled"]],
];
export const TYPES = [
  ["prompt_task", "Prompt"],
  ["review_task", "Review"],
  ["repo_health_check", "Health check"],
  ["investigate_failure", "Investigate a failure"],
];
const BOARD_CARDS = 50;

export const Tasks = () => {
  useStore("tasks", "sessions", "repos");
  const { params } = usePlace();
  const view = params.get("view") || "list";
  const search = params.get("q") || "";
  const repository = params.get("repo") || "";
  const status = params.get("status") || "";
  /** @param {Record<string, string>} changes */
  const address = (changes) => {
    const next = new URLSearchParams(params);
    for (const [key, value] of Object.entries(changes))
      value ? next.set(key, value) : next.delete(key);
    return `/tasks${next.size ? `?${next}` : ""}`;
  };
  /** @param {Record<string, string>} changes */
  const show = (changes) => replace(address(changes));
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const repositoryId = Number(repository) || null;
  /**
   * Those that fit, of any state or of these.
   * @param {string} name
   * @param {Task["status"][]} [statuses]
   */
  const part = (name, statuses) => {
    /** @type {QueryOf<"GET", "/api/tasks">} */
    const filter = { query: words.join(" "), repositoryId, status: statuses };
    /** @param {Task} task */
    const holds = ({ title, prompt, id }) =>
      words.every(
        (word) => `#${id}`.startsWith(word) || `${title}\n${prompt}`.toLowerCase().includes(word),
      );
    const found = listed(
      "tasks",
      filter,
      (task) =>
        (!repositoryId || task.repositoryId === repositoryId) &&
        (!statuses || statuses.includes(task.status)) &&
        holds(task),
    );
    return { name, ...found, older: html`<${Older} kind="tasks" filter=${filter} />` };
  };
  const parts =
    view === "board"
      ? COLUMNS.map((column) => part(...column))
      : [part(status, COLUMNS.find(([name]) => name === status)?.[1])];
  const [list] = parts;
  const isAll = parts.every((each) => each.isAll);
  const here = parts.reduce((sum, { rows }) => sum + rows.length, 0);
  const version = useStore("tasks");
  const isCounted = !isAll && !words.length && !status;
  const [summary] = useLoaded(
    async () =>
      isCounted
        ? get("/api/telemetry/summary", { repositoryId: repositoryId || undefined })
        : undefined,
    [isCounted, repositoryId],
    version,
  );
  const counted = isCounted && summary && Object.values(summary.tasks);
  const total = counted ? counted.reduce((sum, many) => sum + many, 0) : here;
  const isExact = isAll || Boolean(counted);
  return html`
    <${Head} title="Tasks"
      note=${
        total || isAll
          ? `${count(total, isExact)} ${isExact && total === 1 ? "task" : "tasks"}`
          : "None so far"
      }>
      <a class="button primary" href="#/tasks/new">
        <${Icon} name="plus" size=${18} />
        <span>New task</span>
      </a>
    <//>
    <div class="filters">
      <${SearchField} label="Search tasks" value=${search}
        onChange=${(/** @type {string} */ q) => show({ q })} />
      <select aria-label="Repository" value=${repository}
        onChange=${(/** @type {any} */ e) => show({ repo: e.currentTarget.value })}>
        <option value="">All repositories</option>
        ${[...state.repos.values()].map(
          (repo) => html`
            <option value=${String(repo.id)}>${labelOf(repo)}</option>
          `,
        )}
      </select>
      ${
        view === "list" &&
        html`<select aria-label="State" value=${status}
          onChange=${(/** @type {any} */ e) => show({ status: e.currentTarget.value })}>
          <option value="">Any state</option>
          ${COLUMNS.map(([name]) => html`<option value=${name}>${name}</option>`)}
        </select>`
      }
      <${Choice} label="View" value=${view}
        onChange=${(/** @type {string} */ v) => show({ view: v === "list" ? "" : v })}
        options=${[
          ["list", "List"],
          ["board", "Board"],
        ]} />
    </div>
    ${
      !state.tasks.size
        ? html`<${Empty} icon="tasks" title="Nothing to do yet"
          curl=${curl(
            "/api/tasks",
            '{"repositoryId": 1, "title": "Say hello",\n' +
              '       "prompt": "Add a file hello.txt with a greeting."}',
          )}>
          <p>
            A task is a prompt for a repository. Make one; you see what policy says before it runs.
          </p>
          <p><a class="button primary" href="#/tasks/new"><span>New task</span></a></p>
        <//>`
        : view === "board"
          ? html`<div class="board" tabindex="0" role="group" aria-label="Board" ref=${toFirstCard}>
            ${parts.map(
              (column) => html`
                <section key=${column.name} aria-label=${column.name}>
                  <h2 class="section">
                    ${column.name}
                    ${" "}
                    <span class="count quiet">${count(column.rows.length, column.isAll)}</span>
                  </h2>
                  ${column.rows.slice(0, BOARD_CARDS).map(
                    (
                      task,
                    ) => html`<a key=${task.id} class="card small" href=${`#/tasks/${task.id}`}>
                      <b>${task.title}</b>
                      <div class="row-note">${placeOf(task)}</div>
                      <div class="row-side">
                        <${Badge} status=${task.status} />
                        <${Priority} task=${task} />
                      </div>
                    </a>`,
                  )}
                  ${
                    column.rows.length > BOARD_CARDS
                      ? html`
                        <a class="more" href=${`#${address({ view: "", status: column.name })}`}>
                          All in the list
                        </a>
                      `
                      : column.older
                  }
                </section>
              `,
            )}
          </div>`
          : list.rows.length
            ? html`<${Rows} rows=${list.rows} more=${list.older}>
              ${(/** @type {Task} */ task) => html`<a class="row" href=${`#/tasks/${task.id}`}>
                <div class="row-main">
                  <div class="row-title">${task.title}</div>
                  <div class="row-note">
                    ${placeOf(task)} · ${TYPES.find(([key]) => key === task.type)?.[1]}
                    ${task.automationId && html` · by automation`} · ${task.prompt}
                  </div>
                </div>
                <div class="row-side">
                  <${Badge} status=${task.status} />
                  <span class="hint">
                    <${Priority} task=${task} /> <${Ago} ts=${task.updatedAt} />
                  </span>
                </div>
              </a>`}
            <//>`
            : html`
              <p class="quiet-line">${list.isAll ? "No task matches." : "None of the newest."}</p>
              ${list.older}
            `
    }
    ${search.trim().length > 2 && html`<${Said} words=${search.trim()} repository=${repository} />`}
  `;
};

/**
 * A board that is wider than its window begins with a column in which something is.
 * @param {HTMLElement | null} board
 */
function toFirstCard(board) {
  const column = board?.querySelector("section:has(a.card)");
  if (board && column instanceof HTMLElement)
    board.scrollLeft = column.offsetLeft - board.offsetLeft;
}

/**
 * What was said with these words: in sessions, and in Codex's threads from elsewhere.
 * @param {{words: string, repository: string}} props
 */
const Said = ({ words, repository }) => {
  const [found, setFound] = useState(/** @type {Found[]} */ ([]));
  const [asked, setAsked] = useState("");
  useEffect(() => {
    let current = true;
    const timer = setTimeout(() => {
      setAsked(words);
      get("/api/search", { q: words, limit: 20, repositoryId: Number(repository) || null }).then(
        (page) => current && setFound(page.items),
        () => current && setFound([]),
      );
    }, 300);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [words, repository]);
  return html`
    ${
      found.length > 0 &&
      html`<section aria-labelledby="said" class="said-in">
        <h2 id="said" class="section">Said in sessions</h2>
        <ul class="rows">
          ${found.map((hit) => html`<li key=${hit.id}><${Hit} hit=${hit} /></li>`)}
        </ul>
      </section>`
    }
    ${asked && !repository && html`<${SaidElsewhere} words=${asked} />`}
  `;
};

/** @param {{hit: Found}} props */
const Hit = ({ hit }) => html`<a class="found" href=${`#/sessions/${hit.sessionId}`}>
  <div>
    ${hit.snippet.map((piece) => (piece.isMatch ? html`<mark>${piece.text}</mark>` : piece.text))}
  </div>
  <span class="hint">
    ${useTask(hit)?.title || `Session ${hit.sessionId}`} · ${Words(hit.kind)} ·${" "}
    <${Ago} ts=${hit.at} />
  </span>
</a>`;

/** @param {{task: Task}} props */
export const Priority = ({ task }) =>
  task.priority === "normal"
    ? null
    : html`<span class="tag" data-priority=${task.priority}>${task.priority}</span>`;
