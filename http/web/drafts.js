// @ts-check
// What is written and not sent yet, by its place: a session, a task, the next new task. And what
// was said before. Kept in this browser, over reloads, until its user signs out.
import { useState } from "./html.js";
/** @import { Attachment } from "./components/attachments.js" */

/** @typedef {{text: string, attached: Attachment[]}} Draft */

const KEY = "drafts";
const MOST = 50; // places, those written to last
const SAID = "said";
const MOST_SAID = 50; // messages
const REPOSITORY = "repository";
const LONGEST_SAID = 4000; // characters of one; a longer one was pasted

/** @type {Draft} */
const EMPTY = { text: "", attached: [] };

/** The place of the task that is not made yet. */
export const NEW_TASK = "new";

/**
 * The place of this server's record, not of another one's with its number.
 * @param {{id: number, createdAt: string}} record
 */
export const placeOf = ({ id, createdAt }) => `${id} ${createdAt}`;

/** Those that the browser does not keep. @type {[string, Draft][] | null} */
let unkept = null;

/** @returns {[string, Draft][]} */
const all = () => unkept || JSON.parse(localStorage.getItem(KEY) || "[]");

/** @param {string} place @returns {Draft} */
export const written = (place) => all().find(([name]) => name === place)?.[1] || EMPTY;

/** @param {string} place @param {Draft} draft */
export const keep = (place, draft) => {
  const drafts = all().filter(([name]) => name !== place);
  if (draft.text || draft.attached.length) drafts.push([place, draft]);
  try {
    localStorage.setItem(KEY, JSON.stringify(drafts.slice(-MOST)));
    unkept = null;
  } catch {
    unkept = drafts; // it is full
  }
};

/**
 * What was sent is kept no longer. Returns what is left.
 * @param {string} place @param {Draft} sent @returns {Draft}
 */
export const forget = (place, sent) => {
  const { text, attached } = written(place);
  const left = {
    text: text.startsWith(sent.text) ? text.slice(sent.text.length).trimStart() : text,
    attached: attached.filter(({ id }) => !sent.attached.some((one) => one.id === id)),
  };
  keep(place, left);
  return left;
};

/** What was said before, the newest first. @returns {string[]} */
export const said = () => JSON.parse(localStorage.getItem(SAID) || "[]");

/** @param {string} text */
export const remember = (text) => {
  if (text.length > LONGEST_SAID) return;
  const others = said().filter((one) => one !== text);
  try {
    localStorage.setItem(SAID, JSON.stringify([text, ...others].slice(0, MOST_SAID)));
  } catch {
    // it is full: what was said before is a help, no more
  }
};

export const forgetAll = () =>
  [KEY, SAID, REPOSITORY].forEach((key) => localStorage.removeItem(key));

/**
 * What is written at a place, a way to change it, and one to take what was sent out of it, which
 * returns what is left.
 * @param {string} place
 * @returns {[Draft, (change: Partial<Draft>) => void, (sent: Draft) => Draft]}
 */
export function useDraft(place) {
  const [draft, setDraft] = useState(() => written(place));
  /** @param {Partial<Draft>} change */
  const write = (change) => {
    keep(place, { ...written(place), ...change });
    setDraft(written(place));
  };
  /** @param {Draft} sent */
  const take = (sent) => {
    const left = forget(place, sent);
    setDraft(left);
    return left;
  };
  return [draft, write, take];
}

/** The repository that was worked in last, of those that are there. @param {number[]} ids */
export const lastRepository = (ids) => {
  const last = Number(localStorage.getItem(REPOSITORY));
  return ids.includes(last) ? last : ids[0];
};

/** @param {number} id */
export const rememberRepository = (id) => {
  try {
    localStorage.setItem(REPOSITORY, String(id));
  } catch {
    // it is full: the first one is offered
  }
};
