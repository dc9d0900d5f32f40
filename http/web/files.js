// @ts-check
// Where the files of a session's folder, or of a repository, are in the page.
import { query } from "./api.js";

/** @typedef {"sessions" | "repos"} FilesOf */

/**
 * The address of a file or folder, or of a line in it.
 * @param {FilesOf} of @param {number} id @param {{path?: string, line?: number | null}} [at]
 */
export const filesAt = (of, id, at = {}) => `#/${of}/${id}/files${query(at)}`;
