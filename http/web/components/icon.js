// @ts-check
// Line icons of 24 by 24, drawn in the colour of the text.
import { html } from "../html.js";

/** @type {Record<string, string>} */
const PATHS = {
  now: "M13 3 5 13.5h6L10.5 21 19 10h-6.2z",
  tasks: "M9 6h11M9 12h11M9 18h11M4 6l.8.8L6.3 5.2M4 12l.8.8 1.5-1.6M4 18l.8.8 1.5-1.6",
  approvals: "M12 3l7.5 3v5.5c0 4.6-3 8-7.5 9.5-4.5-1.5-7.5-4.9-7.5-9.5V6zM8.7 12l2.3 2.3 4.3-4.6",
  repos:
    "M6 3v12M18 9v1.5a3 3 0 0 1-3 3H9a3 3 0 0 0-3 3" +
    "M6 21a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM18 9a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z",
  automations: "M12 21a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17ZM12 8v4.7l3 1.8M9 2h6",
  threads:
    "M20 11.5c0 4-3.6 7-8 7-1 0-2-.2-3-.5L4.5 20l1.2-3.8" +
    "A6.6 6.6 0 0 1 4 11.5c0-4 3.6-7 8-7s8 3 8 7Z",
  telemetry: "M4 20V4M4 20h16M8 16v-5M12.5 16V7M17 16v-3",
  runtime:
    "M12 3v5M12 8H6v4M12 8h6v4M6 12a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5Z" +
    "M18 12a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5ZM12 8v9M12 17a2 2 0 1 0 0 4 2 2 0 0 0 0-4Z",
  devices: "M8 3h8v18H8zM11 18h2M3 7h2.5v10H3M21 7h-2.5v10H21",
  host: "M4 4h16v6H4zM4 14h16v6H4zM7.5 7h.1M7.5 17h.1",
  more:
    "M5 12.6a.6.6 0 1 0 0-1.2.6.6 0 0 0 0 1.2ZM12 12.6a.6.6 0 1 0 0-1.2.6.6 0 0 0 0 1.2Z" +
    "M19 12.6a.6.6 0 1 0 0-1.2.6.6 0 0 0 0 1.2Z",
  sessions: "M4 5h16v14H4zM8 10l2.5 2L8 14M12.5 14.5H16",
  back: "M14.5 5 8 12l6.5 7",
  plus: "M12 5v14M5 12h14",
  check: "M5 12.5 10 17.5 19.5 7",
  cross: "M6 6l12 12M18 6 6 18",
  stop: "M7 7h10v10H7z",
  play: "M8 5v14l11-7z",
  send: "M4 12 20 4l-5 16-4-6.5zM11 13.5 20 4",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM15.5 15.5 20.5 20.5",
  warning: "M12 4 2.8 20h18.4zM12 10v4.5M12 17.4v.1",
  question:
    "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Z" +
    "M9.5 9.5a2.5 2.5 0 1 1 3.6 2.3c-.7.4-1.1 1-1.1 1.9M12 16.8v.1",
  command: "M4 5h16v14H4zM8 10l2.5 2L8 14M12.5 14.5H16",
  file: "M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  chevron: "M9 6l6 6-6 6",
  moon: "M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10Z",
  sun:
    "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2" +
    "M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M18.7 5.3l-1.4 1.4M6.7 17.3l-1.4 1.4",
  out: "M14 4h5v16h-5M4 12h11M11 8l4 4-4 4",
  bell: "M6 16.5V11a6 6 0 1 1 12 0v5.5l1.5 1.5h-15zM10 20.5h4",
  refresh: "M19.5 12a7.5 7.5 0 1 1-2.2-5.3L20 9M20 4.5V9h-4.5",
  merge: "M7 4v16M7 8c0 5 10 3 10 9M7 4.5a1 1 0 1 0 0-.1M17 19.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z",
  copy: "M9 9h11v11H9zM15 9V4H4v11h5",
};

/** @param {{name: string, size?: number}} props */
export const Icon = ({ name, size = 20 }) => html`
  <svg class="icon" width=${size} height=${size} viewBox="0 0 24 24" fill="none"
    stroke="currentColor" stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round"
    aria-hidden="true">
    <path d=${PATHS[name]} />
  </svg>
`;
