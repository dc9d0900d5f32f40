// @ts-check
// A new task: what is to be done and where, run in one press, or kept for later.
/** @import { Choices as Chosen, CreateTask } from "../openapi.js" */
/** @import { Placement } from "../components/placement.js" */
/** @import { Wishes } from "../components/pull-request-wishes.js" */
import { ApiError, ME, post } from "../api.js";
import { Attach, Attached, takes, useAttachments } from "../components/attachments.js";
import { Button, Empty, Field, Head, Problem, Switch, useAct } from "../components/basics.js";
import { Choices } from "../components/choices.js";
import { PlacementField } from "../components/placement.js";
import { AS_REPOSITORY, PullRequestWishes } from "../components/pull-request-wishes.js";
import { failedToStart, placeOfTask, startRun } from "../components/run-panel.js";
import { PromptBox } from "../components/suggestions.js";
import { keep, lastRepository, NEW_TASK, rememberRepository, useDraft } from "../drafts.js";
import { Words } from "../format.js";
import { html, useEffect, useRef, useState } from "../html.js";
import { replace, usePlace } from "../router.js";
import { can, labelOf, learn, repoOf, state, useStore } from "../store.js";
import { TYPES } from "./tasks.js";

/**
 * @typedef {{repositoryId: string, type: CreateTask["type"], priority: CreateTask["priority"],
 * title: string, approvalRequired: boolean, wishes: Wishes,
 *   runDefaults: Chosen, placement: Placement, onInterrupt: CreateTask["onInterrupt"],
 *   maxAttempts: number}} Form
 */

const PRIORITIES = ["low", "normal", "high"];

