// @ts-check
// What the page knows. One place applies the events of the stream in their order, and resumes after
// sleep or a lost connection by the id of the last one. Events tell what changed; the record itself
// is then asked for, once for however many events named it.
import { ApiError, every, get, whenUnauthorized } from "./api.js";
import { useEffect, useState } from "./html.js";
import { forgetTranscripts, showInTranscript } from "./transcripts.js";

/** @import { Approval, Automation, Event, Health, Page, Repository, Session, Task } from "./openapi.js" */

/**
 * @typedef {{repos: Repository, tasks: Task, sessions: Session, approvals: Approval, automations: Automation}} Kinds
 * @typedef {keyof Kinds} Kind
 * @typedef {Omit<Event, "id"> & {id: number | null}} Told An event as the stream tells it: what is not stored has no id.
 */

const FIRST_PAGE = 200;
const GATHER_MS = 50;
const TOO_MANY = 40; // of one kind: the list is asked for instead of each
const TOO_FAR = 3000; // events behind: everything is asked for anew
const ASLEEP_MS = 20_000;

export const state = {
  phase: /** @type {"starting" | "signin" | "live" | "offline"} */ ("starting"),
  asOf: Date.now(),
  retryAt: 0,
  health: /** @type {Health | null} */ (null),
  lastId: /** @type {number | null} */ (null),
  repos: /** @type {Map<number, Repository>} */ (new Map()),
  tasks: /** @type {Map<number, Task>} */ (new Map()),
  sessions: /** @type {Map<number, Session>} */ (new Map()),
  approvals: /** @type {Map<number, Approval>} */ (new Map()),
  automations: /** @type {Map<number, Automation>} */ (new Map()),
  cursors: /** @type {Record<string, string | null>} */ ({}),
  /** When the oldest of the pages that are here was made; null where all are. */
  backTo: /** @type {Record<string, string | null>} */ ({}),
};

// Topics: a kind of record, "connection", "runtime", "session:12", "worktrees:3", "events".

/** @type {Map<string, Set<() => void>>} */
const watchers = new Map();
/** @type {Set<string>} */
const changedTopics = new Set();
let flushing = false;

/** @param {...string} topics */
export function changed(...topics) {
  for (const topic of topics) changedTopics.add(topic);
  if (flushing) return;
  flushing = true;
  setTimeout(() => {
    flushing = false;
    const called = new Set();
    for (const topic of changedTopics) for (const callback of watchers.get(topic) || []) called.add(callback);
    changedTopics.clear();
    for (const callback of called) callback();
  }, 16);
}

/** Render again when one of the topics changes. @param {...string} topics */
export function useStore(...topics) {
  const [version, render] = useState(0);
  const key = topics.join(" ");
  useEffect(() => {
    const callback = () => render((/** @type {number} */ n) => n + 1);
    for (const topic of topics) {
      if (!watchers.has(topic)) watchers.set(topic, new Set());
      watchers.get(topic)?.add(callback);
    }
    return () => {
      for (const topic of topics) watchers.get(topic)?.delete(callback);
    };
  }, [key]);
  return version;
}

/** @type {((event: Told) => void)[]} */
const listeners = [];

/** Be told of each event that comes, never of the past. @param {(event: Told) => void} listener */
export function onEvent(listener) {
  listeners.push(listener);
}

// Records

/** What is known of a kind. @template {Kind} K @param {K} kind @returns {Map<number, Kinds[K]>} */
const known = (kind) => /** @type {any} */ (state[kind]);

/** @template {Kind} K @param {K} kind @param {Kinds[K][]} rows */
function keep(kind, rows) {
  for (const row of rows) known(kind).set(row.id, row);
  changed(kind);
}

/** A record that an answer brought: shown before its event comes. @template {Kind} K @param {K} kind @param {Kinds[K]} row */
export function learn(kind, row) {
  keep(kind, [row]);
  if (kind === "sessions") changed(`session:${row.id}`);
}

