// @ts-check
// The files where a session works, or of a repository: one looks around, reads, and searches.
/** @import { FileEntry, FileView, FoundFile } from "../openapi.js" */
/** @import { FilesOf } from "../files.js" */
/** @import { Line } from "../components/diff.js" */
import { get } from "../api.js";
import { Button, Choice, Head, Loading, Problem, useLoaded } from "../components/basics.js";
import { Lines } from "../components/diff.js";
import { Icon } from "../components/icon.js";
import { filesAt } from "../files.js";
import { basename, seen, size } from "../format.js";
import { html, useEffect, useMemo, useRef, useState } from "../html.js";
import { useParam, usePlace } from "../router.js";
import { sheet } from "../sheets.js";
import { need, state, useStore } from "../store.js";

sheet("./styles/files.css");

const PAGE = 500; // things of a folder that are asked for at once
const TYPING_MS = 250;
const FOUND = 100;

/** @typedef {{of: FilesOf, id: number, version: unknown}} Where */

/** @param {{of: FilesOf, id: number}} props */
export const Files = ({ of, id }) => {
  const version = useStore(of, `diff:${id}`, "reloaded");
  const { params } = usePlace();
  const path = params.get("path") || "";
  const line = Number(params.get("line")) || 0;
  const [query, setQuery] = useParam("q");
  const [searched, setSearched] = useParam("in", "names");
  const [, error] = useLoaded(() => need(of, id), [of, id]);
  const where = { of, id, version };
  const session = of === "sessions" ? state.sessions.get(id) : undefined;
  const name = of === "sessions" ? session?.title || `Session ${id}` : repoName(id);
  return html`
    <${Head} title=${path ? basename(path) : "Files"} back=${`/${of}/${id}`}
      note=${html`<a href=${`#/${of}/${id}`}>${name}</a>`} />
    <${Problem} error=${error} />
    <div class="finder" role="search">
      <${Search} query=${query} onQuery=${setQuery} />
      <${Choice} label="What to search" value=${searched} onChange=${setSearched}
        options=${[
          ["names", "Names"],
          ["text", "Text"],
        ]} />
    </div>
    ${
      query
        ? html`<${Found} where=${where} query=${query} searched=${searched} />`
        : html`
          <${Crumbs} where=${where} path=${path} />
          <${Shown} key=${`${path} ${line}`} where=${where} path=${path} line=${line} />
        `
    }
  `;
};

/** @param {number} id */
const repoName = (id) => state.repos.get(id)?.name || `Repository ${id}`;

/**
 * A box whose text is searched for once it has stood for a moment; Enter opens the first hit.
 * @param {{query: string, onQuery: (query: string) => void}} props
 */
