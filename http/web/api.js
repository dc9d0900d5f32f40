// @ts-check
// The public API and nothing else. Every failure is an ApiError with the server's own sentence.
// What a path takes and answers is known from openapi.d.ts, which is made of the API's document.

/** @import { AnswerOf, BodyOf, ErrorFacts, ItemOf, PathOf, QueryOf } from "./openapi.js" */

export const ME = "web";

const PAIR = "/api/pair"; // where a 401 says that the code is wrong, and of its sender nothing

const ANSWER_WITHIN_MS = 60_000;
const SEND_AGAIN_MS = [400, 1200, 3000]; // after a POST whose answer was lost
const SAME_ACT_MS = 120_000; // within which what its user does again is meant as the same

export class ApiError extends Error {
  /** @param {number} status @param {string} message @param {Partial<ErrorFacts>} [error] */
  constructor(status, message, error = {}) {
    super(message);
    this.status = status; // 0 where no answer came, or only a part of one
    this.details = error.details || [];
    /** What is told beside it. @type {Record<string, unknown>} */
    this.facts = /** @type {any} */ (error).facts || {};
    /** Files in which a merge conflicts. */
    this.conflicts = /** @type {string[]} */ (this.facts.conflicts || []);
    /** Seconds after which the server wants to be asked again. @type {number | null} */
    this.retryAfter = null;
  }
}

/** @type {() => void} */
let onUnauthorized = () => {};

/** @param {() => void} callback */
export function whenUnauthorized(callback) {
  onUnauthorized = callback;
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @param {Record<string, string>} [headers]
 * @returns {Promise<any>}
 */
export async function call(method, path, body, headers = {}) {
  /** @type {RequestInit & {headers: Record<string, string>}} */
  const options = {
    method,
    headers: { Accept: "application/json", ...headers },
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  };
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
    throw new ApiError(0, `The answer was cut off (${answer.status}).`);
  }
  if (answer.ok) return read;
  if (answer.status === 401 && !headers.Authorization && path !== PAIR) onUnauthorized();
  const error = new ApiError(answer.status, read.error?.message || answer.statusText, read.error);
  error.retryAfter = Number(answer.headers.get("Retry-After")) || null;
  throw error;
}

/**
 * @template {PathOf<"GET">} P
 * @param {P} path @param {QueryOf<"GET", P>} [params] @returns {Promise<AnswerOf<"GET", P>>}
 */
export const get = (path, params) => call("GET", path + query(params));

/**
 * What one asks by POST, and what does nothing.
 * @template {PathOf<"POST">} P
 * @param {P} path @param {BodyOf<"POST", P>} body @returns {Promise<AnswerOf<"POST", P>>}
 */
export const ask = (path, body) => call("POST", path, body);

/**
 * @template {PathOf<"PATCH">} P
 * @param {P} path @param {BodyOf<"PATCH", P>} body @returns {Promise<AnswerOf<"PATCH", P>>}
 */
export const patch = (path, body) => call("PATCH", path, body);

/**
 * @template {PathOf<"PUT">} P
 * @param {P} path @param {BodyOf<"PUT", P>} body @returns {Promise<AnswerOf<"PUT", P>>}
 */
export const put = (path, body) => call("PUT", path, body);

/**
 * @template {PathOf<"DELETE">} P
 * @param {P} path @param {QueryOf<"DELETE", P>} [params] @returns {Promise<AnswerOf<"DELETE", P>>}
 */
export const remove = (path, params) => call("DELETE", path + query(params));

/**
 * The keys of acts whose answers were lost, and when, by what was sent.
 * @type {Map<string, {key: string, at: number}>}
 */
const unanswered = new Map();

/**
 * An act of the user's. It has a key of its own, and is sent again under it while its answer is
 * lost, so that it is done once; so is the same act when the user tries it again soon.
 * @template {PathOf<"POST">} P
 * @param {P} path @param {BodyOf<"POST", P>} body @returns {Promise<AnswerOf<"POST", P>>}
 */
export async function post(path, body) {
  const act = JSON.stringify([path, body]);
  const lost = unanswered.get(act);
  const key = lost && Date.now() - lost.at < SAME_ACT_MS ? lost.key : newKey();
  unanswered.delete(act);
  for (const wait of [...SEND_AGAIN_MS, null]) {
    try {
      return await call("POST", path, body, { "Idempotency-Key": key });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const isUnderWay = error.status === 409 && error.retryAfter !== null;
      if (error.status !== 0 && !isUnderWay) throw error;
      if (wait === null) {
        unanswered.set(act, { key, at: Date.now() });
        throw error;
      }
      await new Promise((resolve) =>
        setTimeout(resolve, Math.max(wait, (error.retryAfter || 0) * 1000)),
      );
    }
  }
  throw new Error("unreachable");
}

/** Random, on pages without https, too. */
const newKey = () =>
  [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");

/** @param {object} [params] */
export function query(params = {}) {
  const pairs = Object.entries(params).flatMap(([name, values]) =>
    [values].flat().map((value) => [name, value ?? ""]),
  );
  const given = pairs
    .filter(([, value]) => value !== "")
    .map(([name, value]) => [name, String(value)]);
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

/**
 * Every item of a list, page by page, up to `most`.
 * @template {PathOf<"GET">} P
 * @param {P} path @param {QueryOf<"GET", P>} [params] @returns {Promise<ItemOf<P>[]>}
 */
export async function every(path, params, most = 5000) {
  const items = [];
  let cursor;
  do {
    const page = await call("GET", path + query({ limit: 500, ...params, cursor }));
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor && items.length < most);
  return items;
}

/**
 * All of a text that is shown shortened, piece by piece.
 * @template {PathOf<"GET">} P
 * @param {P} path @param {QueryOf<"GET", P>} [params] @returns {Promise<string>}
 */
export async function wholeText(path, params) {
  let text = "";
  let cursor;
  do {
    const piece = await call("GET", path + query({ ...params, cursor }));
    text += piece.text;
    cursor = piece.nextCursor;
  } while (cursor);
  return text;
}

/**
 * Trade the token for a cookie. The token is in a header once, and kept nowhere.
 * @param {string} token
 */
export const signIn = (token) =>
  call("POST", "/api/signin", undefined, { Authorization: `Bearer ${token}` });
export const signOut = () => call("POST", "/api/signout");

/** How a terminal does it. @param {string} path @param {string} body */
export const curl = (path, body) =>
  `curl ${location.origin}${path} -H 'Content-Type: application/json' \\\n  -d '${body}'`;
