// @ts-check
// The small parts that every screen is made of.
import { ApiError, query } from "../api.js";
import { duration, exact, seen, when, Words } from "../format.js";
import { openPalette } from "../keys.js";
import { html, useEffect, useId, useLayoutEffect, useRef, useState } from "../html.js";
import { goBack } from "../router.js";
import { loadOlder, reachOf, state, useStore } from "../store.js";
import { useTitle } from "../title.js";
import { Icon } from "./icon.js";

/** @type {Record<string, string>} */
const TONES = {
  running: "live",
  starting: "live",
  busy: "live",
  connected: "good",
  ok: "good",
  waiting_approval: "ask",
  waiting_limit: "warn",
  blocked: "ask",
  pending: "ask",
  completed: "good",
  approved: "good",
  acknowledged: "good",
  allow: "good",
  failed: "bad",
  rejected: "bad",
  deny: "bad",
  quarantined: "bad",
  degraded: "bad",
  unavailable: "bad",
  unreadable: "bad",
  unwritable: "bad",
  damaged: "bad",
  interrupted: "warn",
  expired: "warn",
  needs_approval: "ask",
  suspended: "warn",
  backoff: "warn",
  paused: "warn",
};

/** @param {{status: string, text?: string}} props */
export const Badge = ({ status, text }) => html`
  <span class="badge" data-tone=${TONES[status] || "plain"}>
    <i class="dot"></i>
    ${text || Words(status)}
  </span>
`;

/** @param {{ts: string | null | undefined}} props */
export const Ago = ({ ts }) => {
  useTick(30_000);
  return ts ? html`<time datetime=${ts} title=${exact(ts)}>${when(ts)}</time>` : null;
};

/** How long a session runs or ran. @param {{from: string | null, to?: string | null}} props */
export const Elapsed = ({ from, to }) => {
  useTick(to || !from ? 0 : 1000);
  if (!from) return null;
  const seconds = ((to ? Date.parse(to) : Date.now()) - Date.parse(from)) / 1000;
  return html`<span class="nowrap" title=${exact(from)}>${duration(seconds)}</span>`;
};

/** Time left until a deadline; it turns red at the end. @param {{until: string}} props */
export const Countdown = ({ until }) => {
  useTick(1000);
  const left = (Date.parse(until) - Date.now()) / 1000;
  return html`<span class="countdown nowrap" data-soon=${left < 120} title=${exact(until)}>
    ${left > 0 ? `${duration(left)} left` : "time is up"}
  </span>`;
};

/** Render again every so many milliseconds; 0 for never. @param {number} ms */
export function useTick(ms) {
  const [, tick] = useState(0);
  useEffect(() => {
    if (!ms) return undefined;
    const timer = setInterval(() => tick((n) => n + 1), ms);
    return () => clearInterval(timer);
  }, [ms]);
}

const RELOAD_MS = 1000;

/**
 * A promise's state while a component is there: `[value, error, again]`. Other inputs are another
 * question, which is asked at once; the answer to the one before is not wanted any more. Another
 * version is news of the same: however much of it there is, the question is asked once more after
 * its answer is here, and not within a second of when it was asked. So one request is under way,
 * and the answer that came last is the newest. `again` does not wait for the second. What a lost
 * connection kept away is asked for again once it is back.
 * @template T @param {() => Promise<T>} load @param {unknown[]} inputs @param {unknown} [version]
 * @returns {[T | undefined, ApiError | null, () => void]}
 */
