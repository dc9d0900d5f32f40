// @ts-check
// Looks up what may be meant by a word: loaded once somebody begins one.
/** @import { ReadyPrompt, Skill } from "../openapi.js" */
/** @import { Option, Sources, Word } from "./suggestions.js" */
import { ApiError, get } from "../api.js";
import { basename, seen } from "../format.js";

const MOST = 8;

const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * A path as it stands in a prompt: in the quotes of JSON where it has more than one word, or what
 * could be taken for something else. Nothing in it is hidden.
 * @param {string} path
 */
export function quoted(path) {
  if (!/[\s"]/.test(path) && path.search(HIDDEN) < 0) return path;
  return JSON.stringify(path).replace(HIDDEN, (hidden) =>
    hidden
      .split("")
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}

/** Those that have the words, first those that begin with them. @param {Option[]} options
 * @param {string} query */
function fitting(options, query) {
  const wanted = query.toLowerCase();
  const place = (/** @type {Option} */ { label }) => label.slice(1).toLowerCase().indexOf(wanted);
  return options
    .filter((option) => place(option) >= 0)
    .sort((one, other) => Number(place(one) > 0) - Number(place(other) > 0))
    .slice(0, MOST);
}

/**
 * What is asked for once while a box is there.
 * @template T @param {Map<string, Promise<T>>} kept @param {string} key
 * @param {() => Promise<T>} load
 */
function once(kept, key, load) {
  const known = kept.get(key);
  if (known) return known;
  const asked = load();
  kept.set(key, asked);
  asked.catch(() => kept.delete(key)); // it is asked for again
  return asked;
}

/**
 * What may be meant by a word. Where the server has no answer, only commands may be.
 * @param {Sources} sources @param {Word} word @param {Map<string, Promise<any>>} kept
 * @returns {Promise<Option[]>}
 */
export async function meantBy(sources, word, kept) {
  try {
    return await found(sources, word, kept);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return word.mark === "/" ? fitting(sources.commands ?? [], word.query) : [];
  }
}

/** @type {typeof meantBy} */
async function found({ of, id, repositoryId, hasSkills, commands = [] }, { mark, query }, kept) {
  if (mark === "@") {
    const path = /** @type {"/api/sessions/1/files/search"} */ (`/api/${of}/${id}/files/search`);
    const { items } = await get(path, { query, searched: "names", limit: MOST });
    return items.map((file) => ({
      key: file.path,
      label: basename(file.path),
      note: file.path,
      insert: `${quoted(file.path)} `,
    }));
  }
  if (mark === "$") {
    if (!hasSkills) return [];
    /** @type {{skills: Skill[]}} */
    const { skills } = await once(kept, `skills ${repositoryId}`, () =>
      get("/api/codex/extensions", { repositoryId }),
    );
    const isOn = skills.filter(({ isEnabled }) => isEnabled);
    const options = isOn.map(({ name, description }) => ({
      key: name,
      label: `$${name}`,
      note: description,
      insert: `$${seen(name)} `,
    }));
    return fitting(options, query);
  }
  /** @type {{items: ReadyPrompt[]}} */
  const prompts = await once(kept, `prompts ${repositoryId}`, () =>
    get(`/api/repos/${repositoryId}/prompts`),
  );
  const options = prompts.items.map((prompt) => ({
    key: `${prompt.source} ${prompt.name}`,
    label: `/${prompt.name}`,
    note: [prompt.path && `From the repository: ${prompt.path}`, prompt.description]
      .filter(Boolean)
      .join(" · "),
    insert: prompt.path ? seen(prompt.text) : prompt.text, // nobody here wrote a file's
  }));
  return fitting([...commands, ...options], query);
}
