// @ts-check
// What the page knows: records, as the server last gave them, and who is shown again when some
// change. Events tell what changed (connection.js); the record itself is then asked for, once for
// however many events named it.
import { ApiError, every, get, query } from "./api.js";
import { useEffect, useLayoutEffect, useState } from "./html.js";

/** @import { AgentAccount, AnyEvent, Approval, Automation, BridgeHealth } from "./openapi.js" */
/** @import { Capabilities, Health, UsageLimits } from "./openapi.js" */
/** @import { Page, Repository, Session, Task } from "./openapi.js" */

/**
 * @typedef {{repos: Repository, tasks: Task, sessions: Session, approvals: Approval, automations:
 * Automation}} Kinds
 * @typedef {keyof Kinds} Kind
 * @typedef {{bridge: BridgeHealth, account: AgentAccount | null, limits: UsageLimits | null}} Codex
 * As it is on this machine; of one that cannot be reached no more is known.
 */

const NEWEST = { tasks: 10, sessions: 10, approvals: 1 }; // at first, beside what is not over
const PAGE = 200; // at a time from then on
const GATHER_MS = 50;
const TOO_MANY = 40; // of one kind: the list is asked for instead of each

/**
 * Whether a runner can do something.
 * @param {string | undefined} runner
 * @param {keyof Capabilities} what
 */
export const can = (runner, what) => Boolean(runner && state.health?.runners[runner]?.[what]);

export const state = {
  phase: /** @type {"starting" | "signin" | "live" | "offline"} */ ("starting"),
  asOf: Date.now(),
  retryAt: 0,
  isOutdated: false, // the server is of another version than the page
  health: /** @type {Health | null} */ (null),
  codex: /** @type {Codex | null} */ (null),
  lastId: /** @type {number | null} */ (null),
  repos: /** @type {Map<number, Repository>} */ (new Map()),
  tasks: /** @type {Map<number, Task>} */ (new Map()),
  sessions: /** @type {Map<number, Session>} */ (new Map()),
  approvals: /** @type {Map<number, Approval>} */ (new Map()),
  automations: /** @type {Map<number, Automation>} */ (new Map()),
};

/**
 * @typedef {AnyEvent} Told An event as the stream tells it: what is not stored has no id.
 * @typedef {{show: (event: Told) => void, renew: () => void, forget: () => void}} Follower
 */

/**
 * Those who keep more of sessions than their records: told of their events, to renew after a gap in
 * the stream, and to forget.
 * @type {Set<Follower>}
 */
export const followers = new Set();

// Topics: a kind of record, "connection", "codex", "runtime", "session:12", "diff:12", "agents:12",
// "worktrees:3", "events".

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
    for (const topic of changedTopics)
      for (const callback of watchers.get(topic) || []) called.add(callback);
    changedTopics.clear();
    for (const callback of called) callback();
  }, 16);
}

