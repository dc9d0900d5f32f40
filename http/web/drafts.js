// @ts-check
// What is written to sessions and not sent yet, and what was said before: kept in this browser,
// over reloads, until its user signs out.
/** @import { Session } from "./openapi.js" */
/** @import { Attachment } from "./components/attachments.js" */

/** @typedef {{text: string, attached: Attachment[]}} Draft */

const KEY = "drafts";
const MOST = 50; // sessions, those written to last
const SAID = "said";
const MOST_SAID = 50; // messages
const LONGEST_SAID = 4000; // characters of one; a longer one was pasted

/** @type {Draft} */
const EMPTY = { text: "", attached: [] };

/** Of this server's session, not of another one's with its number. @param {Session} session */
const nameOf = (session) => `${session.id} ${session.createdAt}`;

/** Those that the browser does not keep. @type {[string, Draft][] | null} */
let unkept = null;

/** @returns {[string, Draft][]} */
const all = () => unkept || JSON.parse(localStorage.getItem(KEY) || "[]");

/** @param {Session} session @returns {Draft} */
export const written = (session) => all().find(([name]) => name === nameOf(session))?.[1] || EMPTY;

/** @param {Session} session @param {Draft} draft */
export const keep = (session, draft) => {
  const drafts = all().filter(([name]) => name !== nameOf(session));
  if (draft.text || draft.attached.length) drafts.push([nameOf(session), draft]);
  try {
    localStorage.setItem(KEY, JSON.stringify(drafts.slice(-MOST)));
    unkept = null;
  } catch {
    unkept = drafts; // it is full
  }
};

/**
 * What was sent is kept no longer. Returns what is left.
 * @param {Session} session @param {Draft} sent @returns {Draft}
 */
export const forget = (session, sent) => {
  const { text, attached } = written(session);
  const left = {
    text: text.startsWith(sent.text) ? text.slice(sent.text.length).trimStart() : text,
    attached: attached.filter(({ id }) => !sent.attached.some((one) => one.id === id)),
  };
  keep(session, left);
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

export const forgetAll = () => [KEY, SAID].forEach((key) => localStorage.removeItem(key));
