// @ts-check
// What the events say of an item beside what it is: who decided it in your place, and that it goes
// on.
import { words } from "../format.js";

/** @import { Event } from "../openapi.js" */
/**
 * @typedef {{left: Set<string>, notes: Map<string, string>}} Remarks By item: those that go on, and
 * notes.
 */

/** @type {Remarks} */
export const NO_REMARKS = { left: new Set(), notes: new Map() };

/** @param {Event[]} events @returns {Remarks} */
export function remarksOf(events) {
  /** @type {Remarks} */
  const remarks = { left: new Set(), notes: new Map() };
  for (const { type, data } of events) {
    if (type === "session.commands.left")
      for (const { itemId } of data.commands) remarks.left.add(itemId);
    else if (type === "session.command.unasked") remarks.notes.set(data.itemId, unasked(data));
    else if (type === "session.tool.unasked") remarks.notes.set(data.itemId, called(data));
    else if (type === "session.command.elsewhere") remarks.notes.set(data.itemId, BY_HAND);
    else if (type === "session.command.outside")
      remarks.notes.set(data.itemId, `It began outside of the session’s folder, in ${data.cwd}.`);
    else if (type === "session.auto_review" && data.itemId)
      remarks.notes.set(data.itemId, decided(data));
  }
  return remarks;
}

/** @param {any} told */
const unasked = ({ rules }) =>
  `Nobody was asked: your Codex rules allow “${rules.join("”, “")}” outside of the sandbox.`;

/** @param {any} told */
const called = ({ setting }) => `Nobody was asked: so you have set it in Codex (${setting}).`;

const BY_HAND = "Run by hand in another client of Codex, without a sandbox. Nobody was asked here.";

/** @param {any} told */
const decided = ({ decision, risk, rationale, hook }) =>
  [
    `${hook ? "A hook" : "A model"} decided: ` +
      `${words(decision)}${risk ? `, ${words(risk)} risk` : ""}.`,
    rationale,
    hook && `Nobody was asked. It is set in ${hook}.`,
  ]
    .filter(Boolean)
    .join(" ");
