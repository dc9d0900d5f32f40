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

/** @typedef {{against: "base" | "commit" | "viewed", ignoreSpace: boolean, context: number}} How */

/**
 * The pages of a patch, one after the other; empty where white space is all that has changed.
 * @param {number} id @param {ChangedFile} file @param {How} how
 * @returns {AsyncGenerator<Patch>}
 */
export async function* pagesOf(id, file, how) {
  const path = /** @type {const} */ (`/api/sessions/${id}/changes/patch`);
  const query = { ...how, path: file.path, previousPath: file.previousPath || undefined };
  let page = await get(path, query);
  yield page;
  while (page.nextCursor) {
    page = await get(path, { ...query, cursor: page.nextCursor });
    yield page;
  }
}

/**
 * The first pages of a patch, joined.
 * @param {number} id @param {ChangedFile} file @param {How} how @param {number} pages
 * @returns {Promise<Patch | null>}
 */
export async function patchOf(id, file, how, pages) {
  let patch = /** @type {Patch | null} */ (null);
  let left = pages;
  for await (const page of pagesOf(id, file, how)) {
    patch = patch ? { ...page, patch: patch.patch + page.patch } : page;
    left -= 1;
    if (!left) break;
  }
  return patch;
}

/**
 * The lines of a page of a patch that say something.
 * @param {string} page @param {boolean} isFirst
 */
export const newsOfPage = (page, isFirst) =>
  isFirst ? newsOf(page) : newsOf(`@@\n${page}`).slice(1); // it begins within a hunk
