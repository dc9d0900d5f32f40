// @ts-check
// What is written to sessions and not sent yet: kept in this browser, over reloads.
/** @import { Session } from "./openapi.js" */

const KEY = "drafts";
const MOST = 50; // sessions, those written to last

/** Of this server's session, not of another one's with its number. @param {Session} session */
const nameOf = (session) => `${session.id} ${session.createdAt}`;

/** Those that the browser does not keep. @type {[string, string][] | null} */
let unkept = null;

/** @returns {[string, string][]} */
const all = () => unkept || JSON.parse(localStorage.getItem(KEY) || "[]");

/** @param {Session} session */
export const written = (session) => all().find(([name]) => name === nameOf(session))?.[1] || "";

/** @param {Session} session @param {string} text */
export const keep = (session, text) => {
  const drafts = all().filter(([name]) => name !== nameOf(session));
  if (text) drafts.push([nameOf(session), text]);
  try {
    localStorage.setItem(KEY, JSON.stringify(drafts.slice(-MOST)));
    unkept = null;
  } catch {
    unkept = drafts; // it is full
  }
};

/**
 * What was sent is kept no longer. Returns what is left.
 * @param {Session} session @param {string} sent
 */
export const forget = (session, sent) => {
  const now = written(session);
  const left = now.startsWith(sent) ? now.slice(sent.length).trimStart() : now;
  keep(session, left);
  return left;
};