export const NewTask = () => {
  useStore("repos");
  const { params } = usePlace();
  const repos = [...state.repos.values()];
  const [draft, write, take] = useDraft(NEW_TASK);
  const [form, setForm] = useState(
    /** @type {Form} */ ({
      repositoryId: params.get("repo") || "",
      type: "prompt_task",
      priority: "normal",
      title: "",
      approvalRequired: false,
      onInterrupt: "stop",
      maxAttempts: 1,
      wishes: AS_REPOSITORY,
      runDefaults: {},
      placement: null,
    }),
  );
  const [isOpen, setOpen] = useState(false);
  const { busy, error, run } = useAct();
  const files = useAttachments(draft.attached, (now) => write({ attached: now }));
  const prompt = useRef(/** @type {any} */ (null));
  useEffect(() => prompt.current?.focus(), []);
  /** @param {Partial<Form>} changes */
  const change = (changes) => setForm({ ...form, ...changes });
  /** @param {keyof Form} name */
  const set = (name) => (/** @type {any} */ e) => change({ [name]: e.currentTarget.value });
  const repositoryId = Number(form.repositoryId) || lastRepository(repos.map(({ id }) => id));
  const repo = repoOf({ repositoryId });
  const hasThreads = can(state.health?.runnerMode, "hasThreads");
  const takesFiles = form.type !== "review_task" && can(state.health?.runnerMode, "takesImages");
  const fault = (/** @type {string} */ name) =>
    error?.details.find((d) => d.path === name)?.message;
  const make = async () => {
    const text = draft.text.trim();
    const task = await post("/api/tasks", {
      repositoryId,
      title: form.title.trim() || text.split("\n")[0].slice(0, 80),
      prompt: draft.text,
      type: form.type,
      priority: form.priority,
      approvalRequired: form.approvalRequired,
      onInterrupt: form.onInterrupt,
      maxAttempts: Number(form.maxAttempts),
      ...form.wishes,
      runDefaults: form.runDefaults,
      placement: form.placement,
      requestedBy: ME,
    });
    learn("tasks", task);
    rememberRepository(repositoryId);
    // the run takes them, now or later
    if (takesFiles) keep(placeOfTask(task), { text: "", attached: draft.attached });
    take(draft);
    return task;
  };
  const save = () => run("save", async () => replace(`/tasks/${(await make()).id}`));
  const start = () =>
    run("run", async () => {
      const task = await make();
      try {
        const { session } = await startRun(task, {});
        replace(`/sessions/${session.id}`);
      } catch (failure) {
        if (!(failure instanceof ApiError)) throw failure;
        failedToStart.set(task.id, failure); // it is made; there it says why, and can be run again
        replace(`/tasks/${task.id}`);
      }
    });
  const canSend = Boolean(draft.text.trim()) && !busy && !files.busy;
  if (!repos.length)
    return html`
      <${Head} title="New task" back="/tasks" />
      <${Empty} icon="repos" title="Register a repository first">
        <p>A task works in a repository of this machine.</p>
        <p><a class="button primary" href="#/repos"><span>Repositories</span></a></p>
      <//>
    `;
  return html`
    <${Head} title="New task" back="/tasks" />
    <form class="form card" ...${takesFiles ? takes(files.add) : {}}
      onSubmit=${(/** @type {any} */ e) => {
        e.preventDefault();
        if (canSend) start();
      }}>
      <${Field} label="What is to be done?" error=${fault("prompt")}>
        <${PromptBox} rows="6" required box=${prompt} text=${draft.text}
          onText=${(/** @type {string} */ text) => write({ text })}
          onKeyDown=${(/** @type {any} */ e) => {
            if (e.key === "Enter" && (e.metaKey || e.ctrlKey) && canSend) start();
          }}
          sources=${{ of: "repos", id: repositoryId, repositoryId, hasSkills: hasThreads }}
          placeholder="Inspect the login flow and summarize the main risks." />
      <//>
      <${Attached} attached=${draft.attached} remove=${files.remove} />
      <div class="chips">
        <select class="chip" aria-label="Repository" value=${String(repositoryId)}
          onChange=${(/** @type {any} */ e) =>
            change({ repositoryId: e.currentTarget.value, placement: null })}>
          ${repos.map((one) => html`<option value=${String(one.id)}>${labelOf(one)}</option>`)}
        </select>
        <${PlacementField} isChip repositoryId=${repositoryId} placement=${form.placement}
          onChange=${(/** @type {Placement} */ placement) => change({ placement })} />
        <select class="chip" aria-label="Kind" value=${form.type} onChange=${set("type")}>
          ${TYPES.map(([key, name]) => html`<option value=${key}>${name}</option>`)}
        </select>
        <select class="chip" aria-label="Priority" value=${form.priority}
          onChange=${set("priority")}>
          ${PRIORITIES.map((p) => html`<option value=${p}>${Words(p)} priority</option>`)}
        </select>
        <${Toggle} label="Plan first" on=${form.runDefaults.collaborationMode === "plan"}
          onChange=${(/** @type {boolean} */ on) =>
            change({
              runDefaults: { ...form.runDefaults, collaborationMode: on ? "plan" : null },
            })} />
        <${Toggle} label="Ask me before each run" on=${form.approvalRequired}
          onChange=${(/** @type {boolean} */ on) => change({ approvalRequired: on })} />
        ${takesFiles && html`<${Attach} onFiles=${files.add} busy=${files.busy} />`}
      </div>
      ${fault("repositoryId") && html`<p class="hint" data-bad="true">${fault("repositoryId")}</p>`}
      <p class="hint">
        A run in ${repo?.name} may ${repo?.allowWrite ? "read and write" : "only read"}, network
        ${" "}
        ${repo?.allowNetwork ? "on" : "off"}, commits ${repo?.allowCommit ? "on" : "off"}.
      </p>
      <details class="fold" onToggle=${() => setOpen(true)}>
        <summary>More</summary>
        <div class="stack">
          <${Field} label="Title" hint="Left empty, it is the first line." error=${fault("title")}>
            <input value=${form.title} maxlength="200" onInput=${set("title")} />
          <//>
          <${Switch} label="Continue after a restart"
            hint="A run that a restart of the server cuts off goes on in the same thread."
            on=${form.onInterrupt === "continue"}
            onChange=${(/** @type {boolean} */ on) =>
              change({ onInterrupt: on ? "continue" : "stop" })} />
          <${Field} label="Attempts" hint="How often a failing run is tried.">
            <input type="number" min="1" max="10" value=${form.maxAttempts}
              onInput=${set("maxAttempts")} />
          <//>
          <${PullRequestWishes} wishes=${form.wishes}
            onChange=${(/** @type {Wishes} */ wishes) => change({ wishes })} />
          ${
            isOpen &&
            html`<${Choices} chosen=${form.runDefaults} host=${repo?.host}
              repositoryId=${repo?.id} otherwise="As the repository says"
              onChange=${(/** @type {Chosen} */ runDefaults) => change({ runDefaults })} />`
          }
        </div>
      </details>
      <${Problem} error=${error || files.error} />
      <div class="actions two">
        <${Button} busy=${busy === "save"} disabled=${!canSend} onClick=${save}>
          Save for later
        <//>
        <${Button} kind="primary" icon="play" type="submit" busy=${busy === "run"}
          disabled=${!canSend}>
          Run
        <//>
      </div>
    </form>
  `;
};

/** @param {{label: string, on: boolean, onChange: (on: boolean) => void}} props */
const Toggle = ({ label, on, onChange }) => html`
  <button type="button" class="chip" aria-pressed=${on} onClick=${() => onChange(!on)}>
    ${label}
  </button>
`;
