// @ts-check
// Words by voice: what the browser hears is written for a person to look at, and nothing is sent.
import { html, useEffect, useRef, useState } from "../html.js";
import { Button } from "./basics.js";

const AGREED = "voice";

/** The browser's own recognizer of speech. */
const Recognizer = () =>
  /** @type {any} */ (globalThis).SpeechRecognition ||
  /** @type {any} */ (globalThis).webkitSpeechRecognition;

const language = () => navigator.language;

/** Whether the sound stays on this device. @returns {Promise<boolean>} */
async function staysHere() {
  try {
    const asked = { langs: [language()], processLocally: true };
    return (await Recognizer().available?.(asked)) === "available";
  } catch {
    return false; // a browser that does not know the question
  }
}

/** @type {Record<string, string>} */
const FAILURES = {
  "not-allowed": "The browser may not use the microphone. Allow it for this page, then try again.",
  "service-not-allowed": "The browser allows no recognition of speech here. Type instead.",
  "audio-capture": "There is no microphone. Connect one, then try again.",
  network: "The browser's recognition of speech cannot be reached. Type, or try again later.",
  "language-not-supported": `The browser does not understand ${language()} by voice. Type instead.`,
};

/**
 * The way to speak instead of typing, in browsers that have one.
 * @param {{text: string, onText: (text: string) => void}} props
 */
export const Voice = ({ text, onText }) => {
  const [speaks, speak] = useState(false);
  const now = useRef(text);
  now.current = text;
  useEffect(() => {
    if (!text) speak(false); // sent or emptied: what is still heard is not for the next one
  }, [text]);
  /** @param {string} words */
  const hear = (words) => {
    now.current += (now.current && !/\s$/.test(now.current) ? " " : "") + words;
    onText(now.current);
  };
  if (!Recognizer()) return null;
  if (speaks) return html`<${Hearing} onWords=${hear} onClose=${() => speak(false)} />`;
  return html`<button type="button" class="icon-button speak" aria-label="Speak"
    onClick=${() => speak(true)}>
    <svg class="icon" width="18" height="18" viewBox="0 0 24 24" fill="none" stroke="currentColor"
      stroke-width="1.7" stroke-linecap="round" aria-hidden="true">
      <path d="M12 15a3 3 0 0 0 3-3V6a3 3 0 1 0-6 0v6a3 3 0 0 0 3 3Z" />
      <path d="M6 11.5a6 6 0 0 0 12 0M12 17.5V21" />
    </svg>
  </button>`;
};

/**
 * Listen until it is closed; each piece that is understood is handed on.
 * @param {{onWords: (words: string) => void, onClose: () => void}} props
 */
const Hearing = ({ onWords, onClose }) => {
  const [phase, setPhase] = useState(/** @type {"" | "asks" | "hears" | "failed"} */ (""));
  const [heard, setHeard] = useState("");
  const [failure, setFailure] = useState("");
  const isLocal = useRef(false);
  const latest = useRef({ onWords, onClose });
  latest.current = { onWords, onClose };
  const listening = useRef(/** @type {any} */ (null));
  const listen = () => {
    const recognizer = new (Recognizer())();
    recognizer.lang = language();
    recognizer.continuous = true;
    recognizer.interimResults = true;
    if (isLocal.current) recognizer.processLocally = true;
    let hasFailed = false;
    recognizer.onresult = (/** @type {any} */ event) => {
      let open = "";
      for (let at = event.resultIndex; at < event.results.length; at += 1) {
        const words = event.results[at][0].transcript.trim();
        if (event.results[at].isFinal) latest.current.onWords(words);
        else open += ` ${words}`;
      }
      setHeard(open.trim());
    };
    recognizer.onerror = (/** @type {any} */ event) => {
      if (["no-speech", "aborted"].includes(event.error)) return;
      hasFailed = true;
      setFailure(FAILURES[event.error] || `The browser does not listen: ${event.error}.`);
      setPhase("failed");
    };
    recognizer.onend = () => {
      if (!hasFailed) latest.current.onClose();
    };
    listening.current = recognizer;
    setPhase("hears");
    recognizer.start();
  };
  useEffect(() => {
    let isGone = false;
    staysHere().then((here) => {
      if (isGone) return;
      isLocal.current = here;
      if (here || localStorage.getItem(AGREED)) listen();
      else setPhase("asks");
    });
    return () => {
      isGone = true;
      listening.current?.abort();
    };
  }, []);
  const agree = () => {
    localStorage.setItem(AGREED, "agreed");
    listen();
  };
  return html`<div class="voice" role="group" aria-label="Voice">
    <span role="status">
      ${phase === "asks" && "The browser may send what you say to its maker, to make words of it."}
      ${phase === "hears" && (heard || "Listening…")}
      ${failure}
    </span>
    ${phase === "asks" && html`<${Button} onClick=${agree}>Speak<//>`}
    <${Button} onClick=${() => (phase === "hears" ? listening.current.stop() : onClose())}>
      ${phase === "asks" ? "Not now" : phase === "hears" ? "Done" : "Close"}
    <//>
  </div>`;
};
