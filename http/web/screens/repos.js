// @ts-check
// Repositories: their state, what runs may do in them, and their worktrees.
/** @import { Caps as Capped, Choices as Chosen } from "../openapi.js" */
/** @import { Inspection, Repository, WorktreeState } from "../openapi.js" */
import { ApiError, ask, curl, every, get, ME, patch, post, remove } from "../api.js";
import {
  Ago,
  Badge,
  Button,
  Confirm,
  Dialog,
  Empty,
  Field,
  Head,
  lazily,
  Loading,
  Older,
  Problem,
  Switch,
  useAct,
  useLoaded,
} from "../components/basics.js";
import { Caps } from "../components/caps.js";
import { Diff } from "../components/diff.js";
import { Choices } from "../components/choices.js";
import { useFilter } from "../components/filter.js";
import { Icon } from "../components/icon.js";
import { filesAt } from "../files.js";
import { basename, count, plural, size } from "../format.js";
import { html, useEffect, useState } from "../html.js";
import { go, useParam, usePlace } from "../router.js";
import {
  forgetRepository,
  hostOf,
  learn,
  listed,
  need,
  labelOf,
  state,
  useStore,
} from "../store.js";

// few repositories have any
const Discarded = lazily(() => import("../components/discarded.js"), "Discarded");
const Rules = lazily(() => import("../components/rules.js"), "Rules");
const Keeping = lazily(() => import("../components/keeping.js"), "Keeping");
const Issues = lazily(() => import("../components/issues.js"), "Issues");
const Prompts = lazily(() => import("../components/prompts.js"), "Prompts");

/** @typedef {"allowWrite" | "allowNetwork" | "allowCommit" | "allowPush" | "allowTerminal"}
 * Allowance */
/** @typedef {Allowance | "signCommits" | "requireWorktree"} Permission */

/** @type {[Permission, string, string][]} */
const PERMISSIONS = [
  [
    "allowWrite",
    "Write",
    "Runs may change files of the working folder. Without it they read only.",
  ],
  ["allowNetwork", "Network", "Runs may use the network, this server included: set a token first."],
  ["allowCommit", "Commit", "Runs may commit. Without it the git folder is read-only to them."],
  [
    "allowPush",
    "Push unasked",
    "You push to the remotes as they are now. Otherwise each push waits for an approval.",
  ],
  [
    "signCommits",
    "Sign commits",
    "Commits and merges by you are signed with your own key, as your git configuration says.",
  ],
  [
    "requireWorktree",
    "Require a worktree",
    "No run works in your checkout, also not one that only reads or says so.",
  ],
  [
    "allowTerminal",
    "Terminals",
    "Who may operate this server has a shell where sessions work, in their sandbox.",
  ],
];

/** @typedef {"workplace" | "codexConfig" | "reviewer" | "onChecksFailed" | "onReview" |
 * "mergeWhen"} Named */
/** @typedef {[Named, string, string, string, string]} Setting */

/** @type {Setting} */
const SIDE_BY_SIDE = [
  "workplace",
  "worktree",
  "main_checkout",
  "Work side by side",
  "A run that changes something gets a folder and a branch of its own. Otherwise runs take turns " +
    "in your checkout.",
];

/** @type {Setting[]} */
const CHOICES = [
  SIDE_BY_SIDE,
  [
    "codexConfig",
    "ask",
    "ignore",
    "Use its own .codex files",
    "Runs wait until you trust what those files hold. Otherwise they are ignored.",
  ],
  [
    "reviewer",
    "auto",
    "user",
    "Let a model decide",
    "A model answers Codex’s requests instead of you. Each decision is shown with its reason.",
  ],
  [
    "onChecksFailed",
    "follow_up",
    "tell",
    "Go on where checks fail",
    "A pull request’s task gets a turn with the logs of the checks. Otherwise you are told.",
  ],
  [
    "onReview",
    "follow_up",
    "tell",
    "Go on where reviewers want changes",
    "The task gets a turn with what they say, if they may write there. Otherwise you are told.",
  ],
  [
    "mergeWhen",
    "checks_pass",
    "asked",
    "Offer to merge once checks pass",
    "You are asked for each pull request whose checks pass. Otherwise you ask for it yourself.",
  ],
];

