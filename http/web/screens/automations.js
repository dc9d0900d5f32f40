// @ts-check
// Automations: what runs by itself, when next, and how it went.
/** @import { Placement } from "../components/placement.js" */
/**
 * @import { Automation as AutomationRecord, AutomationPayload, CreateAutomation, HookSecret,
 *   Preview, RunInput } from "../openapi.js"
 */
import { ApiError, curl, every, get, ME, patch, post, remove } from "../api.js";
import {
  Ago,
  Badge,
  Button,
  Confirm,
  Empty,
  Field,
  Head,
  Loading,
  Problem,
  Switch,
  useAct,
  useLoaded,
} from "../components/basics.js";
import { AutomationWords } from "../components/automation-words.js";
import { follow } from "../components/run-panel.js";
import { useFilter } from "../components/filter.js";
import { Icon } from "../components/icon.js";
import { dayAndTime, exact, plural, wallClock, Words } from "../format.js";
import { html, useEffect, useState } from "../html.js";
import { go } from "../router.js";
import { PlacementField } from "../components/placement.js";
import { forget, learn, need, newestFirst, labelOf, placeOf, state, useStore } from "../store.js";

export const Automations = () => {
  useStore("automations", "repos");
  const rows = newestFirst(state.automations).filter((a) => !a.deletedAt);
  const [found, box] = useFilter(
    rows,
    (a) => `${a.title} ${placeOf(a)} ${a.scheduleExpr}`,
    "Search automations",
  );
  return html`
    <${Head} title="Automations"
      note=${plural(rows.filter((a) => a.enabled).length, "schedule", "schedules")}>
      <a class="button primary" href="#/automations/new">
        <${Icon} name="plus" size=${18} />
        <span>New automation</span>
      </a>
    <//>
    ${
      rows.length
        ? html`${box}<ul class="rows">
          ${found.map(
            (a) => html`<li key=${a.id}>
              <a class="row" href=${`#/automations/${a.id}`}>
                <div class="row-main">
                  <div class="row-title">${a.title}</div>
                  <div class="row-note">
                    ${placeOf(a)} · ${a.scheduleExpr}
                    ${a.pausedReason && html` · ${a.pausedReason}`}
                  </div>
                </div>
                <div class="row-side">
                  ${
                    a.pausedReason
                      ? html`<${Badge} status="paused" />`
                      : a.enabled
                        ? html`<${Next} automation=${a} />`
                        : html`<${Badge} status="off" />`
                  }
                  ${a.lastOutcome && html`<${Badge} status=${a.lastOutcome} />`}
                </div>
              </a>
            </li>`,
          )}
        </ul>`
        : html`<${Empty} icon="automations" title="Nothing runs by itself"
          curl=${curl(
            "/api/automations",
            '{"repositoryId": 1, "title": "Morning check", "scheduleExpr": "daily@09:00",\n' +
              '       "payload": {"prompt": "Inspect the repository, report failures."}}',
          )}>
          <p>
            An automation makes and runs a task whenever its schedule is due: a health check each
            morning, a review each week.
          </p>
          <p><a class="button primary" href="#/automations/new"><span>New automation</span></a></p>
        <//>`
    }
  `;
};

/** @param {{automation: AutomationRecord}} props */
const Next = ({ automation: { scheduleExpr, nextRunAt } }) => html`
  <span class="hint nowrap">
    ${isByEvents(scheduleExpr) ? "by events" : nextRunAt && html`<${Ago} ts=${nextRunAt} />`}
  </span>
`;

/** @param {{id: number}} props */
export const Automation = ({ id }) => {
  const version = useStore("automations", "repos");
  const [, error] = useLoaded(() => need("automations", id), [id, state.automations.has(id)]);
  const [runs] = useLoaded(
    async () =>
      state.automations.has(id) ? get(`/api/automations/${id}/runs`, { limit: 50 }) : undefined,
    [id, state.automations.has(id)],
    version,
  );
  const act = useAct();
  const [removing, setRemoving] = useState(false);
  const automation = state.automations.get(id);
  if (!automation)
    return html`
      <${Head} title=${`Automation ${id}`} back="/automations" />
      <${Problem} error=${error} />
      ${!error && html`<${Loading} />`}
    `;
  const enable = (/** @type {boolean} */ enabled) =>
    act.run("enable", async () =>
      learn("automations", await patch(`/api/automations/${id}`, { enabled, requestedBy: ME })),
    );
  const goOn = (/** @type {boolean} */ isSame) =>
    act.run("thread", async () => {
      const thread = isSame ? "same" : "new";
      learn("automations", await patch(`/api/automations/${id}`, { thread, requestedBy: ME }));
    });
  const runNow = () =>
    act.run("run", async () =>
      follow(await post(`/api/automations/${id}/run`, { requestedBy: ME })),
    );
  return html`
    <${Head} title=${automation.title} back="/automations"
      note=${html`
        <a href=${`#/repos/${automation.repositoryId}`}>${placeOf(automation)}</a>
        ${
          automation.pausedReason
            ? html`<${Badge} status="paused" />`
            : automation.nextRunAt && html`<span>next <${Ago} ts=${automation.nextRunAt} /></span>`
        }
      `}>
      <${Button} kind="primary" icon="play" busy=${act.busy === "run"} onClick=${runNow}>Run now<//>
    <//>
    <${Problem} error=${error || act.error} />
    <div class="columns">
      <section aria-labelledby="history">
        <h2 id="history" class="section">History</h2>
        ${
          !runs
            ? html`<${Loading} />`
            : runs.items.length
              ? html`<ul class="rows">
                ${runs.items.map(
                  (r) => html`<li key=${r.id}>
                    <a class="row" href=${r.sessionId ? `#/sessions/${r.sessionId}` : null}>
                      <div class="row-main">
                        <div class="row-title">${exactDay(r.dueAt || r.firedAt)}</div>
                        <div class="row-note">
                          ${Words(r.trigger)}
                          ${r.missed > 0 && html` · ${passed(r)}`}
                          ${r.reason && html` · ${r.reason}`}
                        </div>
                      </div>
                      <${Badge} status=${r.outcome} />
                    </a>
                  </li>`,
                )}
              </ul>`
              : html`<p class="quiet-line">It has not run yet.</p>`
        }
      </section>
      <div class="stack wide-gap">
        <section class="card" aria-labelledby="schedule">
          <h2 id="schedule" class="section">Schedule</h2>
          ${
            automation.pausedReason &&
            html`<div class="problem">
              <${Icon} name="warning" size=${18} />
              ${automation.pausedReason}
            </div>`
          }
          <${Switch} label="Enabled"
            hint=${automation.pausedReason ? "Switching it on ends the pause." : null}
            on=${automation.enabled && !automation.pausedReason} disabled=${act.busy === "enable"}
            onChange=${enable} />
          <${Schedule} automation=${automation} />
          <${Switch} label="One thread" on=${automation.thread === "same"}
            hint="Each run goes on where the last one ended." disabled=${act.busy === "thread"}
            onChange=${goOn} />
        </section>
        <${Hook} automation=${automation} />
        <section aria-labelledby="payload">
          <h2 id="payload" class="section">What it does</h2>
          <${AutomationWords} automation=${automation} />
          <button type="button" class="link bad" onClick=${() => setRemoving(true)}>
            Delete this automation
          </button>
        </section>
      </div>
    </div>
    ${
      removing &&
      html`<${Confirm} title="Delete this automation?" label="Delete it"
        onClose=${() => setRemoving(false)}
        act=${async () => {
          await remove(`/api/automations/${id}`, { requestedBy: ME });
          forget("automations", id);
          go("/automations");
        }}>
        <p>Its tasks, sessions and history stay.</p>
      <//>`
    }
  `;
};

/** @param {{ trigger: string, missed: number }} run */
const passed = ({ trigger, missed }) =>
  trigger === "event"
    ? `${plural(missed, "event")} passed over`
    : `${plural(missed, "due time")} missed`;

/** @param {string} ts */
const exactDay = (ts) => html`<time datetime=${ts} title=${exact(ts)}>${dayAndTime(ts)}</time>`;

/**
 * Let others start it, by a hook whose secret is shown once.
 * @param {{automation: AutomationRecord}} props
 */
const Hook = ({ automation: { id, hasHook } }) => {
  const [made, setMade] = useState(/** @type {HookSecret | null} */ (null));
  const { busy, error, run } = useAct();
  const make = () =>
    run("make", async () => {
      const hook = await post(`/api/automations/${id}/hook`, { requestedBy: ME });
      learn("automations", hook.automation);
      setMade(hook);
    });
  const take = () =>
    run("take", async () => {
      learn("automations", await remove(`/api/automations/${id}/hook`, { requestedBy: ME }));
      setMade(null);
    });
  return html`<section class="card stack" aria-labelledby="hook">
    <h2 id="hook" class="section">Hook</h2>
    ${
      hasHook
        ? html`<p>
            Others start it by a POST to <code>${location.origin}/api/hooks/${id}</code> with its
            secret. <code>{{issue.title}}</code> in its prompt quotes that field of what they send.
          </p>`
        : html`<p class="hint">With a hook, a CI or a monitor can start it.</p>`
    }
    ${
      made &&
      html`<${Field} label="Secret" hint="Copy it now: it is not shown again.">
        <input readonly value=${made.secret}
          onFocus=${(/** @type {any} */ e) => e.target.select()} />
      <//>`
    }
    <div class="actions">
      <${Button} busy=${busy === "make"} onClick=${make}>
        ${hasHook ? "Make another secret" : "Make a hook"}
      <//>
      ${
        hasHook &&
        html`<${Button} kind="danger" busy=${busy === "take"} onClick=${take}>Take it away<//>`
      }
    </div>
    <${Problem} error=${error} />
  </section>`;
};

/**
 * Change the schedule, with its next times as it is typed.
 * @param {{automation: AutomationRecord}} props
 */
const Schedule = ({ automation }) => {
  const [expr, setExpr] = useState(automation.scheduleExpr);
  const [timezone, setTimezone] = useState(automation.timezone || "");
  const { busy, error, run } = useAct();
  const save = () =>
    run("save", async () =>
      learn(
        "automations",
        await patch(`/api/automations/${automation.id}`, {
          scheduleExpr: expr,
          timezone: timezone.trim() || null,
          requestedBy: ME,
        }),
      ),
    );
  return html`<form class="stack"
    onSubmit=${(/** @type {any} */ e) => {
      e.preventDefault();
      save();
    }}>
    <${ScheduleField} value=${expr} timezone=${timezone} onChange=${setExpr}
      onTimezone=${setTimezone} />
    ${
      (expr !== automation.scheduleExpr || timezone.trim() !== (automation.timezone || "")) &&
      html`<${Button} kind="primary" type="submit" busy=${busy}>Save<//>`
    }
    <${Problem} error=${error} />
  </form>`;
};

const EXAMPLES = [
  "hourly",
  "hourly:6",
  "daily@09:00",
  "weekly@mon,thu@09:00",
  "on_event@session.failed",
];

/** @param {string} expression */
const isByEvents = (expression) => /^\s*on_event@/i.test(expression);

/** The time zones that the browser knows by name; an old one knows none. @type {string[]} */
const TIME_ZONES = /** @type {any} */ (Intl).supportedValuesOf?.("timeZone") || [];

/**
 * @param {{value: string, timezone: string, onChange: (value: string) => void, onTimezone:
 * (timezone: string) => void}} props
 */
const ScheduleField = ({ value, timezone, onChange, onTimezone }) => {
  const [preview, setPreview] = useState(/** @type {{found?: Preview, failure?: ApiError}} */ ({}));
  useEffect(() => {
    let current = true;
    const timer = setTimeout(() => {
      if (!value.trim()) setPreview({});
      else
        get("/api/automations/preview", {
          scheduleExpr: value.trim(),
          timezone: timezone.trim() || undefined,
          count: 4,
        }).then(
          (found) => current && setPreview({ found }),
          (failure) => current && setPreview({ failure }),
        );
    }, 200);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [value, timezone]);
  return html`<div class="stack">
    <${Field} label="When"
      error=${preview.failure && (preview.failure.details[0]?.message || preview.failure.message)}>
      <input required spellcheck=${false} autocapitalize="off" autocomplete="off" value=${value}
        onInput=${(/** @type {any} */ e) => onChange(e.currentTarget.value)} />
    <//>
    <div class="tags">
      ${EXAMPLES.map(
        (e) => html`
          <button type="button" class="tag" onClick=${() => onChange(e)}>${e}</button>
        `,
      )}
    </div>
    ${
      !isByEvents(value) &&
      html`<${Field} label="Time zone"
        hint="Such as Europe/Berlin; the server's own where it is empty.">
        <input list="time-zones" spellcheck=${false} autocapitalize="off" autocomplete="off"
          value=${timezone}
          onInput=${(/** @type {any} */ e) => onTimezone(e.currentTarget.value)} />
      <//>
      <datalist id="time-zones">
        ${TIME_ZONES.map((zone) => html`<option key=${zone} value=${zone} />`)}
      </datalist>`
    }
    ${
      preview.found &&
      !preview.found.items.length &&
      html`<p class="hint" aria-live="polite">
        ${
          isByEvents(value)
            ? html`It runs at each such event of the
              repository. <code>{{data.exitReason}}</code> in its prompt quotes that field of the
              event.`
            : "Not by the clock: it runs by hand, or by its hook."
        }
      </p>`
    }
    ${
      preview.found &&
      preview.found.items.length > 0 &&
      html`<div class="hint" aria-live="polite">
        Next, by the clock of ${preview.found.timezone}:
        <ol class="next-times">
          ${preview.found.items.map(
            (i) => html`
              <li><time datetime=${i.at} title=${exact(i.at)}>${wallClock(i.local)}</time></li>
            `,
          )}
        </ol>
      </div>`
    }
  </div>`;
};

/**
 * @typedef {{repositoryId: string, title: string, scheduleExpr: string, timezone: string,
 * prompt: string, taskType: AutomationPayload["taskType"],
 *   sandbox: RunInput["sandbox"], missedRuns: CreateAutomation["missedRuns"],
 *   whenLimited: CreateAutomation["whenLimited"], thread: CreateAutomation["thread"],
 *   placement: Placement}} Form
 */

export const NewAutomation = () => {
  useStore("repos");
  const repos = [...state.repos.values()];
  const [templates] = useLoaded(() => every("/api/automations/templates"), []);
  const [form, setForm] = useState(
    /** @type {Form} */ ({
      repositoryId: "",
      title: "",
      scheduleExpr: "daily@09:00",
      timezone: "",
      prompt: "",
      taskType: undefined,
      sandbox: "read-only",
      missedRuns: "run_once",
      whenLimited: "wait",
      thread: "new",
      placement: null,
    }),
  );
  const { busy, error, run } = useAct();
  /** @param {string} name */
  const set = (name) => (/** @type {any} */ e) =>
    setForm({ ...form, [name]: e.currentTarget.value });
  // another repository lies on other hosts
  const setRepository = (/** @type {any} */ e) =>
    setForm({ ...form, repositoryId: e.currentTarget.value, placement: null });
  const create = () =>
    run("create", async () => {
      const made = await post("/api/automations", {
        repositoryId: Number(form.repositoryId || repos[0]?.id),
        title: form.title,
        scheduleExpr: form.scheduleExpr,
        timezone: form.timezone.trim() || null,
        missedRuns: form.missedRuns,
        whenLimited: form.whenLimited,
        thread: form.thread,
        requestedBy: ME,
        payload: {
          prompt: form.prompt,
          taskType: form.taskType,
          runInput: { sandbox: form.sandbox, placement: form.placement },
        },
      });
      learn("automations", made);
      go(`/automations/${made.id}`);
    });
  if (!repos.length)
    return html`
      <${Head} title="New automation" back="/automations" />
      <${Empty} icon="repos" title="Register a repository first">
        <p><a class="button primary" href="#/repos"><span>Repositories</span></a></p>
      <//>
    `;
  return html`
    <${Head} title="New automation" back="/automations" />
    <form class="form card"
      onSubmit=${(/** @type {any} */ e) => {
        e.preventDefault();
        create();
      }}>
      ${
        templates !== undefined &&
        templates.length > 0 &&
        html`<div class="field">
          <span class="label">Begin from</span>
          <div class="tags">
            ${templates.map(
              (t) => html`<button type="button" class="tag" title=${t.description}
                onClick=${() =>
                  setForm({
                    ...form,
                    title: t.title,
                    scheduleExpr: t.scheduleExpr,
                    prompt: t.payload.prompt,
                    taskType: t.payload.taskType,
                    sandbox: t.payload.runInput?.sandbox || "read-only",
                  })}>
                ${t.title}
              </button>`,
            )}
          </div>
        </div>`
      }
      <${Field} label="Repository">
        <select value=${form.repositoryId || String(repos[0].id)} onChange=${setRepository}>
          ${repos.map((r) => html`<option value=${String(r.id)}>${labelOf(r)}</option>`)}
        </select>
      <//>
      <${PlacementField} repositoryId=${Number(form.repositoryId || repos[0].id)}
        placement=${form.placement}
        onChange=${(/** @type {Placement} */ placement) => setForm({ ...form, placement })} />
      <${Field} label="Title">
        <input required value=${form.title} maxlength="200" onInput=${set("title")} />
      <//>
      <${Field} label="What is to be done">
        <textarea rows="5" required value=${form.prompt} onInput=${set("prompt")}></textarea>
      <//>
      <${ScheduleField} value=${form.scheduleExpr} timezone=${form.timezone}
        onTimezone=${(/** @type {string} */ timezone) => setForm({ ...form, timezone })}
        onChange=${(/** @type {string} */ v) => setForm({ ...form, scheduleExpr: v })} />
      <div class="two">
        <${Field} label="Sandbox">
          <select value=${form.sandbox} onChange=${set("sandbox")}>
            <option value="read-only">Read only</option>
            <option value="workspace-write">Write here</option>
          </select>
        <//>
        <${Field} label="Missed while off">
          <select value=${form.missedRuns} onChange=${set("missedRuns")}>
            <option value="run_once">Run once</option>
            <option value="skip">Skip</option>
          </select>
        <//>
        <${Field} label="At a limit of Codex">
          <select value=${form.whenLimited} onChange=${set("whenLimited")}>
            <option value="wait">Wait until it resets</option>
            <option value="skip">Skip</option>
          </select>
        <//>
        <${Field} label="Thread">
          <select value=${form.thread} onChange=${set("thread")}>
            <option value="new">A new one each time</option>
            <option value="same">Go on in the same one</option>
          </select>
        <//>
      </div>
      <${Problem} error=${error} />
      <${Button} kind="primary wide big" type="submit" busy=${busy}>Create<//>
    </form>
  `;
};
