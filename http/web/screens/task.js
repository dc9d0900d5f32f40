// @ts-check
// One task: its prompt, its runs, and the next run with what policy says to it.
/** @import { Task as TaskRecord } from "../openapi.js" */
import { every, ME, patch } from "../api.js";
import {
  Ago,
  Badge,
  Button,
  Confirm,
  Dialog,
  Field,
  Head,
  Loading,
  Problem,
  useAct,
  useLoaded,
} from "../components/basics.js";
import { OwnWishes, PullRequestWishes } from "../components/pull-request-wishes.js";
import { follow, RunPanel } from "../components/run-panel.js";
import { SessionRow } from "../components/session-row.js";
import { Words } from "../format.js";
import { html, useState } from "../html.js";
import {
  ACTIVE,
  bring,
  learn,
  need,
  placeOf,
  repoOf,
  sessionsOf,
  state,
  useStore,
  WAITING,
} from "../store.js";
import { Priority, TYPES } from "./tasks.js";

/** @param {{id: number}} props */
export const Task = ({ id }) => {
  useStore("tasks", "sessions", "repos");
  const [, error] = useLoaded(async () => {
    const task = await need("tasks", id);
    await need("repos", task.repositoryId);
    await bring("sessions", () => every("/api/sessions", { taskId: id, diff: false }));
  }, [id, state.tasks.has(id)]);
  const [editing, setEditing] = useState(false);
  const [cancelling, setCancelling] = useState(false);
  const task = state.tasks.get(id);
  if (!task)
    return html`
      <${Head} title=${`Task ${id}`} back="/tasks" />
      <${Problem} error=${error} />
      ${!error && html`<${Loading} />`}
    `;
  const repo = repoOf(task);
  const sessions = sessionsOf(id);
  const busy = sessions.find((s) => ACTIVE.has(s.status) || WAITING.has(s.status));
  const cancel = async () =>
    learn("tasks", await patch(`/api/tasks/${id}`, { status: "cancelled", requestedBy: ME }));
  return html`
    <${Head} title=${task.title} back="/tasks"
      note=${html`
        <${Badge} status=${task.status} />
        ${repo && html`<a href=${`#/repos/${repo.id}`}>${placeOf(task)}</a>`}
        ${" "}
        <span>${TYPES.find(([key]) => key === task.type)?.[1]}</span> <${Priority} task=${task} />
      `}>
      <${Button} onClick=${() => setEditing(true)}>Edit<//>
      ${
        !["cancelled", "completed"].includes(task.status) &&
        html`<${Button} onClick=${() => setCancelling(true)}>Cancel<//>`
      }
    <//>
    <${Problem} error=${error} />
    <div class="columns">
      <div class="stack wide-gap">
        <section aria-labelledby="prompt">
          <h2 id="prompt" class="section">Prompt</h2>
          <p class="prompt card">${task.prompt}</p>
        </section>
        <section aria-labelledby="runs">
          <h2 id="runs" class="section">Runs</h2>
          ${
            sessions.length
              ? html`<ul class="rows">
                ${sessions.map(
                  (s) => html`
                    <li key=${s.id}><${SessionRow} session=${s} isOfTask /></li>
                  `,
                )}
              </ul>`
              : html`<p class="quiet-line">It has not run yet.</p>`
          }
        </section>
        <section aria-labelledby="about">
          <h2 id="about" class="section">About it</h2>
          <dl class="facts">
            <dt>Asked by</dt>
            <dd>${task.requestedBy} · <${Ago} ts=${task.createdAt} /></dd>
            <dt>Approval</dt>
            <dd>${task.approvalRequired ? "before each run" : "where policy asks for it"}</dd>
            <dt>Attempts</dt>
            <dd>${task.maxAttempts}</dd>
            ${task.turnLimit && html`<dt>Sessions at most</dt><dd>${task.turnLimit}</dd>`}
            ${task.tokenBudget && html`<dt>Token budget</dt><dd>${task.tokenBudget}</dd>`}
            <${OwnWishes} task=${task} />
            <dt>On a restart</dt>
            <dd>${Words(task.onInterrupt)}</dd>
            ${
              task.automationId &&
              html`
                <dt>Automation</dt>
                <dd>
                  <a href=${`#/automations/${task.automationId}`}>
                    ${state.automations.get(task.automationId)?.title || task.automationId}
                  </a>
                </dd>
              `
            }
            ${
              task.codexThreadId &&
              html`
                <dt>Thread</dt>
                <dd>
                  <a href=${`#/threads?thread=${encodeURIComponent(task.codexThreadId)}`}>
                    <code>${task.codexThreadId}</code>
                  </a>
                </dd>
              `
            }
          </dl>
        </section>
      </div>
      <section aria-labelledby="run" class="card sticky" data-first=${!sessions.length}>
        <h2 id="run" class="section">${sessions.length ? "Run again" : "Run it"}</h2>
        ${
          busy &&
          html`<p class="quiet-line">
            <a href=${`#/sessions/${busy.id}`}>Session ${busy.id}</a>
            <${Badge} status=${busy.status} />
          </p>`
        }
        <${RunPanel} task=${task} onStarted=${follow} />
      </section>
    </div>
    ${editing && html`<${Edit} task=${task} onClose=${() => setEditing(false)} />`}
    ${
      cancelling &&
      html`<${Confirm} title="Cancel this task?" label="Cancel the task" act=${cancel}
        onClose=${() => setCancelling(false)}>
        <p>Its sessions are stopped. It can be run again.</p>
      <//>`
    }
  `;
};

/** @param {{task: TaskRecord, onClose: () => void}} props */
const Edit = ({ task, onClose }) => {
  const [form, setForm] = useState({
    title: task.title,
    prompt: task.prompt,
    priority: task.priority,
    onChecksFailed: task.onChecksFailed,
    onReview: task.onReview,
    mergeWhen: task.mergeWhen,
    forgeFollowups: task.forgeFollowups,
  });
  const { busy, error, run } = useAct();
  /** @param {string} name */
  const set = (name) => (/** @type {any} */ e) =>
    setForm({ ...form, [name]: e.currentTarget.value });
  const save = () =>
    run("save", async () => {
      learn("tasks", await patch(`/api/tasks/${task.id}`, { ...form, requestedBy: ME }));
      onClose();
    });
  return html`<${Dialog} title="Edit the task" onClose=${onClose}>
    <form class="stack"
      onSubmit=${(/** @type {any} */ e) => {
        e.preventDefault();
        save();
      }}>
      <${Field} label="Title">
        <input value=${form.title} required maxlength="200" onInput=${set("title")} />
      <//>
      <${Field} label="Prompt">
        <textarea rows="8" required value=${form.prompt} onInput=${set("prompt")}></textarea>
      <//>
      <${Field} label="Priority">
        <select value=${form.priority} onChange=${set("priority")}>
          ${["low", "normal", "high"].map((p) => html`<option value=${p}>${Words(p)}</option>`)}
        </select>
      <//>
      <details class="fold">
        <summary>More</summary>
        <div class="stack">
          <${PullRequestWishes} wishes=${form}
            onChange=${(/** @type {typeof form} */ wishes) => setForm(wishes)} />
        </div>
      </details>
      <${Problem} error=${error} />
      <${Button} kind="primary wide" type="submit" busy=${busy}>Save<//>
    </form>
  <//>`;
};