/** @type {Record<Kind, Set<number>>} */
const stale = { repos: new Set(), tasks: new Set(), sessions: new Set(), approvals: new Set(), automations: new Set() };
let gathering = false;

/** @param {Kind} kind @param {number | null | undefined} id */
export function refresh(kind, id) {
  if (id === undefined || id === null) return;
  stale[kind].add(id);
  if (gathering) return;
  gathering = true;
  setTimeout(async () => {
    gathering = false;
    await Promise.all(/** @type {Kind[]} */ (Object.keys(stale)).map(refreshKind));
  }, GATHER_MS);
}

/** @param {Kind} kind */
async function refreshKind(kind) {
  const ids = [...stale[kind]];
  stale[kind].clear();
  try {
    if (ids.length > TOO_MANY) await loadKind(kind);
    else await Promise.all(ids.map((id) => refreshOne(kind, id)));
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 0) throw error;
    for (const id of ids) stale[kind].add(id); // asked for again once the connection is back
  }
}

/** A record that is no more. @param {Kind} kind @param {number | undefined} id */
export function forget(kind, id) {
  if (id === undefined) return;
  stale[kind].delete(id);
  state[kind].delete(id);
  changed(kind);
}

/** A repository goes with all that is of it. @param {number | undefined} id */
export function forgetRepository(id) {
  forget("repos", id);
  for (const kind of /** @type {const} */ (["tasks", "sessions", "approvals", "automations"]))
    for (const row of known(kind).values()) if (row.repositoryId === id) forget(kind, row.id);
}

/** @param {Kind} kind @param {number} id */
async function refreshOne(kind, id) {
  try {
    learn(kind, await get(`/api/${kind}/${id}`));
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    forget(kind, id);
  }
}

/**
 * One record, from here or from the server.
 * @template {Kind} K @param {K} kind @param {number} id @returns {Promise<Kinds[K]>}
 */
export async function need(kind, id) {
  const kept = known(kind).get(id);
  if (kept) return kept;
  const row = /** @type {Kinds[K]} */ (await get(`/api/${kind}/${id}`));
  learn(kind, row);
  return row;
}

/** @param {Kind} kind */
async function loadKind(kind) {
  if (kind === "repos" || kind === "automations") {
    const rows = await every(`/api/${kind}`);
    state[kind].clear();
    keep(kind, rows);
    return;
  }
  const [first, pending] = await Promise.all([
    get(`/api/${kind}`, { limit: FIRST_PAGE }),
    kind === "approvals" ? every("/api/approvals", { status: "pending" }) : [],
  ]);
  state[kind].clear();
  keep("approvals", pending);
  reached(kind, first);
  keep(kind, first.items);
}

/** The next page of older ones. @param {Kind} kind */
export async function loadOlder(kind) {
  const page = await get(`/api/${kind}`, { limit: FIRST_PAGE, cursor: state.cursors[kind] });
  reached(kind, page);
  keep(kind, page.items);
}

/** @param {Kind} kind @param {Page<Kinds[Kind]>} page */
function reached(kind, page) {
  state.cursors[kind] = page.nextCursor;
  state.backTo[kind] = page.nextCursor && (page.items.at(-1)?.createdAt ?? null);
}

async function loadEverything() {
  await Promise.all([
    ...["repos", "tasks", "sessions", "approvals", "automations"].map((kind) => loadKind(/** @type {Kind} */ (kind))),
    get("/health").then((health) => {
      state.health = health;
    }),
  ]);
  forgetTranscripts();
  changed("connection", "runtime", "events", "reloaded");
}

// Events

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
  else if (thing === "actor" || thing === "bridge") changed("runtime");
  else if (thing === "approval") {
    refresh("approvals", event.approvalId);
    refresh("tasks", event.taskId);
    refresh("sessions", event.sessionId);
    if (event.sessionId) showInTranscript(event);
  }
  if (event.id !== null) changed("events");
  for (const listener of listeners) listener(event);
}

