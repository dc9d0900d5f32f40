// @ts-check
// The sheet in which a commit is made: its message, proposed or asked of Codex, its files, its
// author.
import { get, ME, post } from "../api.js";
import { number, plural, seen } from "../format.js";
import { html, useEffect, useState } from "../html.js";
import { can, repoOf, useStore } from "../store.js";
import { Button, Confirm, Field, Problem, useAct } from "./basics.js";

/** @import { ChangedFile, Changes, Committed, Session } from "../openapi.js" */

const MOST_PATHS = 200; // that one commit names

/**
 * @param {{session: Session, changes: Changes, onMade: (made: Committed) => void, onClose: () =>
 * void}} props
 */
export const Commit = ({ session, changes, onMade, onClose }) => {
  useStore("health", "repos");
  const [message, setMessage] = useState(/** @type {string | null} */ (null));
  const [left, setLeft] = useState(/** @type {ReadonlySet<string>} */ (new Set()));
  const [author, setAuthor] = useState({ name: "", email: "" });
  const { busy, error, run } = useAct();
  const files = changes.items.filter((file) => !file.isCommitted);
  const taken = files.filter(({ path }) => !left.has(path));
  const isAll = taken.length === files.length && changes.source === "git";
  const paths = isAll ? undefined : pathsOf(taken);
  const isTooMany = (paths?.length || 0) > MOST_PATHS;
  const path = /** @type {const} */ (`/api/sessions/${session.id}/commit-message`);
  useEffect(() => {
    run("propose", async () => {
      const proposed = await get(path, {});
      setMessage((written) => written ?? proposed.message);
    });
  }, [session.id]);
  const ask = () =>
    run("ask", async () => {
      const named = isTooMany ? undefined : paths;
      setMessage((await post(path, { paths: named, requestedBy: ME })).message);
    });
  const act = async () =>
    onMade(
      await post(`/api/sessions/${session.id}/commit`, {
        message: message || undefined,
        paths,
        author: author.name.trim() ? author : undefined,
        headSha: changes.headSha,
        requestedBy: ME,
      }),
    );
  return html`<${Confirm} title="Commit these changes?" label="Commit" kind="primary" act=${act}
    disabled=${!taken.length || isTooMany || !message?.trim()} onClose=${onClose}>
    <${Field} label="Message">
      <textarea rows="6" value=${message ?? ""} placeholder=${message === null ? "…" : ""}
        onInput=${(/** @type {any} */ e) => setMessage(e.currentTarget.value)}></textarea>
    <//>
    ${
      can(session.runner, "hasThreads") &&
      html`<div class="actions start">
        <${Button} busy=${busy === "ask"} onClick=${ask}>Ask Codex<//>
        <span class="hint">${busy === "ask" ? "It reads the changes, and nothing else." : ""}</span>
      </div>`
    }
    <${Problem} error=${error} />
    <${Files} files=${files} left=${left} onChange=${setLeft} />
    ${
      isTooMany &&
      html`
        <p class="hint">More than ${MOST_PATHS} files cannot be named. Take all, or fewer.</p>
      `
    }
    <details class="fold">
      <summary>Author</summary>
      <div class="stack">
      <${Field} label="Name" hint="Whom your git knows, if left empty.">
        <input value=${author.name} autocomplete="name"
          onInput=${(/** @type {any} */ e) =>
            setAuthor({ ...author, name: e.currentTarget.value })} />
      <//>
      <${Field} label="E-mail">
        <input type="email" value=${author.email} autocomplete="email"
          onInput=${(/** @type {any} */ e) =>
            setAuthor({ ...author, email: e.currentTarget.value })} />
      <//>
      </div>
    </details>
    <p class="hint">
      On <code>${changes.branchName}</code>. No hook
      runs.${repoOf(session)?.signCommits ? " It is signed with your key." : ""}
    </p>
  <//>`;
};

/**
 * The files of which some can be left out.
 * @param {{files: ChangedFile[], left: ReadonlySet<string>, onChange: (left: Set<string>) => void}}
 * props
 */
const Files = ({ files, left, onChange }) => {
  const taken = files.filter(({ path }) => !left.has(path));
  /** @param {string} path @param {boolean} isTaken */
  const take = (path, isTaken) => {
    const next = new Set(left);
    if (isTaken) next.delete(path);
    else next.add(path);
    onChange(next);
  };
  const sum = (/** @type {"additions" | "deletions"} */ lines) =>
    taken.reduce((total, file) => total + (file[lines] || 0), 0);
  return html`<fieldset class="taken">
    <legend>
      <label class="check">
        <input type="checkbox" checked=${taken.length === files.length}
          onChange=${(/** @type {any} */ e) =>
            onChange(new Set(e.currentTarget.checked ? [] : files.map(({ path }) => path)))} />
        ${taken.length === files.length ? "" : `${number(taken.length)} of `}
        ${plural(files.length, "file")}
      </label>
      <span class="counts">
        <b class="add">+${number(sum("additions"))}</b>
        <b class="del"> −${number(sum("deletions"))}</b>
      </span>
    </legend>
    <ul class="lost">
      ${files.map(
        ({ path, status }) => html`<li key=${path}>
          <label class="check">
            <input type="checkbox" checked=${!left.has(path)}
              onChange=${(/** @type {any} */ e) => take(path, e.currentTarget.checked)} />
            <span><b>${status[0].toUpperCase()}</b> <code>${seen(path)}</code></span>
          </label>
        </li>`,
      )}
    </ul>
  </fieldset>`;
};

/** The paths by which files are named; a moved one has two. @param {ChangedFile[]} files */
const pathsOf = (files) =>
  files.flatMap(({ path, previousPath }) => (previousPath ? [path, previousPath] : [path]));
