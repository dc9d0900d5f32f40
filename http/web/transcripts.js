// @ts-check
// The transcripts and timelines of the sessions that were opened last, and the transcripts of their
// sub-agents, kept current by the stream.
import { ApiError, get, wholeText } from "./api.js";
import { ACTIVE, changed, followers, state } from "./store.js";

/** @import { Event, Item, Page } from "./openapi.js" */
/** @import { Told } from "./store.js" */

/**
 * @typedef {{key: string, type: string, done: boolean, body: any, text: string, cut: boolean,
 * lost?: boolean, shortened?: boolean, version: number,
 * since?: string}} Entry `since` when it goes on. Of one that is `lost` nobody heard
 * how it ended; what is `shortened` says more than is here.
 * @typedef {{id: number, agent?: number, entries: Map<string, Entry>, events: Event[], earlier:
 * string | null, seen: Set<number>, earlierItems: string | null, ready: boolean}} Transcript
 * Of session `id`, or of a sub-agent of it, which has no events of its own. `earlier` and
 * `earlierItems` are the cursors of the events, and of the items, before those that are here.
 */

const AT_ONCE = 500; // of a session's items, or of its events, that are asked for
const MOST_OPEN = 20;

/** @type {Map<string, Transcript>} */
const transcripts = new Map();

/** @param {number | undefined} id @param {number} [agent] */
const keyOf = (id, agent) => (agent ? `${id}/${agent}` : `${id}`);

/** @param {number} id @param {number} [agent] @returns {Transcript | undefined} */
export const transcriptOf = (id, agent) => transcripts.get(keyOf(id, agent));

/**
 * Load the past of a session, or of a sub-agent; what the stream tells meanwhile is kept.
 * @param {number} id
 * @param {number} [agent]
 */
export async function openTranscript(id, agent) {
  const key = keyOf(id, agent);
  const open = transcripts.get(key);
  /** @type {Transcript} */
  const made = open ?? {
    id,
    agent,
    entries: new Map(),
    events: [],
    earlier: null,
    seen: new Set(),
    earlierItems: null,
    ready: false,
  };
  transcripts.delete(key);
  transcripts.set(key, made); // as the last that was opened
  if (open) return;
  for (const oldest of transcripts.keys())
    if (transcripts.size > MOST_OPEN) transcripts.delete(oldest);
  try {
    const [items, events] = await Promise.all([
      askItems(made),
      agent
        ? { items: [], nextCursor: null }
        : get(`/api/sessions/${id}/events`, { newestFirst: true, limit: AT_ONCE }),
    ]);
    merge(made, items.items.reverse());
    made.earlierItems = items.nextCursor;
    const since = made.events;
    made.events = [];
    made.seen.clear();
    made.earlier = events.nextCursor;
    for (const event of [...events.items.reverse(), ...since]) note(made, event);
    made.ready = true;
  } catch (error) {
    if (transcripts.get(key) === made) transcripts.delete(key);
    throw error;
  } finally {
    changed(`session:${id}`);
  }
}

/**
 * The newest items of a transcript, or those before.
 * @param {Transcript} transcript
 * @param {string} [cursor]
 * @returns {Promise<Page<Item>>}
 */
const askItems = ({ id, agent }, cursor) =>
  get(`/api/sessions/${id}/items`, { newestFirst: true, limit: AT_ONCE, cursor, agentId: agent });

/**
 * What the server kept, in its order, with what the stream told of it: after the first `before` of
 * the entries that are here.
 * @param {Transcript} transcript @param {Item[]} items @param {number} [before]
 */
function merge(transcript, items, before = 0) {
  const told = transcript.entries;
  transcript.entries = new Map([...told].slice(0, before));
  for (const { itemId, type, body, status, shortened, createdAt } of items) {
    const entry = told.get(itemId);
    if (entry) transcript.entries.set(itemId, entry);
    const isDone = status !== "in_progress" && status !== "cut_off";
    const made = put(transcript, itemId, type, body, isDone, !isDone);
    made.lost = status === "cut_off";
    made.since = createdAt;
    made.shortened = shortened.length > 0;
  }
  for (const [key, entry] of told)
    if (!transcript.entries.has(key)) transcript.entries.set(key, entry);
}

/** Load all of an item that is shown in part. @param {number} id @param {Entry} entry */
export async function loadWhole(id, entry) {
  const text = await wholeText(`/api/sessions/${id}/items/text`, { itemId: entry.key });
  entry.body = JSON.parse(text);
  entry.shortened = false;
  entry.version += 1;
  changed(`session:${id}`);
}

/** Load the items before those that are here. @param {number} id @param {number} [agent] */
export async function loadEarlierItems(id, agent) {
  const transcript = transcriptOf(id, agent);
  const cursor = transcript?.earlierItems;
  if (!transcript || !cursor) return;
  const page = await askItems(transcript, cursor);
  if (transcript.earlierItems !== cursor) return; // somebody else was quicker
  transcript.earlierItems = page.nextCursor;
  merge(transcript, page.items.reverse());
  changed(`session:${id}`);
}

