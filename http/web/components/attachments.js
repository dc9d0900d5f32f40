// @ts-check
// Pictures and files that go with what is said: sent as they are chosen, shown small, taken away.
/** @import { Upload } from "../openapi.js" */
import { ApiError, get, ME, query } from "../api.js";
import { html, useRef } from "../html.js";
import { state, useStore } from "../store.js";
import { useAct, useLoaded } from "./basics.js";
import { Icon } from "./icon.js";

/** What is known of an upload that is attached. @typedef {{id: number, name: string,
 * mediaType: string}} Attachment */

const PICTURES = "image/png,image/jpeg,image/gif,image/webp";
const MOST = 10;
const SEND_WITHIN_MS = 180_000;

/** @param {File} file @returns {Promise<Upload>} */
async function send(file) {
  const path = `/api/uploads${query({ name: file.name, requestedBy: ME })}`;
  let answer;
  let told;
  try {
    answer = await fetch(path, {
      method: "POST",
      body: file,
      headers: { Accept: "application/json", "Content-Type": "application/octet-stream" },
      signal: AbortSignal.timeout(SEND_WITHIN_MS),
    });
    told = await answer.json();
  } catch {
    throw new ApiError(0, `${file.name || "The picture"} could not be sent.`);
  }
  if (!answer.ok)
    throw new ApiError(answer.status, `${file.name || "The picture"}: ${told.error.message}`);
  return told;
}

/**
 * The uploads of a draft, and the ways to change them.
 * @param {Attachment[]} attached @param {(now: Attachment[]) => void} onChange
 */
export function useAttachments(attached, onChange) {
  const { busy, error, run } = useAct();
  const now = useRef(attached);
  now.current = attached;
  /** @param {Attachment[]} next */
  const change = (next) => {
    now.current = next; // before it is drawn: more may come at once
    onChange(next);
  };
  /** @param {Iterable<File> | null | undefined} files */
  const add = (files) =>
    run("attach", async () => {
      for (const file of files || []) {
        if (now.current.length >= MOST)
          throw new ApiError(400, `A message takes ${MOST} files. Send the others with another.`);
        const { id, name, mediaType } = await send(file);
        const others = now.current.filter((one) => one.id !== id);
        change([...others, { id, name, mediaType }]);
      }
    });
  /** @param {number} id */
  const remove = (id) => change(now.current.filter((one) => one.id !== id));
  return { busy: Boolean(busy), error, add, remove };
}

/** @param {ClipboardEvent | DragEvent} event */
const filesOf = (event) =>
  ("clipboardData" in event ? event.clipboardData : event.dataTransfer)?.files;

/**
 * What a box takes beside words: pasted and dropped files.
 * @param {(files: Iterable<File>) => void} add
 */
export const takes = (add) => {
  const take = (/** @type {any} */ event) => {
    const files = filesOf(event);
    if (!files?.length) return; // words go their own way
    event.preventDefault();
    add(files);
  };
  return {
    onPaste: take,
    onDrop: take,
    onDragOver: (/** @type {DragEvent} */ event) => event.preventDefault(),
  };
};

/**
 * The button to choose files, and on a phone that of its camera.
 * @param {{onFiles: (files: Iterable<File>) => void, busy: boolean}} props
 */
export const Attach = ({ onFiles, busy }) => {
  /** @param {string} label @param {any} picture @param {object} more */
  const input = (label, picture, more) =>
    html`<label class="icon-button attach" aria-busy=${busy ? "true" : null}>
      <span class="visually-hidden">${label}</span>
      ${picture}
      <input type="file" class="visually-hidden" disabled=${busy} ...${more}
        onChange=${(/** @type {any} */ e) => {
          onFiles([...e.currentTarget.files]);
          e.currentTarget.value = "";
        }} />
    </label>`;
  return html`
    ${input("Attach files", html`<${Icon} name="plus" />`, { multiple: true })}
    ${
      matchMedia("(pointer: coarse)").matches &&
      input("Take a picture", html`<${Camera} />`, { accept: PICTURES, capture: "environment" })
    }
  `;
};

const Camera = () => html`
  <svg class="icon" width="20" height="20" viewBox="0 0 24 24" fill="none" stroke="currentColor"
    stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
    <path d="M4 8h4l1.5-2.5h5L16 8h4v11H4zM12 16.5a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4Z" />
  </svg>
`;

/**
 * The files of a draft, small.
 * @param {{attached: Attachment[], remove: (id: number) => void}} props
 */
export const Attached = ({ attached, remove }) =>
  attached.length > 0 &&
  html`<ul class="attached" aria-label="Attached">
    ${attached.map(
      (one) => html`<li key=${one.id}>
        <${Thumbnail} attachment=${one} />
        <button type="button" class="icon-button" aria-label=${`Take ${one.name} away`}
          onClick=${() => remove(one.id)}>
          <${Icon} name="cross" size=${16} />
        </button>
      </li>`,
    )}
  </ul>`;

/** A picture, or a file by its name. @param {{attachment: Attachment}} props */
export const Thumbnail = ({ attachment }) => {
  const { id, name, mediaType } = attachment;
  const isPicture = mediaType.startsWith("image/");
  const [content] = useLoaded(
    () => (isPicture ? get(`/api/uploads/${id}/content`) : Promise.resolve(null)),
    [id],
  );
  if (content)
    return html`<img src=${`data:${content.mediaType};base64,${content.data}`} alt=${name} />`;
  return html`<span class="tag"><${Icon} name="file" size=${16} /> ${name}</span>`;
};

/** A picture that Codex was shown, by its file. @param {{path: string}} props */
export const Shown = ({ path }) => {
  useStore("sessions"); // it may be told of after what was said
  const found = [...state.sessions.values()]
    .flatMap((session) => /** @type {any[]} */ (session.attachments || []))
    .find((one) => path.endsWith(one.file));
  return found ? html`<${Thumbnail} attachment=${found} />` : html`<span>[picture]</span>`;
};
