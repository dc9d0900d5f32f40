// @ts-check
// Codex's own threads, loaded and stored: look for one and go on in it.
import { get, ME, post } from "../api.js";
import {
  Ago,
  Button,
  Choice,
  Dialog,
  Empty,
  Field,
  Head,
  Loading,
  Problem,
  useAct,
  useLoaded,
} from "../components/basics.js";
import { follow } from "../components/run-panel.js";
import { html, useState } from "../html.js";
import { useParam } from "../router.js";
import { state, useStore } from "../store.js";
import { Icon } from "../components/icon.js";

/** What began a thread, by Codex's name for it. @type {Record<string, string>} */
const SOURCES = { cli: "Terminal", vscode: "Editor", exec: "codex exec" };

export const Threads = () => {
  useStore("repos");
  const [which, setWhich] = useParam("which", "stored");
  const [query, setQuery] = useParam("q");
  const [search, setSearch] = useState(query);
  const [older, setOlder] = useState(/** @type {any[]} */ ([]));
  const [cursor, setCursor] = useState(/** @type {any} */ (undefined));
  const [chosenId, choose] = useParam("thread");
  const [page, error] = useLoaded(() => {
    setOlder([]);
    setCursor(undefined);
    return which === "stored"
      ? get("/api/codex/threads", { query, limit: 30 })
      : get("/api/codex/threads/loaded");
  }, [which, query]);
  const more = useAct();
  const next = cursor === undefined ? page?.nextCursor : cursor;
  const loadMore = () =>
    more.run("more", async () => {
      const added = await get("/api/codex/threads", { query, limit: 30, cursor: next });
      setOlder([...older, ...added.items]);
      setCursor(added.nextCursor);
    });
  const rows = [...(page?.items || []), ...older].map((row) =>
    typeof row === "string" ? { id: row } : row,
  );
  const chosen = page && chosenId && (rows.find((row) => row.id === chosenId) || { id: chosenId });
  return html`
    <${Head} title="Threads" note="What Codex remembers, from here and from elsewhere">
      <${Choice} label="Which threads" value=${which} onChange=${setWhich}
        options=${[
          ["stored", "Stored"],
          ["loaded", "In memory"],
        ]} />
    <//>
    ${
      which === "stored" &&
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
                    <button type="button" class="row plain" onClick=${() => choose(row.id)}>
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
                    </button>
                  </li>`,
                )}
              </ul>
              ${
                which === "stored" &&
                next &&
                html`
                  <${Button} kind="quiet wide" busy=${more.busy} onClick=${loadMore}>Load older<//>
                `
              }
              <${Problem} error=${more.error} />
            `
            : html`<${Empty} icon="threads" title="No thread here"
              curl=${`curl '${location.origin}/api/codex/threads?limit=20'`}>
              <p>${query ? "None fits the search." : "Each task's first run begins one."}</p>
            <//>`
    }
    ${chosen && html`<${Continue} thread=${chosen} onClose=${() => choose("")} />`}
  `;
};

/**
 * @param {string | undefined} path
 * @param {string | undefined} folder
 */
const liesIn = (path, folder) =>
  Boolean(folder) &&
  (path === folder || ["/", "\\"].some((between) => path?.startsWith(folder + between)));

/** @param {{thread: any, onClose: () => void}} props */
const Continue = ({ thread, onClose }) => {
  const repos = [...state.repos.values()];
  const isIn = (/** @type {any} */ repo) =>
    liesIn(thread.cwd, repo?.localPath) ||
    ["/", "\\"].some((between) =>
      liesIn(thread.cwd, `${repo?.facts.worktreesFolder}${between}${repo?.id}`),
    );
  const fitting = repos.find(isIn) || repos[0];
  const [repositoryId, setRepository] = useState(String(fitting?.id || ""));
  const [prompt, setPrompt] = useState("");
  const { busy, error, run } = useAct();
  const send = () =>
    run("send", async () => {
      const repo = state.repos.get(Number(repositoryId));
      const cwd = isIn(repo) ? undefined : repo?.localPath; // chosen, though it works elsewhere
      const outcome = await post(`/api/codex/threads/${encodeURIComponent(thread.id)}/prompt`, {
        repositoryId: Number(repositoryId),
        prompt,
        cwd,
        requestedBy: ME,
      });
      onClose();
      follow(outcome);
    });
  return html`<${Dialog} title="Continue this thread" onClose=${onClose}>
    <form class="stack"
      onSubmit=${(/** @type {any} */ e) => {
        e.preventDefault();
        send();
      }}>
      <p class="hint">${thread.preview || thread.name} <code>${thread.id}</code></p>
      <${Field} label="Repository" hint="Its policy holds for the turn.">
        <select value=${repositoryId}
          onChange=${(/** @type {any} */ e) => setRepository(e.currentTarget.value)}>
          ${repos.map((repo) => html`<option value=${String(repo.id)}>${repo.name}</option>`)}
        </select>
      <//>
      <${Field} label="What to say">
        <textarea rows="4" required value=${prompt}
          onInput=${(/** @type {any} */ e) => setPrompt(e.currentTarget.value)}></textarea>
      <//>
      <${Problem} error=${error} />
      <${Button} kind="primary wide" type="submit" busy=${busy}
        disabled=${Boolean(busy) || !prompt.trim() || !repositoryId}>
        Start a turn
      <//>
    </form>
  <//>`;
};