/** After a gap in the stream: what items began meanwhile, and where a text is cut. */
function renewTranscripts() {
  for (const transcript of transcripts.values()) {
    const session = state.sessions.get(transcript.id);
    if (!transcript.ready || !session || !ACTIVE.has(session.status)) continue;
    for (const entry of transcript.entries.values()) {
      if (entry.done) continue;
      if (entry.text) entry.text += " … ";
      else entry.cut = true;
      entry.version += 1;
    }
    renew(transcript).catch((error) => {
      if (!(error instanceof ApiError)) throw error; // it is renewed with the next connection
    });
  }
}

/** Ask for the newest items, back to one that is here. @param {Transcript} transcript */
async function renew(transcript) {
  /** @type {Item[]} */
  const items = [];
  const isHere = (/** @type {Item} */ item) => transcript.entries.has(item.itemId);
  let page = await askItems(transcript);
  while (page.nextCursor && !page.items.some(isHere)) {
    items.unshift(...page.items.reverse());
    page = await askItems(transcript, page.nextCursor);
  }
  items.unshift(...page.items.reverse());
  const oldest = [...transcript.entries.keys()].indexOf(items.find(isHere)?.itemId ?? "");
  merge(transcript, items, Math.max(0, oldest));
  changed(`session:${transcript.id}`);
}

/** Load the events before those that are here. @param {number} id */
export async function loadEarlier(id) {
  const transcript = transcriptOf(id);
  if (!transcript?.earlier) return;
  const cursor = transcript.earlier;
  const page = await get(`/api/sessions/${id}/events`, {
    newestFirst: true,
    limit: AT_ONCE,
    cursor,
  });
  if (transcript.earlier !== cursor) return; // somebody else was quicker
  transcript.earlier = page.nextCursor;
  const older = page.items.reverse().filter((event) => !transcript.seen.has(event.id));
  for (const event of older) transcript.seen.add(event.id);
  transcript.events.unshift(...older);
  changed(`session:${id}`);
}

/** @type {Record<string, string>} */
const DELTA_TYPES = {
  message: "agentMessage",
  command: "commandExecution",
  reasoning: "reasoning",
};

/** @param {Told} event */
function showInTranscript(event) {
  const { sessionId } = event;
  const agent = "agentId" in event.data ? event.data.agentId : undefined;
  const told = transcripts.get(keyOf(sessionId));
  const transcript = agent ? transcripts.get(keyOf(sessionId, agent)) : told;
  if (told && event.id !== null) note(told, { ...event, id: event.id });
  if (transcript) grow(transcript, event);
  if (told || transcript) changed(`session:${sessionId}`);
}

/** @param {Transcript} transcript @param {Told} event */
function grow(transcript, event) {
  if (event.type === "session.output.delta") {
    const { delta, itemId, stream } = event.data;
    const type = DELTA_TYPES[stream] || "agentMessage";
    const entry = transcript.entries.get(itemId) || put(transcript, itemId, type, {}, false, true);
    if (!entry.done) {
      entry.since ??= event.ts;
      entry.text += delta;
      entry.version += 1;
    }
  } else if (event.type === "session.item.started") {
    const { item } = event.data;
    put(transcript, item.id, item.type, item, false).since = event.ts;
  } else if (event.type === "session.item") {
    const { itemId, type, item } = event.data;
    put(transcript, itemId, type, item, true).shortened = event.shortened === true;
  } else if (event.type === "session.item.cut_off") {
    const { itemId, type, item } = event.data;
    const entry = put(transcript, itemId, type, item, false);
    entry.lost = true;
    entry.shortened = event.shortened === true;
  }
}

/** @param {Transcript} transcript @param {Event} event */
function note(transcript, event) {
  if (transcript.seen.has(event.id)) return;
  transcript.seen.add(event.id);
  transcript.events.push(event);
}

/**
 * @param {Transcript} transcript
 * @param {string} key
 * @param {string} type
 * @param {any} body
 * @param {boolean} done
 * @param {boolean} cut whether its beginning was missed
 * @returns {Entry}
 */
function put(transcript, key, type, body, done, cut = false) {
  const entry = transcript.entries.get(key);
  if (!entry) {
    /** @type {Entry} */
    const made = { key, type, done, body, text: "", cut, version: 0 };
    transcript.entries.set(key, made);
    if (!done) takeDraft(made, body);
    return made;
  }
  if (entry.done && !done) return entry;
  entry.type = type;
  entry.body = body;
  entry.done = done;
  entry.version += 1;
  if (!done) takeDraft(entry, body);
  return entry;
}

/**
 * What the server kept of a message that is not complete; the stream goes on behind it.
 * @param {Entry} entry
 * @param {any} body
 */
function takeDraft(entry, body) {
  if (!body.text) return;
  entry.body = { ...body, text: "" };
  if (entry.text) return;
  entry.text = `${body.text} … `;
  entry.cut = false;
}

followers.add({
  show: showInTranscript,
  renew: renewTranscripts,
  forget: () => transcripts.clear(), // what was opened is loaded again when it is looked at
});
