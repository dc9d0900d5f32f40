// @ts-check
// What a session has changed: its files, each with its patch once it is opened.
import { every, get, ME, post } from "../api.js";
import { filesAt } from "../files.js";
import { basename, number, plural, seen, size, Words } from "../format.js";
import { html, useEffect, useMemo, useRef, useState } from "../html.js";
import { useParam } from "../router.js";
import { sheet } from "../sheets.js";
import { ENDED, useStore } from "../store.js";
import { AgentChanges } from "./agents.js";
import { Button, Choice, lazily, Loading, Problem, useAct, useLoaded } from "./basics.js";
import { NewComment, Outdated, Said, SendBar } from "./comments.js";
import { Lines } from "./diff.js";
import { Finder } from "./finder.js";
import { Landing } from "./landing.js";
import { newsOf, pagesOf, patchOf } from "./patches.js";

sheet("./styles/changes.css");

/** @import { ChangedFile, Changes as Seen, Patch, PlacedComment, Session } from "../openapi.js" */
/** @import { DiffSide } from "./diff.js" */
/**
 * @typedef {{session: Session, against: Against, ignoreSpace: boolean, isWide: boolean, version:
 * unknown, comments: PlacedComment[], find: string, isGit: boolean, onAct: () => void}} View
 * @typedef {"base" | "commit" | "viewed"} Against
 */

const Snapshots = lazily(() => import("./snapshots.js"), "Snapshots");
const Review = lazily(() => import("./review.js"), "Review"); // once it is asked for

const OPENED = 3; // files that are open from the beginning
const LONG = 400; // changed lines of a file above which it begins closed
const WIDE = 820; // pixels that two columns need