export const Repos = () => {
  useStore("repos", "tasks");
  const [registering, setRegistering] = useState(false);
  const repos = [...state.repos.values()].sort((a, b) => a.name.localeCompare(b.name));
  const [found, box] = useFilter(
    repos,
    (repo) => `${labelOf(repo)} ${repo.localPath}`,
    "Search repositories",
  );
  return html`
    <${Head} title="Repositories" note=${plural(repos.length, "repository", "repositories")}>
      <${Button} kind="primary" icon="plus" onClick=${() => setRegistering(true)}>Register<//>
    <//>
    ${
      !repos.length &&
      html`<${Empty} icon="repos" title="No repository yet"
        curl=${curl("/api/repos", '{"localPath": "/path/to/a/repository", "allowWrite": true}')}>
        <p>Register a git working tree of this machine, and say what runs may do in it at most.</p>
      <//>`
    }
    ${box}
    <div class="cards">
      ${found.map(
        (repo) => html`<a key=${repo.id} class="card repo" href=${`#/repos/${repo.id}`}>
          <div class="row-title">${labelOf(repo)}</div>
          <div class="row-note" title=${repo.localPath}>${repo.localPath}</div>
          <${State} repo=${repo} />
          <div class="tags">
            ${PERMISSIONS.filter(([key]) => repo[key]).map(
              ([, name]) => html`
                <span class="tag">${name}</span>
              `,
            )}
            ${!repo.allowWrite && html`<span class="tag">Read only</span>`}
          </div>
        </a>`,
      )}
    </div>
    ${registering && html`<${Register} onClose=${() => setRegistering(false)} />`}
  `;
};

/** @param {{repo: Repository}} props */
const State = ({ repo }) => html`<div class="repo-state">
  <code>${repo.currentBranch || "no branch"}</code>
  ${
    repo.isDirty
      ? html`<span class="badge" data-tone="warn"><i class="dot"></i>Changes</span>`
      : html`<span class="badge" data-tone="good"><i class="dot"></i>Clean</span>`
  }
  ${repo.ahead ? html`<span class="hint">↑${repo.ahead}</span>` : null}
  ${" "}
  ${repo.behind ? html`<span class="hint">↓${repo.behind}</span>` : null}
</div>`;

/**
 * Look at a folder while its path is typed, then register it.
 * @param {{onClose: () => void}} props
 */
export const Register = ({ onClose }) => {
  const [path, setPath] = useState("");
  const [host, setHost] = useState("local");
  const [hosts] = useLoaded(() => every("/api/hosts"), []);
  const [name, setName] = useState("");
  const [allowed, setAllowed] = useState({
    allowWrite: true,
    allowNetwork: false,
    allowCommit: false,
    allowPush: false,
    allowTerminal: false,
    signCommits: false,
    requireWorktree: false,
  });
  const [isApart, setApart] = useState(true);
  const [found, setFound] = useState(/** @type {Inspection | null} */ (null));
  const [failure, setFailure] = useState(/** @type {ApiError | null} */ (null));
  const { busy, error, run } = useAct();
  useEffect(() => {
    setFound(null);
    setFailure(null);
    if (!path.trim()) return undefined;
    let current = true;
    const timer = setTimeout(() => {
      ask("/api/repos/inspect", { localPath: path.trim(), host }).then(
        (facts) => current && setFound(facts),
        (refused) => current && setFailure(refused),
      );
    }, 350);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [path, host]);
  const register = () =>
    run("register", async () => {
      const repo = await post("/api/repos", {
        localPath: path.trim(),
        host,
        name: name.trim() || undefined,
        ...allowed,
        workplace: isApart ? "worktree" : "main_checkout",
        requestedBy: ME,
      });
      learn("repos", repo);
      onClose();
      go(`/repos/${repo.id}`);
    });
  return html`<${Dialog} title="Register a repository" onClose=${onClose}>
    <form class="stack"
      onSubmit=${(/** @type {any} */ e) => {
        e.preventDefault();
        register();
      }}>
      ${
        hosts &&
        hosts.length > 1 &&
        html`<${Field} label="Host">
          <select value=${host}
            onChange=${(/** @type {any} */ e) => setHost(e.currentTarget.value)}>
            ${hosts.map(({ name: one }) => html`<option value=${one}>${one}</option>`)}
          </select>
        <//>`
      }
      <${Field} label="Folder"
        hint=${
          found?.isGitRepository
            ? `${found.name}: on ${found.currentBranch || "no branch"}, ` +
              (found.isDirty ? "with changes" : "clean")
            : host === "local"
              ? "The full path on the machine that runs Command Center."
              : `The full path on ${host}.`
        }
        error=${
          failure?.details[0]?.message ||
          failure?.message ||
          (found && !found.isGitRepository ? "This is not a git repository." : "")
        }>
        <input required autofocus spellcheck=${false} autocapitalize="off" autocomplete="off"
          value=${path} placeholder="/path/to/a/repository"
          onInput=${(/** @type {any} */ e) => setPath(e.currentTarget.value)} />
      <//>
      <${Field} label="Name">
        <input value=${name} placeholder=${found?.name || basename(path || "the folder's")}
          onInput=${(/** @type {any} */ e) => setName(e.currentTarget.value)} />
      <//>
      <div>
        ${PERMISSIONS.map(
          ([key, label, hint]) => html`
            <${Switch} label=${label} hint=${hint} on=${allowed[key]}
              onChange=${(/** @type {boolean} */ on) => setAllowed({ ...allowed, [key]: on })} />
          `,
        )}
        <${Switch} label=${SIDE_BY_SIDE[3]} hint=${SIDE_BY_SIDE[4]} on=${isApart}
          onChange=${setApart} />
      </div>
      ${found?.warnings.map(
        (w) => html`
          <p class="hint"><${Icon} name="warning" size=${15} /> ${w}</p>
        `,
      )}
      <${Problem} error=${error} />
      <${Button} kind="primary wide big" type="submit" busy=${busy}
        disabled=${Boolean(busy) || !path.trim()}>
        Register
      <//>
    </form>
  <//>`;
};

// it is a screen of its own
const Files = lazily(() => import("./files.js"), "Files");

/** @param {{id: number}} props */
export const Repo = ({ id }) =>
  usePlace().parts[2] === "files"
    ? html`<${Files} of="repos" id=${id} />`
    : html`<${OneRepo} id=${id} />`;

/** @param {{id: number}} props */
const OneRepo = ({ id }) => {
  useStore("repos", "tasks", "sessions");
  const [, error] = useLoaded(() => need("repos", id), [id, state.repos.has(id)]);
  const act = useAct();
  const [forgetting, setForgetting] = useState(false);
  const [withHistory, setWithHistory] = useState(false);
  const repo = state.repos.get(id);
  if (!repo)
    return html`
      <${Head} title=${`Repository ${id}`} back="/repos" />
      <${Problem} error=${error} />
      ${!error && html`<${Loading} />`}
    `;
  const { rows: tasks, isAll } = listed(
    "tasks",
    { repositoryId: id },
    (task) => task.repositoryId === id,
  );
  const scan = () =>
    act.run("scan", async () =>
      learn("repos", await post(`/api/repos/${id}/scan`, { requestedBy: ME })),
    );
  /** @param {typeof PERMISSIONS[number][0]} key */
  const set = (key) => (/** @type {boolean} */ on) =>
    act.run(key, async () =>
      learn("repos", await patch(`/api/repos/${id}`, { [key]: on, requestedBy: ME })),
    );
  /** @param {typeof CHOICES[number][0]} key @param {string} on @param {string} off */
  const choose = (key, on, off) => (/** @type {boolean} */ chosen) =>
    act.run(key, async () =>
      learn(
        "repos",
        await patch(`/api/repos/${id}`, { [key]: chosen ? on : off, requestedBy: ME }),
      ),
    );
  const setCaps = async (/** @type {Capped} */ caps) =>
    learn("repos", await patch(`/api/repos/${id}`, { caps, requestedBy: ME }));
  const setDefaults = (/** @type {Chosen} */ runDefaults) =>
    act.run("runDefaults", async () =>
      learn("repos", await patch(`/api/repos/${id}`, { runDefaults, requestedBy: ME })),
    );
  return html`
    <${Head} title=${repo.name} back="/repos" note=${html`<${State} repo=${repo} />`}>
      <${Button} icon="refresh" busy=${act.busy === "scan"} onClick=${scan}>Scan<//>
      <a class="button" href=${filesAt("repos", id)}>
        <${Icon} name="file" size=${18} />
        <span>Files</span>
      </a>
      <a class="button primary" href=${`#/tasks/new?repo=${id}`}>
        <${Icon} name="plus" size=${18} />
        <span>New task</span>
      </a>
    <//>
    <${Problem} error=${error || act.error} />
    <div class="columns">
      <div class="stack wide-gap">
        <section aria-labelledby="worktrees">
          <h2 id="worktrees" class="section">Worktrees</h2>
          <${Worktrees} repo=${repo} />
          <${Discarded} repo=${repo} />
        </section>
        <section aria-labelledby="issues"><${Issues} repo=${repo} /></section>
        <section aria-labelledby="tasks">
          <h2 id="tasks" class="section">Tasks</h2>
          ${
            tasks.length
              ? html`
                <ul class="rows">
                  ${tasks.slice(0, 8).map(
                    (task) => html`<li key=${task.id}>
                      <a class="row" href=${`#/tasks/${task.id}`}>
                        <div class="row-main"><div class="row-title">${task.title}</div></div>
                        <${Badge} status=${task.status} />
                      </a>
                    </li>`,
                  )}
                </ul>
                ${
                  tasks.length > 8 &&
                  html`<a class="more" href=${`#/tasks?repo=${id}`}>
                    All ${count(tasks.length, isAll)} tasks
                  </a>`
                }
              `
              : html`<p class="quiet-line">${isAll ? "None yet." : "None of the newest."}</p>`
          }
          ${tasks.length <= 8 && html`<${Older} kind="tasks" filter=${{ repositoryId: id }} />`}
        </section>
      </div>
      <div class="stack wide-gap">
        <section aria-labelledby="policy" class="card">
          <h2 id="policy" class="section">What runs may do at most</h2>
          ${PERMISSIONS.map(
            ([key, label, hint]) => html`
              <${Switch} key=${key} label=${label} hint=${hint} on=${repo[key]}
                disabled=${act.busy === key} onChange=${set(key)} />
            `,
          )}
          ${CHOICES.map(
            ([key, on, off, label, hint]) => html`
              <${Switch} key=${key} label=${label} hint=${hint} on=${repo[key] === on}
                disabled=${act.busy === key} onChange=${choose(key, on, off)} />
            `,
          )}
        </section>
        <${Rules} repo=${repo} />
        <section aria-labelledby="defaults" class="card stack">
          <h2 id="defaults" class="section">What runs begin with</h2>
          <${Choices} chosen=${repo.runDefaults} host=${repo.host} repositoryId=${repo.id}
            onChange=${setDefaults} />
        </section>
        <section aria-labelledby="caps" class="card stack">
          <h2 id="caps" class="section">Caps of a day</h2>
          <${Caps} caps=${repo.caps} onSave=${setCaps} />
        </section>
        <${Keeping} repo=${repo} />
        <section aria-labelledby="prompts"><${Prompts} repo=${repo} /></section>
        <section aria-labelledby="facts">
          <h2 id="facts" class="section">Facts</h2>
          <dl class="facts">
            ${hostOf(repo) && html`<dt>Host</dt><dd><a href="#/hosts">${repo.host}</a></dd>`}
            ${repo.identity && html`<dt>Known as</dt><dd><code>${repo.identity}</code></dd>`}
            <dt>Folder</dt>
            <dd><code>${repo.localPath}</code></dd>
            <dt>Default branch</dt>
            <dd><code>${repo.defaultBranch || "–"}</code></dd>
            <dt>Commit</dt>
            <dd><code>${repo.headSha?.slice(0, 12) || "–"}</code></dd>
            <dt>Scanned</dt>
            <dd>${repo.scannedAt ? html`<${Ago} ts=${repo.scannedAt} />` : "not yet"}</dd>
            ${(repo.facts.remotes || []).map(
              (/** @type {any} */ r) => html`
                <dt>Remote</dt>
                <dd><code>${typeof r === "string" ? r : r.url || r.name}</code></dd>
              `,
            )}
          </dl>
          ${(repo.facts.warnings || []).map(
            (/** @type {string} */ w) => html`
              <p class="hint"><${Icon} name="warning" size=${15} /> ${w}</p>
            `,
          )}
          <button type="button" class="link bad" onClick=${() => {
            setWithHistory(false);
            setForgetting(true);
          }}>
            Forget this repository
          </button>
        </section>
      </div>
    </div>
    ${
      forgetting &&
      html`<${Confirm} title=${`Forget ${repo.name}?`} label="Forget it"
        onClose=${() => setForgetting(false)}
        act=${async () => {
          await remove(`/api/repos/${id}`, { history: withHistory, requestedBy: ME });
          forgetRepository(id);
          go("/repos");
        }}>
        <p>
          Its tasks and sessions are forgotten with it. The folder on disk and Codex's own threads
          stay as they are.
        </p>
        <label class="check">
          <input type="checkbox" checked=${withHistory}
            onChange=${() => setWithHistory(!withHistory)} />
          Remove its history, too: the events that tell of it
        </label>
      <//>`
    }
  `;
};

/** @param {{repo: Repository}} props */
const Worktrees = ({ repo }) => {
  const version = useStore(`worktrees:${repo.id}`);
  const [worktrees, error, again] = useLoaded(
    () => every(`/api/repos/${repo.id}/worktrees`),
    [repo.id],
    `${repo.scannedAt} ${version}`,
  );
  const [open, setOpen] = useParam("diff");
  const [removing, setRemoving] = useState(/** @type {WorktreeState | null} */ (null));
  const [merging, setMerging] = useState(/** @type {WorktreeState | null} */ (null));
  const path = /** @type {const} */ (`/api/repos/${repo.id}/worktrees`);
  if (!worktrees) return html`<${Problem} error=${error} />${!error && html`<${Loading} />`}`;
  return html`
    <${Problem} error=${error} />
    <ul class="rows">
      ${worktrees.map(
        (w) => html`<li key=${w.path} class="worktree">
          <div class="row">
            <div class="row-main">
              <div class="row-title">
                <code>${w.branchName || "no branch"}</code>
                ${" "}
                ${w.isMain && html`<span class="tag">main checkout</span>`}
              </div>
              <div class="row-note" title=${w.path}>
                ${[hostOf(repo), w.path].filter(Boolean).join(": ")}
              </div>
              <div class="row-note">
                ${
                  w.isDirty
                    ? "with changes"
                    : w.isDirty === false
                      ? "clean"
                      : w.problem || w.prunableReason || ""
                } · ${size(w.sizeBytes)}
                ${w.sessionIds.map((s) => html` · <a href=${`#/sessions/${s}`}>session ${s}</a>`)}
              </div>
            </div>
          </div>
          <div class="actions">
            <${Button} kind="quiet" onClick=${() => setOpen(open === w.path ? "" : w.path)}>
              ${open === w.path ? "Hide" : "Diff"}
            <//>
            ${
              !w.isMain &&
              html`
                <${Button} kind="quiet" icon="merge" onClick=${() => setMerging(w)}>Merge<//>
                <${Button} kind="quiet" onClick=${() => setRemoving(w)}>Remove<//>
              `
            }
          </div>
          ${open === w.path && html`<${WorktreeDiff} repo=${repo} worktree=${w} />`}
        </li>`,
      )}
    </ul>
    ${
      merging &&
      html`<${Confirm} title=${`Merge ${merging.branchName}?`} label="Merge" kind="primary"
        onClose=${() => setMerging(null)}
        act=${async () => {
          await post(`${path}/merge`, { path: merging.path, requestedBy: ME });
          again();
        }}>
        <p>
          Its commits come into <code>${repo.currentBranch}</code> of the main checkout. Both must
          be clean.
        </p>
      <//>`
    }
    ${
      removing &&
      html`<${Confirm} title="Remove this worktree?"
        label=${removing.isDirty ? "Remove it with its changes" : "Remove it"}
        onClose=${() => setRemoving(null)}
        act=${async () => {
          await remove(path, {
            path: removing.path,
            force: removing.isDirty || undefined,
            requestedBy: ME,
          });
          again();
        }}>
        <p>
          The folder is deleted; its branch stays.${" "}
          ${
            removing.isDirty &&
            html`<b>It has changes that are not committed, and they are lost.</b>`
          }
        </p>
      <//>`
    }
  `;
};

/** @param {{repo: Repository, worktree: WorktreeState}} props */
const WorktreeDiff = ({ repo, worktree }) => {
  const [diff, error] = useLoaded(
    () => get(`/api/repos/${repo.id}/worktrees/diff`, { path: worktree.path }),
    [worktree.path],
  );
  if (!diff) return html`<${Problem} error=${error} />${!error && html`<${Loading} />`}`;
  return html`<div class="stack">
    <p class="hint">
      Since it left <code>${diff.baseRef}</code>
      ${diff.isCut ? "; cut, for it is long" : ""}.
    </p>
    ${
      diff.patch
        ? html`<${Diff} text=${diff.patch} />`
        : html`<p class="quiet-line">No difference.</p>`
    }
  </div>`;
};
