// @ts-check
// The public API and nothing else. Every failure is an ApiError with the server's own sentence.

export const ME = "web";

export class ApiError extends Error {
  /** @param {number} status @param {string} message @param {any} [error] */
  constructor(status, message, error = {}) {
    super(message);
    this.status = status; // 0 where the server was not reached
    this.details = error.details || [];
    this.facts = error.facts || {};
    this.policy = error.policy || null;
  }
}

/** @type {() => void} */
let onUnauthorized = () => {};

/** @param {() => void} callback */
export function whenUnauthorized(callback) {
  onUnauthorized = callback;
}

/**
 * @param {string} method @param {string} path @param {any} [body] @param {Record<string, string>} [headers]
 * @returns {Promise<any>}
 */
export async function call(method, path, body, headers = {}) {
  const options = { method, headers: { Accept: "application/json", ...headers } };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new ApiError(0, "Command Center cannot be reached.");
  }
  if (answer.status === 204) return null;
  let read;
  try {
    read = await answer.json();
  } catch {
    throw new ApiError(answer.status, `The answer was cut off (${answer.status}).`);
  }
  if (answer.ok) return read;
  if (answer.status === 401 && !headers.Authorization) onUnauthorized();
  throw new ApiError(answer.status, read.error?.message || answer.statusText, read.error);
}

/** @param {string} path @param {Record<string, any>} [params] */
export const get = (path, params) => call("GET", path + query(params));
/** @param {string} path @param {any} [body] */
export const post = (path, body = {}) => call("POST", path, body);
/** @param {string} path @param {any} body */
export const patch = (path, body) => call("PATCH", path, body);
/** @param {string} path @param {Record<string, any>} [params] */
export const remove = (path, params) => call("DELETE", path + query(params));

/** @param {Record<string, any>} [params] */
export function query(params = {}) {
  const pairs = Object.entries(params).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return pairs.length ? `?${new URLSearchParams(pairs.map(([k, v]) => [k, String(v)]))}` : "";
}

/**
 * Every item of a list, page by page, up to `most`.
 * @param {string} path @param {Record<string, any>} [params]
 */
export async function every(path, params = {}, most = 5000) {
  const items = [];
  let cursor;
  do {
    const page = await get(path, { limit: 500, ...params, cursor });
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor && items.length < most);
  return items;
}

/** Trade the token for a cookie. The token is in a header once, and kept nowhere. @param {string} token */
export const signIn = (token) => call("POST", "/api/signin", undefined, { Authorization: `Bearer ${token}` });
export const signOut = () => call("POST", "/api/signout");
