// @ts-check
// The patches of changed files, as they are read and shown.
import { get } from "../api.js";
import { parseDiff } from "./diff.js";

/** @import { ChangedFile, Patch } from "../openapi.js" */
/** @import { Line } from "./diff.js" */

/** The lines of a patch that say something. @param {string} patch */
export const newsOf = (patch) => parseDiff(patch).flatMap((part) => part.lines.filter(isNews));

/** Whether the head of the file does not say it already. @param {Line} line */
const isNews = ({ kind, text }) =>
  kind !== "note" || !/^(new file|deleted file|rename|Binary)/.test(text);

/**
 * The first pages of a patch, joined. Where white space is all that has changed there is none.
 * @param {number} id @param {ChangedFile} file
 * @param {{against: "base" | "commit" | "viewed", ignoreSpace: boolean, context: number}} how
 * @param {number} pages
 * @returns {Promise<Patch>}
 */
export async function patchOf(id, file, how, pages) {
  const path = /** @type {const} */ (`/api/sessions/${id}/changes/patch`);
  const query = { ...how, path: file.path, previousPath: file.previousPath || undefined };
  let patch = await get(path, query);
  for (let page = 1; page < pages && patch.nextCursor; page += 1) {
    const next = await get(path, { ...query, cursor: patch.nextCursor });
    patch = { ...next, patch: patch.patch + next.patch };
  }
  return patch;
}
