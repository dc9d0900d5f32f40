// @ts-check
// Now: what needs me, what runs, what comes next, what has just ended.
import { html, useState } from "../html.js";
import { Ago, Head, lazily, useLoaded } from "../components/basics.js";
import { useOpenApprovals } from "../components/approval.js";
import { Icon } from "../components/icon.js";
import { Dismiss, mark, OpenApprovals, useMarks } from "../components/inbox.js";
import { SessionRow } from "../components/session-row.js";
import {
  ACTIVE,
  ENDED,
  loadOlder,
  newestFirst,
  pendingApprovals,
  reachOf,
  placeOf,
  state,
  useStore,
  WAITING,
} from "../store.js";
import { plural } from "../format.js";

const DAY_MS = 86_400_000;
const AT_WORK = 4; // sessions that stand above what needs one, on a phone

/** Say that Codex has no account, where it needs one. */
const SignedOut = () => html`
  <div class="problem" role="alert">
    <${Icon} name="lock" size=${18} />
    <div>Codex isn't signed in, so runs fail.</div>
    <a class="button" href="#/account?signin=yes">Sign in</a>
  </div>
`;

export const Now = () => {
  useStore("codex", "health", "sessions", "tasks", "repos", "automations");
  const marks = useMarks();
  const asked = pendingApprovals().filter(({ id }) => !marks.has(`approval ${id}`));
  const open = useOpenApprovals().filter(({ id }) => !marks.has(`approval ${id}`));
  const sessions = newestFirst(state.sessions).filter((s) => !s.archived);
  const asking = new Set(asked.map((a) => a.sessionId));
  const running = sessions.filter(
    (s) => ACTIVE.has(s.status) && !(s.status === "waiting_approval" && asking.has(s.id)),
  );
  const waiting = sessions.filter((s) => WAITING.has(s.status) && s.status !== "created");
  const since = Date.now() - DAY_MS;
  const { at, isAsked } = reachOf("sessions");
  useLoaded(async () => {
    if (Date.parse(at || "") > since && !isAsked) await loadOlder("sessions");
  }, [isAsked]);
  const codex = state.codex?.bridge;
  const newestOf = new Map();
  for (const s of sessions) if (!newestOf.has(s.taskId)) newestOf.set(s.taskId, s.id);
  const failed = sessions.filter(
    (s) =>
      (s.status === "failed" || s.status === "interrupted") &&
      Date.parse(s.finishedAt || "") > since &&
      newestOf.get(s.taskId) === s.id &&
      !marks.has(`session ${s.id}`),
  );
  const ended = sessions.filter((s) => ENDED.has(s.status) && !failed.includes(s)).slice(0, 6);
  const next = [...state.automations.values()]
    .filter((a) => a.enabled && a.nextRunAt)
    .sort((a, b) => (a.nextRunAt || "").localeCompare(b.nextRunAt || ""))
    .slice(0, 4);
  const paused = [...state.automations.values()].filter(
    (a) => a.pausedReason && (marks.get(`automation ${a.id}`)?.updatedAt || "") < a.updatedAt,
  );
  const needs = asked.length + failed.length + paused.length;
  const signedOut = state.codex?.account?.status === "signed_out" && html`<${SignedOut} />`;
  const [isBeginning, begin] = useState(false);
  if (!state.repos.size || isBeginning)
    return html`<${Head} title="Now" /><${Welcome} begin=${begin} />`;
  return html`
    <${Head} title="Now"
      note=${
        needs
          ? `${plural(needs, "thing needs", "things need")} you`
          : running.length
            ? `${plural(running.length, "session")} at work`
            : "All quiet"
      }>
      <a class="button primary" href="#/tasks/new">
        <${Icon} name="plus" size=${18} />
        <span>New task</span>
      </a>
    <//>
    ${
      codex?.warning &&
      html`
        <div class="problem" role="alert" data-tone=${codex.status === "unavailable" ? "" : "warn"}>
          <${Icon} name="warning" size=${18} />
          <div>${codex.warning}</div>
        </div>
      `
    }
    ${signedOut}
    ${
      state.health?.newVersion &&
      html`
        <p class="quiet-line">
          Command Center ${state.health.newVersion} is out:${" "}
          <a href="/docs/upgrading.html" target="_blank">command-center update</a>
        </p>
      `
    }
    <div class="columns now">
      <section aria-labelledby="running" class="at-work" data-idle=${!running.length}>
        <h2 id="running" class="section">
          At work${" "}
          ${running.length > 0 && html`<span class="count quiet">${running.length}</span>`}
        </h2>
        ${
          running.length
            ? html`<ul class="rows">
              ${running
                .slice(0, AT_WORK)
                .map((s) => html`<li key=${s.id}><${SessionRow} session=${s} /></li>`)}
            </ul>`
            : html`<p class="quiet-line">
              No session runs. <a href="#/tasks/new">Give Codex something to do</a>
            </p>`
        }
        ${
          running.length > AT_WORK &&
          html`<a class="more" href="#/sessions?show=active">All ${running.length}</a>`
        }
      </section>
      <section aria-labelledby="needs" class="needs">
        <h2 id="needs" class="section">
          Needs you ${needs > 0 && html`<span class="count">${needs}</span>`}
        </h2>
        ${
          !needs &&
          !open.length &&
          html`<p class="quiet-line"><${Icon} name="check" size=${18} /> Nothing waits on you.</p>`
        }
        <${OpenApprovals} approvals=${open} />
        ${
          failed.length > 0 &&
          html`<ul class="rows">
            ${failed.map(
              (s) => html`<li key=${s.id} class="row-line">
                <${SessionRow} session=${s} />
                <${Dismiss} name=${`session ${s.id}`}
                  onDismiss=${() => mark("session", [s.id])} />
              </li>`,
            )}
          </ul>`
        }
        ${
          paused.length > 0 &&
          html`<ul class="rows">
            ${paused.map(
              (a) => html`<li key=${a.id} class="row-line">
                <a class="row" href=${`#/automations/${a.id}`}>
                  <div class="row-main">
                    <div class="row-title">${a.title}</div>
                    <div class="row-note">${a.pausedReason}</div>
                  </div>
                  <span class="badge" data-tone="warn"><i class="dot"></i>Paused</span>
                </a>
                <${Dismiss} name=${a.title} onDismiss=${() => mark("automation", [a.id])} />
              </li>`,
            )}
          </ul>`
        }
      </section>
      <div class="stack wide-gap later">
        ${
          (waiting.length > 0 || next.length > 0) &&
          html`<section aria-labelledby="next">
            <h2 id="next" class="section">Comes next</h2>
            <ul class="rows">
              ${waiting.map((s) => html`<li key=${`s${s.id}`}><${SessionRow} session=${s} /></li>`)}
              ${next.map(
                (a) => html`<li key=${`a${a.id}`}>
                  <a class="row" href=${`#/automations/${a.id}`}>
                    <div class="row-main">
                      <div class="row-title">${a.title}</div>
                      <div class="row-note">${placeOf(a)} · ${a.scheduleExpr}</div>
                    </div>
                    <span class="hint nowrap"><${Ago} ts=${a.nextRunAt} /></span>
                  </a>
                </li>`,
              )}
            </ul>
          </section>`
        }
        ${
          ended.length > 0 &&
          html`<section aria-labelledby="ended">
            <h2 id="ended" class="section">Just ended</h2>
            <ul class="rows">
              ${ended.map((s) => html`<li key=${s.id}><${SessionRow} session=${s} /></li>`)}
            </ul>
            <a class="more" href="#/sessions">All sessions</a>
          </section>`
        }
      </div>
    </div>
  `;
};

const Welcome = lazily(() => import("../components/welcome.js"), "Welcome");
