// @ts-check
// A terminal of one's own where a session works, in the sandbox that the session has.
import { ME, query } from "../api.js";
import { Button, Head, Problem, useLoaded } from "../components/basics.js";
import { emulate } from "../components/emulator.js";
import { html, useEffect, useRef, useState } from "../html.js";
import { sheet } from "../sheets.js";
import { need, repoOf, state, useStore } from "../store.js";

sheet("./styles/terminal.css");

/** Keys that a phone has not. @type {[string, string, string][]} */
const KEYS = [
  ["Esc", "Escape", "\x1b"],
  ["Tab", "Tab", "\t"],
  ["Ctrl-C", "Control C", "\x03"],
  ["Ctrl-D", "Control D", "\x04"],
  ["↑", "Up", "\x1b[A"],
  ["↓", "Down", "\x1b[B"],
  ["←", "Left", "\x1b[D"],
  ["→", "Right", "\x1b[C"],
];

const LONGEST_PAUSE = 10000;

const NOT_OPENED =
  "The terminal could not be opened. The folder of the session may be gone, as where nothing was " +
  "changed; or the session has not begun.";

/** What a key means while Ctrl is held. @param {string} text */
const controlled = (text) =>
  /^[@-_a-z]$/.test(text) ? String.fromCharCode(text.toUpperCase().charCodeAt(0) & 31) : text;

/** @param {{id: number}} props */
export const Terminal = ({ id }) => {
  useStore("sessions", "repos");
  const [, error] = useLoaded(async () => {
    const session = await need("sessions", id);
    await need("repos", session.repositoryId);
  }, [id]);
  const [round, again] = useState(0);
  const session = state.sessions.get(id);
  const repo = session && repoOf(session);
  return html`
    <${Head} title="Terminal" back=${`/sessions/${id}`}
      note=${html`<a href=${`#/sessions/${id}`}>
        ${session?.title || `Session ${id}`}
      </a>`} />
    <${Problem} error=${error} />
    ${
      repo &&
      (repo.allowTerminal
        ? html`<${Shell} key=${round} id=${id} onAgain=${() => again(round + 1)} />`
        : html`<p class="quiet-line">
          ${repo.name} allows no terminal. Its <a href=${`#/repos/${repo.id}`}>settings</a> can.
        </p>`)
    }
  `;
};

/**
 * A connection to the terminal, which comes back by itself when it is cut off.
 * @param {{
 *   id: number,
 *   size: () => {columns: number, rows: number},
 *   onOutput: (data: Uint8Array, isFirst: boolean) => void,
 *   onEnd: (reason: string) => void,
 *   onCut: () => void,
 * }} wanted
 */
function connect({ id, size, onOutput, onEnd, onCut }) {
  /** @type {WebSocket} */
  let socket;
  let timer = 0;
  let pause = 500;
  let wasOpen = false;
  const open = () => {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const path = `/api/sessions/${id}/terminal${query({ ...size(), requestedBy: ME })}`;
    socket = new WebSocket(`${scheme}//${location.host}${path}`);
    socket.binaryType = "arraybuffer";
    let reason = "";
    let isFirst = true;
    socket.onopen = () => {
      wasOpen = true;
      pause = 500;
    };
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") reason = JSON.parse(data).reason;
      else onOutput(new Uint8Array(data), isFirst);
      isFirst = false;
    };
    socket.onclose = () => {
      if (reason || !wasOpen) return onEnd(reason || NOT_OPENED);
      onCut();
      timer = window.setTimeout(open, pause);
      pause = Math.min(2 * pause, LONGEST_PAUSE);
      return undefined;
    };
  };
  open();
  return {
    /** @param {string | Uint8Array<ArrayBuffer>} data */
    send: (data) => socket.readyState === WebSocket.OPEN && socket.send(data),
    close: () => {
      clearTimeout(timer);
      socket.onclose = socket.onmessage = socket.onopen = null;
      socket.close();
    },
  };
}

/** @param {{id: number, onAgain: () => void}} props */
const Shell = ({ id, onAgain }) => {
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const type = useRef((/** @type {string} */ _) => {});
  const end = useRef(() => {});
  const isHeld = useRef(false);
  const [held, setHeld] = useState(false);
  const [phase, setPhase] = useState("opening");
  const [ended, setEnded] = useState("");
  const hold = (/** @type {boolean} */ wanted) => {
    isHeld.current = wanted;
    setHeld(wanted);
  };
  useEffect(() => {
    let isGone = false;
    /** @type {(() => void)[]} */
    const undo = [];
    emulate(/** @type {HTMLElement} */ (place.current)).then(({ terminal, fit }) => {
      undo.push(() => terminal.dispose());
      if (isGone) return undo.forEach((step) => step());
      let isReplayed = false;
      const size = () => ({ columns: terminal.cols, rows: terminal.rows });
      const connection = connect({
        id,
        size,
        onOutput: (data, isFirst) => {
          if (!isFirst) return terminal.write(data);
          terminal.reset();
          isReplayed = false;
          terminal.write(data, () => {
            isReplayed = true;
            setPhase("open");
            terminal.focus();
          });
          return undefined;
        },
        onEnd: setEnded,
        onCut: () => setPhase("cut"),
      });
      const encoder = new TextEncoder();
      type.current = (text) => {
        connection.send(encoder.encode(isHeld.current ? controlled(text) : text));
        hold(false);
      };
      end.current = () => connection.send(JSON.stringify({ type: "end" }));
      // What is shown again asks what was answered before.
      terminal.onData((/** @type {string} */ text) => isReplayed && type.current(text));
      terminal.onResize(() => connection.send(JSON.stringify({ type: "resize", ...size() })));
      const seen = new ResizeObserver(() => fit());
      seen.observe(/** @type {HTMLElement} */ (place.current));
      undo.push(
        () => connection.close(),
        () => seen.disconnect(),
      );
      return undefined;
    });
    return () => {
      isGone = true;
      undo.reverse().forEach((step) => step());
    };
  }, [id]);
  const press = (/** @type {() => void} */ act) => ({
    onPointerDown: (/** @type {Event} */ event) => event.preventDefault(), // the keyboard stays
    onClick: act,
  });
  return html`
    <div class="emulator" ref=${place} role="region" aria-label="Terminal" data-phase=${phase}>
    </div>
    ${
      ended
        ? html`<div class="why">
          <div role="status">${ended}</div>
          <${Button} icon="refresh" onClick=${onAgain}>Open another<//>
        </div>`
        : html`<div class="emulator-keys" role="group" aria-label="Keys">
          <button type="button" class="tag" aria-pressed=${held}
            ...${press(() => hold(!isHeld.current))}>
            Ctrl
          </button>
          ${KEYS.map(
            ([name, label, text]) => html`<button type="button" class="tag" key=${name}
              aria-label=${label} ...${press(() => type.current(text))}>
              ${name}
            </button>`,
          )}
          <button type="button" class="tag" ...${press(() => end.current())}>End</button>
        </div>`
    }
    ${
      phase === "cut" &&
      !ended &&
      html`<p class="quiet-line" role="status">
        Cut off. The shell goes on for ten minutes; this comes back to it by itself.
      </p>`
    }
  `;
};