const ALWAYS_KEPT = new Set(["session.item", "session.plan", "session.diff", "session.usage", "session.warning"]);

/** @param {Told} event */
function applyToSession(event) {
  if (event.sessionId === undefined) return;
  const session = state.sessions.get(event.sessionId);
  if (event.type === "session.plan" && session) session.plan = event.data;
  else if (event.type === "session.usage" && session) session.tokenUsage = event.data;
  else if (event.type === "session.diff") refresh("sessions", event.sessionId);
  else if (event.id !== null && !ALWAYS_KEPT.has(event.type)) {
    if (session && event.data.to) {
      session.status = event.data.to;
      changed("sessions");
    }
    refresh("sessions", event.sessionId);
    refresh("tasks", event.taskId);
  }
  showInTranscript(event);
  changed(`session:${event.sessionId}`);
}

// The connection

/** @type {WebSocket | null} */
let socket = null;
let attempt = 0;
let heardAt = 0;
let retry = 0;

/** Begin, or begin again at once. */
export async function connect() {
  clearTimeout(retry);
  socket?.close();
  socket = null;
  try {
    const newest = (await get("/api/events", { newestFirst: true, limit: 1 })).items[0]?.id ?? 0;
    const behind = state.lastId === null ? Infinity : newest - state.lastId;
    if (behind < 0 || behind > TOO_FAR) {
      await loadEverything();
      state.lastId = newest;
    }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) enter("signin");
    else lost();
    return;
  }
  listen();
}

function listen() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const opened = new WebSocket(`${scheme}//${location.host}/api/events/stream?after=${state.lastId}`);
  socket = opened;
  opened.onopen = () => {
    attempt = 0;
    heardAt = Date.now();
    enter("live");
    for (const kind of /** @type {Kind[]} */ (Object.keys(stale))) if (stale[kind].size) refreshKind(kind);
  };
  opened.onmessage = (message) => {
    if (socket !== opened) return;
    heardAt = Date.now();
    apply(JSON.parse(message.data));
  };
  opened.onclose = () => {
    if (socket === opened) lost();
  };
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
  if (phase === "live" || state.phase === "live") state.asOf = Date.now();
  state.phase = phase;
  changed("connection");
}

/** After sleep a socket may be dead and not know it. */
function awake() {
  if (document.visibilityState !== "visible" || state.phase === "signin") return;
  if (state.phase === "offline" || Date.now() - heardAt > ASLEEP_MS) connect();
}

export function start() {
  whenUnauthorized(() => {
    clearTimeout(retry);
    const open = socket;
    socket = null;
    open?.close();
    enter("signin");
  });
  document.addEventListener("visibilitychange", awake);
  addEventListener("online", awake);
  addEventListener("offline", () => {
    const open = socket;
    socket = null;
    open?.close();
    clearTimeout(retry);
    lost();
  });
  return connect();
}

// Questions to what is known

/** @template {{id: number}} R @param {Map<number, R>} rows @returns {R[]} */
export const newestFirst = (rows) => [...rows.values()].sort((a, b) => b.id - a.id);

export const ACTIVE = new Set(["starting", "running", "waiting_approval"]);
export const WAITING = new Set(["created", "blocked", "queued"]);
export const ENDED = new Set(["completed", "failed", "stopped", "interrupted"]);

/** The task that a record is about. @param {{taskId?: number | null}} about */
export const taskOf = (about) => state.tasks.get(about.taskId ?? 0);

/** The repository that a record is about. @param {{repositoryId?: number | null}} about */
export const repoOf = (about) => state.repos.get(about.repositoryId ?? 0);

export const pendingApprovals = () =>
  [...state.approvals.values()].filter((row) => row.status === "pending").sort((a, b) => a.id - b.id);

/** @param {number} taskId */
export const sessionsOf = (taskId) => newestFirst(state.sessions).filter((row) => row.taskId === taskId);
