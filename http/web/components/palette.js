// @ts-check
// One box over everything: places, commands, what the page knows, and what the server finds.
import { get } from "../api.js";
import { html, useEffect, useId, useMemo, useRef, useState } from "../html.js";
import { go, PLACES } from "../router.js";
import {
  labelOf,
  newestFirst,
  pendingApprovals,
  placeOf,
  state,
  taskOf,
  useStore,
} from "../store.js";
import { applyTheme } from "../theme.js";
import { Dialog } from "./basics.js";
import { Icon } from "./icon.js";
import { sheet } from "../sheets.js";

sheet("./styles/palette.css");

/**
 * @typedef {{key: string, icon: string, label: string, note?: string, to?: string, act?: () =>
 * void}} Entry `to` is a place of the page, or an address beside it.
 * @typedef {{name: string, entries: Entry[]}} Group
 * @typedef {{at: string, page: string, heading: string, words: string}} Part Of a page of /docs/.
 */

const EACH = 6; // entries of a group
const TYPING_MS = 200;
const SEARCHED = 3; // characters from which on the server looks for them

/** @type {[string, string, string][]} */
const MORE = [
  ["more", "more", "Preferences"],
  ["runtime?show=doctor", "check", "Doctor"],
  ["runtime?show=settings", "more", "Settings"],
];

/** @type {Entry[]} */
const COMMANDS = [
  { key: "new", icon: "plus", label: "New task", to: "/tasks/new" },
  { key: "when", icon: "plus", label: "New automation", to: "/automations/new" },
  { key: "in", icon: "lock", label: "Sign Codex in", to: "/account?signin=yes" },
  ...["light", "dark", "system"].map((theme) => ({
    key: theme,
    icon: theme === "dark" ? "moon" : "sun",
    label: `Colours: ${theme}`,
    act: () => applyTheme(theme),
  })),
  { key: "docs", icon: "question", label: "Documentation", to: "/docs/" },
];

/** Those of which a text has all the words, the first where a word begins with one. */
const fitting = (/** @type {Entry[]} */ entries, /** @type {string[]} */ words) =>
  entries
    .map((entry) => ({ entry, text: ` ${entry.label} ${entry.note || ""}`.toLowerCase() }))
    .filter(({ text }) => words.every((word) => text.includes(word)))
    .sort((one, other) => begins(other.text, words) - begins(one.text, words))
    .slice(0, EACH)
    .map(({ entry }) => entry);

/** @param {string} text @param {string[]} words */
const begins = (text, words) => words.filter((word) => text.includes(` ${word}`)).length;

/** What the page knows itself. @param {string[]} words @returns {Group[]} */
function known(words) {
  const [number] = words.length === 1 ? /^#?(\d+)$/.exec(words[0])?.slice(1) || [] : [];
  /** @type {[string, Entry[]][]} */
  const groups = [
    [
      "By number",
      number
        ? ["sessions", "tasks", "approvals"].map((kind) => ({
            key: kind,
            icon: kind,
            label: `${kind[0].toUpperCase()}${kind.slice(1, -1)} ${number}`,
            to: `/${kind}/${number}`,
          }))
        : [],
    ],
    [
      "Waits for you",
      pendingApprovals().map(({ id, title }) => ({
        key: `${id}`,
        icon: "approvals",
        label: title,
        to: `/approvals/${id}`,
      })),
    ],
    [
      "Places",
      [...PLACES, ...MORE].map(([path, icon, label]) => ({
        key: path,
        icon,
        label,
        to: `/${path}`,
      })),
    ],
    ["Commands", COMMANDS],
    [
      "Repositories",
      [...state.repos.values()].map((repo) => ({
        key: `${repo.id}`,
        icon: "repos",
        label: labelOf(repo),
        note: repo.localPath,
        to: `/repos/${repo.id}`,
      })),
    ],
    [
      "Automations",
      newestFirst(state.automations).map((automation) => ({
        key: `${automation.id}`,
        icon: "automations",
        label: automation.title,
        note: placeOf(automation),
        to: `/automations/${automation.id}`,
      })),
    ],
  ];
  return groups.map(([name, entries]) => ({
    name,
    entries: name === "By number" ? entries : fitting(entries, words),
  }));
}

