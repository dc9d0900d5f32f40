// @ts-check
// The connection to the server. One place applies the events of the stream in their order, and
// resumes after sleep or a lost connection by the id of the last one.
import { ApiError, get, whenUnauthorized } from "./api.js";
import {
  ACTIVE,
  changed,
  followers,
  forget,
  forgetRepository,
  KINDS,
  learnPart,
  loadEverything,
  refresh,
  refreshKind,
  stale,
  state,
} from "./store.js";

/** @import { Told } from "./store.js" */

const NOT_IN_LOG = 4410; // the close code where what was resumed after is not there
const TOO_FAR = 3000; // events behind: everything is asked for anew
const BEAT_MS = 10_000; // in a page that is hidden, a minute at most
const ASLEEP_MS = 90_000; // between two beats
// after which a page that is shown again asks whether its connection lives
const SILENT_MS = 20_000;
const UNSURE_MS = 2000; // without an answer to that, what is shown counts as stale

/** @type {((event: Told) => void)[]} */
const listeners = [];

/** Be told of each event that comes, never of the past. @param {(event: Told) => void} listener */
export function onEvent(listener) {
  listeners.push(listener);
}

/** @type {Record<string, string>} */
const CHANGED = {
  account: "account",
  actor: "runtime",
  bridge: "runtime",
  device: "devices",
  host: "hosts",
  inbox: "inbox",
  limits: "limits",
  mcp: "mcp",
  notify: "notify",
  skill: "mcp",
  webhook: "webhooks",
};

/** @param {Told} event */
function apply(event) {
  if (event.id !== null) {
    if (state.lastId !== null && event.id <= state.lastId) return;
    state.lastId = event.id;
  }
  state.asOf = Date.now();
  const thing = event.type.split(".")[0];
  if (thing === "session") applyToSession(event);
  else if (event.type === "repo.deleted") forgetRepository(event.repositoryId);
  else if (thing === "repo") refresh("repos", event.repositoryId);
  else if (thing === "worktree") changed(`worktrees:${event.repositoryId}`);
  else if (thing === "task") refresh("tasks", event.taskId);
  else if (event.type === "automation.deleted") forget("automations", event.automationId);
  else if (thing === "automation") refresh("automations", event.automationId);
  else if (thing in CHANGED) changed(CHANGED[thing]);
  else if (thing === "approval") {
    refresh("approvals", event.approvalId);
    refresh("tasks", event.taskId);
    refresh("sessions", event.sessionId);
    if (event.sessionId) for (const follower of followers) follower.show(event);
  }
  if (event.id !== null) changed("events");
  for (const listener of listeners) listener(event);
}

const ALWAYS_KEPT = new Set([
  "session.item",
  "session.item.cut_off",
  "session.plan",
  "session.diff",
  "session.usage",
  "session.warning",
]);

/** @param {Told} event */
function applyToSession(event) {
  if (event.sessionId === undefined) return;
  if (event.type === "session.plan") learnPart(event.sessionId, { plan: event.data });
  else if (event.type === "session.start.delayed")
    learnPart(event.sessionId, { waitReason: event.data.reason });
  else if (event.type === "session.usage")
    learnPart(event.sessionId, { tokenUsage: event.data, tokenBaseline: event.data.tokenBaseline });
  else if (event.type === "session.diff") changed(`diff:${event.sessionId}`);
  else if (event.type.startsWith("session.agent.")) changed(`agents:${event.sessionId}`);
  else if (/^session\.pu(sh|ll_request)/.test(event.type)) changed(`pushes:${event.taskId}`);
  else if (event.id !== null && !ALWAYS_KEPT.has(event.type)) {
    if ("to" in event.data && event.data.to) {
      learnPart(event.sessionId, { status: event.data.to });
      changed("sessions");
    }
    refresh("sessions", event.sessionId);
    refresh("tasks", event.taskId);
  }
  for (const follower of followers) follower.show(event);
  changed(`session:${event.sessionId}`);
}

// Coming and going

/** @type {WebSocket | null} */
let socket = null;
let turn = 0; // of beginning: what an earlier one still brings is not wanted
let attempt = 0;
let heardAt = Date.now();
let retry = 0;
let beatAt = Date.now();

