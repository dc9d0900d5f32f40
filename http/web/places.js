// @ts-check
// The places of the page: path, icon and name.
export const PLACES = [
  ["", "now", "Now"],
  ["tasks", "tasks", "Tasks"],
  ["approvals", "approvals", "Approvals"],
  ["sessions", "sessions", "Sessions"],
  ["repos", "repos", "Repositories"],
  ["automations", "automations", "Automations"],
  ["threads", "threads", "Threads"],
  ["tools", "command", "Tools"],
  ["hosts", "host", "Hosts"],
  ["telemetry", "telemetry", "Telemetry"],
  ["runtime", "runtime", "Runtime"],
  ["notifications", "bell", "Notifications"],
  ["devices", "devices", "Devices"],
  ["account", "lock", "Account"],
];
