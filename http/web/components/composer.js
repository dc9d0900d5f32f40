// @ts-check
// The box to say something to a session, whatever its state, and to stop it.
/** @import { Session } from "../openapi.js" */
import { every, ME, post, remove } from "../api.js";
import { keep, placeOf, remember, said, useDraft } from "../drafts.js";
import { html, useState } from "../html.js";
import { sheet } from "../sheets.js";
import { can, ENDED, learn } from "../store.js";
import { Attach, Attached, takes, useAttachments } from "./attachments.js";
import { Button, Choice, Confirm, lazily, Problem, useAct, useLoaded } from "./basics.js";
import { compact } from "./context.js";
import { Icon } from "./icon.js";
import { follow } from "./run-panel.js";
import { PromptBox } from "./suggestions.js";

sheet("./styles/session.css");

/** @import { Option } from "./suggestions.js" */

// once it is asked for
const Review = lazily(() => import("./review.js"), "Review");

/**
 * The ways to say something.
 * @type {Record<string, {label: string, placeholder: string, act: string}>}
 */
const WAYS = {
  steer: { label: "Steer the running turn", placeholder: "Steer this turn…", act: "Steer" },
  followup: {
    label: "A follow-up in the same thread",
    placeholder: "After this turn…",
    act: "Queue",
  },
  continue: {
    label: "Continue in this thread",
    placeholder: "Continue this thread…",
    act: "Continue",
  },
};

/**
 * Say something: into the turn, for after it, or to go on once it has ended. The server does what
 * can be done by then, whatever was shown. What is written is kept until it is taken.
 * @param {{session: Session, children?: any}} props
 */
export const Composer = ({ session, children }) => {
  const steerable = session.status === "running" && can(session.runner, "canSteer");
  const [chosen, setChosen] = useState("steer");
  const [draft, write, take] = useDraft(placeOf(session));
  const { text, attached } = draft;
  const { busy, error, run } = useAct();
  const isOver = ENDED.has(session.status);
  const how = isOver ? "continue" : steerable ? chosen : "followup";
  const { label, placeholder, act } = WAYS[how];
  const [queued, , again] = useLoaded(
    () => every(`/api/sessions/${session.id}/followups`, { status: "pending" }),
    [session.id, session.status],
  );
  const files = useAttachments(attached, (now) => write({ attached: now }));
  const [recalled, setRecalled] = useState(-1); // of what was said before; -1 for what is new
  /** Go up to what was said before, or down again. @param {any} event */
  const recall = (event) => {
    const step = event.key === "ArrowUp" ? 1 : event.key === "ArrowDown" ? -1 : 0;
    const next = recalled + step;
    const isAtEdge = step && (!text || recalled >= 0);
    const texts = isAtEdge ? ["", ...said()] : [];
    if (next < -1 || texts[next + 1] === undefined) return;
    event.preventDefault();
    setRecalled(next);
    write({ text: texts[next + 1] });
  };
  const takesFiles = can(session.runner, "takesImages");
  const hasThreads = can(session.runner, "hasThreads");
  const isFree = isOver && hasThreads && session.codexThreadId;
  const [plans, setPlans] = useState(false);
  const [asking, ask] = useState(/** @type {"stop" | "review" | "compact" | null} */ (null));
  const sources = {
    of: "sessions",
    id: session.id,
    repositoryId: session.repositoryId,
    hasSkills: hasThreads,
    commands: commandsOf(session, {
      stop: isOver ? null : () => ask("stop"),
      plan: isFree ? () => setPlans(true) : null,
      compact: isFree ? () => ask("compact") : null,
      review: hasThreads ? () => ask("review") : null,
    }),
  };
  const send = () =>
    run("send", async () => {
      if (plans && isFree) {
        const answer = await post(`/api/codex/threads/${session.codexThreadId}/prompt`, {
          repositoryId: session.repositoryId,
          prompt: text.trim(),
          attachments: attached.map(({ id }) => id),
          cwd: session.cwd,
          sandbox: session.sandbox,
          allowNetwork: session.allowNetwork,
          allowCommit: session.allowCommit,
          collaborationMode: "plan",
          requestedBy: ME,
        });
        remember(text.trim());
        take(draft);
        setPlans(false);
        follow(answer);
        return;
      }
      const answer = await post(`/api/sessions/${session.id}/messages`, {
        message: text.trim(),
        attachments: attached.map(({ id }) => id),
        how: how === "followup" ? "followup" : "auto",
        requestedBy: ME,
      });
      remember(text.trim());
      setRecalled(-1);
      learn("sessions", answer.session);
      const left = take(draft); // more may have been written meanwhile
      if (answer.how === "continue") {
        keep(placeOf(answer.session), left);
        take(left);
        location.hash = `/sessions/${answer.session.id}`;
      } else again();
    });
  const canSend = Boolean(text.trim()) && !busy && !files.busy;
  if (session.status === "created") return null;
  return html`<form class="composer" ...${takesFiles ? takes(files.add) : {}}
    onSubmit=${(/** @type {any} */ e) => {
      e.preventDefault();
      if (canSend) send();
    }}>
    ${children}
    ${queued?.map(
      (f) => html`<div class="queued" key=${f.id}>
        <span>Next: ${f.message}</span>
        <button type="button" class="icon-button" aria-label="Take it back"
          onClick=${() =>
            run("take", async () => {
              await remove(`/api/followups/${f.id}`, { requestedBy: ME });
              again();
            })}>
          <${Icon} name="cross" size=${16} />
        </button>
      </div>`,
    )}
    <${Problem} error=${error || files.error} />
    ${
      plans &&
      isFree &&
      html`<button type="button" class="tag" onClick=${() => setPlans(false)}>
        Plans first · as usual
      </button>`
    }
    <${Attached} attached=${attached} remove=${files.remove} />
    <div class="composer-row">
      <${Stop} session=${session} />
      ${takesFiles && html`<${Attach} onFiles=${files.add} busy=${files.busy} />`}
      <${PromptBox} rows="1" text=${text} aria-label=${label} placeholder=${placeholder}
        sources=${sources}
        onText=${(/** @type {string} */ now) => {
          setRecalled(-1);
          write({ text: now });
        }}
        onKeyDown=${(/** @type {any} */ e) => {
          if (e.key === "Enter" && (e.metaKey || e.ctrlKey) && canSend) send();
          else recall(e);
        }} />
      <button type="submit" class="button primary round" disabled=${!canSend} aria-label=${act}>
        <${Icon} name="send" />
      </button>
    </div>
    ${
      steerable &&
      html`<${Choice} label="When it is said" value=${chosen} onChange=${setChosen}
        options=${[
          ["steer", "Steer now"],
          ["followup", "After the turn"],
        ]} />`
    }
  </form>
  ${asking === "stop" && html`<${AskStop} session=${session} onClose=${() => ask(null)} />`}
  ${asking === "compact" && html`<${AskCompact} session=${session} onClose=${() => ask(null)} />`}
  ${asking === "review" && html`<${Review} session=${session} onClose=${() => ask(null)} />`}
  `;
};