/** End the connection, and whatever was begun to have one. */
function hangUp() {
  turn += 1;
  clearTimeout(retry);
  const open = socket;
  socket = null;
  open?.close();
}

/** Begin, or begin again at once. */
export async function connect() {
  hangUp();
  const mine = turn;
  if (state.phase === "live") retry = setTimeout(() => enter("offline"), UNSURE_MS);
  try {
    const newest = (
      await get("/api/events", {
        newestFirst: true,
        limit: 1,
        logId: state.lastId === null ? undefined : state.health?.logId,
      })
    ).items[0];
    const behind = state.lastId === null ? Infinity : (newest?.id ?? 0) - state.lastId;
    if (behind < 0 || behind > TOO_FAR) {
      await loadEverything();
      if (mine !== turn) return;
      state.lastId = newest?.id ?? 0;
    }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (mine !== turn) return;
    if (error.status !== 410) return lost();
    state.lastId = null; // a server may come back with another log
    return connect();
  }
  if (mine === turn) listen();
}

function listen() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const resumed = `after=${state.lastId}&logId=${state.health?.logId}`;
  const opened = new WebSocket(`${scheme}//${location.host}/api/events/stream?${resumed}`);
  socket = opened;
  const resume = () => {
    clearTimeout(retry);
    attempt = 0;
    enter("live");
    for (const { id, status } of state.sessions.values()) {
      if (!ACTIVE.has(status)) continue;
      stale.sessions.add(id); // what is only told live was missed
      changed(`diff:${id}`, `agents:${id}`);
    }
    for (const kind of KINDS) if (stale[kind].size) refreshKind(kind);
    for (const follower of followers) follower.renew();
    checkRelease();
  };
  opened.onmessage = (message) => {
    if (socket !== opened) return;
    heardAt = Date.now();
    const event = JSON.parse(message.data);
    if (event.type === "stream.resumed") resume();
    else apply(event);
  };
  opened.onclose = ({ code }) => {
    if (socket !== opened) return;
    if (code === NOT_IN_LOG) state.lastId = null;
    lost();
  };
}

/**
 * A server of another version does not have the modules of this page, some of which may still be
 * needed.
 */
async function checkRelease() {
  const answer = await fetch(import.meta.url, { method: "HEAD", cache: "no-store" }).catch(
    () => null,
  );
  if (answer?.status !== 404) return;
  state.isOutdated = true;
  changed("connection");
}

function lost() {
  socket = null;
  const wait = Math.min(15_000, 400 * 2 ** attempt) * (0.75 + Math.random() / 2);
  attempt += 1;
  state.retryAt = Date.now() + wait;
  enter("offline");
  retry = setTimeout(connect, wait);
}

/** @param {"signin" | "live" | "offline"} phase */
function enter(phase) {
  if (phase === "live") state.asOf = Date.now();
  state.phase = phase;
  changed("connection");
}

/** After sleep a socket may be dead and not know it. */
function awake() {
  if (document.visibilityState !== "visible" || state.phase === "signin") return;
  if (state.phase === "offline" || Date.now() - heardAt > SILENT_MS) connect();
}

/** What is shown is current as of the last beat before a sleep, in which nothing beats. */
function beat() {
  const hasSlept = Date.now() - beatAt > ASLEEP_MS;
  beatAt = Date.now();
  if (hasSlept) awake();
  else if (state.phase === "live") state.asOf = beatAt;
}

/** Who is signed out sees nothing more, and nothing is kept. */
function signedOut() {
  hangUp();
  state.lastId = null;
  state.health = null;
  for (const kind of KINDS) {
    state[kind].clear();
    stale[kind].clear();
  }
  for (const follower of followers) follower.forget();
  enter("signin");
}

export function start() {
  whenUnauthorized(signedOut);
  setInterval(beat, BEAT_MS);
  document.addEventListener("visibilitychange", awake);
  addEventListener("online", awake);
  addEventListener("offline", () => {
    if (state.phase === "signin") return;
    hangUp();
    lost();
  });
  return connect();
}
