// @ts-check
// One session, live: what is said and done, what changed, the plan, and a box to have a say.
/** @import { Event, Session as SessionRecord } from "../openapi.js" */
import { ME, patch, post } from "../api.js";
import { ApprovalCard, useOpenApprovals } from "../components/approval.js";
import {
  Ago,
  Button,
  Choice,
  Confirm,
  Elapsed,
  Head,
  lazily,
  Loading,
  Problem,
  useAct,
  useLoaded,
} from "../components/basics.js";
import { StatusOf } from "../components/bridge.js";
import { Agents } from "../components/agents.js";
import { Composer, Stop } from "../components/composer.js";
import { Context } from "../components/context.js";
import { Told } from "../components/prose.js";
import { remarksOf } from "../components/remarks.js";
import { follow } from "../components/run-panel.js";
import { Icon } from "../components/icon.js";
import { useSeen } from "../components/inbox.js";
import { Transcript } from "../components/transcript.js";
import { filesAt } from "../files.js";
import { dayAndTime, number, plural, Words } from "../format.js";
import { html, useEffect, useMemo, useRef, useState } from "../html.js";
import { useParam, usePlace } from "../router.js";
import { sheet } from "../sheets.js";
import {
  ACTIVE,
  can,
  ENDED,
  learn,
  need,
  placeOf,
  repoOf,
  state,
  taskOf,
  useStore,
} from "../store.js";
import {
  loadEarlier,
  loadEarlierItems,
  loadWhole,
  openTranscript,
  transcriptOf,
} from "../transcripts.js";

sheet("./styles/session.css");

/** @import { Remarks } from "../components/remarks.js" */
/** @import { Changes as Seen } from "../openapi.js" */
/** @import { Entry, Transcript as Loaded } from "../transcripts.js" */

// one reads the transcript first
const Doing = lazily(() => import("../components/doing.js"), "Doing");
// it stands beside, or in a pane of its own
const Timeline = lazily(() => import("../components/timeline.js"), "Timeline");
// few sessions have one
const Result = lazily(() => import("../components/result.js"), "Result");
const Goal = lazily(() => import("../components/goal.js"), "Goal");
// it waits for git
const Changes = lazily(() => import("../components/changes.js"), "Changes");

// few sessions have any
const terminals = () => import("../components/terminals.js");
const Terminals = lazily(terminals, "Terminals");
const FoldedTerminals = lazily(terminals, "FoldedTerminals");
const Share = lazily(() => import("../components/share.js"), "Share");
const Label = lazily(() => import("../components/label.js"), "Label");
// it is a screen of its own
const Files = lazily(() => import("./files.js"), "Files");
const Terminal = lazily(() => import("./terminal.js"), "Terminal");

/** @param {{id: number}} props */
export const Session = ({ id }) => {
  const part = usePlace().parts[2];
  if (part === "files") return html`<${Files} of="sessions" id=${id} />`;
  if (part === "terminal") return html`<${Terminal} id=${id} />`;
  return html`<${Live} id=${id} />`;
};