/** @param {{session: Session, onSeen?: (changes: Seen) => void}} props */
export const Changes = ({ session, onSeen }) => {
  const { id } = session;
  const version = useStore(`diff:${id}`, "reloaded");
  const [acts, setActs] = useState(0);
  const [against, setAgainst] = useState(/** @type {Against} */ ("base"));
  const [ignoreSpace, setIgnoreSpace] = useState(false);
  const [pane, setPane] = useParam("pane", "transcript");
  const [changes, error] = useLoaded(
    () => all(id, against),
    [id, against, acts, session.status],
    version,
  );
  const [comments = []] = useLoaded(
    () => every(`/api/sessions/${id}/comments`, {}),
    [id, acts, session.status],
    version,
  );
  const [isWide, measured] = useWide();
  const [find, setFind] = useState("");
  const [isReviewing, setReviewing] = useState(false);
  const [isPutting, setPutting] = useState(false);
  const [found, setFound] = useState(/** @type {ReadonlyMap<string, number>} */ (new Map()));
  const of = useMemo(() => ({}), [changes, ignoreSpace]);
  useEffect(() => {
    if (changes && against === "base") onSeen?.(changes);
  }, [changes]);
  if (!changes) return error ? html`<${Problem} error=${error} />` : html`<${Loading} />`;
  const act = () => setActs(acts + 1);
  const view = {
    session,
    against,
    ignoreSpace,
    isWide,
    version: changes, // so that no patch is asked for of a file that has left the list
    comments: comments.filter(({ status }) => status !== "cancelled"),
    find,
    isGit: changes.source === "git",
    onAct: act,
  };
  const listed = new Set(changes.items.flatMap(({ path, previousPath }) => [path, previousPath]));
  const apart = comments.filter(
    ({ status, path, isOutdated }) => status === "open" && (isOutdated || !listed.has(path)),
  );
  const { isGit } = view;
  return html`<div class="changes" ref=${measured}>
    <${Problem} error=${error} />
    ${changes.problem && html`<p class="quiet-line">${changes.problem}</p>`}
    ${
      isGit &&
      against === "base" &&
      ENDED.has(session.status) &&
      html`<${Landing} session=${session} changes=${changes} onAct=${act} />`
    }
    <div class="changes-head">
      <p class="quiet-line">
        ${changes.isCut ? "More than " : ""}${plural(changes.total, "file")}${" "}
        <span class="counts">
          <b class="add">+${number(changes.additions)}</b>
          <b class="del"> −${number(changes.deletions)}</b>
        </span>
        ${isGit && changes.baseRef && html`<span class="hint"> since ${changes.baseRef}</span>`}
      </p>
      <div class="changes-tools">
        <${Choice} label="Which changes" value=${against} onChange=${setAgainst}
          options=${[
            ["base", "All"],
            ["viewed", "Not viewed"],
            ...(isGit ? [["commit", "Not committed"]] : []),
          ]} />
        ${
          isGit &&
          html`<label class="check">
            <input type="checkbox" checked=${ignoreSpace}
              onChange=${(/** @type {any} */ e) => setIgnoreSpace(e.currentTarget.checked)} />
            Ignore white space
          </label>`
        }
        <${Button} onClick=${() => setReviewing(true)}>Review…<//>
        ${
          isGit &&
          ENDED.has(session.status) &&
          html`<${Button} onClick=${() => setPutting(true)}>Put files back…<//>`
        }
        <${Button} kind="across" aria-pressed=${pane === "review"}
          onClick=${() => setPane(pane === "review" ? "changes" : "review")}>
          Across the page
        <//>
      </div>
      ${
        changes.items.length > 0 &&
        html`<${Finder} files=${changes.items} of=${of} onFind=${(/** @type {string} */ text) => {
          setFind(text);
          setFound(new Map());
        }}
          load=${(/** @type {ChangedFile} */ file) =>
            pagesOf(id, file, { against, ignoreSpace, context: CONTEXTS[0] })}
          onOpen=${(/** @type {string[]} */ paths, /** @type {number} */ pages) =>
            setFound((before) => {
              const after = new Map(before);
              for (const path of paths) after.set(path, Math.max(before.get(path) || 0, pages));
              return after;
            })} />`
      }
    </div>
    ${!changes.items.length && html`<p class="quiet-line">${NOTHING[against]}</p>`}
    <ul class="diff files">
      ${changes.items.map(
        (file, at) => html`<${File} key=${`${against} ${file.path}`} file=${file} view=${view}
          onViewed=${act} searched=${find ? found.get(file.path) || 0 : 0}
          startsOpen=${at < OPENED && !file.isViewed && sizeOf(file) <= LONG} />`,
      )}
    </ul>
    ${!isGit && html`<${AgentChanges} session=${session} />`}
    ${
      against === "base" &&
      apart.length > 0 &&
      html`<h3 class="section">Comments on lines that are not shown</h3>
        <${Outdated} comments=${apart} onAct=${act} />`
    }
    ${
      isPutting &&
      html`<${Snapshots} session=${session} changes=${changes} onAct=${act}
        onClose=${() => setPutting(false)} />`
    }
    ${isReviewing && html`<${Review} session=${session} onClose=${() => setReviewing(false)} />`}
    <${SendBar} session=${session} onAct=${act}
      open=${comments.filter(({ status }) => status === "open").length} />
  </div>`;
};

/** @type {Record<Against, string>} */
const NOTHING = {
  base: "Nothing has changed.",
  commit: "All of it is committed.",
  viewed: "You have viewed all of it.",
};

/** @param {ChangedFile} file */
const sizeOf = (file) => (file.additions || 0) + (file.deletions || 0);

/**
 * All of the list, page by page.
 * @param {number} id @param {Against} against @returns {Promise<Seen>}
 */
async function all(id, against) {
  const path = /** @type {const} */ (`/api/sessions/${id}/changes`);
  const first = await get(path, { against, limit: 500 });
  const items = [...first.items];
  let cursor = first.nextCursor;
  while (cursor) {
    const page = await get(path, { against, limit: 500, cursor });
    items.push(...page.items);
    cursor = page.nextCursor;
  }
  return { ...first, items };
}

/** Whether a part of the page has room for two columns. @returns {[boolean, any]} */
function useWide() {
  const [isWide, setWide] = useState(false);
  const watcher = useRef(/** @type {ResizeObserver | null} */ (null));
  const measured = useRef((/** @type {HTMLElement | null} */ element) => {
    watcher.current?.disconnect();
    if (!element) return;
    watcher.current = new ResizeObserver(([{ contentRect }]) => setWide(contentRect.width >= WIDE));
    watcher.current.observe(element);
  });
  return [isWide, measured.current];
}

/**
 * A file; its patch is loaded once it is opened, and `searched` pages of it where a text is found.
 * @param {{file: ChangedFile, view: View, onViewed: () => void, startsOpen: boolean, searched:
 * number}} props
 */
const File = ({ file, view, onViewed, startsOpen, searched }) => {
  const [isOpen, setOpen] = useState(startsOpen);
  useEffect(() => {
    if (searched) setOpen(true);
  }, [searched]);
  const { error, run } = useAct();
  const [wanted, want] = useState(/** @type {boolean | null} */ (null));
  useEffect(() => want(null), [file.isViewed, error]);
  const { id } = view.session;
  const mark = (/** @type {boolean} */ isViewed) =>
    run("mark", async () => {
      want(isViewed);
      await post(`/api/sessions/${id}/changes/viewed`, {
        paths: [file.path],
        isViewed,
        requestedBy: ME,
      });
      setOpen(!isViewed);
      onViewed();
    });
  const moved = file.previousPath && `, moved from ${file.previousPath}`;
  const isFile = !file.path.endsWith("/");
  return html`<li class="file" data-viewed=${file.isViewed} data-path=${file.path}>
    <details class="diff-file" open=${isOpen}
      onToggle=${(/** @type {any} */ e) => setOpen(e.currentTarget.open)}>
      <summary title=${`${file.path}${moved || ""}`}>
        <b class="status" data-status=${file.status} title=${file.status.replace("_", " ")}>
          ${file.status[0].toUpperCase()}
        </b>
        <span class="path">
          <span class="folder">${seen(file.path.slice(0, -basename(file.path).length))}</span>
          <b>${seen(basename(file.path))}</b>
          ${moved && html`<span class="folder">${seen(moved)}</span>`}
        </span>
        <span class="counts">
          ${
            file.isBinary
              ? "binary"
              : html`<b class="add">+${number(file.additions || 0)}</b>
                <b class="del"> −${number(file.deletions || 0)}</b>`
          }
        </span>
      </summary>
      ${
        isOpen &&
        (isFile ? html`<${FilePatch} file=${file} view=${view} searched=${searched} />` : OWN)
      }
    </details>
    <div class="file-tools">
      ${
        isFile &&
        html`<label class="check">
          <input type="checkbox" checked=${wanted ?? file.isViewed}
            onChange=${(/** @type {any} */ e) => mark(e.currentTarget.checked)} />
          Viewed<span class="visually-hidden"> ${file.path}</span>
        </label>`
      }
      <${Problem} error=${error} />
    </div>
  </li>`;
};

const OWN = html`<p class="quiet-line">A repository of its own, not looked into.</p>`;

const CONTEXTS = [3, 40, 100_000]; // lines around a change: at first, more of them, and all
const PICTURE = /\.(png|jpe?g|gif|webp)$/i;

/** @param {{file: ChangedFile, view: View, searched: number}} props */
const FilePatch = ({ file, view, searched }) => {
  const { session, against, ignoreSpace, isWide, version, comments, find, onAct } = view;
  const [picked, pick] = useState(/** @type {Picked | null} */ (null));
  const [step, setStep] = useState(0);
  const context = CONTEXTS[searched ? 0 : step]; // a text is found in what was looked through
  const [asked, setPages] = useState(1);
  const pages = Math.max(asked, searched);
  const load = () => patchOf(session.id, file, { against, ignoreSpace, context }, pages);
  const of = [session.id, file.path, against, ignoreSpace, context, pages];
  const [patch, error] = useLoaded(load, of, version);
  const lines = useMemo(() => (patch ? newsOf(patch.patch) : []), [patch]);
  if (!patch) return error ? html`<${Problem} error=${error} />` : html`<${Loading} />`;
  /** @param {DiffSide} side */
  const pathOn = (side) => (side === "before" && file.previousPath) || file.path;
  const saying = {
    hasBefore: patch.against === "base",
    pick: (/** @type {DiffSide} */ side, /** @type {number} */ line) =>
      pick((before) =>
        before?.side === side && line > before.line
          ? { ...before, endLine: line }
          : { side, line, endLine: line },
      ),
    under: (/** @type {DiffSide} */ side, /** @type {number} */ line) => {
      const there = comments.filter(
        (comment) =>
          comment.path === pathOn(side) &&
          comment.side === side &&
          comment.currentLine !== null &&
          comment.currentLine + comment.endLine - comment.line === line,
      );
      const isPicked = picked?.side === side && picked.line === line;
      if (!there.length && !isPicked) return null;
      return html`
        ${there.map((one) => html`<${Said} key=${one.id} comment=${one} onAct=${onAct} />`)}
        ${
          isPicked &&
          html`<${NewComment} session=${session} path=${pathOn(side)} ...${picked}
            onClose=${() => {
              pick(null);
              onAct();
            }} />`
        }
      `;
    },
  };
  return html`
    <${Problem} error=${error} />
    ${
      lines.length
        ? html`<${Lines} lines=${lines} label=${file.path} isSplit=${isWide}
          saying=${saying} find=${find} />`
        : patch.isBinary && PICTURE.test(file.path)
          ? html`<${Pictures} session=${session} file=${file} version=${version} />`
          : html`<p class="quiet-line">${withoutLines(patch, ignoreSpace)}</p>`
    }
    <div class="file-more">
      ${
        patch.nextCursor &&
        html`<${Button} kind="quiet" onClick=${() => setPages(pages + 1)}>Load more of it<//>`
      }
      ${
        !searched &&
        step + 1 < CONTEXTS.length &&
        file.status !== "added" &&
        !file.isBinary &&
        html`<${Button} kind="quiet" onClick=${() => setStep(step + 1)}>
          ${step ? "The whole file" : "More lines around"}
        <//>`
      }
      ${
        view.isGit &&
        file.status !== "deleted" &&
        html`<a class="button quiet" href=${filesAt("sessions", session.id, { path: file.path })}>
          Open the file
        </a>`
      }
    </div>
  `;
};

/**
 * The words for a patch that has no lines; a file may have been put back since it was listed.
 * @param {Patch} patch @param {boolean} ignoreSpace
 */
function withoutLines(patch, ignoreSpace) {
  if (patch.isBinary) return "A binary file.";
  if (patch.patch) return "Nothing else has changed in it.";
  return ignoreSpace ? "Nothing but white space has changed." : "Nothing in it differs any more.";
}

/** @typedef {{side: DiffSide, line: number, endLine: number}} Picked Lines to be commented on. */

/**
 * A picture as it was, and as it is.
 * @param {{session: Session, file: ChangedFile, version: unknown}} props
 */
const Pictures = ({ session, file, version }) => html`<div class="pictures">
  ${
    !file.isNew &&
    html`<${OnePicture} id=${session.id} side="before" version=${version}
      path=${file.previousPath || file.path} />`
  }
  ${
    file.status !== "deleted" &&
    html`<${OnePicture} id=${session.id} side="after" version=${version} path=${file.path} />`
  }
</div>`;

/** @param {{id: number, path: string, side: DiffSide, version: unknown}} props */
const OnePicture = ({ id, path, side, version }) => {
  const [picture, error] = useLoaded(
    () => get(`/api/sessions/${id}/changes/picture`, { path, side }),
    [id, path, side],
    version,
  );
  if (error?.status === 404)
    return html`
      <p class="quiet-line">${Words(side)}: no picture of at most 4 MiB.</p>
    `;
  if (!picture) return error ? html`<${Problem} error=${error} />` : html`<${Loading} />`;
  return html`<figure>
    <img src=${`data:${picture.mediaType};base64,${picture.data}`} alt=${`${path} ${side}`} />
    <figcaption class="hint">${Words(side)} · ${size(picture.size)}</figcaption>
  </figure>`;
};