/**
 * What a word after / does in a session, of that which can be done now.
 * @param {Session} session @param {Record<string, (() => void) | null>} acts @returns {Option[]}
 */
function commandsOf(session, acts) {
  /** @param {string} path */
  const to = (path) => () => {
    location.hash = path;
  };
  /** @type {[string, string, (() => void) | null][]} */
  const all = [
    ["stop", "Interrupt the turn", acts.stop],
    ["plan", "Have Codex plan first, and change nothing", acts.plan],
    ["review", "Have Codex review what has changed", acts.review],
    ["compact", "Make the history of its thread shorter", acts.compact],
    ["changes", "See what has changed", to(`/sessions/${session.id}?pane=changes`)],
    ["files", "Look through the files", to(`/sessions/${session.id}/files`)],
    ["new", "Begin another task here", to(`/tasks/new?repo=${session.repositoryId}`)],
  ];
  return all.flatMap(([name, note, act]) =>
    act ? [{ key: name, label: `/${name}`, note, insert: "", act }] : [],
  );
}

/** @param {{session: Session, onClose: () => void}} props */
const AskStop = ({ session, onClose }) => {
  const stop = async () =>
    learn(
      "sessions",
      (await post(`/api/sessions/${session.id}/stop`, { requestedBy: ME })).session,
    );
  return html`<${Confirm} title="Stop this session?" label="Stop it" act=${stop} onClose=${onClose}>
    <p>The turn is interrupted. What it has changed on disk stays as it is.</p>
  <//>`;
};

/** @param {{session: Session, onClose: () => void}} props */
const AskCompact = ({ session, onClose }) => html`<${Confirm}
  title="Make its history shorter?" label="Make it shorter" act=${() => compact(session)}
  onClose=${onClose}>
  <p>The model sums up what was said in the thread, and goes on from that alone.</p>
<//>`;

/** @param {{session: Session}} props */
export const Stop = ({ session }) => {
  const [asking, setAsking] = useState(false);
  if (ENDED.has(session.status)) return null;
  return html`
    <${Button} kind="danger" icon="stop" disabled=${Boolean(session.stopRequested)}
      onClick=${() => setAsking(true)}>
      ${session.stopRequested ? "Stopping…" : "Stop"}
    <//>
    ${asking && html`<${AskStop} session=${session} onClose=${() => setAsking(false)} />`}
  `;
};