export function useLoaded(load, inputs, version) {
  const [loaded, setLoaded] = useState(
    /** @type {{value: T | undefined, error: ApiError | null}} */ ({
      value: undefined,
      error: null,
    }),
  );
  const latest = useRef(load);
  latest.current = load;
  const question = useRef({ version, again: (/** @type {number} */ _) => {} });
  useStore("connection");
  const isLive = state.phase === "live";
  const isUnreached = loaded.error?.status === 0;
  useEffect(() => {
    let isWanted = true;
    let isUnderWay = false;
    let askedAt = 0;
    let nextAt = Infinity;
    let timer = 0;
    const ask = async () => {
      isUnderWay = true;
      askedAt = performance.now();
      nextAt = Infinity;
      try {
        const value = await latest.current();
        if (isWanted) setLoaded({ value, error: null });
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (isWanted) setLoaded(({ value }) => ({ value, error }));
      } finally {
        isUnderWay = false;
        plan();
      }
    };
    const plan = () => {
      clearTimeout(timer);
      if (isWanted && !isUnderWay && nextAt < Infinity)
        timer = setTimeout(ask, nextAt - performance.now());
    };
    const again = (/** @type {number} */ pause) => {
      nextAt = Math.min(nextAt, askedAt + pause);
      plan();
    };
    question.current = { version, again };
    ask();
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, inputs);
  useEffect(() => {
    if (question.current.version === version) return;
    question.current.version = version;
    question.current.again(RELOAD_MS);
  }, [version]);
  useEffect(() => {
    if (isLive && isUnreached) question.current.again(0);
  }, [isLive]);
  return [loaded.value, loaded.error, () => question.current.again(0)];
}

/**
 * A component of a module that is loaded when it is first shown, or once the connection is back.
 * @param {() => Promise<any>} load @param {string} name
 */
export function lazily(load, name) {
  return (/** @type {any} */ props) => {
    const [Part, setPart] = useState(/** @type {any} */ (null));
    useStore("connection");
    useEffect(() => {
      if (Part) return;
      load().then(
        (exports) => setPart(() => exports[name]),
        () => {},
      );
    }, [state.phase]);
    return Part && html`<${Part} ...${props} />`;
  };
}

/** Run an act of the API, and know that it runs and how it failed. */
export function useAct() {
  const [busy, setBusy] = useState("");
  const [error, setError] = useState(/** @type {ApiError | null} */ (null));
  /** @param {string} name @param {() => Promise<any>} act */
  const run = async (name, act) => {
    setBusy(name);
    setError(null);
    try {
      return await act();
    } catch (failure) {
      if (!(failure instanceof ApiError)) throw failure;
      setError(failure);
      return undefined;
    } finally {
      setBusy("");
    }
  };
  return { busy, error, run, setError };
}

/** @param {{error: ApiError | null | undefined}} props */
export const Problem = ({ error }) =>
  error
    ? html`<div class="problem" role="alert">
      <${Icon} name="warning" size=${18} />
      <div>
        ${error.message}
        ${error.details.map(
          (d) =>
            d.path &&
            !error.message.includes(d.message) &&
            html`
              <div><code>${d.path}</code> ${d.message}</div>
            `,
        )}
        ${error.conflicts.map(
          (path) =>
            html`
              <div><code>${seen(path)}</code></div>
            `,
        )}
      </div>
    </div>`
    : null;

/** @param {any} props */
export const Button = ({ kind = "", icon, busy, disabled, children, ...rest }) => {
  const button = useRef(/** @type {HTMLButtonElement | null} */ (null));
  const hadFocus = useRef(false);
  useStore("connection");
  useLayoutEffect(() => {
    // what is disabled loses the focus, and the keyboard its place
    if (busy) hadFocus.current ||= document.activeElement === button.current;
    else if (hadFocus.current) {
      hadFocus.current = false;
      if (document.activeElement === document.body) button.current?.focus();
    }
  }, [busy]);
  return html`
    <button type="button" class=${`button ${kind}`} disabled=${busy || disabled}
      aria-busy=${busy ? "true" : null} ref=${button} ...${rest}>
      ${icon && html`<${Icon} name=${icon} size=${18} />`}
      <span>${busy && state.phase !== "live" ? "Waits for the connection" : children}</span>
    </button>
  `;
};

/** @param {any} props */
export const Field = ({ label, hint, error, children }) => {
  const id = useId();
  const child = Array.isArray(children) ? children[0] : children;
  child.props.id = id;
  if (hint || error) child.props["aria-describedby"] = `${id}-hint`;
  return html`<div class="field">
    <label for=${id}>${label}</label>
    ${child}
    ${
      (hint || error) &&
      html`<div class="hint" id=${`${id}-hint`} data-bad=${Boolean(error)}>${error || hint}</div>`
    }
  </div>`;
};

/**
 * @param {{label: string, hint?: any, on: boolean, onChange: (on: boolean) => void, disabled?:
 * boolean}} props
 */
export const Switch = ({ label, hint, on, onChange, disabled }) => {
  const id = useId();
  return html`<div class="switch-row">
    <div>
      <label for=${id}>${label}</label>
      ${hint && html`<div class="hint" id=${`${id}-hint`}>${hint}</div>`}
    </div>
    <input id=${id} type="checkbox" role="switch" class="switch" checked=${on} disabled=${disabled}
      aria-describedby=${hint ? `${id}-hint` : null}
      onChange=${(/** @type {any} */ event) => onChange(event.currentTarget.checked)} />
  </div>`;
};

/**
 * A choice of a few.
 * @param {{label: string, value: string, options: [string, any][], onChange: (value: string) =>
 * void}} props
 */
export const Choice = ({ label, value, options, onChange }) => html`
  <div class="choice" role="group" aria-label=${label}>
    ${options.map(
      ([key, text]) => html`
        <button type="button" key=${key} aria-pressed=${key === value}
          onClick=${() => onChange(key)}>
          ${text}
        </button>
      `,
    )}
  </div>
`;

/**
 * What to show where there is nothing yet: the next step, and how a script takes it.
 * @param {any} props
 */
export const Empty = ({ icon, title, children, curl }) => html`
  <div class="empty">
    ${icon && html`<div class="empty-icon"><${Icon} name=${icon} size=${28} /></div>`}
    <h2>${title}</h2>
    <div class="empty-text">${children}</div>
    ${
      curl &&
      html`
        <details class="curl"><summary>From a terminal</summary><${Code} text=${curl} /></details>
      `
    }
  </div>
`;

/** @param {{text: string, label?: string, children?: any}} props */
export const Code = ({ text, label = "Code", children }) => {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return html`<div class="code">
    <pre tabindex="0" aria-label=${label}>${children || (text && seen(text))}</pre>
    ${
      navigator.clipboard &&
      html`<button type="button" class="copy" onClick=${copy} aria-label="Copy">
        <${Icon} name=${copied ? "check" : "copy"} size=${16} />
      </button>`
    }
  </div>`;
};

/**
 * For a field that comes when it is asked for: one writes in it at once.
 * @param {HTMLElement | null} field
 */
export const focused = (field) => field?.focus();

/** A dialog over the page; Escape and a press beside it close it. @param {any} props */
export const Dialog = ({ title, onClose, children }) => {
  const id = useId();
  const dialog = useRef(null);
  const latest = useRef(onClose);
  latest.current = onClose;
  useEffect(() => {
    const element = /** @type {any} */ (dialog.current);
    let shown = true;
    const closed = () => shown && latest.current();
    element.addEventListener("close", closed);
    element.showModal();
    return () => {
      shown = false; // it goes with its screen, and nobody has closed it
      element.close();
      setTimeout(() => {
        // what opened it may be gone with what it did
        if (document.activeElement === document.body)
          document.getElementById("main")?.focus({ preventScroll: true });
      });
    };
  }, []);
  return html`<dialog ref=${dialog} aria-labelledby=${id}
    onClick=${(/** @type {any} */ event) => event.target === event.currentTarget && onClose()}>
    <div class="dialog-body">
      <div class="dialog-head">
        <h2 id=${id}>${title}</h2>
        <button type="button" class="icon-button" aria-label="Close" onClick=${onClose}>
          <${Icon} name="cross" />
        </button>
      </div>
      ${children}
    </div>
  </dialog>`;
};

/** Ask before what cannot be undone. */
export const Confirm = (/** @type {any} */ props) => {
  const { title, children, act, label, kind = "danger", instead, disabled, onClose } = props;
  const { busy, error, run } = useAct();
  const confirm = () =>
    run("act", async () => {
      await act();
      onClose();
    });
  return html`<${Dialog} title=${title} onClose=${onClose}>
    <div class="stack">${children}<${Problem} error=${error} />${error && instead?.(error)}</div>
    <div class="actions">
      <${Button} onClick=${onClose}>Not now<//>
      <${Button} kind=${kind} busy=${busy === "act"} disabled=${disabled} onClick=${confirm}>
        ${label}
      <//>
    </div>
  <//>`;
};

/** The head of a screen; its title is the page's, too. @param {any} props */
export const Head = ({ title, shown = title, back, children, note }) => {
  useTitle(title);
  return html`<header class="head">
    ${
      back &&
      html`<a class="icon-button" href=${`#${back}`} aria-label="Back" onClick=${goBack}>
        <${Icon} name="back" />
      </a>`
    }
    <div class="head-text">
      <h1 data-long=${title.length > 70} title=${title.length > 70 ? title : null}>${shown}</h1>
      ${note && html`<div class="note">${note}</div>`}
    </div>
    ${children && html`<div class="head-actions">${children}</div>`}
    <button type="button" class="icon-button search-all" aria-label="Search everything"
      onClick=${openPalette}>
      <${Icon} name="search" />
    </button>
  </header>`;
};

export const Loading = () =>
  html`<div class="loading" role="status"><span class="visually-hidden">Loading</span></div>`;

const TYPING_MS = 250;

/**
 * The next page of older ones, where there are some. The first time they are asked for without a
 * press, and those that fit a filter once it has stood for a moment.
 * @param {{kind: "tasks" | "sessions" | "approvals", filter?: object}} props
 */
export const Older = ({ kind, filter }) => {
  useStore(kind, "connection");
  const { busy, error, run } = useAct();
  const key = query(filter);
  const { cursor, isAsked } = reachOf(kind, filter);
  const load = () => run("older", () => loadOlder(kind, filter));
  const isDue = Boolean(cursor && !isAsked && state.phase === "live");
  useEffect(() => {
    const timer = isDue && setTimeout(load, key ? TYPING_MS : 0);
    return () => clearTimeout(timer || 0);
  }, [key, isDue]);
  if (!cursor) return null;
  return html`
    <${Problem} error=${error} />
    <${Button} kind="quiet wide" busy=${Boolean(busy || (isDue && !error))} onClick=${load}>
      Load older
    <//>
  `;
};

/**
 * The rows of a long list, a page at a time.
 * @param {{rows: any[], page?: number, children: (row: any) => any, more?: any}} props
 */
export const Rows = ({ rows, page = 60, children, more }) => {
  const [shown, setShown] = useState(page);
  return html`
    <ul class="rows">
      ${rows.slice(0, shown).map((row) => html`<li key=${row.id}>${children(row)}</li>`)}
    </ul>
    ${
      rows.length > shown
        ? html`<${Button} kind="quiet wide" onClick=${() => setShown(shown + 4 * page)}>
          Show more (${rows.length - shown})
        <//>`
        : more
    }
  `;
};