/** @type {Promise<Part[]> | undefined} */
let pages;

/** The parts of the documentation, settings among them. @returns {Promise<Part[]>} */
const documentation = () =>
  (pages ??= fetch("/docs/search.json").then(
    (answer) => answer.json(),
    (error) => {
      pages = undefined;
      throw error;
    },
  ));

/** @param {{text: string}[]} snippet */
const told = (snippet) => snippet.map(({ text }) => text).join("");

/**
 * What the server finds, group by group as it comes.
 * @param {string} text @param {string[]} words @param {(group: Group) => void} tell
 */
function search(text, words, tell) {
  const limit = EACH;
  get("/api/tasks", { query: text, limit }).then(({ items }) =>
    tell({
      name: "Tasks",
      entries: items.map((task) => ({
        key: `${task.id}`,
        icon: "tasks",
        label: task.title,
        note: placeOf(task),
        to: `/tasks/${task.id}`,
      })),
    }),
  );
  get("/api/sessions", { query: text, limit, diff: false }).then(({ items }) =>
    tell({
      name: "Sessions",
      entries: items.map((session) => ({
        key: `${session.id}`,
        icon: "sessions",
        label: session.title,
        note: [`Session ${session.id}`, placeOf(session)].filter(Boolean).join(" · "),
        to: `/sessions/${session.id}`,
      })),
    }),
  );
  get("/api/search", { q: text, limit }).then(({ items }) =>
    tell({
      name: "Said in sessions",
      entries: items.map((hit) => ({
        key: `${hit.id}`,
        icon: "sessions",
        label: told(hit.snippet),
        note:
          state.sessions.get(hit.sessionId)?.title ||
          taskOf(hit)?.title ||
          `Session ${hit.sessionId}`,
        to: `/sessions/${hit.sessionId}`,
      })),
    }),
  );
  get("/api/codex/threads/search", { q: text, limit }).then(({ items }) =>
    tell({
      name: "Said in threads",
      entries: items.map((hit) => ({
        key: `${hit.id}`,
        icon: "threads",
        label: told(hit.snippet),
        note: hit.title,
        to: `/threads?thread=${encodeURIComponent(hit.threadId)}&host=${hit.host}`,
      })),
    }),
  );
  documentation().then((parts) => {
    const entries = parts
      .filter((part) =>
        words.every((word) =>
          ` ${part.page} ${part.heading} ${part.words}`.toLowerCase().includes(word),
        ),
      )
      .map((part) => ({
        key: part.at,
        icon: "question",
        label: part.heading === part.page ? part.page : `${part.page}: ${part.heading}`,
        note: around(part.words, words),
        to: `/docs/${part.at}`,
      }));
    const isSetting = (/** @type {Entry} */ { key }) => key.startsWith("settings.html");
    tell({ name: "Settings", entries: entries.filter(isSetting).slice(0, EACH) });
    const others = entries.filter((entry) => !isSetting(entry));
    tell({ name: "Documentation", entries: fitting(others, words) });
  });
}

/** The words of a text around the first that is looked for. @param {string} text
 * @param {string[]} words */
function around(text, words) {
  const at = Math.max(0, ...words.map((word) => text.toLowerCase().indexOf(word)));
  const start = Math.max(0, at - 30);
  return `${start ? "…" : ""}${text.slice(start, start + 90)}`;
}

const FOUND = [
  "Tasks",
  "Sessions",
  "Said in sessions",
  "Said in threads",
  "Settings",
  "Documentation",
];