/** @param {{id: number}} props */
const Live = ({ id }) => {
  useStore(`session:${id}`, "sessions", "tasks", "repos", "reloaded");
  const asked = useOpenApprovals().filter((a) => a.sessionId === id);
  const transcript = transcriptOf(id);
  const [, error] = useLoaded(async () => {
    const session = await need("sessions", id);
    await Promise.all([
      need("tasks", session.taskId),
      need("repos", session.repositoryId),
      openTranscript(id),
    ]);
  }, [id, transcript === undefined, state.sessions.has(id)]);
  const [pane, setPane] = useParam("pane", "transcript");
  const [seen, see] = useState(/** @type {Seen | null} */ (null));
  const isReady = Boolean(transcript?.ready);
  useEffect(() => {
    // where all are shown
    const isBeside = pane !== "transcript" && matchMedia("(min-width: 1100px)").matches;
    if (isReady && isBeside) document.querySelector(`.pane-${pane}`)?.scrollIntoView();
  }, [pane, isReady]);
  const session = state.sessions.get(id);
  useSeen(session);
  const folder = useMemo(() => ({ of: "sessions", id, cwd: session?.cwd }), [id, session?.cwd]);
  if (!session)
    return html`
      <${Head} title=${`Session ${id}`} back="/sessions" />
      <${Problem} error=${error} />
      ${!error && html`<${Loading} />`}
    `;
  const task = taskOf(session);
  const repo = repoOf(session);
  const waiting = new Set(asked.filter((a) => a.status === "pending").map((a) => a.codexItemId));
  const remarks = remarksOf(transcript?.events || []);
  const steps = session.plan?.plan || session.plan?.steps || [];
  return html`<${Told.Provider} value=${folder}><div class="session" data-pane=${pane}>
    <${Head} title=${session.title || `Session ${id}`}
      back=${task ? `/tasks/${task.id}` : "/sessions"}
      note=${html`
        <${StatusOf} session=${session} />
        <span>${repo && html`<a href=${`#/repos/${repo.id}`}>${placeOf(session)}</a>`}</span>
        <${Elapsed} from=${session.startedAt} to=${session.finishedAt} />
        <a href=${filesAt("sessions", id)}>Files</a>
        ${
          repo?.allowTerminal &&
          can(session.runner, "hasThreads") &&
          html`<a href=${`#/sessions/${id}/terminal`}>Terminal</a>`
        }
        ${
          session.goal &&
          html`<a class="tag" href=${`#/sessions/${id}?pane=details`} title="Its goal">
            turn ${session.turns}
          </a>`
        }
        ${session.archived && html`<span class="tag">archived</span>`}
        ${
          state.health &&
          !can(session.runner, "isReal") &&
          html`<span class="tag">${session.runner}</span>`
        }
      `}>
      <div class="stop-above" data-composed=${session.status !== "created"}>
        <${Stop} session=${session} />
      </div>
    <//>
    <${Problem} error=${error} />
    <div class="panes-choice">
      <${Choice} label="What to show" value=${pane === "review" ? "changes" : pane}
        onChange=${setPane}
        options=${[
          ["transcript", "Transcript"],
          ["changes", "Changes"],
          ["details", "Details"],
          ["timeline", "Timeline"],
        ]} />
    </div>
    <div class="session-columns">
      <section class="pane pane-transcript" aria-label="Transcript">
        <h2 class="visually-hidden">Transcript</h2>
        ${
          transcript?.ready
            ? html`<${Follow} session=${session} transcript=${transcript} asked=${waiting}
              remarks=${remarks}>
              <${Agents} session=${session} asked=${waiting} remarks=${remarks} />
              ${asked.map((a) => html`<${ApprovalCard} key=${a.id} approval=${a} />`)}
            <//>`
            : !error && html`<${Loading} />`
        }
        <${Warning} session=${session} events=${transcript?.events || []} />
        ${
          transcript?.ready &&
          html`<${Background} session=${session} transcript=${transcript} left=${remarks.left} />`
        }
        <${Result} session=${session} />
        ${
          ENDED.has(session.status) &&
          seen &&
          seen.total > 0 &&
          html`<${Left} changes=${seen} onReview=${() => setPane("changes")} />`
        }
        <${Why} session=${session} />
        <${Composer} key=${id} session=${session}>
          <${Doing} session=${session} transcript=${transcript} />
        <//>
      </section>
      <div class="pane-side">
        <section class="pane pane-changes" aria-label="Changes">
          <h2 class="section">Changes</h2>
          <${Changes} session=${session} onSeen=${see} />
        </section>
        <section class="pane pane-details" aria-label="Details">
          ${
            steps.length > 0 &&
            html`
              <h2 class="section">Plan</h2>
              <ol class="plan">
                ${steps.map(
                  (/** @type {any} */ s) => html`
                    <li data-status=${s.status}>${s.step}</li>
                  `,
                )}
              </ol>
            `
          }
          ${session.goal && html`<${Goal} session=${session} />`}
          <${Context} session=${session} />
          <h2 class="section">Details</h2>
          <${Facts} session=${session} />
          <${Label} key=${session.title} session=${session} />
          <${Share} session=${session} />
          ${
            hasTerminals(session) &&
            ACTIVE.has(session.status) &&
            html`<${FoldedTerminals} session=${session} />`
          }
        </section>
        <section class="pane pane-timeline" aria-label="Timeline">
          <h2 class="section">Timeline</h2>
          <${Timeline} events=${transcript?.events || []} hasEarlier=${Boolean(transcript?.earlier)}
            loadEarlier=${() => loadEarlier(id)} />
        </section>
      </div>
    </div>
  </div><//>`;
};

/**
 * What Codex warned of last, until it goes on.
 * @param {{session: SessionRecord, events: Event[]}} props
 */
const Warning = ({ session, events }) => {
  const last = events.findLast(({ type }) => type === "session.warning" || type === "session.item");
  if (!ACTIVE.has(session.status) || last?.type !== "session.warning") return null;
  const { message, details } = last.data;
  return html`<p class="quiet-line" role="status">
    <${Icon} name="warning" size=${18} /> ${message}
    ${details ? ` ${details}` : ""}
  </p>`;
};

/**
 * What an ended session has changed, one tap from its review where that does not stand beside it.
 * @param {{changes: Seen, onReview: () => void}} props
 */
const Left = ({ changes, onReview }) => html`<section class="card small left" aria-label="Changed">
  <p class="quiet-line">
    ${changes.isCut ? "More than " : ""}${plural(changes.total, "file")}${" "}
    <span class="mark">+${number(changes.additions)} −${number(changes.deletions)}</span>
  </p>
  <${Button} kind="primary" onClick=${onReview}>Review<//>
</section>`;

/** @param {SessionRecord} session */
const hasTerminals = (session) => session.codexThreadId && can(session.runner, "hasThreads");

/**
 * Commands that go on after the turn, and the way to end them.
 * @param {{session: SessionRecord, transcript: Loaded, left: Set<string>}} props
 */
const Background = ({ session, transcript, left }) => {
  const [asking, setAsking] = useState(false);
  const running = [...left]
    .map((id) => transcript.entries.get(id))
    .filter((entry) => entry && !entry.done && !entry.lost);
  if (!ENDED.has(session.status) || !running.length) return null;
  const stop = () => post(`/api/sessions/${session.id}/stop`, { requestedBy: ME });
  return html`<div class="why">
    <div>
      ${plural(running.length, "command")} of this session still${" "}
      ${running.length === 1 ? "runs" : "run"} in the background.
    </div>
    <${Button} kind="danger" icon="stop" onClick=${() => setAsking(true)}>
      End ${running.length === 1 ? "it" : "them"}
    <//>
    ${hasTerminals(session) && html`<${Terminals} session=${session} version=${running.length} />`}
    ${
      asking &&
      html`<${Confirm} title="End what runs in the background?" label="End it" act=${stop}
        onClose=${() => setAsking(false)}>
        <p>What it has changed on disk stays as it is.</p>
      <//>`
    }
  </div>`;
};

const NEAR = 120; // pixels below the window within which the end is taken for seen

/**
 * The transcript and what is asked now, kept at their end while its reader is there.
 * @param {{session: SessionRecord, transcript: Loaded, asked: Set<string | null>, remarks: Remarks,
 * children: any}} props
 */
const Follow = ({ session, transcript, asked, remarks, children }) => {
  const end = useRef(/** @type {any} */ (null));
  const follows = useRef(ACTIVE.has(session.status));
  const [away, setAway] = useState(false);
  const entries = [...transcript.entries.values()];
  const isLive = useRef(false);
  isLive.current = ACTIVE.has(session.status);
  const toEnd = () => end.current?.scrollIntoView({ block: "end" });
  useEffect(() => {
    const mark = end.current; // which may be gone a moment before this ends
    const watcher = new IntersectionObserver(
      ([seen]) => {
        if (seen.isIntersecting) follows.current = true;
        setAway(!follows.current);
      },
      { rootMargin: `0px 0px ${NEAR}px 0px` },
    );
    watcher.observe(mark);
    // Whatever grows, also what takes its height only once it is near: who reads along stays at the
    // end.
    const growth = new ResizeObserver(() => {
      if (follows.current && isLive.current) toEnd();
    });
    growth.observe(mark.parentElement);
    // Only a step up leads away from there.
    let before = scrollY;
    const moved = () => {
      if (scrollY < before) follows.current = mark.getBoundingClientRect().top < innerHeight + NEAR;
      before = scrollY;
    };
    addEventListener("scroll", moved, { passive: true });
    return () => {
      watcher.disconnect();
      growth.disconnect();
      removeEventListener("scroll", moved);
    };
  }, [session.id]);
  return html`
    ${
      !entries.length &&
      html`<p class="quiet-line">
        ${
          session.transcriptRemovedAt
            ? "What was said was removed, as it is old."
            : ENDED.has(session.status)
              ? "Nothing was said."
              : "Nothing is said yet."
        }
      </p>`
    }
    <${Transcript} entries=${entries} hasEarlier=${Boolean(transcript.earlierItems)}
      loadEarlier=${() => loadEarlierItems(session.id)} cwd=${session.cwd} asked=${asked}
      remarks=${remarks} isOver=${ENDED.has(session.status)}
      loadWhole=${(/** @type {Entry} */ entry) => loadWhole(session.id, entry)} />
    ${children}
    <div ref=${end} class="end"></div>
    <div class="to-end">
      ${
        away &&
        ACTIVE.has(session.status) &&
        html`<button type="button" onClick=${toEnd}>To the newest ↓</button>`
      }
    </div>
  `;
};

/** It waits for a limit, unless somebody sends it on. @param {{session: SessionRecord}} props */
const ForLimit = ({ session }) => {
  const { error, busy, run } = useAct();
  const goOn = () =>
    run("on", async () =>
      learn(
        "sessions",
        await patch(`/api/sessions/${session.id}`, { status: "queued", requestedBy: ME }),
      ),
    );
  return html`<div class="why">
    <div>
      A limit of Codex is reached. It goes on by itself when that
      resets${session.beginAfter ? `, ${dayAndTime(session.beginAfter)}` : ""}.
    </div>
    <${Button} icon="play" busy=${busy} onClick=${goOn}>Go on now<//>
    <${Problem} error=${error} />
  </div>`;
};

/** Why it waits, or how it ended. @param {{session: SessionRecord}} props */
const Why = ({ session }) => {
  const { error, busy, run } = useAct();
  const again = () =>
    run("again", async () => {
      const outcome = await post(`/api/tasks/${session.taskId}/run`, {
        model: session.model || undefined,
        effort: session.effort || undefined,
        serviceTier: session.serviceTier || undefined,
        sandbox: session.sandbox,
        requestedBy: ME,
      });
      learn("sessions", outcome.session);
      location.hash = `/sessions/${outcome.session.id}`;
    });
  if (session.status === "waiting_limit") return html`<${ForLimit} session=${session} />`;
  if (!ENDED.has(session.status)) return null;
  const plan = session.status === "completed" && session.collaborationMode === "plan";
  const carryOut = () =>
    run("out", async () =>
      follow(
        await post(`/api/codex/threads/${session.codexThreadId}/prompt`, {
          repositoryId: session.repositoryId,
          prompt: "Carry out the plan.",
          cwd: session.cwd,
          sandbox: session.sandbox,
          allowNetwork: session.allowNetwork,
          allowCommit: session.allowCommit,
          collaborationMode: "default",
          requestedBy: ME,
        }),
      ),
    );
  return html`<div class="why" data-status=${session.status}>
    <div>
      ${session.exitReason || `${Words(session.status)}.`}
      ${" "}
      <span class="hint"><${Ago} ts=${session.finishedAt} /></span>
    </div>
    ${
      session.status !== "completed" &&
      html`<${Button} icon="refresh" busy=${busy} onClick=${again}>Run again<//>`
    }
    ${
      plan &&
      html`<${Button} kind="primary" icon="play" busy=${busy === "out"} onClick=${carryOut}>
        Carry it out
      <//>`
    }
    <${Problem} error=${error} />
  </div>`;
};

/** @param {{session: SessionRecord}} props */
const Facts = ({ session }) => {
  const total = session.tokenUsage?.total || {};
  const budget = session.tokenBudget;
  /** @type {[string, any][]} */
  const facts = [
    [
      "Session",
      html`
        <a href=${`#/sessions/${session.id}`}>${session.id}</a> · ${Words(session.origin)}
        ${session.attempt > 1 ? ` · attempt ${session.attempt}` : ""}
      `,
    ],
    [
      "Model",
      [
        session.model || "Codex's default",
        session.effort && `effort ${session.effort}`,
        session.serviceTier && `speed ${session.serviceTier}`,
        session.collaborationMode === "plan" && "plans only",
      ]
        .filter(Boolean)
        .join(" · "),
    ],
    [
      "Sandbox",
      html`
        ${Words(session.sandbox)} · network ${session.allowNetwork ? "on" : "off"} · commits${" "}
        ${session.allowCommit ? "on" : "off"}
        ${session.permissionProfile && ` · profile ${session.permissionProfile}`}
      `,
    ],
    ["Branch", session.branchName && html`<code>${session.branchName}</code>`],
    ["Folder", html`<code>${session.cwd}</code>${session.worktreeReserved && " (to be made)"}`],
    [
      "Tokens",
      total.totalTokens !== undefined &&
        html`
          ${number(Math.max(0, total.totalTokens - session.tokenBaseline))}
          ${budget ? ` of ${number(budget)}` : ""}
          <span class="hint">
            ${" "}
            (thread: ${number(total.totalTokens)}, ${number(total.inputTokens)} in,${" "}
            ${number(total.cachedInputTokens)} of it cached, ${number(total.outputTokens)} out)
          </span>
        `,
    ],
    ["Started", session.startedAt && html`<${Ago} ts=${session.startedAt} />`],
    ["Host", session.placementReason && `${session.host}: ${session.placementReason}`],
    ["Asked by", session.requestedBy],
    ["Codex", session.codexRef && html`<code>${session.codexRef}</code>`],
    [
      "Thread",
      can(session.runner, "hasThreads") &&
        session.codexThreadId &&
        html`<a href=${`#/threads?thread=${session.codexThreadId}&host=${session.host}`}>
          Its past, fork, take back
        </a>`,
    ],
    [
      "Before it",
      session.previousSessionId &&
        html`<a href=${`#/sessions/${session.previousSessionId}`}>
          Session ${session.previousSessionId}
        </a>`,
    ],
  ];
  return html`
    <dl class="facts">
      ${facts.map(([name, value]) => value && html`<dt>${name}</dt><dd>${value}</dd>`)}
    </dl>
    <details class="fold">
      <summary>The prompt</summary>
      <p class="prompt">${session.prompt}</p>
    </details>
  `;
};