const Search = ({ query, onQuery }) => {
  const [text, setText] = useState(query);
  const known = useRef(query);
  useEffect(() => {
    if (query !== known.current) setText(query); // a step back
    known.current = query;
  }, [query]);
  useEffect(() => {
    if (text.trim() === known.current) return undefined;
    const timer = setTimeout(() => {
      known.current = text.trim();
      onQuery(text.trim());
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return html`<input type="search" aria-label="Search the files" placeholder="Search the files"
    autocapitalize="off" autocomplete="off" spellcheck=${false} value=${text}
    onInput=${(/** @type {any} */ e) => setText(e.currentTarget.value)}
    onKeyDown=${(/** @type {any} */ e) => {
      const first = document.querySelector(".hits a");
      if (e.key === "Enter" && text.trim() === query && first instanceof HTMLElement) first.click();
    }} />`;
};

/** @param {{where: Where, path: string}} props */
const Crumbs = ({ where: { of, id }, path }) => {
  const parts = path.split("/").filter(Boolean);
  return html`<nav class="crumbs" aria-label="Path">
    <a href=${filesAt(of, id)} aria-current=${parts.length ? null : "page"}>Top</a>
    ${parts.map((part, at) => {
      const to = filesAt(of, id, { path: parts.slice(0, at + 1).join("/") });
      const isLast = at === parts.length - 1;
      return html`<span aria-hidden="true">/</span>
        <a href=${to} aria-current=${isLast ? "page" : null}>${seen(part)}</a>`;
    })}
  </nav>`;
};

/**
 * A folder, or a file as far as it was asked for, or as the line that is wanted.
 * @param {{where: Where, path: string, line: number}} props
 */
const Shown = ({ where, path, line }) => {
  const { of, id, version } = where;
  const [pages, setPages] = useState(1);
  const load = () => read(of, id, path, pages, line);
  const [view, error] = useLoaded(load, [of, id, path, pages], version);
  if (!view) return error ? html`<${Problem} error=${error} />` : html`<${Loading} />`;
  return html`
    <${Problem} error=${error} />
    ${
      view.kind === "folder"
        ? html`<${Folder} where=${where} view=${view} />`
        : html`<${File} view=${view} line=${line} />`
    }
    ${
      view.isCut &&
      !view.nextCursor &&
      html`<p class="quiet-line">There is more than can be shown.</p>`
    }
    ${
      view.nextCursor &&
      html`<${Button} kind="quiet wide" onClick=${() => setPages(pages + 1)}>
        Load more of it
      <//>`
    }
  `;
};

/**
 * @param {FilesOf} of @param {number} id @param {string} path @param {number} pages
 * @param {number} line @returns {Promise<FileView>}
 */
async function read(of, id, path, pages, line) {
  const ask = (/** @type {string | null} */ cursor) =>
    get(/** @type {"/api/sessions/1/files"} */ (`/api/${of}/${id}/files`), {
      path,
      limit: PAGE,
      cursor,
    });
  const first = await ask(null);
  const items = [...first.items];
  let { text, nextCursor, isCut } = first;
  for (let page = 1; nextCursor; page += 1) {
    const isThere = first.kind === "folder" || (text || "").split("\n").length > line;
    if (page >= pages && isThere) break;
    const next = await ask(nextCursor);
    items.push(...next.items);
    text = (text || "") + (next.text || "");
    ({ nextCursor, isCut } = next);
  }
  return { ...first, items, text, nextCursor, isCut };
}

/** @param {{where: Where, view: FileView}} props */
const Folder = ({ where: { of, id }, view }) => {
  if (!view.items.length) return html`<p class="quiet-line">Nothing is here.</p>`;
  return html`<ul class="rows">
    ${view.items.map((entry) => {
      const name = seen(basename(entry.path));
      const isOpened = entry.kind === "folder" || entry.kind === "file";
      const inside = html`
        <${Kind} kind=${entry.kind} />
        <div class="row-main">
          <div class="row-title">${name}</div>
          ${noteOf(entry) && html`<div class="row-note">${noteOf(entry)}</div>`}
        </div>
        ${entry.kind === "file" && html`<span class="hint">${size(entry.size)}</span>`}
      `;
      return html`<li key=${entry.path}>
        ${
          isOpened
            ? html`<a class="row thing" href=${filesAt(of, id, { path: entry.path })}>${inside}</a>`
            : html`<div class="row thing">${inside}</div>`
        }
      </li>`;
    })}
  </ul>`;
};

/** @param {FileEntry} entry */
const noteOf = (entry) => {
  if (entry.kind === "link") return `A link to ${seen(entry.target || "")}`;
  if (entry.kind === "repository") return "A repository of its own, not looked into";
  return entry.kind === "other" ? "Neither a file nor a folder" : "";
};

/** @param {{kind: FileEntry["kind"]}} props */
const Kind = ({ kind }) => {
  if (kind === "file") return html`<${Icon} name="file" />`;
  if (kind === "repository") return html`<${Icon} name="repos" />`;
  if (kind !== "folder") return html`<${Icon} name="out" />`;
  return html`<svg class="icon" width="20" height="20" viewBox="0 0 24 24" fill="none"
    stroke="currentColor" stroke-width="1.7" stroke-linejoin="round" aria-hidden="true">
    <path d="M3 19V5h6l2.5 3H21v11z" />
  </svg>`;
};

/** A file with its lines numbered; the one that is wanted is marked. @param {{view: FileView,
 * line: number}} props */
const File = ({ view, line }) => {
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const lines = useMemo(() => linesOf(view.text || ""), [view.text]);
  useEffect(() => {
    const row = line ? place.current?.querySelectorAll("tr")[line - 1] : null;
    row?.setAttribute("data-current", "true");
    row?.scrollIntoView({ block: "center" });
  }, [line, lines.length]);
  if (view.isBinary) return html`<p class="quiet-line">A binary file of ${size(view.size)}.</p>`;
  if (!lines.length) return html`<p class="quiet-line">An empty file.</p>`;
  return html`<div class="diff whole-file" ref=${place}>
    <${Lines} lines=${lines} label=${view.path} atLeast=${line} />
  </div>`;
};

/** @param {string} text @returns {Line[]} */
function linesOf(text) {
  const texts = text.split("\n");
  if (texts.at(-1) === "") texts.pop();
  return texts.map((one, at) => ({ kind: "same", text: one, old: at + 1, now: at + 1 }));
}

/** @param {{where: Where, query: string, searched: string}} props */
const Found = ({ where: { of, id, version }, query, searched }) => {
  const [found, error] = useLoaded(
    () =>
      get(/** @type {"/api/sessions/1/files/search"} */ (`/api/${of}/${id}/files/search`), {
        query,
        searched: searched === "text" ? "text" : "names",
        limit: FOUND,
      }),
    [of, id, query, searched],
    version,
  );
  if (!found) return error ? html`<${Problem} error=${error} />` : html`<${Loading} />`;
  return html`
    <${Problem} error=${error} />
    ${
      !found.items.length &&
      html`<p class="quiet-line" role="status">
        ${searched === "text" ? "No line has it." : "No file has such a name."}
      </p>`
    }
    <ul class="rows hits">
      ${found.items.map(
        (hit) => html`<li key=${`${hit.path} ${hit.line}`}>
          <a class="row" href=${filesAt(of, id, { path: hit.path, line: hit.line })}>
            <${Kind} kind="file" />
            <div class="row-main"><${Hit} hit=${hit} /></div>
          </a>
        </li>`,
      )}
    </ul>
    ${found.isCut && html`<p class="quiet-line">There may be more. Say more of it.</p>`}
  `;
};

/** @param {{hit: FoundFile}} props */
const Hit = ({ hit }) => html`
  <div class="row-title">
    ${seen(basename(hit.path))}
    ${hit.line && html`<span class="hint"> line ${hit.line}</span>`}
  </div>
  <div class="row-note">${seen(hit.path)}</div>
  ${hit.text && html`<code class="found-line">${seen(hit.text.trim())}</code>`}
`;
