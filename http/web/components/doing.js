// @ts-check
// What goes on in a session right now, in one line above the box in which one writes to it.
import { get } from "../api.js";
import { clock, dayAndTime, duration, plain, script, seen } from "../format.js";
import { html } from "../html.js";
import { ENDED, state, useStore } from "../store.js";
import { Elapsed, useLoaded } from "./basics.js";
import { unable } from "./bridge.js";

/** @import { Session, ShownHost } from "../openapi.js" */
/** @import { Entry, Transcript } from "../transcripts.js" */
/**
 * @typedef {{text: string, since?: string | null, tone?: string, session?: number | null}} Line
 * `since` when it goes on so, and the session to which its words lead.
 */

const LONGEST = 60; // characters of a command

/** @param {{session: Session, transcript?: Transcript}} props */
export const Doing = ({ session, transcript }) => {
  useStore("codex", "connection");
  const isElsewhere = session.host !== "local" && !ENDED.has(session.status);
  const [hosts] = useLoaded(
    async () => (isElsewhere ? (await get("/api/hosts", { limit: 200 })).items : null),
    [isElsewhere],
    useStore("hosts"),
  );
  const host = hosts?.find(({ name }) => name === session.host);
  const line = doing(session, transcript, state.phase, host);
  if (!line) return null;
  const name = `session ${line.session}`;
  const at = line.session ? line.text.indexOf(name) : -1;
  const words =
    at < 0
      ? line.text
      : [
          line.text.slice(0, at),
          html`<a href=${`#/sessions/${line.session}`}>${name}</a>`,
          line.text.slice(at + name.length),
        ];
  return html`<p class="doing" data-tone=${line.tone || "plain"}>
    <i class="dot"></i>
    <span role="status">${words}</span>
    ${line.since && html`<${Elapsed} from=${line.since} />`}
  </p>`;
};

/**
 * Return what goes on in a session, of what the page knows; null once it has ended.
 * @param {Session} session @param {Transcript | undefined} transcript
 * @param {string} phase Of the connection. @param {ShownHost} [host] Where it works.
 * @returns {Line | null}
 */
export function doing(session, transcript, phase, host) {
  if (ENDED.has(session.status) || session.status === "created") return null;
  if (phase !== "live")
    return {
      text: `Reconnecting: ${navigator.onLine ? "Command Center does not answer" : "no network"}`,
      tone: "warn",
    };
  if (session.status === "blocked") return { text: "Waits for its approval", tone: "ask" };
  if (session.status === "waiting_limit") {
    const at = session.beginAfter;
    return { text: at ? `Limit resets ${near(at)}` : "Waits for a limit to reset", tone: "warn" };
  }
  if (session.status === "queued" || session.waitReason)
    return {
      text: session.waitReason || "Waits for its turn",
      session: session.waitsFor,
      tone: "warn",
    };
  const away = unable(session, host);
  if (away) return { text: `${away}: nothing is heard of it`, tone: "bad" };
  if (session.stopRequested) return { text: "Stopping" };
  if (session.status === "waiting_approval") return { text: "Waits for you", tone: "ask" };
  if (session.status === "starting") return { text: "Starting", since: session.startedAt };
  if (!transcript?.ready) return { text: "At work", since: session.startedAt, tone: "live" };
  const { entries, events } = transcript;
  const last = events.at(-1);
  if (last?.type === "session.stalled")
    return { text: `Silent for ${duration(last.data.silentSeconds)}`, tone: "warn" };
  const entry = [...entries.values()].findLast((one) => !one.done && !one.lost);
  const at = entry?.since || last?.ts || session.startedAt;
  return { text: entry ? act(entry) : "Thinking", since: at, tone: "live" };
}

/** A time of today by its clock alone. @param {string} ts */
const near = (ts) =>
  new Date(ts).toDateString() === new Date().toDateString() ? clock(new Date(ts)) : dayAndTime(ts);

/** @type {Record<string, (body: any) => string>} */
const ACTS = {
  agentMessage: () => "Writing",
  plan: () => "Writing a plan",
  commandExecution: ({ command = "" }) =>
    `Running ${short(script(Array.isArray(command) ? command.join(" ") : command))}`,
  fileChange: () => "Changing files",
  mcpToolCall: ({ server, tool }) => `Calling ${[server, tool].filter(Boolean).join(" · ")}`,
  dynamicToolCall: ({ tool }) => `Calling ${tool}`,
  collabAgentToolCall: () => "Waits for its sub-agents",
  webSearch: () => "Searching the web",
  contextCompaction: () => "Making its history shorter",
};

/** @param {Entry} entry */
const act = ({ type, body }) => ACTS[type]?.(body) || "Thinking";

/** The first line of a command, as far as it fits. @param {string} command */
function short(command) {
  const [line] = plain(seen(command)).split("\n");
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}