/** Render again when one of the topics changes. @param {...string} topics */
export function useStore(...topics) {
  const [version, render] = useState(0);
  const key = topics.join(" ");
  useLayoutEffect(() => {
    // at once, so that nothing changes between
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

// Records

/** What is known of a kind. @template {Kind} K @param {K} kind @returns {Map<number, Kinds[K]>} */
const known = (kind) => /** @type {any} */ (state[kind]);

// Answers overtake each other, so requests are numbered: a record is replaced only by what was
// asked for later.

let asked = 0;
/** By which request a record came, or went. @type {Record<Kind, Map<number, number>>} */
const broughtBy = {
  repos: new Map(),
  tasks: new Map(),
  sessions: new Map(),
  approvals: new Map(),
  automations: new Map(),
};

/** @param {Kind} kind @param {number} id @param {number} by */
const isOvertaken = (kind, id, by) => by < (broughtBy[kind].get(id) ?? 0);

/** @template {Kind} K @param {K} kind @param {Kinds[K][]} rows @param {number} by */
function keep(kind, rows, by) {
  for (const row of rows) {
    if (isOvertaken(kind, row.id, by)) continue;
    broughtBy[kind].set(row.id, by);
    known(kind).set(row.id, row);
  }
  changed(kind);
}

/**
 * Ask for records and keep them.
 * @template {Kind} K
 * @param {K} kind
 * @param {() => Promise<Kinds[K][]>} ask
 */
export async function bring(kind, ask) {
  const by = (asked += 1);
  const rows = await ask();
  keep(kind, rows, by);
  return rows;
}

/**
 * A record in the answer to an act: shown before its event comes, and asked for once more, for an
 * answer that was lost and is sent again may be an old one.
 * @template {Kind} K @param {K} kind @param {Kinds[K]} row
 */
export function learn(kind, row) {
  keep(kind, [row], (asked += 1));
  refresh(kind, row.id);
}

/** @type {Record<Kind, Set<number>>} */
export const stale = {
  repos: new Set(),
  tasks: new Set(),
  sessions: new Set(),
  approvals: new Set(),
  automations: new Set(),
};
export const KINDS = /** @type {Kind[]} */ (Object.keys(stale));
let gathering = false;

/** @param {Kind} kind @param {number | null | undefined} id */
export function refresh(kind, id) {
  if (id === undefined || id === null) return;
  stale[kind].add(id);
  if (gathering) return;
  gathering = true;
  setTimeout(() => {
    gathering = false;
    for (const each of KINDS) if (stale[each].size) refreshKind(each);
  }, GATHER_MS);
}

/** @param {Kind} kind */
export async function refreshKind(kind) {
  const ids = [...stale[kind]];
  stale[kind].clear();
  try {
    const newest =
      ids.length > TOO_MANY
        ? await bring(kind, async () => (await askNewest(kind, PAGE)).rows)
        : [];
    const here = new Set(newest.map((row) => row.id));
    await Promise.all(ids.filter((id) => !here.has(id)).map((id) => refreshOne(kind, id)));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // asked for again with the next, or once the connection is back
    for (const id of ids) stale[kind].add(id);
  }
}

/** A record that is no more. @param {Kind} kind @param {number | undefined} id */
export function forget(kind, id) {
  if (id === undefined) return;
  broughtBy[kind].set(id, (asked += 1));
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
  const by = (asked += 1);
  try {
    const row = await get(`/api/${kind}/${id}`);
    if (known(kind).has(id) && isOvertaken(kind, id, by)) refresh(kind, id);
    else keep(kind, [row], by);
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
  const [row] = await bring(kind, async () => [
    /** @type {Kinds[K]} */ (await get(`/api/${kind}/${id}`)),
  ]);
  return row;
}

/** A page of them, without what may be long. @param {Long} kind @param {object} [wanted] */
const askPage = (kind, wanted) =>
  kind === "sessions"
    ? get("/api/sessions", { limit: PAGE, ...wanted, diff: false })
    : get(`/api/${kind}`, { limit: PAGE, ...wanted });

/** Those that are not over, however old. @param {Long} kind @returns {Promise<Kinds[Long][]>} */
async function askOpen(kind) {
  if (kind === "approvals") return every("/api/approvals", { status: "pending" });
  if (kind === "sessions")
    return every("/api/sessions", { status: [...ACTIVE, ...WAITING], diff: false });
  return [];
}

/**
 * All of what is few; of what may be many what is not over, and the newest: `most`, or as many as
 * were here. And of those where they end.
 * @param {Kind} kind @param {number} [most]
 */
async function askNewest(kind, most) {
  if (kind === "repos" || kind === "automations")
    return { rows: await every(`/api/${kind}`), page: null };
  const limit = most ?? Math.min(PAGE, Math.max(NEWEST[kind], known(kind).size));
  const [page, open] = await Promise.all([askPage(kind, { limit }), askOpen(kind)]);
  return { rows: [...open, ...page.items], page };
}

/** By which request a kind was loaded as a whole. @type {Record<Kind, number>} */
const loadedBy = { repos: 0, tasks: 0, sessions: 0, approvals: 0, automations: 0 };

/** What there is of a kind now, in the place of all that was known before. @param {Kind} kind */
async function loadKind(kind) {
  const by = (asked += 1);
  const { rows, page } = await askNewest(kind);
  if (by < loadedBy[kind]) return;
  loadedBy[kind] = by;
  for (const id of known(kind).keys()) if (!isOvertaken(kind, id, by)) known(kind).delete(id);
  if (page) reaches[/** @type {Long} */ (kind)] = new Map([["", endOf(page)]]);
  keep(kind, rows, by);
}

// Of what may be many the newest are here, and events keep it so. What fits a filter may be here
// further back: the filter's own pages go on where the pages of all end. One that is older may be
// here, too, but not those between; it is in no list.

/**
 * @typedef {"tasks" | "sessions" | "approvals"} Long Kinds of which there may be many.
 * @typedef {{cursor: string | null, id: number, at: string | null, isAsked: boolean}} Reach The
 * last that is here, and the cursor of those before it; null where there are none. And whether it
 * came as an older one.
 */

/** @type {Reach} */
const TO_THE_END = { cursor: null, id: 0, at: null, isAsked: false };

/** By filter; that of all is "". @type {Record<Long, Map<string, Reach>>} */
const reaches = { tasks: new Map(), sessions: new Map(), approvals: new Map() };

/** @param {Page<Kinds[Long]>} page @returns {Reach} */
function endOf({ items, nextCursor: cursor }) {
  const last = items.at(-1);
  return cursor && last ? { cursor, id: last.id, at: last.createdAt, isAsked: false } : TO_THE_END;
}

/**
 * How far back what fits is here, and whether older ones of it were asked for.
 * @param {Long} kind
 * @param {object} [filter]
 */
export function reachOf(kind, filter) {
  const all = reaches[kind].get("") ?? TO_THE_END;
  const own = reaches[kind].get(query(filter));
  return own && own.id <= all.id ? own : { ...all, isAsked: false };
}

/**
 * The next page of older ones that fit.
 * @param {Long} kind
 * @param {object} [filter] As the API takes it.
 */
export async function loadOlder(kind, filter) {
  await bring(kind, async () => {
    const now = reaches[kind]; // other pages when all is loaded anew
    const page = await askPage(kind, { ...filter, cursor: reachOf(kind, filter).cursor });
    now.set(query(filter), { ...endOf(page), isAsked: true });
    return page.items;
  });
}

/**
 * Those that fit, newest first, as far back as all of them are here, and whether those are all.
 * @template {Long} K
 * @param {K} kind
 * @param {object} filter As the API takes it.
 * @param {(row: Kinds[K]) => boolean} fits The same.
 */
export function listed(kind, filter, fits) {
  const { cursor, id } = reachOf(kind, filter);
  const rows = [...known(kind).values()]
    .filter((row) => row.id >= id && fits(row))
    .sort((a, b) => b.id - a.id);
  return { rows, isAll: cursor === null };
}

/**
 * What an event brings itself is newer than what was asked for before.
 * @param {number} id
 * @param {Partial<Session>} part
 */
export function learnPart(id, part) {
  const session = state.sessions.get(id);
  if (!session) return;
  broughtBy.sessions.set(id, (asked += 1));
  state.sessions.set(id, { ...session, ...part });
}

export async function loadEverything() {
  await Promise.all([
    ...KINDS.map(loadKind),
    get("/health").then((health) => {
      state.health = health;
    }),
  ]);
  for (const follower of followers) follower.forget();
  changed("connection", "runtime", "events", "reloaded");
}

// Questions to what is known

/** @template {{id: number}} R @param {Map<number, R>} rows @returns {R[]} */
export const newestFirst = (rows) => [...rows.values()].sort((a, b) => b.id - a.id);

/** @type {Set<Session["status"]>} */
export const ACTIVE = new Set(["starting", "running", "waiting_approval"]);
/** @type {Set<Session["status"]>} */
export const WAITING = new Set(["created", "blocked", "queued", "waiting_limit"]);
/** @type {Set<Session["status"]>} */
export const ENDED = new Set(["completed", "failed", "stopped", "interrupted"]);

/** The task that a record is about. @param {{taskId?: number | null}} about */
export const taskOf = (about) => state.tasks.get(about.taskId ?? 0);

/**
 * The same, for what is shown by its task's title: it is asked for where it is not here, however
 * old it is.
 * @param {{taskId?: number | null}} about
 */
export function useTask(about) {
  const task = taskOf(about);
  useEffect(() => {
    if (!task) refresh("tasks", about.taskId);
  }, [about.taskId, !task]);
  return task;
}

/** The repository that a record is about. @param {{repositoryId?: number | null}} about */
export const repoOf = (about) => state.repos.get(about.repositoryId ?? 0);

/** A thing's host by its name, where repositories lie on others than this. @param {any} about */
export const hostOf = (about) =>
  [...state.repos.values()].some((repo) => repo.host !== "local")
    ? about.host || repoOf(about)?.host
    : null;

/** A repository's name, with its host where there are several. @param {Repository} repo */
export const labelOf = (repo) => (hostOf(repo) ? `${repo.name} on ${repo.host}` : repo.name);

/** The same of the repository that a record is about. @param {any} about */
export const placeOf = (about) => {
  const repo = repoOf(about);
  return repo && labelOf(repo);
};

export const pendingApprovals = () =>
  [...state.approvals.values()]
    .filter((row) => row.status === "pending")
    .sort((a, b) => a.id - b.id);

/** @param {number} taskId */
export const sessionsOf = (taskId) =>
  newestFirst(state.sessions).filter((row) => row.taskId === taskId);
