// @ts-check
// One of Codex's own threads: its past, turn by turn, and what may be done with it.
import { get, ME, patch, post, remove } from "../api.js";
import { Words } from "../format.js";
import { html, useState } from "../html.js";
import { newestFirst, labelOf, state, useStore } from "../store.js";
import {
  Ago,
  Badge,
  Button,
  Confirm,
  Dialog,
  Empty,
  Field,
  focused,
  Head,
  Loading,
  Problem,
  useAct,
  useLoaded,
} from "./basics.js";
import { follow } from "./run-panel.js";
import { beforeTurn, putBack, snapshotsOf } from "./snapshots.js";
import { Transcript } from "./transcript.js";

/** @import { Page } from "../openapi.js" */
/** @import { Entry } from "../transcripts.js" */

const TURNS = 10; // that are asked for at a time
const NOBODY = new Set();

/** @param {string} id */
const pathOf = (id) => /** @type {const} */ (`/api/codex/threads/${encodeURIComponent(id)}`);

/** @param {string} id @param {string} host */
const address = (id, host) =>
  `#/threads?thread=${encodeURIComponent(id)}${host === "local" ? "" : `&host=${host}`}`;

/** @param {{id: string, host: string}} props */
export const Thread = ({ id, host }) => {
  useStore("repos");
  const [version, setVersion] = useState(0);
  const again = () => setVersion(version + 1);
  const [shown, error] = useLoaded(() => get(pathOf(id), { host }), [id, host], version);
  const [sheet, setSheet] = useState("");
  const archiving = useAct();
  const close = () => setSheet("");
  const thread = shown?.thread;
  const title = thread?.name || thread?.preview || "Thread";
  // Codex moves the file of an archived thread there
  const isArchived = Boolean(thread?.path?.includes("archived_sessions"));
  /** @param {boolean} archived */
  const archive = (archived) =>
    archiving.run("archive", async () => {
      await patch(pathOf(id), { archived, host, requestedBy: ME });
      again();
    });
  const fork = () => forkOf(id, host);
  return html`
    <${Head} title=${title} back="/threads"
      note=${
        thread &&
        html`
          <code>${thread.cwd}</code>
          ${isArchived && html`<span class="tag">archived</span>`}
        `
      }>
      ${
        thread &&
        (isArchived
          ? html`
            <${Button} kind="primary" busy=${archiving.busy} onClick=${() => archive(false)}>
              Bring back
            <//>
          `
          : html`<${Button} kind="primary" onClick=${() => setSheet("continue")}>Continue<//>`)
      }
    <//>
    ${
      error
        ? html`<${Empty} icon="threads" title="No thread to show"><p>${error.message}</p><//>`
        : thread
          ? html`<div class="stack">
            <div class="actions start">
              <${Button} onClick=${() => setSheet("rename")}>Rename<//>
              ${
                !isArchived &&
                html`
                  <${Act} name="Fork" act=${fork} />
                  <${Button} busy=${archiving.busy} onClick=${() => archive(true)}>Archive<//>
                `
              }
              <${Button} kind="danger" onClick=${() => setSheet("delete")}>Delete<//>
            </div>
            <${Problem} error=${archiving.error} />
            <${Past} key=${`${id} ${version}`} thread=${thread} host=${host}
              isArchived=${isArchived} onChange=${again} />
          </div>`
          : html`<${Loading} />`
    }
    ${sheet === "continue" && html`<${Continue} thread=${thread} onClose=${close} />`}
    ${
      sheet === "rename" &&
      html`<${Rename} thread=${thread} host=${host} onClose=${close} onChange=${again} />`
    }
    ${
      sheet === "delete" &&
      html`<${Confirm} title="Delete this thread?" label="Delete it" onClose=${close}
        act=${async () => {
          await remove(pathOf(id), { host, requestedBy: ME });
          location.hash = "/threads";
        }}>
        <p>Codex forgets it for good. Files stay as they are, and what its sessions said and did is
          kept here.</p>
      <//>`
    }
  `;
};

/**
 * Fork a thread, and go there.
 * @param {string} id @param {string} host @param {string} [lastTurnId]
 */
async function forkOf(id, host, lastTurnId) {
  const { thread } = await post(`${pathOf(id)}/fork`, { lastTurnId, host, requestedBy: ME });
  location.hash = address(thread.id, host).slice(1);
}

/** @param {{name: string, act: () => Promise<void>}} props */
const Act = ({ name, act }) => {
  const { busy, error, run } = useAct();
  return html`
    <${Button} busy=${busy} onClick=${() => run("act", act)}>${name}<//>
    <${Problem} error=${error} />
  `;
};

/**
 * The turns of a thread, the newest last.
 * @param {{thread: any, host: string, isArchived: boolean, onChange: () => void}} props
 */
const Past = ({ thread, host, isArchived, onChange }) => {
  const [earlier, setEarlier] = useState(/** @type {any[]} */ ([]));
  const [cursor, setCursor] = useState(/** @type {any} */ (undefined));
  const [reverting, setReverting] = useState("");
  const more = useAct();
  /** @param {string | null} [from] */
  const ask = async (from) => {
    const page = { host, limit: TURNS, cursor: from ?? undefined };
    return /** @type {Page<any>} */ (await get(`${pathOf(thread.id)}/turns`, page));
  };
  const [page, error] = useLoaded(() => ask(), [thread.id]);
  const worked = newestFirst(state.sessions).find((one) => one.codexThreadId === thread.id);
  const [kept = []] = useLoaded(
    () => (worked?.worktreePath && reverting ? snapshotsOf(worked.id) : Promise.resolve([])),
    [reverting],
  );
  const [withFiles, setWithFiles] = useState(false);
  const [isBack, setBack] = useState(false); // the thread is, and its files perhaps not yet
  if (error) return html`<${Problem} error=${error} />`;
  if (!page) return html`<${Loading} />`;
  const turns = [...page.items, ...earlier].reverse();
  const next = cursor === undefined ? page.nextCursor : cursor;
  const loadMore = () =>
    more.run("more", async () => {
      const added = await ask(next);
      setEarlier([...earlier, ...added.items]);
      setCursor(added.nextCursor);
    });
  if (!turns.length) return html`<p class="quiet-line">Nothing was said in it.</p>`;
  const at = turns.findIndex((turn) => turn.id === reverting);
  const after = turns.length - at - 1;
  const before = beforeTurn(kept, reverting, turns[at - 1]?.id);
  return html`
    ${
      next &&
      html`<${Button} kind="quiet wide" busy=${more.busy} onClick=${loadMore}>Earlier turns<//>`
    }
    <${Problem} error=${more.error} />
    ${turns.map(
      (turn) => html`<section class="card stack" key=${turn.id} aria-label="Turn">
        <div class="policy-head">
          <span class="hint">
            ${
              turn.startedAt && html`<${Ago} ts=${new Date(turn.startedAt * 1000).toISOString()} />`
            }
          </span>
          ${
            turn.status !== "completed" &&
            html`<${Badge} status=${turn.status} text=${Words(turn.status)} />`
          }
        </div>
        <${Transcript} entries=${turn.items.map(entryOf)} hasEarlier=${false}
          loadEarlier=${async () => {}} cwd=${thread.cwd} asked=${NOBODY} isOver=${true}
          label="What was said and done" loadWhole=${async () => {}} />
        ${
          !isArchived &&
          turn.status !== "inProgress" &&
          html`<div class="actions start">
            <${Act} name="Fork from here" act=${() => forkOf(thread.id, host, turn.id)} />
            <${Button} kind="quiet" onClick=${() => setReverting(turn.id)}>
              Take back to before this
            <//>
          </div>`
        }
      </section>`,
    )}
    ${
      at >= 0 &&
      html`<${Confirm} title="Take the thread back?"
        label=${isBack ? "Put its files back" : "Take it back"}
        onClose=${() => (isBack ? onChange() : setReverting(""))}
        act=${async () => {
          if (!isBack)
            await post(`${pathOf(thread.id)}/revert`, {
              beforeTurnId: reverting,
              host,
              requestedBy: ME,
            });
          setBack(true);
          if (worked && before && withFiles) await putBack(worked.id, before.id);
          onChange();
        }}>
        ${isBack && html`<p role="status">It is taken back. Its files are as they were.</p>`}
        <p>Codex forgets this turn${after > 0 && ` and the ${after} after it`}.
          Files stay as they are${before ? " unless you put them back, too" : ""}.</p>
        ${
          worked &&
          before &&
          html`<label class="check">
            <input type="checkbox" checked=${withFiles}
              onChange=${(/** @type {any} */ e) => setWithFiles(e.currentTarget.checked)} />
            Put the files of its worktree back to before this turn
          </label>
          <p class="hint">
            Commits stay on the branch. What the files are now is kept: the${" "}
            <a href=${`#/sessions/${worked.id}?pane=changes`}>changes of session ${worked.id}</a>
            ${" "}bring it back.
          </p>`
        }
        <p class="hint">To keep these turns, fork from the turn before, and go on there.</p>
      <//>`
    }
  `;
};

/** @param {any} item @returns {Entry} */
const entryOf = (item) => ({
  key: item.id,
  type: item.type,
  done: true,
  body: item,
  text: "",
  cut: false,
  version: 0,
});

/** @param {{thread: any, host: string, onClose: () => void, onChange: () => void}} props */
const Rename = ({ thread, host, onClose, onChange }) => {
  const [name, setName] = useState(thread.name || "");
  const { busy, error, run } = useAct();
  const save = () =>
    run("save", async () => {
      await patch(pathOf(thread.id), { name: name.trim(), host, requestedBy: ME });
      onClose();
      onChange();
    });
  return html`<${Dialog} title="Rename this thread" onClose=${onClose}>
    <form class="stack"
      onSubmit=${(/** @type {any} */ e) => {
        e.preventDefault();
        save();
      }}>
      <${Field} label="Name">
        <input required maxlength="200" value=${name} ref=${focused}
          onInput=${(/** @type {any} */ e) => setName(e.currentTarget.value)} />
      <//>
      <${Problem} error=${error} />
      <${Button} kind="primary wide" type="submit" busy=${busy} disabled=${!name.trim()}>
        Rename
      <//>
    </form>
  <//>`;
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
          ${repos.map((repo) => html`<option value=${String(repo.id)}>${labelOf(repo)}</option>`)}
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