/** @param {{onClose: () => void}} props */
export const Palette = ({ onClose }) => {
  const version = useStore("repos", "sessions", "tasks", "approvals", "automations");
  const [text, setText] = useState("");
  const [found, setFound] = useState(/** @type {Record<string, Entry[]>} */ ({}));
  const [chosen, setChosen] = useState("");
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const id = useId();
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const key = words.join(" ");
  useEffect(() => {
    setFound({});
    setChosen("");
    if (key.length < SEARCHED) return undefined;
    let isWanted = true;
    const timer = setTimeout(
      () =>
        search(key, words, ({ name, entries }) => {
          if (isWanted) setFound((before) => ({ ...before, [name]: entries }));
        }),
      TYPING_MS,
    );
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [key]);
  const groups = useMemo(
    () =>
      [...known(words), ...FOUND.map((name) => ({ name, entries: found[name] || [] }))].filter(
        ({ entries }) => entries.length,
      ),
    [key, found, version],
  );
  const entries = groups.flatMap((group) => group.entries);
  const names = groups.flatMap(({ name, entries: of }) => of.map(({ key: it }) => `${name} ${it}`));
  const at = Math.max(names.indexOf(chosen), 0); // the same one, whatever comes before it late
  /** @param {number} number */
  const choose = (number) => setChosen(names[number]);
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [at, groups]);
  /** @param {Entry | undefined} entry */
  const take = (entry) => {
    if (!entry) return;
    onClose();
    entry.act?.();
    if (entry.to?.startsWith("/docs/")) open(entry.to, "_blank", "noreferrer");
    else if (entry.to) go(entry.to);
  };
  /** @type {Record<string, () => void>} */
  const keys = {
    ArrowDown: () => choose((at + 1) % entries.length),
    ArrowUp: () => choose((at - 1 + entries.length) % entries.length),
    PageDown: () => choose(Math.min(at + 8, entries.length - 1)),
    PageUp: () => choose(Math.max(at - 8, 0)),
    Enter: () => take(entries[at]),
  };
  let number = -1;
  return html`<${Dialog} title="Search everything" onClose=${onClose}>
    <div class="palette">
      <input type="text" inputmode="search" role="combobox" aria-label="Search everything"
        aria-expanded="true"
        aria-controls=${id} aria-autocomplete="list" autocomplete="off" autocapitalize="off"
        spellcheck=${false} maxlength="200" placeholder="A place, a task, a word that was said"
        aria-activedescendant=${entries.length ? `${id}-${at}` : null} value=${text}
        ref=${(/** @type {HTMLElement | null} */ field) => !text && field?.focus()}
        onInput=${(/** @type {any} */ e) => setText(e.currentTarget.value)}
        onKeyDown=${(/** @type {any} */ e) => {
          if (e.isComposing || !entries.length || !keys[e.key]) return;
          e.preventDefault();
          keys[e.key]();
        }} />
      <div class="palette-found" role="listbox" id=${id} aria-label="Found" ref=${list}>
        ${groups.map(
          (group) => html`<div role="group" aria-label=${group.name} key=${group.name}>
            <div class="section" aria-hidden="true">${group.name}</div>
            ${group.entries.map((entry) => {
              const mine = (number += 1);
              return html`<div class="row" role="option" key=${entry.key} id=${`${id}-${mine}`}
                aria-selected=${mine === at} onClick=${() => take(entry)}>
                <${Icon} name=${entry.icon} size=${17} />
                <div class="row-main">
                  <div class="row-title">${entry.label}</div>
                  ${entry.note && html`<div class="row-note">${entry.note}</div>`}
                </div>
              </div>`;
            })}
          </div>`,
        )}
      </div>
      <p class="visually-hidden" role="status">
        ${entries.length ? `${entries.length} found` : "Nothing is found"}
      </p>
      ${!entries.length && html`<p class="quiet-line">Nothing is found.</p>`}
    </div>
  <//>`;
};
