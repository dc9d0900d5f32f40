// @ts-check
// Codex's own threads, loaded and stored: look for one and go on in it.
import { get } from "../api.js";
import {
  Ago,
  Button,
  Choice,
  Empty,
  Head,
  Loading,
  Problem,
  useAct,
  useLoaded,
} from "../components/basics.js";
import { Icon } from "../components/icon.js";
import { SaidElsewhere } from "../components/said.js";
import { Thread } from "../components/thread.js";
import { html, useState } from "../html.js";
import { useParam } from "../router.js";
import { state, useStore } from "../store.js";

const LISTED = "/api/codex/threads";

/** What began a thread, by Codex's name for it. @type {Record<string, string>} */
const SOURCES = { cli: "Terminal", vscode: "Editor", exec: "codex exec" };

/** The threads, or one that was chosen. */
export const Threads = () => {
  const [chosen] = useParam("thread");
  const [host] = useParam("host", "local");
  return chosen ? html`<${Thread} key=${chosen} id=${chosen} host=${host} />` : html`<${List} />`;
};

const List = () => {
  useStore("repos");
  const [which, setWhich] = useParam("which", "stored");
  const [query, setQuery] = useParam("q");
  const [search, setSearch] = useState(query);
  const [older, setOlder] = useState(/** @type {any[]} */ ([]));
  const [cursor, setCursor] = useState(/** @type {any} */ (undefined));
  const [host, setHost] = useParam("host", "local");
  const hosts = new Set(["local", ...[...state.repos.values()].map((repo) => repo.host)]);
  const asked = { query, host, limit: 30, archived: which === "archived" };
  const [page, error] = useLoaded(() => {
    setOlder([]);
    setCursor(undefined);
    return which === "loaded" ? get("/api/codex/threads/loaded", { host }) : get(LISTED, asked);
  }, [which, query, host]);
  const [texts, setTexts] = useState(0);
  const more = useAct();
  const next = cursor === undefined ? page?.nextCursor : cursor;
  const loadMore = () =>
    more.run("more", async () => {
      const added = await get(LISTED, { ...asked, cursor: next });
      setOlder([...older, ...added.items]);
      setCursor(added.nextCursor);
    });
  const rows = [...(page?.items || []), ...older].map((row) =>
    typeof row === "string" ? { id: row } : row,
  );
  return html`
    <${Head} title="Threads" note="What Codex remembers, from here and from elsewhere">
      <${Choice} label="Which threads" value=${which} onChange=${setWhich}
        options=${[
          ["stored", "Stored"],
          ["archived", "Archived"],
          ["loaded", "In memory"],
        ]} />
    <//>
    ${
      hosts.size > 1 &&
      html`<select aria-label="Host" value=${host}
        onChange=${(/** @type {any} */ e) => setHost(e.currentTarget.value)}>
        ${[...hosts].map((name) => html`<option value=${name}>${name}</option>`)}
      </select>`
    }
    ${
      which !== "loaded" &&
      html`<form class="filters"
        onSubmit=${(/** @type {any} */ e) => {
          e.preventDefault();
          setQuery(search);
        }}>
        <label class="search">
          <${Icon} name="search" size=${18} />
          <span class="visually-hidden">Search threads</span>
          <input type="search" data-search placeholder="Search, then Enter" value=${search}
            onInput=${(/** @type {any} */ e) => setSearch(e.currentTarget.value)} />
        </label>
      </form>`
    }
    ${which !== "loaded" && query && html`<${SaidElsewhere} words=${query} onFound=${setTexts} />`}
    ${
      error
        ? html`<${Empty} icon="threads" title="No threads to show"><p>${error.message}</p><//>`
        : !page
          ? html`<${Loading} />`
          : rows.length
            ? html`
              <ul class="rows">
                ${rows.map(
                  (row) => html`<li key=${row.id}>
                    <a class="row" href=${`#/threads?thread=${encodeURIComponent(row.id)}${
                      host === "local" ? "" : `&host=${host}`
                    }`}>
                      <div class="row-main">
                        <div class="row-title">${row.name || row.preview || row.id}</div>
                        <div class="row-note">
                          ${[SOURCES[row.source], row.cwd || row.id].filter(Boolean).join(" · ")}
                        </div>
                      </div>
                      <span class="hint nowrap">
                        ${
                          row.updatedAt &&
                          html`<${Ago} ts=${new Date(row.updatedAt * 1000).toISOString()} />`
                        }
                      </span>
                    </a>
                  </li>`,
                )}
              </ul>
              ${
                which !== "loaded" &&
                next &&
                html`
                  <${Button} kind="quiet wide" busy=${more.busy} onClick=${loadMore}>Load older<//>
                `
              }
              <${Problem} error=${more.error} />
            `
            : which !== "loaded" && query && texts
              ? html`<p class="quiet-line">No thread is named so.</p>`
              : html`<${Empty} icon="threads" title="No thread here"
                curl=${`curl '${location.origin}/api/codex/threads?limit=20'`}>
                <p>${query ? "None fits the search." : "Each task's first run begins one."}</p>
              <//>`
    }
  `;
};
