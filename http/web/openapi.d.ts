// The API's types, made from its OpenAPI document by `uv run python -m tests.browser.declarations`.

export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

/** Wait no longer for a turn that may still run, though its session has ended. */
export interface AbandonTurn {
  requestedBy?: string;
}

/** An order about the account of a host's agent. */
export interface AccountOrder {
  host?: string;
  requestedBy?: string | null;
}

export type AccountStatus = "not_needed" | "signed_in" | "signed_out";

/** An actor or a supervisor at one moment. Ages and delays are in seconds. */
export interface ActorShown {
  path: string;
  kind: string;
  status: Status;
  restart: string;
  isDynamic: boolean;
  faultDomain: string;
  contract: string;
  startedAt: string | null;
  current: string | null;
  currentAge: number | null;
  depth: number;
  capacity: number;
  inLine: number;
  highWater: number;
  oldestAge: number | null;
  sent: number;
  handled: number;
  refused: number;
  lost: number;
  dead: number;
  failed: number;
  backgroundTasks: number;
  stalls: number;
  restarts: number;
  restartsInWindow: number;
  nextStartIn: number | null;
  lastError: string | null;
  description: Record<string, any>;
  stack?: string[];
}

/** A machine that was added. */
export interface AddedHost {
  name: string;
  kind: "dial" | "local" | "ssh";
  address: string | null;
  link: "away" | "connected" | "refused" | null;
  nextTryAt: string | null;
  lastSeenAt: string | null;
  draining: boolean;
  labels: string[];
  maxSessions: number | null;
  load: ShownLoad | null;
  pool: ShownPool | null;
  account: AgentAccount | null;
  status: "connected" | "disabled" | "unavailable";
  message: string;
  agentVersion: string | null;
  warning: string | null;
  appServer: AppServer | null;
  repositories: number;
  active: number;
  queued: number;
  slots: number;
  orphanedTurns: number[];
  enrolment: HostEnrolment | null;
}

/** A sub-agent that works for a session, in a thread of its own. */
export interface Agent {
  id: number;
  createdAt: string;
  updatedAt: string;
  sessionId: number;
  threadId: string;
  parentId: number | null;
  parentThreadId: string;
  path: string | null;
  name: string | null;
  model: string | null;
  prompt: string | null;
  status: "completed" | "failed" | "interrupted" | "running";
  lastMessage: string | null;
  tokenUsage: Record<string, any> | null;
  diff: string | null;
  finishedAt: string | null;
  shortened: string[];
}

/** The account of a host's agent. */
export interface AgentAccount {
  host: string;
  status: AccountStatus;
  kind: string | null;
  email: string | null;
  plan: string | null;
  workspace: string | null;
  signIn: SignIn | null;
}

/** Limits of an agent; its token is good for the tools at `/mcp` alone. Null sets none. */
export interface AgentLimits {
  repositories?: number[] | null;
  depth?: number | null;
  runsPerHour?: number | null;
}

export type AppServer = "detached" | "joined" | "spawned";

/** A question to the operator, settled exactly once. */
export interface Approval {
  id: number;
  createdAt: string;
  updatedAt: string;
  kind: "command" | "elicitation" | "file_change" | "manual" | "merge" | "permissions" | "push" | "run" | "setup" | "trust" | "user_input";
  status: "answered_elsewhere" | "approved" | "cancelled" | "expired" | "pending" | "rejected";
  title: string;
  details: Record<string, any>;
  repositoryId: number | null;
  taskId: number | null;
  sessionId: number | null;
  codexThreadId: string | null;
  codexTurnId: string | null;
  codexItemId: string | null;
  codexRequestId: string | null;
  codexRequest: Record<string, any> | null;
  requestedBy: string;
  scope: "once" | "session" | null;
  answers: Record<string, any> | null;
  expiresAt: string | null;
  resolvedAt: string | null;
  resolvedBy: string | null;
  resolutionNote: string | null;
  deliveredAt: string | null;
  correlationId: string | null;
  warnedAt: string | null;
  shortened: string[];
  risks: Risk[];
}

/** The number of approvals: by their status, and those that are pending by their kind. */
export interface ApprovalCounts {
  byStatus: Record<string, number>;
  pendingByKind: Record<string, number>;
}

/** Approvals: those that wait now, and those settled in the span by how. */
export interface ApprovalNumbers {
  pending: number;
  oldestPendingAt: string | null;
  settled: Record<string, number>;
}

/** Name and address of who wrote what is committed. */
export interface Author {
  name: string;
  email: string;
}

/** A schedule that makes and runs tasks. */
export interface Automation {
  id: number;
  createdAt: string;
  updatedAt: string;
  repositoryId: number;
  title: string;
  scheduleExpr: string;
  timezone: string | null;
  enabled: boolean;
  missedRuns: "run_once" | "skip";
  payload: AutomationPayload;
  nextRunAt: string | null;
  lastRunAt: string | null;
  lastOutcome: string | null;
  lastSessionId: number | null;
  consecutiveFailures: number;
  pausedReason: string | null;
  requestedBy: string;
  deletedAt: string | null;
  whenLimited: "skip" | "wait";
  hasHook: boolean;
  thread: "new" | "same";
  lastEventId: number | null;
}

/** Changes to an automation; what is left out stays. `enabled: true` also ends a pause. */
export interface AutomationChanges {
  title?: string;
  scheduleExpr?: string;
  timezone?: string | null;
  enabled?: boolean;
  missedRuns?: "run_once" | "skip";
  whenLimited?: "skip" | "wait";
  thread?: "new" | "same";
  payload?: AutomationPayload;
  requestedBy?: string;
}

/** Enabled automations, and those that run next. */
export interface AutomationNumbers {
  enabled: number;
  paused: number;
  next: NextAutomation[];
}

/** The task that each run makes, and how. Without a title it takes the automation's. */
export interface AutomationPayload {
  prompt: string;
  taskType?: "investigate_failure" | "prompt_task" | "repo_health_check" | "review_task";
  taskTitle?: string | null;
  priority?: "high" | "low" | "normal";
  approvalRequired?: boolean;
  onInterrupt?: "continue" | "stop";
  maxAttempts?: number;
  turnLimit?: number | null;
  tokenBudget?: number | null;
  runInput?: RunInput;
}

/** The outcome of a due time, or of a run by hand. A due time has at most one. */
export interface AutomationRun {
  id: number;
  createdAt: string;
  updatedAt: string;
  automationId: number;
  trigger: "catch_up" | "event" | "hook" | "manual" | "schedule";
  dueAt: string | null;
  firedAt: string;
  missed: number;
  outcome: "completed" | "denied" | "failed" | "interrupted" | "invalid" | "missed" | "refused" | "skipped" | "started" | "stopped";
  reason: string | null;
  taskId: number | null;
  sessionId: number | null;
  finishedAt: string | null;
  eventId: number | null;
}

/** The backups in the data folder. */
export interface BackupsShown {
  items: KeptBackup[];
  schedule: string | null;
  nextAt: string | null;
  lastFailure: string | null;
}

/** The bridge's health; `message` says what to do where something is to be done. */
export interface BridgeHealth {
  status: BridgeStatus;
  command: string;
  transport: string;
  message: string;
  supported: string;
  version: string | null;
  warning: string | null;
  appServer: AppServer | null;
}

export type BridgeStatus = "connected" | "disabled" | "unavailable";

/** The things that a runner can do. */
export interface Capabilities {
  isReal: boolean;
  canSteer: boolean;
  asksApproval: boolean;
  hasThreads: boolean;
  plans: boolean;
  pursuesGoals: boolean;
  survivesRestart: boolean;
  showsReview: boolean;
  takesImages: boolean;
}

/** The most that runs may use. What is left out has no cap. */
export interface Caps {
  dailyTokens?: number | null;
  dailyCost?: number | null;
  windowPercent?: number | null;
  over?: "interrupt" | "warn";
}

/** A file that has changed. */
export interface ChangedFile {
  path: string;
  previousPath: string | null;
  status: "added" | "conflicted" | "deleted" | "modified" | "renamed" | "type_changed";
  additions: number | null;
  deletions: number | null;
  isBinary: boolean;
  isNew: boolean;
  isCommitted: boolean;
  isViewed: boolean;
}

/** The changes of a session, file by file; a page of them. */
export interface Changes {
  source: "agent" | "git";
  problem: string | null;
  path: string;
  branchName: string | null;
  headSha: string | null;
  baseRef: string | null;
  baseSha: string | null;
  against: "base" | "commit" | "viewed";
  commits: number | null;
  total: number;
  uncommitted: number;
  additions: number;
  deletions: number;
  isCut: boolean;
  items: ChangedFile[];
  nextCursor: string | null;
}

/** The choices about a run's model. */
export interface Choices {
  model?: string | null;
  effort?: string | null;
  serviceTier?: string | null;
  collaborationMode?: "default" | "plan" | null;
  personality?: "friendly" | "none" | "pragmatic" | null;
  permissionProfile?: string | null;
}

/** Have a pool host clone a remote, and register that. What is left out is not allowed. */
export interface CloneRepository {
  remote: string;
  host: string;
  depth?: number | null;
  name?: string | null;
  allowWrite?: boolean;
  allowNetwork?: boolean;
  allowCommit?: boolean;
  requestedBy?: string;
}

/** A remark on lines that a session has changed: of a person, or found by a review. */
export interface Comment {
  id: number;
  createdAt: string;
  updatedAt: string;
  taskId: number;
  sessionId: number;
  path: string;
  side: "after" | "before";
  line: number;
  endLine: number;
  text: string;
  quote: string;
  status: "cancelled" | "open" | "sent";
  requestedBy: string;
  followupId: number | null;
  sentSessionId: number | null;
  steerEventId: number | null;
  reviewSessionId: number | null;
}

/** The text of a comment. */
export interface CommentText {
  text: string;
  requestedBy?: string;
}

/** The part of a session's work that is committed, and how. */
export interface CommitRequest {
  message?: string | null;
  paths?: string[];
  author?: Author | null;
  headSha?: string | null;
  requestedBy?: string;
}

/** A commit that was made. */
export interface Committed {
  branchName: string;
  beforeSha: string | null;
  sha: string;
  message: string;
  files: number;
  isSigned: boolean;
  hooksSkipped: string[];
}

/** The place of the session in which a thread's history is made shorter. */
export interface Compaction {
  repositoryId: number;
  cwd?: string | null;
  requestedBy?: string;
}

/** The branch whose merge conflicts: that of the main checkout, unless named. */
export interface ConflictsRequest {
  base?: string | null;
  headSha?: string | null;
  requestedBy?: string;
}

/** Ask a person something that no session asks by itself. */
export interface CreateApproval {
  title: string;
  kind?: "manual";
  details?: Record<string, any>;
  taskId?: number | null;
  sessionId?: number | null;
  expiresAt?: string | null;
  ttlSeconds?: number | null;
  requestedBy?: string;
}

/** Keep an automation. With a `template`, title, schedule and payload may be left to it. */
export interface CreateAutomation {
  repositoryId: number;
  template?: string | null;
  title?: string;
  scheduleExpr?: string;
  payload?: AutomationPayload;
  timezone?: string | null;
  enabled?: boolean;
  missedRuns?: "run_once" | "skip";
  whenLimited?: "skip" | "wait";
  thread?: "new" | "same";
  requestedBy?: string;
}

/** Register a git repository. What is left out is not allowed; the name is the folder's. */
export interface CreateRepository {
  localPath: string;
  host?: string;
  name?: string | null;
  allowWrite?: boolean;
  allowNetwork?: boolean;
  allowCommit?: boolean;
  requireWorktree?: boolean;
  workplace?: "main_checkout" | "worktree";
  codexConfig?: "ask" | "ignore";
  reviewer?: "auto" | "user";
  allowPush?: boolean;
  signCommits?: boolean;
  onChecksFailed?: "follow_up" | "tell";
  onReview?: "follow_up" | "tell";
  forgeFollowups?: number;
  mergeWhen?: "asked" | "checks_pass";
  issueLabel?: string | null;
  issueApproval?: boolean;
  mcpServersOff?: string[];
  allowTerminal?: boolean;
  keepEvents?: string | null;
  keepTranscripts?: string | null;
  project?: string | null;
  runDefaults?: Choices;
  caps?: Caps;
  requestedBy?: string;
}

/** Keep something to be done in a repository; nothing runs yet. */
export interface CreateTask {
  repositoryId: number;
  title: string;
  prompt: string;
  type?: "investigate_failure" | "prompt_task" | "repo_health_check" | "review_task";
  priority?: "high" | "low" | "normal";
  approvalRequired?: boolean;
  onInterrupt?: "continue" | "stop";
  maxAttempts?: number;
  turnLimit?: number | null;
  tokenBudget?: number | null;
  onChecksFailed?: "follow_up" | "tell" | null;
  onReview?: "follow_up" | "tell" | null;
  forgeFollowups?: number | null;
  mergeWhen?: "asked" | "checks_pass" | null;
  runDefaults?: Choices;
  placement?: "any" | "pool" | HostWish | null;
  requestedBy?: string;
}

/** Tokens of a day in UTC. */
export interface DayTokens {
  day: string;
  tokens: number;
}

/** A message that nobody handled, by its kind. */
export interface DeadLetterShown {
  number: number;
  path: string;
  message: string;
  reason: string;
  age: number;
}

/** The number of dead letters, and the newest of them. */
export interface DeadLettersShown {
  total: number;
  byReason: Record<string, number>;
  items: DeadLetterShown[];
}

/** A device, or a script, that has a token or a cookie of its own. `device_tokens` has hashes. */
export interface Device {
  id: number;
  createdAt: string;
  updatedAt: string;
  name: string;
  scopes: ("admin" | "approve" | "land" | "operate" | "read" | "work")[];
  expiresAt: string | null;
  isPaired: boolean;
  lastSeenAt: string | null;
  lastSeenFrom: string | null;
  limits: Record<string, any> | null;
}

/** Changes to a device; what is left out stays. `expiresAt` null is never. */
export interface DeviceChanges {
  name?: string;
  scopes?: ("admin" | "approve" | "land" | "operate" | "read" | "work")[];
  expiresAt?: string | null;
  limits?: AgentLimits | null;
  requestedBy?: string;
}

/** A device that was made, with its token, which is shown this once. */
export interface DeviceToken {
  id: number;
  createdAt: string;
  updatedAt: string;
  name: string;
  scopes: ("admin" | "approve" | "land" | "operate" | "read" | "work")[];
  expiresAt: string | null;
  isPaired: boolean;
  lastSeenAt: string | null;
  lastSeenFrom: string | null;
  limits: Record<string, any> | null;
  token: string;
}

/** All findings of one examination. */
export interface Diagnosis {
  status: "error" | "ok" | "warning";
  examinedBy: "command" | "server";
  examinedAt: string;
  version: string;
  findings: Finding[];
}

/** The changes since the work tree's branch left `baseRef`, committed or not. */
export interface Diff {
  baseRef: string;
  baseSha: string;
  headSha: string;
  files: ChangedFile[];
  patch: string;
  isCut: boolean;
}

/** The work of a session that is discarded: all that is not committed. */
export interface DiscardRequest {
  headSha?: string | null;
  requestedBy?: string;
}

/** Work that a person discarded, kept as a commit for some time. */
export interface DiscardedWork {
  id: number;
  createdAt: string;
  updatedAt: string;
  repositoryId: number;
  sessionId: number;
  branchName: string | null;
  headSha: string;
  sha: string;
  files: number;
  status: "discarded" | "expired" | "kept";
  requestedBy: string;
  expiresAt: string;
}

/** A due time, in UTC and by the wall clock. */
export interface DueTime {
  at: string;
  local: string;
}

/** The time that finished sessions ran, in seconds; null where none did. */
export interface Durations {
  p50: number | null;
  p95: number | null;
}

/** Give the machine that brings a code a key of its own. */
export interface EnrolHost {
  code: string;
}

/** A host, with its key, which is shown this once. */
export interface EnrolledHost {
  name: string;
  key: string;
}

/** Every failure. */
export interface Error {
  error: ErrorFacts;
}

/** A field at fault, by its path on the wire. */
export interface ErrorDetail {
  path: string;
  message: string;
}

/** The failure, for a program and for a person. */
export interface ErrorFacts {
  statusCode: number;
  message: string;
  details?: ErrorDetail[];
  facts?: Record<string, any>;
  policy?: PolicyResult;
  errorId?: string;
}

/** An event as it is shown: the ids of things that it is not about are left out. */
export interface Event {
  id: number;
  type: string;
  ts: string;
  repositoryId?: number;
  taskId?: number;
  sessionId?: number;
  approvalId?: number;
  automationId?: number;
  actor: string;
  device?: string;
  correlationId: string | null;
  causationId: number | null;
  data: any;
  shortened?: boolean;
}

/** The log: its last id, and how many events the span added. */
export interface EventNumbers {
  lastId: number;
  count: number;
  perMinute: number;
}

/** A page of the log. */
export interface EventPage_Event_ {
  items: Event[];
  nextCursor: string | null;
  damaged?: number[];
  oldestId: number;
}

/** Until when an approval shall wait: `ttlSeconds` from now, or `expiresAt`. */
export interface Extension {
  ttlSeconds?: number | null;
  expiresAt?: string | null;
  requestedBy?: string;
}

/** The skills, plugins, hooks and permission profiles of a host's agent. */
export interface Extensions {
  host: string;
  skills: Skill[];
  plugins: Plugin[];
  hooks: Hook[];
  profiles: PermissionProfile[];
  problems: string[];
}

/** A part of the tree that fails as one, and what that may disturb. */
export interface FaultDomain {
  path: string;
  contract: string;
}

/** A file, or another thing in a folder. */
export interface FileEntry {
  path: string;
  kind: "file" | "folder" | "link" | "other" | "repository";
  size: number | null;
  target: string | null;
}

/** A folder with what is in it, or a page of a file. */
export interface FileView {
  path: string;
  kind: "file" | "folder";
  items: FileEntry[];
  text: string | null;
  size: number | null;
  isBinary: boolean;
  isCut: boolean;
  nextCursor: string | null;
}

/** A finding of the doctor. */
export interface Finding {
  check: string;
  level: "error" | "ok" | "warning";
  message: string;
  why: string | null;
  mend: string | null;
  host: string | null;
}

/** A message for a task's thread, to be sent when its turn has ended. */
export interface Followup {
  id: number;
  createdAt: string;
  updatedAt: string;
  taskId: number;
  sessionId: number;
  status: "cancelled" | "pending" | "sent";
  message: string;
  requestedBy: string;
  sentSessionId: number | null;
  attachments: (Record<string, any>)[];
}

/** The text of a follow-up. */
export interface FollowupText {
  message: string;
  requestedBy?: string;
}

/** A text that has all of the words. */
export interface Found {
  id: number;
  sessionId: number;
  taskId: number;
  repositoryId: number;
  kind: string;
  turnId: string | null;
  itemId: string | null;
  at: string;
  snippet: Piece[];
}

/** A file that was found; `line` is where in it, and `text` that line, of a text. */
export interface FoundFile {
  path: string;
  line: number | null;
  text: string | null;
}

/** The files that were found; of names, the best come first. `isCut`: there are more. */
export interface FoundFiles {
  items: FoundFile[];
  isCut: boolean;
}

/** The repositories that one look has found. */
export interface FoundRepositories {
  items: FoundRepository[];
  folders: number;
  passedOver: string[];
  nextAfter: string | null;
}

/** A repository that was found on this machine. */
export interface FoundRepository {
  name: string;
  localPath: string;
  isRegistered: boolean;
}

/** A text of a stored thread that has all of the words. */
export interface FoundThread {
  id: number;
  host: string;
  threadId: string;
  title: string;
  cwd: string;
  isArchived: boolean;
  turnId: string;
  kind: string;
  at: number | null;
  snippet: Piece[];
}

/** Change a session's goal. A field that is left out stays as it is. */
export interface GoalChanges {
  objective?: string | null;
  tokenBudget?: number | null;
  status?: "active" | "paused" | null;
  requestedBy?: string;
}

/** A goal that Codex is to pursue turn after turn, until it says that it is reached. */
export interface GoalInput {
  objective?: string | null;
  tokenBudget?: number | null;
}

/** A run of an automation that was asked for by hand. */
export interface HandRun {
  task: Task;
  session: Session;
  policy: PolicyResult;
  blocked?: boolean;
  approvals?: Approval[];
  automation: Automation;
}

/** The state of the server, and of the parts that it needs. */
export interface Health {
  status: "degraded" | "ok";
  version: string;
  newVersion: string | null;
  logId: string;
  oldestEventId: number | null;
  runnerMode: string;
  runners: Record<string, Capabilities>;
  codexVersion: string | null;
  appServer: AppServer | null;
  uptimeSeconds: number;
  checks: Record<string, string>;
  role?: "joining" | "leader" | "standby";
  leader?: string | null;
  epoch?: number;
}

/** Something that the agent runs by itself at an event of its own, outside of any sandbox. */
export interface Hook {
  event: string;
  type: string;
  runs: string | null;
  matcher: string | null;
  source: string;
  path: string;
  isEnabled: boolean;
  isManaged: boolean;
  trust: string;
  plugin: string | null;
}

/** The outcome of a delivery to a hook. */
export interface HookReceipt {
  runId: number;
  outcome: "completed" | "denied" | "failed" | "interrupted" | "invalid" | "missed" | "refused" | "skipped" | "started" | "stopped";
  reason: string | null;
  taskId: number | null;
  sessionId: number | null;
  isRepeated: boolean;
}

/** The hook of an automation, with its secret, which is shown this once. */
export interface HookSecret {
  automation: Automation;
  hookPath: string;
  secret: string;
}

/** Changes to a host; what is left out stays. */
export interface HostChanges {
  labels?: string[];
  maxSessions?: number | null;
  requestedBy?: string;
}

/** A code by which a machine becomes a host, once, and the command to run on it. */
export interface HostEnrolment {
  code: string;
  expiresAt: string;
  command: string;
}

/** An order about a machine. */
export interface HostOrder {
  requestedBy?: string;
}

/** The actors of the program that a host runs. */
export interface HostTree {
  host: string;
  actors: ActorShown[];
  faultDomains: FaultDomain[];
}

/** A host that is named, or labels that it must have; one of the two. */
export interface HostWish {
  host?: string | null;
  labels?: string[];
}

/** The caller, and what they may do; `device` is null for who needs to be none. */
export interface Identity {
  device: Device | null;
  scopes: ("admin" | "approve" | "land" | "operate" | "read" | "work")[];
}

/** A thing that stands in nobody's inbox until a moment; null for good. */
export interface InboxMark {
  id: number;
  createdAt: string;
  updatedAt: string;
  kind: "approval" | "automation" | "session";
  recordId: number;
  until: string | null;
  requestedBy: string;
}

/** The marks that hold now. */
export interface InboxMarks {
  items: InboxMark[];
}

/** Look at a folder; a folder that is not a git repository is an answer, not an error. */
export interface InspectRepository {
  localPath: string;
  host?: string;
}

/** A folder, as git sees it. Nothing is saved. */
export interface Inspection {
  isGitRepository: boolean;
  name: string;
  host: string;
  localPath: string;
  defaultBranch: string | null;
  currentBranch: string | null;
  headSha: string | null;
  isDirty: boolean | null;
  ahead: number | null;
  behind: number | null;
  remotes: Remote[];
  worktrees: WorktreeEntry[];
  warnings: string[];
}

/** An open issue, as its forge has it. What it says, a stranger may have written. */
export interface Issue {
  number: number;
  title: string;
  body: string;
  author: string;
  labels: string[];
  url: string;
  taskId: number | null;
}

/** A task that is made of an issue. */
export interface IssueRequest {
  approval?: "not_required" | "required" | null;
  requestedBy?: string;
}

/** One entry of a session's transcript, such as a message or a command. */
export interface Item {
  id: number;
  createdAt: string;
  updatedAt: string;
  sessionId: number;
  turnId: string;
  itemId: string;
  type: string;
  status: string;
  body: Record<string, any>;
  agentId: number | null;
  shortened: string[];
}

/** A backup in the folder of backups. */
export interface KeptBackup {
  name: string;
  size: number;
  madeAt: string;
  isScheduled: boolean;
  isEncrypted: boolean;
}

/** A span of time within which only so much may be used. */
export interface LimitWindow {
  usedPercent: number;
  minutes: number | null;
  resetsAt: string | null;
}

/** An event that is said only live: it has no id, is not stored, and cannot be resumed. */
export interface LiveEvent {
  id: null;
  type: string;
  ts: string;
  repositoryId?: number;
  taskId?: number;
  sessionId?: number;
  approvalId?: number;
  automationId?: number;
  actor: string;
  correlationId: string | null;
  causationId: number | null;
  data: Record<string, any>;
  shortened?: boolean;
}

/** A piece of a field's text; of a field that is an object, of its JSON. */
export interface LongText {
  field: string;
  text: string;
  bytes: number;
  nextCursor: string | null;
}

/** A webhook that was made, with its secret, which is shown this once. */
export interface MadeWebhook {
  id: number;
  createdAt: string;
  updatedAt: string;
  url: string;
  types: string[];
  secret: string;
  status: "active" | "paused";
  pausedReason: string | null;
  position: number;
  failingSince: string | null;
  lastDeliveredAt: string | null;
  error: string | null;
}

/** The merge of a base into a branch, with the files in which the conflicts are marked. */
export interface MarkedConflicts {
  branchName: string;
  baseRef: string;
  sha: string;
  conflicts: string[];
}

/** The answer to a request: its `result`, or its `error`. */
export interface McpAnswer {
  jsonrpc: "2.0";
  id: number | string;
  result?: any;
  error?: McpError;
}

/** The failure of a request. */
export interface McpError {
  code: number;
  message: string;
  data?: Record<string, any>;
}

/** One message of JSON-RPC 2.0: a request, a notification (without `id`), or an answer. */
export interface McpMessage {
  jsonrpc: "2.0";
  id?: number | string;
  method?: string;
  params?: Record<string, any>;
  result?: Record<string, any>;
  error?: Record<string, any>;
}

/** An MCP server that the agent's user has set up, or that a plugin brings. */
export interface McpServer {
  name: string;
  signIn: string;
  tools: ServerTool[];
  error: string | null;
  origin: string | null;
  plugin: string | null;
  leadsHere: boolean;
}

/** The way in which a branch of a worktree comes back. */
export interface MergeOptions {
  into?: string | null;
  headSha?: string | null;
  strategy?: "auto" | "fast-forward" | "merge-commit";
  message?: string | null;
  requestedBy?: string;
}

/** A merge of a pull request as it is now, once its checks pass; a person is asked first. */
export interface MergeOrder {
  mergeWhen?: "checks_pass";
  method?: "merge" | "rebase" | "squash";
  headSha?: string | null;
  requestedBy?: string;
}

/** The worktree whose branch comes back, and the way. */
export interface MergeRequest {
  into?: string | null;
  headSha?: string | null;
  strategy?: "auto" | "fast-forward" | "merge-commit";
  message?: string | null;
  requestedBy?: string;
  path: string;
}

/** Commit of the target branch after a merge, and the way it came there. */
export interface MergeResult {
  targetBranch: string;
  branchName: string;
  how: "fast-forward" | "merge-commit" | "up-to-date";
  beforeSha: string;
  headSha: string;
}

/** The files that a message is about: all that are not committed, if left out. */
export interface MessageRequest {
  paths?: string[];
  requestedBy?: string;
}

/** A backup that somebody wants now. */
export interface NewBackup {
  requestedBy?: string;
}

/** A remark on lines of a file that a session has changed. */
export interface NewComment {
  path: string;
  side?: "after" | "before";
  line: number;
  endLine?: number | null;
  text: string;
  requestedBy?: string;
}

/** A device, or a script, that is to have a token of its own. */
export interface NewDevice {
  name: string;
  scopes: ("admin" | "approve" | "land" | "operate" | "read" | "work")[];
  expiresAt?: string | null;
  limits?: AgentLimits | null;
  requestedBy?: string;
}

/** A code that is to be made for a host. */
export interface NewEnrolment {
  requestedBy?: string;
}

/** A follow-up that is asked for. */
export interface NewFollowup {
  message: string;
  requestedBy?: string;
  attachments?: number[];
}

/** The place at which a thread is forked. */
export interface NewFork {
  host?: string;
  requestedBy?: string;
  lastTurnId?: string | null;
}

/** A machine that is to be added. */
export interface NewHost {
  name: string;
  kind?: "dial" | "ssh";
  address?: string | null;
  hostKey?: string | null;
  requestedBy?: string;
}

/** Things of one kind that are dismissed, or put off. */
export interface NewMarks {
  kind: "approval" | "automation" | "session";
  ids: number[];
  until?: string | null;
  requestedBy?: string;
}

/** Something that a person says to a session. */
export interface NewMessage {
  message: string;
  attachments?: number[];
  how?: "auto" | "followup" | "steer";
  requestedBy?: string;
}

/** A device that is to be let in by a code. */
export interface NewPairing {
  name?: string | null;
  scopes?: ("admin" | "approve" | "land" | "operate" | "read" | "work")[] | null;
  expiresAt?: string | null;
  requestedBy?: string;
}

/** A passkey that a browser has made. */
export interface NewPasskey {
  clientData: string;
  attestation: string;
  name?: string | null;
  requestedBy?: string;
}

/** A prompt that is saved. */
export interface NewPrompt {
  text: string;
  description?: string;
  requestedBy?: string;
}

/** A browser's subscription with its push service. */
export interface NewPushSubscription {
  endpoint: string;
  keys: PushKeys;
  kinds?: ("approvals" | "automations" | "interrupted" | "limits" | "questions" | "sessions" | "system" | "warnings")[];
  quietHours?: string | null;
  timeZone?: string | null;
  replaces?: string | null;
  requestedBy?: string;
}

/** Something that shall need no approval any more, out of what an approval offers. */
export interface NewRule {
  words?: string[];
  isExact?: boolean;
  host?: string | null;
}

/** An order to sign in. */
export interface NewSignIn {
  host?: string;
  requestedBy?: string | null;
  type: "api_key" | "device_code";
  apiKey?: string | null;
}

/** An address that events are to be sent to. */
export interface NewWebhook {
  url: string;
  types: string[];
  secret?: string | null;
  requestedBy?: string;
}

/** An automation that will run. */
export interface NextAutomation {
  id: number;
  repositoryId: number;
  title: string;
  nextRunAt: string;
}

/** A place that people are told at; its URL is shown without what is secret in it. */
export interface NotifyTarget {
  id: number;
  service: string;
  url: string;
  kinds: ("approvals" | "automations" | "interrupted" | "limits" | "questions" | "sessions" | "system" | "warnings")[];
  lastSentAt: string | null;
  error: string | null;
}

/** Another choice of what a place is told; `kinds` are all that it is told. */
export interface NotifyTargetChanges {
  kinds: ("approvals" | "automations" | "interrupted" | "limits" | "questions" | "sessions" | "system" | "warnings")[];
  requestedBy?: string;
}

/** All places of the settings. */
export interface NotifyTargets {
  items: NotifyTarget[];
}

/** A terminal that somebody has where a session works. */
export interface OpenTerminal {
  id: string;
  sessionId: number;
  deviceId: number | null;
  requestedBy: string;
  openedAt: string;
  isSeen: boolean;
}

/** The terminals of a host that are open. */
export interface OpenTerminals {
  host: string;
  items: OpenTerminal[];
}

/** An operator's reason to act, and the word that it is meant where a life would end. */
export interface Order {
  reason: string;
  confirm?: boolean;
  requestedBy?: string;
}

/** An address under which the page can be opened. */
export interface PageAddress {
  url: string;
  isEncrypted: boolean;
  isLoopback: boolean;
}

/** Each address under which the page can be opened, the most useful to others first. */
export interface PageAddresses {
  items: PageAddress[];
}

/** A code, and each address that it can be used at. */
export interface PairingOffer {
  code: string;
  expiresAt: string;
  places: PairingPlace[];
}

/** An address that lets the device in which opens it. */
export interface PairingPlace {
  url: string;
  qr: string[];
}

/** A text that an authenticator signs, once, until it expires. */
export interface PasskeyChallenge {
  challenge: string;
  expiresAt: string;
  isKnown: boolean;
}

/** A proof by a passkey, as a browser has it. */
export interface PasskeyProof {
  id: string;
  clientData: string;
  authenticatorData: string;
  signature: string;
}

/** A page of the changes of one file, as a unified diff. */
export interface Patch {
  path: string;
  previousPath: string | null;
  against: "base" | "commit" | "viewed";
  patch: string;
  isBinary: boolean;
  isCut: boolean;
  nextCursor: string | null;
}

/** A set of permissions that the agent's terminal can be started with, by its name there. */
export interface PermissionProfile {
  id: string;
  isAllowed: boolean;
  description: string | null;
}

/** A picture; `data` is its content in Base64, and `size` its bytes. */
export interface Picture {
  path: string;
  side: "after" | "before";
  mediaType: "image/gif" | "image/jpeg" | "image/png" | "image/webp";
  size: number;
  data: string;
}

/** A piece of a text; `isMatch` where it is what was searched for. */
export interface Piece {
  text: string;
  isMatch: boolean;
}

/** A comment, and the place of its lines in the file now. */
export interface PlacedComment {
  id: number;
  createdAt: string;
  updatedAt: string;
  taskId: number;
  sessionId: number;
  path: string;
  side: "after" | "before";
  line: number;
  endLine: number;
  text: string;
  quote: string;
  status: "cancelled" | "open" | "sent";
  requestedBy: string;
  followupId: number | null;
  sentSessionId: number | null;
  steerEventId: number | null;
  reviewSessionId: number | null;
  isOutdated: boolean | null;
  currentLine: number | null;
}

/** A plugin, which may bring skills, hooks and MCP servers. */
export interface Plugin {
  id: string;
  name: string;
  marketplace: string;
  isInstalled: boolean;
  isEnabled: boolean;
  description: string | null;
  version: string | null;
}

/** The decision, every reason for it, and what the run gets (`run`, null on a denial). */
export interface PolicyResult {
  decision: "allow" | "deny" | "needs_approval";
  reasons: Reason[];
  run: RunSettings | null;
}

/** The next due times of a schedule. */
export interface Preview {
  scheduleExpr: string;
  timezone: string;
  items: DueTime[];
}

/** The price of a model's tokens, each of a million. */
export interface Price {
  model: string;
  input?: number;
  cachedInput?: number;
  output?: number;
}

/** A message for a commit: from the turn as it is known, or written by Codex when asked. */
export interface ProposedMessage {
  message: string;
  by: "codex" | "turn";
}

/** A pull request of a session's branch, as its forge told of it last. */
export interface PullRequest {
  id: number;
  createdAt: string;
  updatedAt: string;
  repositoryId: number;
  taskId: number;
  sessionId: number;
  host: string;
  project: string;
  branchName: string;
  base: string;
  title: string;
  body: string;
  isDraft: boolean;
  status: "closed" | "elsewhere" | "failed" | "merged" | "open" | "opening";
  number: number | null;
  url: string | null;
  headSha: string;
  checks: "failing" | "none" | "passing" | "pending";
  checkRuns: (Record<string, any>)[];
  review: "approved" | "changes_requested" | "none";
  reviews: (Record<string, any>)[];
  mergeState: string | null;
  problem: string | null;
  requestedBy: string;
  readAt: string | null;
  followups: number;
  answered: string[];
  mergeWhen: "checks_pass" | null;
  mergeMethod: "merge" | "rebase" | "squash" | null;
  mergeSha: string | null;
  mergeApprovalId: number | null;
}

/** A pull request of what was pushed of a session. */
export interface PullRequestRequest {
  title?: string | null;
  body?: string;
  draft?: boolean;
  base?: string | null;
  headSha?: string | null;
  requestedBy?: string;
}

/** One commit on its way to a branch of a remote. */
export interface Push {
  id: number;
  createdAt: string;
  updatedAt: string;
  repositoryId: number;
  sessionId: number;
  remote: string;
  address: string;
  branchName: string;
  sha: string;
  remoteSha: string | null;
  lease: string | null;
  commits: number;
  status: "failed" | "pushed" | "pushing" | "waiting_approval";
  approvalId: number | null;
  problem: string | null;
  requestedBy: string;
  finishedAt: string | null;
  pullRequest: Record<string, any> | null;
}

/** A decision that was made on a notification, by the capability that came with it. */
export interface PushDecision {
  capability: string;
  status: "approved" | "rejected";
  resolvedBy?: string;
}

/** The public key that a browser subscribes with, in base64url. */
export interface PushKey {
  key: string;
}

/** The keys of a browser's subscription, in base64url, as the browser gives them. */
export interface PushKeys {
  p256dh: string;
  auth: string;
}

/** The branch of a session that is pushed, and where to. */
export interface PushRequest {
  remote?: string | null;
  branch?: string | null;
  force?: "with-lease" | null;
  headSha?: string | null;
  pullRequest?: PullRequestRequest | null;
  requestedBy?: string;
}

/** Changes to what a browser is told; what is left out stays. */
export interface PushSubscriptionChanges {
  kinds?: ("approvals" | "automations" | "interrupted" | "limits" | "questions" | "sessions" | "system" | "warnings")[];
  quietHours?: string | null;
  timeZone?: string | null;
  requestedBy?: string;
}

/** A prompt that can be said in a repository. */
export interface ReadyPrompt {
  name: string;
  description: string;
  text: string;
  source: "repository" | "saved";
  path: string | null;
}

/** The prompts of a repository: those that were saved, by name, and then those of its files. */
export interface ReadyPrompts {
  items: ReadyPrompt[];
}

/** One rule that spoke: a code to act on and a sentence to read. */
export interface Reason {
  code: string;
  message: string;
}

/** Let a device in by its code; what is between letters and digits does not matter. */
export interface RedeemCode {
  code: string;
  name?: string | null;
}

/** Another copy of the repository; its address without any name or password in it. */
export interface Remote {
  name: string;
  url: string;
}

/** Send the events after this one, again if they were sent before. */
export interface ReplayFrom {
  after: number;
  requestedBy?: string;
}

/** A git repository on a host, and what a session in it may do. */
export interface Repository {
  id: number;
  createdAt: string;
  updatedAt: string;
  name: string;
  host: string;
  localPath: string;
  allowWrite: boolean;
  allowNetwork: boolean;
  allowCommit: boolean;
  requireWorktree: boolean;
  defaultBranch: string | null;
  currentBranch: string | null;
  headSha: string | null;
  isDirty: boolean | null;
  ahead: number | null;
  behind: number | null;
  facts: Record<string, any>;
  scannedAt: string | null;
  codexConfig: "ask" | "ignore";
  reviewer: "auto" | "user";
  workplace: "main_checkout" | "worktree";
  allowPush: boolean;
  pushAddresses: string[];
  onChecksFailed: "follow_up" | "tell";
  onReview: "follow_up" | "tell";
  forgeFollowups: number;
  issueLabel: string | null;
  issueApproval: boolean;
  mergeWhen: "asked" | "checks_pass";
  signCommits: boolean;
  runDefaults: Record<string, any>;
  caps: Record<string, any>;
  mcpServersOff: string[];
  allowTerminal: boolean;
  keepEvents: string | null;
  keepTranscripts: string | null;
  project: string | null;
  identity: string | null;
}

/** Changes to a repository; what is left out stays. */
export interface RepositoryChanges {
  name?: string;
  localPath?: string;
  allowWrite?: boolean;
  allowNetwork?: boolean;
  allowCommit?: boolean;
  requireWorktree?: boolean;
  workplace?: "main_checkout" | "worktree";
  codexConfig?: "ask" | "ignore";
  reviewer?: "auto" | "user";
  allowPush?: boolean;
  signCommits?: boolean;
  onChecksFailed?: "follow_up" | "tell";
  onReview?: "follow_up" | "tell";
  forgeFollowups?: number;
  mergeWhen?: "asked" | "checks_pass";
  issueLabel?: string | null;
  issueApproval?: boolean;
  mcpServersOff?: string[];
  allowTerminal?: boolean;
  keepEvents?: string | null;
  keepTranscripts?: string | null;
  project?: string | null;
  runDefaults?: Choices;
  caps?: Caps;
  requestedBy?: string;
}

/** The things forgotten with a repository, counted. Nothing on the disk is touched. */
export interface RepositoryDeleted {
  id: number;
  tasks: number;
  sessions: number;
  approvals: number;
  automations: number;
}

/** Tokens of a repository's sessions. */
export interface RepositoryTokens {
  repositoryId: number;
  name: string;
  tokens: number;
}

/** The body of an act that needs nothing but who wants it. */
export interface Requester {
  requestedBy?: string;
}

/** A person's decision. `scope` and `answers` matter to what Codex asked. */
export interface Resolution {
  status: "approved" | "rejected";
  resolvedBy?: string;
  resolutionNote?: string | null;
  scope?: "once" | "session";
  answers?: Record<string, any> | null;
  rule?: NewRule | null;
  proof?: PasskeyProof | null;
}

/** Conflicts that Codex is asked to resolve, and the session that does, or will after a turn. */
export interface Resolving {
  merge: MarkedConflicts;
  followup: Followup | null;
  session: Session;
}

/** The branch that discarded work comes back on: `cc/restored-<id>`, unless named. */
export interface RestoreRequest {
  branchName?: string | null;
  requestedBy?: string;
}

/** A branch that has the work again, after the commit that it came after. */
export interface Restored {
  branchName: string;
  sha: string;
}

/** The place to which a thread is taken back. */
export interface Reversion {
  host?: string;
  requestedBy?: string;
  beforeTurnId: string;
}

/** A review of a session's work; of what is not committed, unless it says of what. */
export interface ReviewRequest {
  base?: string | null;
  commit?: string | null;
  instructions?: string | null;
  model?: string | null;
  effort?: string | null;
  requestedBy?: string;
}

/** The state that the files of a worktree are put back to. */
export interface RewindRequest {
  turnId?: string | null;
  snapshotId?: number | null;
  headSha?: string | null;
  requestedBy?: string;
}

/** Files that were put back. */
export interface Rewound {
  snapshot: Snapshot;
  before: Snapshot;
}

/** A reason to look twice at what an approval asks for. */
export interface Risk {
  kind: "deletes" | "network" | "outside_folder" | "pipes_into_shell" | "secrets" | "unreadable";
  words: string;
}

/** A thing that a person always allows in a repository. */
export interface Rule {
  id: number;
  createdAt: string;
  updatedAt: string;
  repositoryId: number;
  kind: "command" | "network";
  words: string[];
  isExact: boolean;
  folder: string;
  host: string | null;
  protocol: string | null;
  sandbox: "danger-full-access" | "read-only" | "workspace-write";
  allowNetwork: boolean;
  allowCommit: boolean;
  approvalId: number | null;
  requestedBy: string;
  uses: number;
  lastUsedAt: string | null;
}

/** A rule that allows nothing any more. */
export interface RuleRemoval {
  ruleId: number;
  rule: Rule | null;
}

/** The body of a run by hand, and of a hook that is asked for. */
export interface RunByHand {
  requestedBy?: string;
}

/** A run as it is asked for; what is left out is as the task and the repository have it. */
export interface RunInput {
  model?: string | null;
  effort?: string | null;
  serviceTier?: string | null;
  collaborationMode?: "default" | "plan" | null;
  personality?: "friendly" | "none" | "pragmatic" | null;
  permissionProfile?: string | null;
  sandbox?: "danger-full-access" | "read-only" | "workspace-write" | null;
  worktreePath?: string | null;
  branchName?: string | null;
  workplace?: "main_checkout" | "worktree" | null;
  allowNetwork?: boolean | null;
  allowCommit?: boolean | null;
  tokenBudget?: number | null;
  goal?: GoalInput | null;
  placement?: "any" | "pool" | HostWish | null;
  requestedBy?: string | null;
}

/** A run that was asked for: it is queued, or `blocked` by the `approvals`. */
export interface RunOutcome {
  task: Task;
  session: Session;
  policy: PolicyResult;
  blocked?: boolean;
  approvals?: Approval[];
}

/** A run that is asked for now, with what is shown to Codex beside the prompt. */
export interface RunRequest {
  model?: string | null;
  effort?: string | null;
  serviceTier?: string | null;
  collaborationMode?: "default" | "plan" | null;
  personality?: "friendly" | "none" | "pragmatic" | null;
  permissionProfile?: string | null;
  sandbox?: "danger-full-access" | "read-only" | "workspace-write" | null;
  worktreePath?: string | null;
  branchName?: string | null;
  workplace?: "main_checkout" | "worktree" | null;
  allowNetwork?: boolean | null;
  allowCommit?: boolean | null;
  tokenBudget?: number | null;
  goal?: GoalInput | null;
  placement?: "any" | "pool" | HostWish | null;
  requestedBy?: string | null;
  attachments?: number[];
}

/** A run as it is let in, once its approvals are given. */
export interface RunSettings {
  model: string | null;
  effort: string | null;
  serviceTier: string | null;
  collaborationMode: "default" | "plan" | null;
  personality: "friendly" | "none" | "pragmatic" | null;
  permissionProfile: string | null;
  sandbox: "danger-full-access" | "read-only" | "workspace-write";
  allowNetwork: boolean;
  allowCommit: boolean;
  worktree: "automatic" | "given" | "none";
  worktreePath: string | null;
  branchName: string | null;
}

/** The state of the actors now. */
export interface RuntimeNumbers {
  status: string;
  actors: number;
  quarantined: string[];
  restarts: number;
  deadLetters: number;
  mailboxDepth: number;
  oldestMessageSeconds: number;
  subscribers: number;
}

/** A message that was taken, and the way in which it is said. */
export interface Said {
  how: "continue" | "followup" | "steer";
  session: Session;
  turnId: string | null;
  followup: Followup | null;
}

/** A prompt that somebody has saved for a repository, under a name of its own there. */
export interface SavedPrompt {
  id: number;
  createdAt: string;
  updatedAt: string;
  repositoryId: number;
  name: string;
  description: string;
  text: string;
  requestedBy: string;
}

/** The way in which comments are sent: to the running turn, or once it has ended. */
export interface SendRequest {
  how?: "followup" | "steer";
  requestedBy?: string;
}

/** The comments that were sent, and what they became. */
export interface SentComments {
  followup: Followup | null;
  session: Session;
  comments: Comment[];
}

/** An order about an MCP server of a host's agent. */
export interface ServerOrder {
  host?: string;
  requestedBy?: string;
}

/** The page on which a person signs an MCP server in. */
export interface ServerSignIn {
  host: string;
  server: string;
  authorizationUrl: string;
}

/** A tool of an MCP server; what the server does not say of it is null. */
export interface ServerTool {
  name: string;
  title: string | null;
  description: string | null;
  isReadOnly: boolean | null;
  isDestructive: boolean | null;
}

/** One run of a task. */
export interface Session {
  id: number;
  createdAt: string;
  updatedAt: string;
  taskId: number;
  repositoryId: number;
  status: "blocked" | "completed" | "created" | "failed" | "interrupted" | "queued" | "running" | "starting" | "stopped" | "waiting_approval" | "waiting_limit";
  runner: "app-server" | "cli" | "stub";
  codexRef: string | null;
  codexThreadId: string | null;
  codexTurnId: string | null;
  model: string | null;
  sandbox: "danger-full-access" | "read-only" | "workspace-write";
  allowNetwork: boolean;
  allowCommit: boolean;
  cwd: string;
  worktreePath: string | null;
  branchName: string | null;
  prompt: string;
  priority: "high" | "low" | "normal";
  requestedBy: string;
  origin: "codex" | "compact" | "continue" | "followup" | "limit" | "prompt" | "retry" | "run";
  previousSessionId: number | null;
  attempt: number;
  beginAfter: string | null;
  tokenBudget: number | null;
  tokenBaseline: number;
  waitReason: string | null;
  stopRequested: Record<string, any> | null;
  startedAt: string | null;
  finishedAt: string | null;
  exitReason: string | null;
  tokenUsage: Record<string, any> | null;
  lastMessage: string | null;
  plan: Record<string, any> | null;
  diff: string | null;
  runnerInstance: string | null;
  correlationId: string;
  causationId: number | null;
  type: "investigate_failure" | "prompt_task" | "repo_health_check" | "review_task";
  result: Record<string, any> | null;
  goal: Record<string, any> | null;
  turns: number;
  host: string;
  shortened: string[];
  workplace: "main_checkout" | "worktree";
  worktreeReserved: boolean;
  waitsFor: number | null;
  effort: string | null;
  pastLimit: boolean;
  serviceTier: string | null;
  collaborationMode: string | null;
  personality: string | null;
  review: Record<string, any> | null;
  attachments: (Record<string, any>)[];
  permissionProfile: string | null;
  transcriptRemovedAt: string | null;
  placement: Record<string, any> | string | null;
  placementReason: string | null;
  title: string;
  archived: boolean;
}

/** Move the session: `running` starts it through policy, `stopped` stops it. */
export interface SessionChanges {
  status: "queued" | "running" | "stopped";
  requestedBy?: string;
}

/** The changes of a session's turn so far, or a piece of them. */
export interface SessionDiff {
  sessionId: number;
  diff: string | null;
  nextCursor: string | null;
}

/** The goal that a session pursues turn after turn, as Codex told last; null without one. */
export interface SessionGoal {
  sessionId: number;
  goal: Record<string, any> | null;
}

/** Name a session, archive it once it has ended, or bring it back; what is left out stays. */
export interface SessionLabel {
  title?: string;
  archived?: boolean;
  requestedBy?: string;
}

/** Sessions of the span. */
export interface SessionNumbers {
  byStatus: Record<string, number>;
  outcomes: Record<string, number>;
  active: number;
  waiting: number;
  successRate: number | null;
  durationSeconds: Durations;
}

/** A session's plan as it is now. */
export interface SessionPlan {
  sessionId: number;
  plan: Record<string, any> | null;
}

/** The session as it ended. */
export interface SessionStopped {
  session: Session;
}

/** The line that gives a setting a value from the next start on. */
export interface SettingLine {
  line: string;
  environment: string;
  overriddenBy: "default" | "environment" | "file" | "flag" | null;
  needs: string[];
}

/** A machine that repositories lie on. */
export interface ShownHost {
  name: string;
  kind: "dial" | "local" | "ssh";
  address: string | null;
  link: "away" | "connected" | "refused" | null;
  nextTryAt: string | null;
  lastSeenAt: string | null;
  draining: boolean;
  labels: string[];
  maxSessions: number | null;
  load: ShownLoad | null;
  pool: ShownPool | null;
  account: AgentAccount | null;
  status: "connected" | "disabled" | "unavailable";
  message: string;
  agentVersion: string | null;
  warning: string | null;
  appServer: AppServer | null;
  repositories: number;
  active: number;
  queued: number;
  slots: number;
  orphanedTurns: number[];
}

/** The load of a machine, and the room on its disk. */
export interface ShownLoad {
  load: number;
  processors: number;
  diskFree: number;
  diskSize: number;
}

/** A passkey of a device. */
export interface ShownPasskey {
  id: number;
  createdAt: string;
  deviceId: number;
  host: string;
  lastUsedAt: string | null;
}

/** The pool of a machine that clones what runs need. */
export interface ShownPool {
  remotes: string[];
  size: number;
  limit: number;
}

/** One setting, as the server has it since its start. */
export interface ShownSetting {
  name: string;
  variable: string;
  flag: string;
  form: string;
  help: string;
  value: any;
  text: string;
  source: "default" | "environment" | "file" | "flag";
  isSecret: boolean;
}

/** All settings, in the order of the documentation. */
export interface ShownSettings {
  items: ShownSetting[];
  configFile: string;
  hasConfigFile: boolean;
}

/** A thread, as the agent of a host shows it. */
export interface ShownThread {
  host: string;
  thread: Record<string, any>;
}

/** An address that events are sent to, without its secret. */
export interface ShownWebhook {
  id: number;
  createdAt: string;
  updatedAt: string;
  url: string;
  types: string[];
  status: "active" | "paused";
  pausedReason: string | null;
  position: number;
  failingSince: string | null;
  lastDeliveredAt: string | null;
  error: string | null;
}

/** An attempt to sign in. */
export interface SignIn {
  id: string;
  type: "api_key" | "device_code";
  status: SignInStatus;
  begunAt: string;
  verificationUrl: string | null;
  userCode: string | null;
  error: string | null;
}

export type SignInStatus = "cancelled" | "completed" | "failed" | "waiting";

/** A skill: instructions, and programs beside them, that the agent may choose to follow. */
export interface Skill {
  name: string;
  description: string;
  path: string;
  scope: string;
  isEnabled: boolean;
  plugin: string | null;
}

/** A skill as it is switched now. */
export interface SkillState {
  path: string;
  isEnabled: boolean;
}

/** A skill that is to be followed from now on, or no more, in all that the agent does. */
export interface SkillSwitch {
  path: string;
  isEnabled: boolean;
  host?: string;
  requestedBy?: string;
}

/** The state of the files in a worktree, kept as a commit that is on no branch. */
export interface Snapshot {
  id: number;
  createdAt: string;
  updatedAt: string;
  repositoryId: number;
  sessionId: number;
  path: string;
  turnId: string | null;
  moment: "left" | "rewind" | "start" | "turn";
  branchName: string | null;
  headSha: string;
  sha: string;
  files: number;
}

/** The rules of spending, and what is used today. */
export interface Spending {
  caps: Caps;
  prices: Price[];
  currency: string;
  since: string;
  today: Spent;
  repositories: SpentByRepository[];
}

/** Changes to the rules of spending; what is left out stays. */
export interface SpendingChanges {
  caps?: Caps;
  prices?: Price[];
  currency?: string;
  requestedBy?: string;
}

/** The things used in a day. `unpriced` are models that the price table does not have. */
export interface Spent {
  tokens: number;
  cost: number;
  unpriced: string[];
}

/** The things that one repository's runs used today. */
export interface SpentByRepository {
  tokens: number;
  cost: number;
  unpriced: string[];
  repositoryId: number;
}

export type Status = "backoff" | "busy" | "idle" | "quarantined" | "starting" | "stopped" | "stopping" | "suspended";

/** Codex took the message into the turn that is running. */
export interface SteerReceipt {
  session: Session;
  turnId: string;
  status: "acknowledged";
}

/** Say something to the turn that is running, without ending it. */
export interface SteerSession {
  message: string;
  attachments?: number[];
  requestedBy?: string;
}

/** The leader is about to end. */
export interface SteppingDown {
  steppingDown: boolean;
}

/** End the session; the answer is the session as it ended. Asking again changes nothing. */
export interface StopSession {
  reason?: string | null;
  requestedBy?: string;
}

/** A browser that is told by its push service; its endpoint and keys are shown to nobody. */
export interface SubscribedBrowser {
  id: number;
  createdAt: string;
  updatedAt: string;
  deviceId: number | null;
  service: string;
  kinds: ("approvals" | "automations" | "interrupted" | "limits" | "questions" | "sessions" | "system" | "warnings")[];
  quietHours: string | null;
  timeZone: string | null;
  lastSentAt: string | null;
  error: string | null;
}

/** The numbers of a span of time, and of now; of one repository where one was named. */
export interface Summary {
  tasks: Record<string, number>;
  sessions: SessionNumbers;
  approvals: ApprovalNumbers;
  tokens: TokenNumbers;
  automations: AutomationNumbers;
  events: EventNumbers;
  window: string;
  repositoryId: number | null;
  since: string;
  until: string;
  runtime: RuntimeNumbers;
}

/** A task: work that somebody wants done in a repository. Each run of it is a session. */
export interface Task {
  id: number;
  createdAt: string;
  updatedAt: string;
  repositoryId: number;
  type: "investigate_failure" | "prompt_task" | "repo_health_check" | "review_task";
  title: string;
  prompt: string;
  priority: "high" | "low" | "normal";
  approvalRequired: boolean;
  requestedBy: string;
  status: "blocked" | "cancelled" | "completed" | "failed" | "interrupted" | "open" | "queued" | "running" | "stopped" | "waiting_approval" | "waiting_limit";
  onInterrupt: "continue" | "stop";
  maxAttempts: number;
  turnLimit: number | null;
  tokenBudget: number | null;
  codexThreadId: string | null;
  automationId: number | null;
  correlationId: string;
  causationId: number | null;
  onChecksFailed: "follow_up" | "tell" | null;
  onReview: "follow_up" | "tell" | null;
  forgeFollowups: number | null;
  mergeWhen: "asked" | "checks_pass" | null;
  runDefaults: Record<string, any>;
  placement: Record<string, any> | string | null;
}

/** Changes to a task; what is left out stays. `cancelled` stops what runs of it. */
export interface TaskChanges {
  title?: string;
  prompt?: string;
  type?: "investigate_failure" | "prompt_task" | "repo_health_check" | "review_task";
  priority?: "high" | "low" | "normal";
  approvalRequired?: boolean;
  onInterrupt?: "continue" | "stop";
  maxAttempts?: number;
  turnLimit?: number | null;
  tokenBudget?: number | null;
  onChecksFailed?: "follow_up" | "tell" | null;
  onReview?: "follow_up" | "tell" | null;
  forgeFollowups?: number | null;
  mergeWhen?: "asked" | "checks_pass" | null;
  runDefaults?: Choices;
  placement?: "any" | "pool" | HostWish | null;
  status?: "cancelled" | "open";
  requestedBy?: string;
}

/** Values that `POST /api/automations` fills in where it is given this `id` as `template`. */
export interface Template {
  id: string;
  title: string;
  description: string;
  scheduleExpr: string;
  payload: AutomationPayload;
}

/** A command that a thread's turns have left running. */
export interface Terminal {
  processId: string;
  itemId: string;
  command: string;
  cwd: string;
  cpuPercent: number | null;
  memoryBytes: number | null;
}

/** The commands that a thread's turns have left running. */
export interface Terminals {
  host: string;
  items: Terminal[];
}

/** Changes to a thread; what is left out stays. */
export interface ThreadChanges {
  host?: string;
  requestedBy?: string;
  name?: string;
  archived?: boolean;
}

/** The thread that is no more. */
export interface ThreadDeleted {
  host: string;
  threadId: string;
}

/** An order about a thread of a host's agent. */
export interface ThreadOrder {
  host?: string;
  requestedBy?: string;
}

/** The body of `POST /api/codex/threads/:threadId/prompt`. */
export interface ThreadPrompt {
  model?: string | null;
  effort?: string | null;
  serviceTier?: string | null;
  collaborationMode?: "default" | "plan" | null;
  personality?: "friendly" | "none" | "pragmatic" | null;
  permissionProfile?: string | null;
  repositoryId: number;
  prompt: string;
  cwd?: string | null;
  resume?: boolean;
  sandbox?: "danger-full-access" | "read-only" | "workspace-write" | null;
  allowNetwork?: boolean | null;
  allowCommit?: boolean | null;
  goal?: GoalInput | null;
  attachments?: number[];
  requestedBy?: string;
}

/** The outcome of a look at the stored threads. */
export interface ThreadsImported {
  host: string;
  threads: number;
  texts: number;
  removed: number;
  isWhole: boolean;
}

/** Tokens that sessions used which ended in the span, on the day of their end, or run now. */
export interface TokenNumbers {
  total: number;
  byDay: DayTokens[];
  byRepository: RepositoryTokens[];
}

/** Every message that was ever sent, and what became of it. */
export interface TotalsShown {
  sent: number;
  handled: number;
  refused: number;
  lost: number;
  dead: number;
  waiting: number;
  inHand: number;
}

/** The whole tree of actors. */
export interface Tree {
  actors: ActorShown[];
  totals: TotalsShown;
  deadLetters: DeadLettersShown;
  faultDomains: FaultDomain[];
  abandoned: string[];
}

/** A picture or a text that somebody sent for Codex. */
export interface Upload {
  id: number;
  createdAt: string;
  updatedAt: string;
  name: string;
  file: string;
  mediaType: "image/gif" | "image/jpeg" | "image/png" | "image/webp" | "text/plain";
  sha256: string;
  size: number;
  width: number | null;
  height: number | null;
  requestedBy: string;
}

/** An upload; `data` is its content in Base64. */
export interface UploadContent {
  id: number;
  mediaType: string;
  data: string;
}

/** The windows of one limit, the shorter one first. */
export interface UsageLimit {
  id: string;
  name: string | null;
  plan: string | null;
  windows: LimitWindow[];
  reached: string | null;
  creditsLeft: string | null;
}

/** Each limit of a host's account, as its provider tells it now, or told it last. */
export interface UsageLimits {
  host: string;
  limits: UsageLimit[];
  heldSince: string | null;
  heldUntil: string | null;
}

/** Files that somebody has looked at, or not as `isViewed` says. */
export interface ViewedFiles {
  paths: string[];
  isViewed?: boolean;
  requestedBy?: string;
}

/** Changes to a webhook; what is left out stays. */
export interface WebhookChanges {
  url?: string;
  types?: string[];
  secret?: string;
  status?: "active" | "paused";
  requestedBy?: string;
}

/** An event on its way to a webhook, from the first attempt on. */
export interface WebhookDelivery {
  id: number;
  createdAt: string;
  updatedAt: string;
  webhookId: number;
  eventId: number;
  type: string;
  isByHand: boolean;
  status: "delivered" | "failed" | "passed_over" | "waiting";
  attempts: number;
  notBefore: string | null;
  responseStatus: number | null;
  milliseconds: number | null;
  error: string | null;
}

/** A worktree that is ready to be worked in. */
export interface WorktreeCreated {
  path: string;
  branchName: string;
  headSha: string;
  included: string[];
  includedCount: number;
}

/** A work tree of the repository as git lists it. */
export interface WorktreeEntry {
  path: string;
  branchName: string | null;
  headSha: string | null;
  isMain: boolean;
  lockedReason: string | null;
  prunableReason: string | null;
}

/** The body of `POST /api/repos/:id/worktrees`. */
export interface WorktreeRequest {
  branchName: string;
  baseRef?: string | null;
  path?: string | null;
  requestedBy?: string;
}

/** A worktree as it is on disk now. */
export interface WorktreeState {
  host: string;
  path: string;
  branchName: string | null;
  headSha: string | null;
  isMain: boolean;
  isDirty: boolean | null;
  sizeBytes: number | null;
  sessionIds: number[];
  lockedReason: string | null;
  prunableReason: string | null;
  problem: string | null;
}

export interface Operations {
  /** Tell whether the server can do its work */
  health: {
    method: "GET";
    path: "/health";
    isExact: true;
    query: Record<string, never>;
    body: undefined;
    answer: Health;
  };
  /** Give the numbers for Prometheus */
  metrics: {
    method: "GET";
    path: "/metrics";
    isExact: true;
    query: Record<string, never>;
    body: undefined;
    answer: null;
  };
  /** List the machines that repositories lie on, by name */
  listHosts: {
    method: "GET";
    path: "/api/hosts";
    isExact: true;
    query: { limit?: number | null; cursor?: string | null; };
    body: undefined;
    answer: Page<ShownHost>;
  };
  /** Have a machine as a host from now on */
  addHost: {
    method: "POST";
    path: "/api/hosts";
    isExact: true;
    query: Record<string, never>;
    body: NewHost;
    answer: AddedHost;
  };
  /** Make a new code for a machine that dials out, good once and for an hour */
  offerEnrolment: {
    method: "POST";
    path: `/api/hosts/${string}/enrolment`;
    isExact: false;
    query: Record<string, never>;
    body: NewEnrolment;
    answer: HostEnrolment;
  };
  /** Change the labels of a machine, or how many sessions may work there at once */
  patchHost: {
    method: "PATCH";
    path: `/api/hosts/${string}`;
    isExact: false;
    query: Record<string, never>;
    body: HostChanges;
    answer: ShownHost;
  };
  /** Have a machine as a host no longer; what lies on it stays there */
  removeHost: {
    method: "DELETE";
    path: `/api/hosts/${string}`;
    isExact: false;
    query: { requestedBy?: string | null; };
    body: undefined;
    answer: ShownHost;
  };
  /** Show a machine that repositories lie on */
  getHost: {
    method: "GET";
    path: `/api/hosts/${string}`;
    isExact: false;
    query: Record<string, never>;
    body: undefined;
    answer: ShownHost;
  };
  /** Begin no more runs on a machine; those that work there go on to their end */
  drainHost: {
    method: "POST";
    path: `/api/hosts/${string}/drain`;
    isExact: false;
    query: Record<string, never>;
    body: HostOrder;
    answer: ShownHost;
  };
  /** Begin runs again on a machine that was draining */
  resumeHost: {
    method: "POST";
    path: `/api/hosts/${string}/resume`;
    isExact: false;
    query: Record<string, never>;
    body: HostOrder;
    answer: ShownHost;
  };
  /** Reach for a machine at once that is away, or that refused */
  retryHost: {
    method: "POST";
    path: `/api/hosts/${string}/retry`;
    isExact: false;
    query: Record<string, never>;
    body: HostOrder;
    answer: ShownHost;
  };
  /** List what stands in nobody's inbox now: what was dismissed, and what is put off */
  listInboxMarks: {
    method: "GET";
    path: "/api/inbox/marks";
    isExact: true;
    query: Record<string, never>;
    body: undefined;
    answer: InboxMarks;
  };
  /** Dismiss things, or put them off; all marks that hold are the answer */
  markInbox: {
    method: "PUT";
    path: "/api/inbox/marks";
    isExact: true;
    query: Record<string, never>;
    body: NewMarks;
    answer: InboxMarks;
  };
  /** Give the machine that brings a code its key, which is shown this once */
  enrolHost: {
    method: "POST";
    path: "/api/enrolments";
    isExact: true;
    query: Record<string, never>;
    body: EnrolHost;
    answer: EnrolledHost;
  };
  /** List the repositories */
  listRepositories: {
    method: "GET";
    path: "/api/repos";
    isExact: true;
    query: { limit?: number | null; cursor?: string | null; };
    body: undefined;
    answer: Page<Repository>;
  };
  /** Register a repository */
  createRepository: {
    method: "POST";
    path: "/api/repos";
    isExact: true;
    query: Record<string, never>;
    body: CreateRepository;
    answer: Repository;
  };
  /** Have a pool host clone a remote, and register that */
  cloneRepository: {
    method: "POST";
    path: "/api/repos/clone";
    isExact: true;
    query: Record<string, never>;
    body: CloneRepository;
    answer: Repository;
  };
  /** Look at a folder, and save nothing */
  inspectFolder: {
    method: "POST";
    path: "/api/repos/inspect";
    isExact: true;
    query: Record<string, never>;
    body: InspectRepository;
    answer: Inspection;
  };
  /** Look for repositories in the home folder of the server's user, for a second */
  findRepositories: {
    method: "GET";
    path: "/api/repos/found";
    isExact: true;
    query: { after?: string | null; };
    body: undefined;
    answer: FoundRepositories;
  };
  /** Show a repository */
  getRepository: {
    method: "GET";
    path: `/api/repos/${number}`;
    isExact: false;
    query: Record<string, never>;
    body: undefined;
    answer: Repository;
  };
  /** Change a repository */
  patchRepository: {
    method: "PATCH";
    path: `/api/repos/${number}`;
    isExact: false;
    query: Record<string, never>;
    body: RepositoryChanges;
    answer: Repository;
  };
  /** Forget a repository and what was done in it, its events, too, if `history` is asked for */
  deleteRepository: {
    method: "DELETE";
    path: `/api/repos/${number}`;
    isExact: false;
    query: { requestedBy?: string | null; history?: boolean | null; };
    body: undefined;
    answer: RepositoryDeleted;
  };
  /** Ask git anew */
  scanRepository: {
    method: "POST";
    path: `/api/repos/${number}/scan`;
    isExact: false;
    query: Record<string, never>;
    body: Requester;
    answer: Repository;
  };
  /** List a repository's worktrees */
  listWorktrees: {
    method: "GET";
    path: `/api/repos/${number}/worktrees`;
    isExact: false;
    query: { limit?: number | null; cursor?: string | null; };
    body: undefined;
    answer: Page<WorktreeState>;
  };
  /** Make a worktree */
  createWorktree: {
    method: "POST";
    path: `/api/repos/${number}/worktrees`;
    isExact: false;
    query: Record<string, never>;
    body: WorktreeRequest;
    answer: WorktreeCreated;
  };
  /** Remove a worktree */
  removeWorktree: {
    method: "DELETE";
    path: `/api/repos/${number}/worktrees`;
    isExact: false;
    query: { requestedBy?: string | null; path: string | null; force?: boolean | null; };
    body: undefined;
    answer: WorktreeEntry;
  };
  /** Show what a worktree changed */
  diffWorktree: {
    method: "GET";
    path: `/api/repos/${number}/worktrees/diff`;
    isExact: false;
    query: { path?: string | null; base?: string | null; limit?: number | null; };
    body: undefined;
    answer: Diff;
  };
  /** Merge a worktree's branch into the main checkout's, or into another */
  mergeWorktree: {
    method: "POST";
    path: `/api/repos/${number}/worktrees/merge`;
    isExact: false;
    query: Record<string, never>;
    body: MergeRequest;
    answer: MergeResult;
  };
  /** Let git forget worktrees whose folders are gone */
  pruneWorktrees: {
    method: "POST";
    path: `/api/repos/${number}/worktrees/prune`;
    isExact: false;
    query: Record<string, never>;
    body: Requester;
    answer: Page<WorktreeEntry>;
  };
  /** Remove worktrees that nobody needs */
  cleanWorktrees: {
    method: "POST";
    path: `/api/repos/${number}/worktrees/clean`;
    isExact: false;
    query: Record<string, never>;
    body: Requester;
    answer: Page<WorktreeEntry>;
  };
  /** List the tasks, the newest first */
  listTasks: {
    method: "GET";
    path: "/api/tasks";
    isExact: true;
    query: { limit?: number | null; cursor?: string | null; query?: string | null; repositoryId?: number | null; status?: ("blocked" | "cancelled" | "completed" | "failed" | "interrupted" | "open" | "queued" | "running" | "stopped" | "waiting_approval" | "waiting_limit")[] | null; type?: "investigate_failure" | "prompt_task" | "repo_health_check" | "review_task" | null; priority?: "high" | "low" | "normal" | null; automationId?: number | null; };
    body: undefined;
    answer: Page<Task>;
  };
  /** Make a task */
  createTask: {
    method: "POST";
    path: "/api/tasks";
    isExact: true;
    query: Record<string, never>;
    body: CreateTask;
    answer: Task;
  };
  /** Show a task */
  getTask: {
    method: "GET";
    path: `/api/tasks/${number}`;
    isExact: false;
    query: Record<string, never>;
    body: undefined;
    answer: Task;
  };
  /** Change a task */
  patchTask: {
    method: "PATCH";
    path: `/api/tasks/${number}`;
    isExact: false;
    query: Record<string, never>;
    body: TaskChanges;
    answer: Task;
  };
  /** Run a task */
  runTask: {
    method: "POST";
    path: `/api/tasks/${number}/run`;
    isExact: false;
    query: Record<string, never>;
    body: RunRequest;
    answer: RunOutcome;
  };
  /** Tell what policy would say of a run */
  checkPolicy: {
    method: "POST";
    path: `/api/tasks/${number}/policy-check`;
    isExact: false;
    query: Record<string, never>;
    body: RunInput;
    answer: PolicyResult;
  };
  /** Make a session that waits to be told to run */
  createSession: {
    method: "POST";
    path: `/api/tasks/${number}/sessions`;
    isExact: false;
    query: Record<string, never>;
    body: RunRequest;
    answer: Session;
  };
  /** List a task's sessions, the newest first */
  listTaskSessions: {
    method: "GET";
    path: `/api/tasks/${number}/sessions`;
    isExact: false;
    query: { limit?: number | null; cursor?: string | null; };
    body: undefined;
    answer: Page<Session>;
  };
  /** List a task's events */
  listTaskEvents: {
    method: "GET";
    path: `/api/tasks/${number}/events`;
    isExact: false;
    query: { after?: number | null; logId?: string | null; type?: string[] | null; repositoryId?: number | null; taskId?: number | null; sessionId?: number | null; approvalId?: number | null; automationId?: number | null; correlationId?: string | null; limit?: number | null; cursor?: string | null; since?: string | null; until?: string | null; newestFirst?: boolean | null; };
    body: undefined;
    answer: EventPage_Event_;
  };
  /** List the sessions, the newest first */
  listSessions: {
    method: "GET";
    path: "/api/sessions";
    isExact: true;
    query: { limit?: number | null; cursor?: string | null; query?: string | null; repositoryId?: number | null; taskId?: number | null; type?: "investigate_failure" | "prompt_task" | "repo_health_check" | "review_task" | null; status?: ("blocked" | "completed" | "created" | "failed" | "interrupted" | "queued" | "running" | "starting" | "stopped" | "waiting_approval" | "waiting_limit")[] | null; runner?: "app-server" | "cli" | "stub" | null; archived?: boolean | null; diff?: boolean | null; };
    body: undefined;
    answer: Page<Session>;
  };
  /** Show a session */
  getSession: {
    method: "GET";
    path: `/api/sessions/${number}`;
    isExact: false;
    query: Record<string, never>;
    body: undefined;
    answer: Session;
  };
  /** Start or stop a session */
  patchSession: {
    method: "PATCH";
    path: `/api/sessions/${number}`;
    isExact: false;
    query: Record<string, never>;
    body: SessionChanges;
    answer: Session;
  };
  /** Name a session, archive it once it has ended, or bring it back */
  labelSession: {
    method: "PATCH";
    path: `/api/sessions/${number}/label`;
    isExact: false;
    query: Record<string, never>;
    body: SessionLabel;
    answer: Session;
  };
  /** Stop a session */
  stopSession: {
    method: "POST";
    path: `/api/sessions/${number}/stop`;
    isExact: false;
    query: Record<string, never>;
    body: StopSession;
    answer: SessionStopped;
  };
  /** Wait no longer for a turn that may still run on a host that does not come back */
  abandonTurn: {
    method: "POST";
    path: `/api/sessions/${number}/abandon`;
    isExact: false;
    query: Record<string, never>;
    body: AbandonTurn;
    answer: SessionStopped;
  };
  /** Say something to the running turn */
  steerSession: {
    method: "POST";
    path: `/api/sessions/${number}/steer`;
    isExact: false;
    query: Record<string, never>;
    body: SteerSession;
    answer: SteerReceipt;
  };
  /** List a session's events */
  listSessionEvents: {
    method: "GET";
    path: `/api/sessions/${number}/events`;
    isExact: false;
    query: { after?: number | null; logId?: string | null; type?: string[] | null; repositoryId?: number | null; taskId?: number | null; sessionId?: number | null; approvalId?: number | null; automationId?: number | null; correlationId?: string | null; limit?: number | null; cursor?: string | null; since?: string | null; until?: string | null; newestFirst?: boolean | null; };
    body: undefined;
    answer: EventPage_Event_;
  };
  /** List a session's transcript, or that of a sub-agent of it */
  listItems: {
    method: "GET";
    path: `/api/sessions/${number}/items`;
    isExact: false;
    query: { limit?: number | null; cursor?: string | null; newestFirst?: boolean | null; agentId?: number | null; };
    body: undefined;
    answer: Page<Item>;
  };
  /** List the sub-agents that work for a session, each after the one that started it */
  listAgents: {
    method: "GET";
    path: `/api/sessions/${number}/agents`;
    isExact: false;
    query: { limit?: number | null; cursor?: string | null; diff?: boolean | null; };
    body: undefined;
    answer: Page<Agent>;
  };
  /** Show a session's plan */
  getPlan: {
    method: "GET";
    path: `/api/sessions/${number}/plan`;
    isExact: false;
    query: Record<string, never>;
    body: undefined;
    answer: SessionPlan;
  };
  /** Show a session's diff, a long one piece by piece */
  getDiff: {
    method: "GET";
    path: `/api/sessions/${number}/diff`;
    isExact: false;
    query: { cursor?: string | null; };
    body: undefined;
    answer: SessionDiff;
  };
  /** Show a session's goal */
  getGoal: {
    method: "GET";
    path: `/api/sessions/${number}/goal`;
    isExact: false;
    query: Record<string, never>;
    body: undefined;
    answer: SessionGoal;
  };
  /** Change, pause or resume the goal of a live session */
  changeGoal: {
    method: "PUT";
    path: `/api/sessions/${number}/goal`;
    isExact: false;
    query: Record<string, never>;
    body: GoalChanges;
    answer: SessionGoal;
  };
  /** Take the goal of a live session away; its turn is the last one */
  clearGoal: {
    method: "DELETE";
    path: `/api/sessions/${number}/goal`;
    isExact: false;
    query: Record<string, never>;
    body: undefined;
    answer: SessionGoal;
  };
  /** Give a session as one document to share, without secrets */
  exportSession: {
    method: "GET";
    path: `/api/sessions/${number}/export`;
    isExact: false;
    query: { format?: "html" | "markdown" | null; };
    body: undefined;
    answer: null;
  };
  /** Say something to a session, whatever its state */
  say: {
    method: "POST";
    path: `/api/sessions/${number}/messages`;
    isExact: false;
    query: Record<string, never>;
    body: NewMessage;
    answer: Said;
  };
  /** List the open issues of a repository at GitHub, the newest first */
  listIssues: {
    method: "GET";
    path: `/api/repos/${number}/issues`;
    isExact: false;
    query: { limit?: number | null; cursor?: string | null; label?: string | null; };
    body: undefined;
    answer: Page<Issue>;
  };
  /** Make a task of an issue, once */
  takeIssue: {
    method: "POST";
    path: `/api/repos/${number}/issues/${number}/task`;
    isExact: false;
    query: Record<string, never>;
    body: IssueRequest;
    answer: Task;
  };
  /** List the files that a session has changed */
  listChanges: {
    method: "GET";
    path: `/api/sessions/${number}/changes`;
    isExact: false;
    query: { limit?: number | null; cursor?: string | null; against?: "base" | "commit" | "viewed" | null; };
    body: undefined;
    answer: Changes;
  };
  /** Show what a session has changed in a file, page by page */
  showPatch: {
    method: "GET";
    path: `/api/sessions/${number}/changes/patch`;
    isExact: false;
    query: { path: string | null; previousPath?: string | null; against?: "base" | "commit" | "viewed" | null; context?: number | null; ignoreSpace?: boolean | null; cursor?: string | null; };
    body: undefined;
    answer: Patch;
  };
  /** Show a picture that a session has changed, as it was or as it is */
  showPicture: {
    method: "GET";
    path: `/api/sessions/${number}/changes/picture`;
    isExact: false;
    query: { path: string | null; side?: "after" | "before" | null; };
    body: undefined;
    answer: Picture;
  };
  /** Keep that somebody looked at changed files, as they are now */
  markViewed: {
    method: "POST";
    path: `/api/sessions/${number}/changes/viewed`;
    isExact: false;
    query: Record<string, never>;
    body: ViewedFiles;
    answer: ViewedFiles;
  };
  /** Propose the message of a commit, from the task's title and what its agent said last */
  proposeCommitMessage: {
    method: "GET";
    path: `/api/sessions/${number}/commit-message`;
    isExact: false;
    query: Record<string, never>;
    body: undefined;
    answer: ProposedMessage;
  };
  /** Have Codex write the message of a commit; nothing is committed */
  askForCommitMessage: {
    method: "POST";
    path: `/api/sessions/${number}/commit-message`;
    isExact: false;
    query: Record<string, never>;
    body: MessageRequest;
    answer: ProposedMessage;
  };
  /** Commit what an ended session left in its folder */
  commitSession: {
    method: "POST";
    path: `/api/sessions/${number}/commit`;
    isExact: false;
    query: Record<string, never>;
    body: CommitRequest;
    answer: Committed;
  };
  /** Merge the branch of a session's worktree into the main checkout's, or into another */
  mergeSession: {
    method: "POST";
    path: `/api/sessions/${number}/merge`;
    isExact: false;
    query: Record<string, never>;
    body: MergeOptions;
    answer: MergeResult;
  };
  /** Have Codex resolve what conflicts with a base, which is merged into the session's branch */
  resolveConflicts: {
    method: "POST";
    path: `/api/sessions/${number}/resolve-conflicts`;
    isExact: false;
    query: Record<string, never>;
    body: ConflictsRequest;
    answer: Resolving;
  };
  /** Take away what an ended session left in its worktree, and keep it for 30 days */
  discardWork: {
    method: "POST";
    path: `/api/sessions/${number}/discard`;
    isExact: false;
    query: Record<string, never>;
    body: DiscardRequest;
    answer: DiscardedWork;
  };
  /** List what was discarded of the work in a repository, the newest first */
  listDiscarded: {
    method: "GET";
    path: `/api/repos/${number}/discarded`;
    isExact: false;
    query: { limit?: number | null; cursor?: string | null; };
    body: undefined;
    answer: Page<DiscardedWork>;
  };
  /** Show work that was discarded */
  getDiscarded: {
    method: "GET";
    path: `/api/discarded/${number}`;
    isExact: false;
    query: Record<string, never>;
    body: undefined;
    answer: DiscardedWork;
  };
  /** Bring discarded work back on a branch of its own */
  restoreDiscarded: {
    method: "POST";
    path: `/api/discarded/${number}/restore`;
    isExact: false;
    query: Record<string, never>;
    body: RestoreRequest;
    answer: Restored;
  };
  /** List what the files of a session's worktree were, the newest first */
  listSnapshots: {
    method: "GET";
    path: `/api/sessions/${number}/snapshots`;
    isExact: false;
    query: { limit?: number | null; cursor?: string | null; };
    body: undefined;
    answer: Page<Snapshot>;
  };
  /** Put the files of an ended session's worktree back to what they were after a turn */
  rewindWork: {
    method: "POST";
    path: `/api/sessions/${number}/rewind`;
    isExact: false;
    query: Record<string, never>;
    body: RewindRequest;
    answer: Rewound;
  };
  /** Show a folder or a file of a repository's main checkout, page by page */
  listRepositoryFiles: {
    method: "GET";
    path: `/api/repos/${number}/files`;
    isExact: false;
    query: { limit?: number | null; cursor?: string | null; path?: string | null; };
    body: undefined;
    answer: FileView;
  };
  /** Find files of a repository's main checkout by name, or by a text in them */
  searchRepositoryFiles: {
    method: "GET";
    path: `/api/repos/${number}/files/search`;
    isExact: false;
    query: { query?: string | null; searched?: "names" | "text" | null; limit?: number | null; };
    body: undefined;
    answer: FoundFiles;
  };
  /** Show a folder or a file where a session works, page by page */
  listSessionFiles: {
    method: "GET";
    path: `/api/sessions/${number}/files`;
    isExact: false;
    query: { limit?: number | null; cursor?: string | null; path?: string | null; };
    body: undefined;
    answer: FileView;
  };
  /** Find files by name, or by a text in them, where a session works */
  searchSessionFiles: {
    method: "GET";
    path: `/api/sessions/${number}/files/search`;
    isExact: false;
    query: { query?: string | null; searched?: "names" | "text" | null; limit?: number | null; };
    body: undefined;
    answer: FoundFiles;
  };
  /** List the prompts that were saved for a repository, and those in its `.codex/prompts` */
  listPrompts: {
    method: "GET";
    path: `/api/repos/${number}/prompts`;
    isExact: false;
    query: Record<string, never>;
    body: undefined;
    answer: ReadyPrompts;
  };
  /** Save a prompt for a repository, in the place of the one of that name */
  savePrompt: {
    method: "PUT";
    path: `/api/repos/${number}/prompts/${string}`;
    isExact: false;
    query: Record<string, never>;
    body: NewPrompt;
    answer: SavedPrompt;
  };
  /** Delete a prompt that was saved for a repository */
  deletePrompt: {
    method: "DELETE";
    path: `/api/repos/${number}/prompts/${string}`;
    isExact: false;
    query: { requestedBy?: string | null; };
    body: undefined;
    answer: SavedPrompt;
  };
  /** List the terminals that people have where sessions work */
  listOpenTerminals: {
    method: "GET";
    path: "/api/terminals";
    isExact: true;
    query: { host?: string | null; };
    body: undefined;
    answer: OpenTerminals;
  };
  /** End a terminal, whoever has it; the others are answered */
  closeTerminal: {
    method: "DELETE";
    path: `/api/terminals/${string}`;
    isExact: false;
    query: { host?: string | null; requestedBy?: string | null; };
    body: undefined;
    answer: OpenTerminals;
  };
  /** Push what a session committed, or ask a person whether it may be */
  pushSession: {
    method: "POST";
    path: `/api/sessions/${number}/push`;
    isExact: false;
    query: Record<string, never>;
    body: PushRequest;
    answer: Push;
  };
  /** List the pushes of a session, the newest first */
  listPushes: {
    method: "GET";
    path: `/api/sessions/${number}/pushes`;
    isExact: false;
    query: { limit?: number | null; cursor?: string | null; };
    body: undefined;
    answer: Page<Push>;
  };
  /** Show a push */
  getPush: {
    method: "GET";
    path: `/api/pushes/${number}`;
    isExact: false;
    query: Record<string, never>;
    body: undefined;
    answer: Push;
  };
  /** Open a pull request of what was pushed of a session's task */
  openPullRequest: {
    method: "POST";
    path: `/api/sessions/${number}/pull-request`;
    isExact: false;
    query: Record<string, never>;
    body: PullRequestRequest;
    answer: PullRequest;
  };
  /** List the pull requests of a session's task, the newest first */
  listPullRequests: {
    method: "GET";
    path: `/api/sessions/${number}/pull-requests`;
    isExact: false;
    query: { limit?: number | null; cursor?: string | null; };
    body: undefined;
    answer: Page<PullRequest>;
  };
  /** Show a pull request, as its forge told of it last */
  getPullRequest: {
    method: "GET";
    path: `/api/pull-requests/${number}`;
    isExact: false;
    query: Record<string, never>;
    body: undefined;
    answer: PullRequest;
  };
  /** Ask the forge about a pull request now */
  readPullRequest: {
    method: "POST";
    path: `/api/pull-requests/${number}/read`;
    isExact: false;
    query: Record<string, never>;
    body: undefined;
    answer: PullRequest;
  };
  /** Ask a person whether a pull request may be merged once its checks pass */
  mergePullRequest: {
    method: "POST";
    path: `/api/pull-requests/${number}/merge`;
    isExact: false;
    query: Record<string, never>;
    body: MergeOrder;
    answer: PullRequest;
  };
  /** Merge a pull request no more by itself, though that was asked or agreed to */
  callOffMerge: {
    method: "DELETE";
    path: `/api/pull-requests/${number}/merge`;
    isExact: false;
    query: { requestedBy?: string | null; };
    body: undefined;
    answer: PullRequest;
  };
  /** List the comments on the work of a session's task, with their places in the files now */
  listComments: {
    method: "GET";
    path: `/api/sessions/${number}/comments`;
    isExact: false;
    query: { limit?: number | null; cursor?: string | null; status?: "cancelled" | "open" | "sent" | null; };
    body: undefined;
    answer: Page<PlacedComment>;
  };
  /** Say something of lines that a session has changed */
  createComment: {
    method: "POST";
    path: `/api/sessions/${number}/comments`;
    isExact: false;
    query: Record<string, never>;
    body: NewComment;
    answer: Comment;
  };
  /** Send all open comments as one message, once */
  sendComments: {
    method: "POST";
    path: `/api/sessions/${number}/comments/send`;
    isExact: false;
    query: Record<string, never>;
    body: SendRequest;
    answer: SentComments;
  };
  /** Show a comment */
  getComment: {
    method: "GET";
    path: `/api/comments/${number}`;
    isExact: false;
    query: Record<string, never>;
    body: undefined;
    answer: Comment;
  };
  /** Say something else instead */
  changeComment: {
    method: "PATCH";
    path: `/api/comments/${number}`;
    isExact: false;
    query: Record<string, never>;
    body: CommentText;
    answer: Comment;
  };
  /** Take a comment back */
  cancelComment: {
    method: "DELETE";
    path: `/api/comments/${number}`;
    isExact: false;
    query: { requestedBy?: string | null; };
    body: undefined;
    answer: Comment;
  };
  /** Have what a session has changed reviewed; findings become comments on it */
  reviewSession: {
    method: "POST";
    path: `/api/sessions/${number}/review`;
    isExact: false;
    query: Record<string, never>;
    body: ReviewRequest;
    answer: RunOutcome;
  };
  /** List the follow-ups of a session's task */
  listFollowups: {
    method: "GET";
    path: `/api/sessions/${number}/followups`;
    isExact: false;
    query: { limit?: number | null; cursor?: string | null; status?: "cancelled" | "pending" | "sent" | null; };
    body: undefined;
    answer: Page<Followup>;
  };
  /** Say something when the turn has ended */
  queueFollowup: {
    method: "POST";
    path: `/api/sessions/${number}/followups`;
    isExact: false;
    query: Record<string, never>;
    body: NewFollowup;
    answer: Followup;
  };
  /** Show a follow-up */
  getFollowup: {
    method: "GET";
    path: `/api/followups/${number}`;
    isExact: false;
    query: Record<string, never>;
    body: undefined;
    answer: Followup;
  };
  /** Say something else instead */
  changeFollowup: {
    method: "PATCH";
    path: `/api/followups/${number}`;
    isExact: false;
    query: Record<string, never>;
    body: FollowupText;
    answer: Followup;
  };
  /** Take a follow-up back */
  cancelFollowup: {
    method: "DELETE";
    path: `/api/followups/${number}`;
    isExact: false;
    query: { requestedBy?: string | null; };
    body: undefined;
    answer: Followup;
  };
  /** Send a picture or a text for Codex */
  createUpload: {
    method: "POST";
    path: "/api/uploads";
    isExact: true;
    query: { name?: string | null; requestedBy?: string | null; };
    body: undefined;
    answer: Upload;
  };
  /** List what was sent, the newest first */
  listUploads: {
    method: "GET";
    path: "/api/uploads";
    isExact: true;
    query: { limit?: number | null; cursor?: string | null; };
    body: undefined;
    answer: Page<Upload>;
  };
  /** Show what is known of an upload */
  getUpload: {
    method: "GET";
    path: `/api/uploads/${number}`;
    isExact: false;
    query: Record<string, never>;
    body: undefined;
    answer: Upload;
  };
  /** Delete an upload that nothing needs any more */
  deleteUpload: {
    method: "DELETE";
    path: `/api/uploads/${number}`;
    isExact: false;
    query: { requestedBy?: string | null; };
    body: undefined;
    answer: Upload;
  };
  /** Show the content of an upload */
  readUpload: {
    method: "GET";
    path: `/api/uploads/${number}/content`;
    isExact: false;
    query: Record<string, never>;
    body: undefined;
    answer: UploadContent;
  };
  /** Show the whole of a session's field, piece by piece */
  getSessionText: {
    method: "GET";
    path: `/api/sessions/${number}/text`;
    isExact: false;
    query: { cursor?: string | null; field: "diff" | "exitReason" | "goal" | "lastMessage" | "plan" | "result" | null; };
    body: undefined;
    answer: LongText;
  };
  /** Show the whole of an item of a transcript as JSON, piece by piece */
  getItemText: {
    method: "GET";
    path: `/api/sessions/${number}/items/text`;
    isExact: false;
    query: { cursor?: string | null; itemId: string | null; field?: "body" | null; };
    body: undefined;
    answer: LongText;
  };
  /** Show the whole of a sub-agent's field, piece by piece */
  getAgentText: {
    method: "GET";
    path: `/api/agents/${number}/text`;
    isExact: false;
    query: { cursor?: string | null; field: "diff" | "lastMessage" | "prompt" | null; };
    body: undefined;
    answer: LongText;
  };
  /** Show the whole of an approval's field, piece by piece */
  getApprovalText: {
    method: "GET";
    path: `/api/approvals/${number}/text`;
    isExact: false;
    query: { cursor?: string | null; field: "codexRequest" | "details" | "title" | null; };
    body: undefined;
    answer: LongText;
  };
  /** Show the whole of an event's data as JSON, piece by piece */
  getEventText: {
    method: "GET";
    path: `/api/events/${number}/text`;
    isExact: false;
    query: { cursor?: string | null; field?: "data" | null; };
    body: undefined;
    answer: LongText;
  };
  /** List the approvals, the newest first */
  listApprovals: {
    method: "GET";
    path: "/api/approvals";
    isExact: true;
    query: { limit?: number | null; cursor?: string | null; status?: "answered_elsewhere" | "approved" | "cancelled" | "expired" | "pending" | "rejected" | null; kind?: "command" | "elicitation" | "file_change" | "manual" | "merge" | "permissions" | "push" | "run" | "setup" | "trust" | "user_input" | null; repositoryId?: number | null; taskId?: number | null; sessionId?: number | null; };
    body: undefined;
    answer: Page<Approval>;
  };
  /** Ask a person */
  createApproval: {
    method: "POST";
    path: "/api/approvals";
    isExact: true;
    query: Record<string, never>;
    body: CreateApproval;
    answer: Approval;
  };
  /** Count the approvals */
  countApprovals: {
    method: "GET";
    path: "/api/approvals/counts";
    isExact: true;
    query: Record<string, never>;
    body: undefined;
    answer: ApprovalCounts;
  };
  /** Show an approval */
  getApproval: {
    method: "GET";
    path: `/api/approvals/${number}`;
    isExact: false;
    query: Record<string, never>;
    body: undefined;
    answer: Approval;
  };
  /** Put off the deadline of an approval */
  extendApproval: {
    method: "POST";
    path: `/api/approvals/${number}/extend`;
    isExact: false;
    query: Record<string, never>;
    body: Extension;
    answer: Approval;
  };
  /** Decide on an approval */
  resolveApproval: {
    method: "POST";
    path: `/api/approvals/${number}/resolve`;
    isExact: false;
    query: Record<string, never>;
    body: Resolution;
    answer: Approval;
  };
  /** Make what a passkey is to sign for this decision, once, within two minutes */
  makeApprovalChallenge: {
    method: "POST";
    path: `/api/approvals/${number}/challenge`;
    isExact: false;
    query: Record<string, never>;
    body: Resolution;
    answer: PasskeyChallenge;
  };
  /** List what is always allowed in a repository, the newest first */
  listRules: {
    method: "GET";
    path: `/api/repos/${number}/rules`;
    isExact: false;
    query: { limit?: number | null; cursor?: string | null; };
    body: undefined;
    answer: Page<Rule>;
  };
  /** Show what is always allowed by a rule */
  getRule: {
    method: "GET";
    path: `/api/rules/${number}`;
    isExact: false;
    query: Record<string, never>;
    body: undefined;
    answer: Rule;
  };
  /** Have what a rule allowed asked about again */
  deleteRule: {
    method: "DELETE";
    path: `/api/rules/${number}`;
    isExact: false;
    query: { requestedBy?: string | null; };
    body: undefined;
    answer: RuleRemoval;
  };
  /** List the automations, the newest first */
  listAutomations: {
    method: "GET";
    path: "/api/automations";
    isExact: true;
    query: { limit?: number | null; cursor?: string | null; repositoryId?: number | null; enabled?: boolean | null; };
    body: undefined;
    answer: Page<Automation>;
  };
  /** Make an automation */
  createAutomation: {
    method: "POST";
    path: "/api/automations";
    isExact: true;
    query: Record<string, never>;
    body: CreateAutomation;
    answer: Automation;
  };
  /** Show an automation */
  getAutomation: {
    method: "GET";
    path: `/api/automations/${number}`;
    isExact: false;
    query: Record<string, never>;
    body: undefined;
    answer: Automation;
  };
  /** Change an automation */
  patchAutomation: {
    method: "PATCH";
    path: `/api/automations/${number}`;
    isExact: false;
    query: Record<string, never>;
    body: AutomationChanges;
    answer: Automation;
  };
  /** Take an automation away */
  deleteAutomation: {
    method: "DELETE";
    path: `/api/automations/${number}`;
    isExact: false;
    query: { requestedBy?: string | null; };
    body: undefined;
    answer: Automation;
  };
  /** Run an automation now */
  runAutomation: {
    method: "POST";
    path: `/api/automations/${number}/run`;
    isExact: false;
    query: Record<string, never>;
    body: RunByHand;
    answer: HandRun;
  };
  /** List what became of an automation's due times, the newest first */
  listAutomationRuns: {
    method: "GET";
    path: `/api/automations/${number}/runs`;
    isExact: false;
    query: { limit?: number | null; cursor?: string | null; outcome?: "completed" | "denied" | "failed" | "interrupted" | "invalid" | "missed" | "refused" | "skipped" | "started" | "stopped" | null; trigger?: "catch_up" | "event" | "hook" | "manual" | "schedule" | null; };
    body: undefined;
    answer: Page<AutomationRun>;
  };
  /** List automations to begin from */
  listTemplates: {
    method: "GET";
    path: "/api/automations/templates";
    isExact: true;
    query: { limit?: number | null; cursor?: string | null; };
    body: undefined;
    answer: Page<Template>;
  };
  /** Show the next due times of a schedule */
  previewSchedule: {
    method: "GET";
    path: "/api/automations/preview";
    isExact: true;
    query: { scheduleExpr: string | null; timezone?: string | null; count?: number | null; };
    body: undefined;
    answer: Preview;
  };
  /** List the backups in the data folder, the newest first, and when the next one is due */
  listBackups: {
    method: "GET";
    path: "/api/backups";
    isExact: true;
    query: Record<string, never>;
    body: undefined;
    answer: BackupsShown;
  };
  /** Make a backup now. It waits for one that is being made */
  makeBackup: {
    method: "POST";
    path: "/api/backups";
    isExact: true;
    query: Record<string, never>;
    body: NewBackup;
    answer: KeptBackup;
  };
  /** Give an automation a hook, or its hook another secret, which is shown this once */
  makeHook: {
    method: "POST";
    path: `/api/automations/${number}/hook`;
    isExact: false;
    query: Record<string, never>;
    body: RunByHand;
    answer: HookSecret;
  };
  /** Take an automation's hook away */
  removeHook: {
    method: "DELETE";
    path: `/api/automations/${number}/hook`;
    isExact: false;
    query: { requestedBy?: string | null; };
    body: undefined;
    answer: Automation;
  };
  /** Take a delivery, and start the automation's run once for it */
  receiveHook: {
    method: "POST";
    path: `/api/hooks/${number}`;
    isExact: false;
    query: Record<string, never>;
    body: Record<string, any>;
    answer: HookReceipt;
  };
  /** Tell how the bridge to the Codex of a host is */
  bridgeHealth: {
    method: "GET";
    path: "/api/codex/bridge/health";
    isExact: true;
    query: { host?: string | null; };
    body: undefined;
    answer: BridgeHealth;
  };
  /** List the threads that the app-server has in memory */
  listLoadedThreads: {
    method: "GET";
    path: "/api/codex/threads/loaded";
    isExact: true;
    query: { limit?: number | null; cursor?: string | null; host?: string | null; };
    body: undefined;
    answer: Page<string>;
  };
  /** Find what was said in stored threads that nobody began here, by its words */
  searchThreads: {
    method: "GET";
    path: "/api/codex/threads/search";
    isExact: true;
    query: { limit?: number | null; cursor?: string | null; q: string | null; host?: string | null; };
    body: undefined;
    answer: Page<FoundThread>;
  };
  /** Copy now what was said in stored threads, so that it can be searched */
  importThreads: {
    method: "POST";
    path: "/api/codex/threads/import";
    isExact: true;
    query: Record<string, never>;
    body: ThreadOrder;
    answer: ThreadsImported;
  };
  /** List the threads that Codex has stored */
  listThreads: {
    method: "GET";
    path: "/api/codex/threads";
    isExact: true;
    query: { limit?: number | null; cursor?: string | null; host?: string | null; query?: string | null; archived?: boolean | null; };
    body: undefined;
    answer: Page<any>;
  };
  /** Show a thread */
  getThread: {
    method: "GET";
    path: `/api/codex/threads/${string}`;
    isExact: false;
    query: { host?: string | null; };
    body: undefined;
    answer: ShownThread;
  };
  /** Name a thread, archive it, or bring it back */
  patchThread: {
    method: "PATCH";
    path: `/api/codex/threads/${string}`;
    isExact: false;
    query: Record<string, never>;
    body: ThreadChanges;
    answer: ShownThread;
  };
  /** Delete a thread for good */
  deleteThread: {
    method: "DELETE";
    path: `/api/codex/threads/${string}`;
    isExact: false;
    query: { host?: string | null; requestedBy?: string | null; };
    body: undefined;
    answer: ThreadDeleted;
  };
  /** List the turns of a thread, the newest first; nothing is loaded or prompted */
  listThreadTurns: {
    method: "GET";
    path: `/api/codex/threads/${string}/turns`;
    isExact: false;
    query: { limit?: number | null; cursor?: string | null; host?: string | null; items?: boolean | null; };
    body: undefined;
    answer: Page<any>;
  };
  /** Make another thread of a thread's past */
  forkThread: {
    method: "POST";
    path: `/api/codex/threads/${string}/fork`;
    isExact: false;
    query: Record<string, never>;
    body: NewFork;
    answer: ShownThread;
  };
  /** Have a thread forget its last turns; files stay as they are */
  revertThread: {
    method: "POST";
    path: `/api/codex/threads/${string}/revert`;
    isExact: false;
    query: Record<string, never>;
    body: Reversion;
    answer: ShownThread;
  };
  /** List the commands that a thread's turns have left running */
  listTerminals: {
    method: "GET";
    path: `/api/codex/threads/${string}/terminals`;
    isExact: false;
    query: { host?: string | null; };
    body: undefined;
    answer: Terminals;
  };
  /** End a command that a thread's turns have left running */
  endTerminal: {
    method: "DELETE";
    path: `/api/codex/threads/${string}/terminals/${string}`;
    isExact: false;
    query: { host?: string | null; requestedBy?: string | null; };
    body: undefined;
    answer: Terminals;
  };
  /** List the models that Codex offers */
  listModels: {
    method: "GET";
    path: "/api/codex/models";
    isExact: true;
    query: { limit?: number | null; cursor?: string | null; host?: string | null; };
    body: undefined;
    answer: Page<any>;
  };
  /** Start a turn in a thread */
  promptThread: {
    method: "POST";
    path: `/api/codex/threads/${string}/prompt`;
    isExact: false;
    query: Record<string, never>;
    body: ThreadPrompt;
    answer: RunOutcome;
  };
  /** Have a thread's history made shorter, in a session of its own */
  compactThread: {
    method: "POST";
    path: `/api/codex/threads/${string}/compact`;
    isExact: false;
    query: Record<string, never>;
    body: Compaction;
    answer: RunOutcome;
  };
  /** Tell who is signed in to the Codex of a host */
  readAccount: {
    method: "GET";
    path: "/api/codex/account";
    isExact: true;
    query: { host?: string | null; };
    body: undefined;
    answer: AgentAccount;
  };
  /** Tell how much of the account's plan is used, and when it resets */
  readLimits: {
    method: "GET";
    path: "/api/codex/limits";
    isExact: true;
    query: { host?: string | null; };
    body: undefined;
    answer: UsageLimits;
  };
  /** Sign the Codex of a host in, with a code to enter elsewhere or with a key */
  beginSignIn: {
    method: "POST";
    path: "/api/codex/account/sign-ins";
    isExact: true;
    query: Record<string, never>;
    body: NewSignIn;
    answer: SignIn;
  };
  /** Give up a sign-in that waits for its code */
  cancelSignIn: {
    method: "POST";
    path: `/api/codex/account/sign-ins/${string}/cancel`;
    isExact: false;
    query: Record<string, never>;
    body: AccountOrder;
    answer: SignIn;
  };
  /** Sign the Codex of a host out */
  signOutOfCodex: {
    method: "POST";
    path: "/api/codex/account/sign-out";
    isExact: true;
    query: Record<string, never>;
    body: AccountOrder;
    answer: AgentAccount;
  };
  /** List the MCP servers of Codex's user, with their tools; Codex starts them for that */
  listMcpServers: {
    method: "GET";
    path: "/api/codex/mcp-servers";
    isExact: true;
    query: { limit?: number | null; cursor?: string | null; host?: string | null; };
    body: undefined;
    answer: Page<McpServer>;
  };
  /** Begin to sign an MCP server in, by a page that is opened on Codex's own machine */
  beginServerSignIn: {
    method: "POST";
    path: `/api/codex/mcp-servers/${string}/sign-ins`;
    isExact: false;
    query: Record<string, never>;
    body: ServerOrder;
    answer: ServerSignIn;
  };
  /** List the skills, plugins, hooks and permission profiles of Codex, with what they run */
  listExtensions: {
    method: "GET";
    path: "/api/codex/extensions";
    isExact: true;
    query: { host?: string | null; repositoryId?: number | null; };
    body: undefined;
    answer: Extensions;
  };
  /** Have a skill followed from now on, or no more, in all that Codex does */
  switchSkill: {
    method: "PATCH";
    path: "/api/codex/skills";
    isExact: true;
    query: Record<string, never>;
    body: SkillSwitch;
    answer: SkillState;
  };
  /** List the durable log */
  listEvents: {
    method: "GET";
    path: "/api/events";
    isExact: true;
    query: { after?: number | null; logId?: string | null; type?: string[] | null; repositoryId?: number | null; taskId?: number | null; sessionId?: number | null; approvalId?: number | null; automationId?: number | null; correlationId?: string | null; limit?: number | null; cursor?: string | null; since?: string | null; until?: string | null; newestFirst?: boolean | null; };
    body: undefined;
    answer: EventPage_Event_;
  };
  /** Send history after an event, then what happens, as server-sent events */
  streamEvents: {
    method: "GET";
    path: "/api/events/stream";
    isExact: true;
    query: { after?: number | null; logId?: string | null; type?: string[] | null; repositoryId?: number | null; taskId?: number | null; sessionId?: number | null; approvalId?: number | null; automationId?: number | null; correlationId?: string | null; opening?: boolean | null; coalesce?: number | null; };
    body: undefined;
    answer: null;
  };
  /** Find what was said and done in sessions, by its words */
  search: {
    method: "GET";
    path: "/api/search";
    isExact: true;
    query: { limit?: number | null; cursor?: string | null; q: string | null; sessionId?: number | null; repositoryId?: number | null; };
    body: undefined;
    answer: Page<Found>;
  };
  /** Send a message of the Model Context Protocol; some are answered as a stream of events */
  sendMcpMessage: {
    method: "POST";
    path: "/mcp";
    isExact: true;
    query: Record<string, never>;
    body: McpMessage;
    answer: McpAnswer | null;
  };
  /** End the session that `Mcp-Session-Id` names, and what runs in it */
  endMcpSession: {
    method: "DELETE";
    path: "/mcp";
    isExact: true;
    query: Record<string, never>;
    body: undefined;
    answer: null;
  };
  /** Sum up the last hours or days in numbers */
  summary: {
    method: "GET";
    path: "/api/telemetry/summary";
    isExact: true;
    query: { window?: string | null; repositoryId?: number | null; };
    body: undefined;
    answer: Summary;
  };
  /** Show the caps of all repositories, the price table, and what is used today */
  readSpending: {
    method: "GET";
    path: "/api/spending";
    isExact: true;
    query: Record<string, never>;
    body: undefined;
    answer: Spending;
  };
  /** Change the caps of all repositories, or the price table */
  changeSpending: {
    method: "PATCH";
    path: "/api/spending";
    isExact: true;
    query: Record<string, never>;
    body: SpendingChanges;
    answer: Spending;
  };
  /** Show the tree of actors */
  getTree: {
    method: "GET";
    path: "/api/runtime";
    isExact: true;
    query: Record<string, never>;
    body: undefined;
    answer: Tree;
  };
  /** Show the actors of the program that a host runs which dials out; it is asked for them */
  getHostTree: {
    method: "GET";
    path: `/api/hosts/${string}/runtime`;
    isExact: false;
    query: Record<string, never>;
    body: undefined;
    answer: HostTree;
  };
  /** Show an actor */
  getActor: {
    method: "GET";
    path: `/api/runtime/actors/${string}`;
    isExact: false;
    query: { stack?: boolean | null; };
    body: undefined;
    answer: ActorShown;
  };
  /** Let an actor take no more messages */
  suspendActor: {
    method: "POST";
    path: `/api/runtime/actors/${string}/suspend`;
    isExact: false;
    query: Record<string, never>;
    body: Order;
    answer: ActorShown;
  };
  /** Let an actor go on */
  resumeActor: {
    method: "POST";
    path: `/api/runtime/actors/${string}/resume`;
    isExact: false;
    query: Record<string, never>;
    body: Order;
    answer: ActorShown;
  };
  /** Let an actor finish its messages and stop */
  drainActor: {
    method: "POST";
    path: `/api/runtime/actors/${string}/drain`;
    isExact: false;
    query: Record<string, never>;
    body: Order;
    answer: ActorShown;
  };
  /** Begin a new life of an actor */
  restartActor: {
    method: "POST";
    path: `/api/runtime/actors/${string}/restart`;
    isExact: false;
    query: Record<string, never>;
    body: Order;
    answer: ActorShown;
  };
  /** Stop an actor */
  stopActor: {
    method: "POST";
    path: `/api/runtime/actors/${string}/stop`;
    isExact: false;
    query: Record<string, never>;
    body: Order;
    answer: ActorShown;
  };
  /** Have this centre lead no more, so that another one goes on */
  stepDown: {
    method: "POST";
    path: "/api/cluster/step-down";
    isExact: true;
    query: Record<string, never>;
    body: undefined;
    answer: SteppingDown;
  };
  /** Examine the server and its machine; it takes some seconds */
  examineServer: {
    method: "GET";
    path: "/api/doctor";
    isExact: true;
    query: Record<string, never>;
    body: undefined;
    answer: Diagnosis;
  };
  /** List all settings, with their values and where these are from */
  listSettings: {
    method: "GET";
    path: "/api/settings";
    isExact: true;
    query: Record<string, never>;
    body: undefined;
    answer: ShownSettings;
  };
  /** Show the line that gives a setting a value, once that value is right; nothing is changed */
  showSettingLine: {
    method: "GET";
    path: "/api/settings/line";
    isExact: true;
    query: { name: string | null; value?: string | null; };
    body: undefined;
    answer: SettingLine;
  };
  /** Take an update; for Telegram alone */
  receiveUpdate: {
    method: "POST";
    path: "/api/telegram/webhook";
    isExact: true;
    query: Record<string, never>;
    body: Record<string, any>;
    answer: null;
  };
  /** Take a delivery; for GitHub alone */
  receiveDelivery: {
    method: "POST";
    path: "/api/github/webhook";
    isExact: true;
    query: Record<string, never>;
    body: Record<string, any>;
    answer: null;
  };
  /** List the devices */
  listDevices: {
    method: "GET";
    path: "/api/devices";
    isExact: true;
    query: { limit?: number | null; cursor?: string | null; };
    body: undefined;
    answer: Page<Device>;
  };
  /** Make a device, and show its token this once */
  createDevice: {
    method: "POST";
    path: "/api/devices";
    isExact: true;
    query: Record<string, never>;
    body: NewDevice;
    answer: DeviceToken;
  };
  /** Tell who asks, and what they may do */
  getCurrentDevice: {
    method: "GET";
    path: "/api/devices/current";
    isExact: true;
    query: Record<string, never>;
    body: undefined;
    answer: Identity;
  };
  /** Show a device */
  getDevice: {
    method: "GET";
    path: `/api/devices/${number}`;
    isExact: false;
    query: Record<string, never>;
    body: undefined;
    answer: Device;
  };
  /** Change a device; its open streams end where its access changed */
  patchDevice: {
    method: "PATCH";
    path: `/api/devices/${number}`;
    isExact: false;
    query: Record<string, never>;
    body: DeviceChanges;
    answer: Device;
  };
  /** Revoke a device: it is let in no more, and its open streams end */
  revokeDevice: {
    method: "DELETE";
    path: `/api/devices/${number}`;
    isExact: false;
    query: { requestedBy?: string | null; };
    body: undefined;
    answer: Device;
  };
  /** List the addresses under which the page can be opened */
  listAddresses: {
    method: "GET";
    path: "/api/addresses";
    isExact: true;
    query: Record<string, never>;
    body: undefined;
    answer: PageAddresses;
  };
  /** Make a code that lets a device in once, within five minutes */
  offerPairing: {
    method: "POST";
    path: "/api/devices/pairings";
    isExact: true;
    query: Record<string, never>;
    body: NewPairing;
    answer: PairingOffer;
  };
  /** Let the device in that brings the code, and give it its cookie */
  redeemCode: {
    method: "POST";
    path: "/api/pair";
    isExact: true;
    query: Record<string, never>;
    body: RedeemCode;
    answer: Device;
  };
  /** Make what an authenticator is to sign, once, within five minutes */
  makePasskeyChallenge: {
    method: "GET";
    path: "/api/passkeys/challenge";
    isExact: true;
    query: Record<string, never>;
    body: undefined;
    answer: PasskeyChallenge;
  };
  /** List the passkeys of the device; all of them for who has `admin` */
  listPasskeys: {
    method: "GET";
    path: "/api/passkeys";
    isExact: true;
    query: { limit?: number | null; cursor?: string | null; };
    body: undefined;
    answer: Page<ShownPasskey>;
  };
  /** Keep a passkey of this device, which signs it in from now on */
  keepPasskey: {
    method: "POST";
    path: "/api/passkeys";
    isExact: true;
    query: Record<string, never>;
    body: NewPasskey;
    answer: ShownPasskey;
  };
  /** Let the device in that brings a proof by its passkey, and give it a cookie */
  signInWithPasskey: {
    method: "POST";
    path: "/api/passkeys/signin";
    isExact: true;
    query: Record<string, never>;
    body: PasskeyProof;
    answer: Device;
  };
  /** Let a passkey sign in no more */
  removePasskey: {
    method: "DELETE";
    path: `/api/passkeys/${number}`;
    isExact: false;
    query: { requestedBy?: string | null; };
    body: undefined;
    answer: ShownPasskey;
  };
  /** Show the key that a browser subscribes with */
  getPushKey: {
    method: "GET";
    path: "/api/push/key";
    isExact: true;
    query: Record<string, never>;
    body: undefined;
    answer: PushKey;
  };
  /** List the browsers of the device that are told; all of them for who needs to be none */
  listPushSubscriptions: {
    method: "GET";
    path: "/api/push/subscriptions";
    isExact: true;
    query: { limit?: number | null; cursor?: string | null; };
    body: undefined;
    answer: Page<SubscribedBrowser>;
  };
  /** Tell a browser from now on; one that is told already keeps its preferences */
  createPushSubscription: {
    method: "POST";
    path: "/api/push/subscriptions";
    isExact: true;
    query: Record<string, never>;
    body: NewPushSubscription;
    answer: SubscribedBrowser;
  };
  /** Show a browser that is told */
  getPushSubscription: {
    method: "GET";
    path: `/api/push/subscriptions/${number}`;
    isExact: false;
    query: Record<string, never>;
    body: undefined;
    answer: SubscribedBrowser;
  };
  /** Change what a browser is told, and when without a sound */
  patchPushSubscription: {
    method: "PATCH";
    path: `/api/push/subscriptions/${number}`;
    isExact: false;
    query: Record<string, never>;
    body: PushSubscriptionChanges;
    answer: SubscribedBrowser;
  };
  /** Tell a browser no more */
  deletePushSubscription: {
    method: "DELETE";
    path: `/api/push/subscriptions/${number}`;
    isExact: false;
    query: { requestedBy?: string | null; };
    body: undefined;
    answer: SubscribedBrowser;
  };
  /** Send a test to a browser */
  sendTestPush: {
    method: "POST";
    path: `/api/push/subscriptions/${number}/test`;
    isExact: false;
    query: Record<string, never>;
    body: undefined;
    answer: SubscribedBrowser;
  };
  /** Decide on the approval that a notification showed */
  decideByPush: {
    method: "POST";
    path: "/api/push/decisions";
    isExact: true;
    query: Record<string, never>;
    body: PushDecision;
    answer: Approval;
  };
  /** List the places of CC_NOTIFY_URLS, what each is told, and how it took its last message */
  listNotifyTargets: {
    method: "GET";
    path: "/api/notify/targets";
    isExact: true;
    query: Record<string, never>;
    body: undefined;
    answer: NotifyTargets;
  };
  /** Change what a place is told */
  patchNotifyTarget: {
    method: "PATCH";
    path: `/api/notify/targets/${number}`;
    isExact: false;
    query: Record<string, never>;
    body: NotifyTargetChanges;
    answer: NotifyTarget;
  };
  /** Send a test to a place */
  sendTestNotification: {
    method: "POST";
    path: `/api/notify/targets/${number}/test`;
    isExact: false;
    query: Record<string, never>;
    body: undefined;
    answer: NotifyTarget;
  };
  /** List the webhooks */
  listWebhooks: {
    method: "GET";
    path: "/api/webhooks";
    isExact: true;
    query: { limit?: number | null; cursor?: string | null; };
    body: undefined;
    answer: Page<ShownWebhook>;
  };
  /** Send events to an address from now on, and show the secret this once */
  createWebhook: {
    method: "POST";
    path: "/api/webhooks";
    isExact: true;
    query: Record<string, never>;
    body: NewWebhook;
    answer: MadeWebhook;
  };
  /** Show a webhook */
  getWebhook: {
    method: "GET";
    path: `/api/webhooks/${number}`;
    isExact: false;
    query: Record<string, never>;
    body: undefined;
    answer: ShownWebhook;
  };
  /** Change a webhook, pause it, or resume it with what it missed */
  patchWebhook: {
    method: "PATCH";
    path: `/api/webhooks/${number}`;
    isExact: false;
    query: Record<string, never>;
    body: WebhookChanges;
    answer: ShownWebhook;
  };
  /** Send nothing there any more */
  deleteWebhook: {
    method: "DELETE";
    path: `/api/webhooks/${number}`;
    isExact: false;
    query: { requestedBy?: string | null; };
    body: undefined;
    answer: ShownWebhook;
  };
  /** Send the events after one, again if they were sent before */
  replayWebhook: {
    method: "POST";
    path: `/api/webhooks/${number}/replay`;
    isExact: false;
    query: Record<string, never>;
    body: ReplayFrom;
    answer: ShownWebhook;
  };
  /** Send a test there */
  sendTestDelivery: {
    method: "POST";
    path: `/api/webhooks/${number}/test`;
    isExact: false;
    query: Record<string, never>;
    body: Requester;
    answer: WebhookDelivery;
  };
  /** List what was sent to a webhook, the newest first */
  listWebhookDeliveries: {
    method: "GET";
    path: `/api/webhooks/${number}/deliveries`;
    isExact: false;
    query: { limit?: number | null; cursor?: string | null; };
    body: undefined;
    answer: Page<WebhookDelivery>;
  };
  /** Send an event there once more, out of the order of events */
  resendWebhookDelivery: {
    method: "POST";
    path: `/api/webhooks/${number}/deliveries/${number}/resend`;
    isExact: false;
    query: Record<string, never>;
    body: undefined;
    answer: WebhookDelivery;
  };
  /** Give a cookie in place of the token */
  signIn: {
    method: "POST";
    path: "/api/signin";
    isExact: true;
    query: Record<string, never>;
    body: undefined;
    answer: null;
  };
  /** End the cookie, and with it the streams and terminals of whose it is */
  signOut: {
    method: "POST";
    path: "/api/signout";
    isExact: true;
    query: Record<string, never>;
    body: undefined;
    answer: null;
  };
}

/** It did not end in its time, and nothing waits for it any more. */
export interface ActorAbandoned {
  path: string;
  waitedSeconds: number;
}

/** Somebody let it finish its messages and stop. `status` is what it was before. */
export interface ActorDrained {
  path: string;
  reason: string;
  status: string;
}

/** An actor failed; the data has its path and the error. */
export interface ActorFailed {
  path: string;
  error: string | null;
  startFailed: boolean;
}

/** Somebody stopped it. `status` is what it was before. */
export interface ActorHalted {
  path: string;
  reason: string;
  status: string;
}

/** It failed too often and was given up until it is restarted by hand. */
export interface ActorQuarantined {
  path: string;
  error: string | null;
}

/** Somebody let it go on. `status` is what it was before. */
export interface ActorResumed {
  path: string;
  reason: string;
  status: string;
}

/** It kept everything else waiting, by computing or blocking. `where` is innermost first. */
export interface ActorStalled {
  path: string;
  seconds: number;
  where: string[];
}

/** It was started again, by its supervisor or by hand. */
export interface ActorStartedAgain {
  path: string;
  reason: string | null;
  restarts?: number;
  delaySeconds?: number;
  status?: string;
}

/** Somebody suspended it. `status` is what it was before. */
export interface ActorSuspended {
  path: string;
  reason: string;
  status: string;
}

/** A sub-agent has done what it was told, or was interrupted, or failed. */
export interface AgentEnded {
  agentId: number;
  parentId: number | null;
  threadId: string;
  path: string | null;
  name: string | null;
  model: string | null;
  status: "completed" | "failed" | "interrupted" | "running";
  lastMessage: string | null;
}

/** A sub-agent began to work for the session, or was given more to do. */
export interface AgentStarted {
  agentId: number;
  parentId: number | null;
  threadId: string;
  path: string | null;
  name: string | null;
  model: string | null;
  prompt: string | null;
}

/** Codex asked what a rule of its repository always allows; the rule answered, and no person. */
export interface ApprovalAllowed {
  kind: "command" | "elicitation" | "file_change" | "manual" | "merge" | "permissions" | "push" | "run" | "setup" | "trust" | "user_input";
  title: string;
  ruleId: number;
  rule: string;
  details: Record<string, any>;
}

/** Nobody settled it in time. */
export interface ApprovalExpired {
  status: "answered_elsewhere" | "approved" | "cancelled" | "expired" | "pending" | "rejected";
  kind: "command" | "elicitation" | "file_change" | "manual" | "merge" | "permissions" | "push" | "run" | "setup" | "trust" | "user_input";
  note: string | null;
  scope: string | null;
}

/** Its deadline is near: a fifth of its time, and 10 minutes at most, are left. */
export interface ApprovalExpiring {
  kind: "command" | "elicitation" | "file_change" | "manual" | "merge" | "permissions" | "push" | "run" | "setup" | "trust" | "user_input";
  title: string;
  expiresAt: string;
}

/** Its deadline was put off; the data has both moments. */
export interface ApprovalExtended {
  from: string | null;
  expiresAt: string;
}

/** Something waits on a person. `details` are those of a question that a session asks. */
export interface ApprovalRequested {
  kind: "command" | "elicitation" | "file_change" | "manual" | "merge" | "permissions" | "push" | "run" | "setup" | "trust" | "user_input";
  title: string;
  expiresAt: string | null;
  details?: Record<string, any>;
}

/** It was approved (`passkeyId` proves by whom), rejected, answered elsewhere or cancelled. */
export interface ApprovalResolved {
  status: "answered_elsewhere" | "approved" | "cancelled" | "expired" | "pending" | "rejected";
  note: string | null;
  kind?: "command" | "elicitation" | "file_change" | "manual" | "merge" | "permissions" | "push" | "run" | "setup" | "trust" | "user_input";
  scope?: string | null;
  passkeyId?: number;
}

/** A model of Codex decided what Codex would otherwise have asked a person, and says why. */
export interface AutoReviewed {
  itemId: string | null;
  decision: string;
  rationale: string | null;
  risk: string | null;
  authorization: string | null;
  action: Record<string, any>;
  hook?: string;
  agentId?: number;
}

/** An automation was made. */
export interface AutomationCreated {
  title: string;
  scheduleExpr: string;
  enabled: boolean;
  nextRunAt: string | null;
  template: string | null;
}

/** It was taken away. */
export interface AutomationDeleted {
  title: string;
}

/** A due time came, or somebody ran it: its task is made and run. */
export interface AutomationFired {
  title: string;
  trigger: string;
  dueAt: string | null;
  missed: number;
}

/** It failed too often in a row, and waits to be enabled again. */
export interface AutomationPaused {
  title: string;
  failures: number;
  lastOutcome: string | null;
  reason: string | null;
  resume: string;
}

/** A due time passed without a run; `reason` says why. */
export interface AutomationSkipped {
  title: string;
  outcome: string;
  reason: string;
  dueAt: string | null;
  missed: number;
  nextRunAt: string | null;
}

/** It was changed, or its pause ended; `changed` names the fields. */
export interface AutomationUpdated {
  changed: string[];
  enabled: boolean;
  nextRunAt: string | null;
}

/** A backup was made, of `size` bytes; `damaged` names records that the disk has changed. */
export interface BackupMade {
  name: string;
  size: number;
  isScheduled: boolean;
  isEncrypted: boolean;
  damaged: string[];
}

/** A backup was due or asked for, and could not be made. */
export interface BackupNotMade {
  reason: string;
  isScheduled: boolean;
}

/** The connection to Codex began; `appServer` is `joined`, `detached` or `spawned`. */
export interface BridgeFound {
  transport: string;
  serverVersion: string | null;
  processId: number | null;
  appServer?: AppServer;
}

/** It was lost, or left for a better app-server; `reason` says why. */
export interface BridgeGone {
  transport: string;
  reason: string;
}

/** There was none yet when the first attempt failed; `reason` says why. */
export interface BridgeMissing {
  transport: string;
  reason: string;
}

/** Codex told or asked something that is not known here. */
export interface BridgeUnknownMet {
  kind: string;
  name: string;
  body: Record<string, any>;
}

/** Codex warns of something that concerns no one session, such as its configuration; once. */
export interface BridgeWarning {
  transport: string;
  kind: string;
  message: string;
  details: string | null;
}

/** A cap of a repository's runs, or of all, is reached; `over` is what becomes of what works. */
export interface CapReached {
  reason: string;
  over: string;
}

/** A group became another chat of Telegram's. */
export interface ChatMigrated {
  chatId: number;
  migratedTo: number;
}

/** Telegram says that the chat can no longer be written to. */
export interface ChatUnreachable {
  chatId: number;
  why: string;
}

/** The machine slept, or its clock was set. */
export interface ClockMoved {
  seconds: number;
}

/** A command begins in a folder, `cwd`, outside of the session's. */
export interface CommandBegunOutside {
  itemId: string;
  command: string;
  cwd: string;
  agentId?: number;
}

/** Somebody runs a command by hand in another client of Codex, in the session's thread. */
export interface CommandRunElsewhere {
  itemId: string;
  command: string;
  agentId?: number;
}

/** A command may run outside of the sandbox, and nobody is asked: its user's `rules` allow it. */
export interface CommandUnasked {
  itemId: string;
  command: string;
  rules: string[];
  agentId?: number;
}

/** The turn completed while `commands` of it go on in the background. */
export interface CommandsLeft {
  commands: LeftCommand[];
}

/** Somebody, or the review `reviewSessionId`, commented on lines of the session's work. */
export interface CommentAdded {
  commentId: number;
  path: string;
  side: "after" | "before";
  line: number;
  endLine: number;
  text: string;
  reviewSessionId: number | null;
}

/** The comment was taken back. */
export interface CommentCancelled {
  commentId: number;
  text: string;
}

/** The comment says something else. */
export interface CommentChanged {
  commentId: number;
  text: string;
}

/** The turn did not hear comments that were sent to it; they are open again. */
export interface CommentsReopened {
  commentIds: number[];
}

/** Comments were sent, all as one message. */
export interface CommentsSent {
  commentIds: number[];
  how: "followup" | "steer";
}

/** Codex was asked for the message of a commit, and wrote one; `tokens` are what that took. */
export interface CommitMessageAsked {
  message: string;
  tokens: number | null;
}

/** A person trusted the repository's own configuration of Codex, with the content it has. */
export interface ConfigurationTrusted {
  digest: string;
  files: string[];
}

/** It was found whether its run obeys the repository's own configuration of Codex. */
export interface ConfigurationWeighed {
  obeyed: boolean;
  digest: string | null;
  reason: string;
}

/** A base was merged into the branch of a session; its conflicts are marked in the files. */
export interface ConflictsMarked {
  merge: MarkedConflicts;
}

/** A piece of a message or of a command's output; only live. */
export interface DeltaShown {
  itemId: string;
  delta: string;
  stream: string;
  agentId?: number;
}

/** A device was given access; `paired` says that a code let it in. */
export interface DeviceCreated {
  id: number;
  name: string;
  scopes: ("admin" | "approve" | "land" | "operate" | "read" | "work")[];
  expiresAt: string | null;
  paired: boolean;
}

/** A device's access was taken away. */
export interface DeviceRevoked {
  id: number;
  name: string;
}

/** Its name, scopes or expiry were changed; `changes` has both states of each field. */
export interface DeviceUpdated {
  id: number;
  name: string;
  changes: Record<string, Record<string, any>>;
}

/** The turn's diff grew to so many bytes; only live. */
export interface DiffShown {
  bytes: number;
  agentId?: number;
}

/** The terminal is to end with all that runs in it, which a client sends in a text frame. */
export interface End {
  type?: "end";
}

/** An event of the log is not as it was written. It is shown in its place, and is not stored. */
export interface EventDamaged {
}

/** An event was removed with the history of its repository; this stands in its place. */
export interface EventRemoved {
}

/** The events from `first` to `last` were removed, as they are older, or more, than is kept. */
export interface EventsRemoved {
  first: number;
  last: number;
  days: number | null;
  bytes: number | null;
}

/** Somebody looked at changed files, or says with `isViewed` that nobody has. */
export interface FilesViewed {
  paths: string[];
  isViewed: boolean;
}

/** It was taken back. */
export interface FollowupCancelled {
  followupId: number;
  message: string;
}

/** Something else is to be said. */
export interface FollowupChanged {
  followupId: number;
  message: string;
}

/** Something is to be said when the turn has ended. */
export interface FollowupQueued {
  followupId: number;
  message: string;
  attachments?: (Record<string, any>)[];
}

/** The session has no goal any more. */
export interface GoalCleared {
}

/** Somebody wants to change the session's goal; what is null stays. `cleared` takes it away. */
export interface GoalRequested {
  objective: string | null;
  tokenBudget: number | null;
  status: string | null;
  cleared: boolean;
}

/** Codex told of another goal, or of another status of it. */
export interface GoalUpdated {
  objective: string;
  status: string;
  tokenBudget: number | null;
  tokensUsed: number;
}

/** A machine was added, on which repositories can lie from now on. */
export interface HostAdded {
  name: string;
  kind: string;
  address: string;
}

/** A machine cannot be reached any more, or could not be yet; told once until it can be. */
export interface HostAway {
  name: string;
  reason: string;
}

/** A machine has other labels, or another number of sessions at once. */
export interface HostChanged {
  name: string;
  labels: string[];
  maxSessions: number | null;
}

/** A machine can be reached. */
export interface HostConnected {
  name: string;
}

/** A machine begins no more runs; those that work there go on to their end. */
export interface HostDraining {
  name: string;
}

/** A machine has used its code, and signs in with a key of its own from now on. */
export interface HostEnrolled {
  name: string;
}

/** A machine refuses or is refused until a person acts, or its answer makes no sense. */
export interface HostRefused {
  name: string;
  reason: string;
}

/** A machine was removed; what lies on it stays there. */
export interface HostRemoved {
  name: string;
  address: string;
}

/** A machine that was draining begins runs again. */
export interface HostResumed {
  name: string;
}

/** Things of one kind were dismissed from the inbox, or put off until a moment (`until`). */
export interface InboxMarked {
  kind: "approval" | "automation" | "session";
  ids: number[];
  until: string | null;
}

/** Nobody heard how an item of the transcript ended, nor will: `item` is what is known of it. */
export interface ItemCutOff {
  turnId: string;
  itemId: string;
  type: string;
  item: Record<string, any>;
  agentId?: number;
}

/** An item of the transcript began; only live. */
export interface ItemShown {
  item: Record<string, any>;
  turnId: string;
  agentId?: number;
}

/** The run of a lease that was lost goes on nowhere. */
export interface LeaseGivenUp {
  lease: number;
  host: string;
  reason: string;
}

/** A pool host was not heard of for so long that it has ended the run; another may have it. */
export interface LeaseLost {
  host: string;
  lease: number;
  folder: string;
  branchName: string | null;
  reason: string;
}

/** The run of a lease that was lost goes on in another session, on another host if it can. */
export interface LeaseReassigned {
  lease: number;
  host: string;
  toSessionId: number;
  toHost: string;
}

/** A pool host was heard of, and may go on with the runs of these leases. */
export interface LeaseRenewed {
  host: string;
  leases: number[];
}

/** A command that goes on; its item is told of when it has ended. */
export interface LeftCommand {
  itemId: string;
  command: string;
}

/** The host of a lease that was lost is back: this is in the folder of its run, and stays. */
export interface LeftWorkFound {
  lease: number;
  host: string;
  folder: string;
  branchName: string | null;
  commits: number | null;
  isDirty: boolean | null;
  problem: string | null;
}

/** A window of a limit is almost used up; told once for each window, until it resets. */
export interface LimitNears {
  host: string;
  limit: string;
  minutes: number | null;
  usedPercent: number;
  resetsAt: string | null;
}

/** A run met a limit. Runs of the host wait until it resets; `until` is null if nobody knows. */
export interface LimitReached {
  host: string;
  until: string | null;
}

/** The limit is over. The `sessions` that waited for it go on, the earlier ones first. */
export interface LimitReset {
  host: string;
  sessions: number[];
}

/** More of a limit of an agent's account is used, or less: `limits` has each, as it is now. */
export interface LimitsChanged {
  host: string;
  limits: (Record<string, any>)[];
}

/** Somebody wants it merged once its checks pass; `approvalId` says who is asked. */
export interface MergeRequested {
  pullRequestId: number;
  mergeWhen: "checks_pass";
  sha: string;
  approvalId: number;
}

/** It is merged once its checks pass, or it is not, and `problem` says why. */
export interface MergeSettled {
  pullRequestId: number;
  mergeWhen: "checks_pass" | null;
  problem: string | null;
}

/** A place of Apprise's is told other things; `changes` has both states of each field. */
export interface NotifyTargetUpdated {
  id: number;
  service: string;
  changes: Record<string, Record<string, any>>;
}

export type Outcome = "handled" | "lost" | "refused";

/** A device can sign in by a passkey, at the name `host` of this server. */
export interface PasskeyAdded {
  id: number;
  name: string;
  passkeyId: number;
  host: string;
}

/** A passkey of a device signs in no more. */
export interface PasskeyRemoved {
  id: number;
  name: string;
  passkeyId: number;
  host: string;
}

/** Codex changed its plan; only live. */
export interface PlanShown {
  explanation: string | null;
  steps: (Record<string, any>)[];
}

/** A prompt of a repository was deleted. */
export interface PromptDeleted {
  name: string;
}

/** A prompt was saved for a repository, in the place of the one that had its name. */
export interface PromptSaved {
  name: string;
  description: string;
  text: string;
}

/** The forge tells something new of it; `changes` has both states of each field. */
export interface PullRequestChanged {
  pullRequestId: number;
  changes: Record<string, Record<string, any>>;
}

/** It was not opened; `problem` says why, and what to do. */
export interface PullRequestFailed {
  pullRequestId: number;
  problem: string;
}

/** Checks fail, or reviewers want changes; `answer` says what was done, `reason` why no more. */
export interface PullRequestNews {
  pullRequestId: number;
  url: string;
  checks: string[];
  reviews: number;
  answer: "follow_up" | "tell";
  followupSessionId: number | null;
  reason: string | null;
}

/** The forge has it; without a `number` it is opened by a person, at `url`. */
export interface PullRequestOpened {
  pullRequestId: number;
  number: number | null;
  url: string;
}

/** Somebody wants a pull request of what was pushed. */
export interface PullRequestRequested {
  pullRequestId: number;
  project: string;
  branchName: string;
  base: string;
  title: string;
}

/** Commits were not pushed; `problem` says why, and what to do. */
export interface PushFailed {
  pushId: number;
  remote: string;
  branchName: string;
  sha: string;
  problem: string;
}

/** Somebody wants commits pushed; `approvalId` says which approval that waits for. */
export interface PushRequested {
  pushId: number;
  remote: string;
  address: string;
  branchName: string;
  sha: string;
  remoteSha: string | null;
  lease: string | null;
  commits: number;
  approvalId: number | null;
}

/** A browser is told by its push service, at `service`; `deviceId` is the device's. */
export interface PushSubscribed {
  id: number;
  deviceId: number | null;
  service: string;
  kinds: ("approvals" | "automations" | "interrupted" | "limits" | "questions" | "sessions" | "system" | "warnings")[];
}

/** A browser is told no more. */
export interface PushSubscriptionEnded {
  id: number;
  deviceId: number | null;
  service: string;
  why: "gone" | "refused" | "revoked" | "unsubscribed";
}

/** Other things are told, or at other hours; `changes` has both states of each field. */
export interface PushSubscriptionUpdated {
  id: number;
  deviceId: number | null;
  changes: Record<string, Record<string, any>>;
}

/** Its events up to `last` are removed, as they are older, or there are more, than it keeps. */
export interface RepositoryEventsRemoved {
  last: number;
  days: number | null;
  bytes?: number | null;
}

/** It was forgotten, with its tasks and sessions; the folder stays as it is. */
export interface RepositoryForgotten {
  name: string;
  localPath: string;
  with: RepositoryDeleted;
  historyRemoved?: boolean;
}

/** A repository was registered. */
export interface RepositoryRegistered {
  name: string;
  host?: string;
  localPath: string;
  allowWrite: boolean;
  allowNetwork: boolean;
  allowCommit: boolean;
  requireWorktree: boolean;
  workplace?: "main_checkout" | "worktree";
  codexConfig?: "ask" | "ignore";
  reviewer?: "auto" | "user";
  allowPush?: boolean;
  signCommits?: boolean;
  pushAddresses?: string[];
  onChecksFailed?: "follow_up" | "tell";
  onReview?: "follow_up" | "tell";
  forgeFollowups?: number;
  mergeWhen?: "asked" | "checks_pass";
  issueLabel?: string | null;
  issueApproval?: boolean;
  mcpServersOff?: string[];
  allowTerminal?: boolean;
  keepEvents?: string | null;
  keepTranscripts?: string | null;
  project?: string | null;
  identity?: string | null;
}

/** Git was asked again for its state. */
export interface RepositoryScanned {
  currentBranch: string | null;
  headSha: string | null;
  isDirty: boolean | null;
  ahead: number | null;
  behind: number | null;
}

/** Its name, place or permissions were changed; `changes` has both states of each field. */
export interface RepositoryUpdated {
  changes: Record<string, Record<string, any>>;
}

/** Codex asked for something that is not understood here. */
export interface RequestRefused {
  method: string;
}

/** The terminal has another size, which a client sends in a text frame. */
export interface Resize {
  type?: "resize";
  columns: number;
  rows: number;
}

/** A person had something allowed from then on, as they approved it. */
export interface RuleAdded {
  rule: Rule;
}

/** Something is asked about again: a person took the rule back, or the repository was moved. */
export interface RuleRemoved {
  ruleId: number;
  rule: Rule | null;
}

/** A retry or follow-up may not run; `reason` says why. */
export interface SequelRefused {
  origin: string;
  reason: string;
}

/** Somebody began to sign an MCP server of a host's agent in. */
export interface ServerSignInBegun {
  host: string;
  server: string;
}

/** Nobody was signed in to an MCP server by that; `reason` says why. */
export interface ServerSignInFailed {
  host: string;
  server: string;
  reason: string;
}

/** An MCP server is signed in; by us or by another client of the agent. */
export interface ServerSignedIn {
  host: string;
  server: string;
}

/** Somebody put it out of the way; all of it is kept. */
export interface SessionArchived {
}

/** It waits for an approval that policy demands: `reasons` are the policy's codes. */
export interface SessionBlocked {
  from?: "blocked" | "completed" | "created" | "failed" | "interrupted" | "queued" | "running" | "starting" | "stopped" | "waiting_approval" | "waiting_limit";
  to?: "blocked" | "completed" | "created" | "failed" | "interrupted" | "queued" | "running" | "starting" | "stopped" | "waiting_approval" | "waiting_limit";
  reasons?: string[];
  exitReason?: string;
  final?: boolean;
}

/** The turn ended by itself. */
export interface SessionCompleted {
  from: "blocked" | "completed" | "created" | "failed" | "interrupted" | "queued" | "running" | "starting" | "stopped" | "waiting_approval" | "waiting_limit";
  to: "blocked" | "completed" | "created" | "failed" | "interrupted" | "queued" | "running" | "starting" | "stopped" | "waiting_approval" | "waiting_limit";
  exitReason: string | null;
  tokenUsage: Record<string, any> | null;
}

/** A session was made; it waits to be told to run. */
export interface SessionCreated {
  type: string;
  runner: string;
  sandbox: string;
  host?: string;
  cwd: string;
  origin: string;
  previousSessionId: number | null;
  attempt: number;
  beginAfter: string | null;
}

/** It could not be done; `exitReason` says why. */
export interface SessionFailed {
  from: "blocked" | "completed" | "created" | "failed" | "interrupted" | "queued" | "running" | "starting" | "stopped" | "waiting_approval" | "waiting_limit";
  to: "blocked" | "completed" | "created" | "failed" | "interrupted" | "queued" | "running" | "starting" | "stopped" | "waiting_approval" | "waiting_limit";
  exitReason: string | null;
  tokenUsage: Record<string, any> | null;
}

/** It was stopped. */
export interface SessionHalted {
  from: "blocked" | "completed" | "created" | "failed" | "interrupted" | "queued" | "running" | "starting" | "stopped" | "waiting_approval" | "waiting_limit";
  to: "blocked" | "completed" | "created" | "failed" | "interrupted" | "queued" | "running" | "starting" | "stopped" | "waiting_approval" | "waiting_limit";
  exitReason: string | null;
  tokenUsage: Record<string, any> | null;
}

/** The server or Codex went away under it. */
export interface SessionInterrupted {
  from: "blocked" | "completed" | "created" | "failed" | "interrupted" | "queued" | "running" | "starting" | "stopped" | "waiting_approval" | "waiting_limit";
  to: "blocked" | "completed" | "created" | "failed" | "interrupted" | "queued" | "running" | "starting" | "stopped" | "waiting_approval" | "waiting_limit";
  exitReason: string | null;
  tokenUsage: Record<string, any> | null;
}

/** An item of the transcript is finished; of `agentId`, where it is a sub-agent's. */
export interface SessionItem {
  turnId: string;
  itemId: string;
  type: string;
  item: Record<string, any>;
  agentId?: number;
}

/** Its host was chosen: the one that has its repository and fits what its run asks for. */
export interface SessionPlaced {
  host: string;
  placement: Record<string, any> | string;
  reason: string;
}

/** It waits for its turn. */
export interface SessionQueued {
  from: "blocked" | "completed" | "created" | "failed" | "interrupted" | "queued" | "running" | "starting" | "stopped" | "waiting_approval" | "waiting_limit";
  to: "blocked" | "completed" | "created" | "failed" | "interrupted" | "queued" | "running" | "starting" | "stopped" | "waiting_approval" | "waiting_limit";
  writingSessionId?: number;
}

/** Somebody named it. */
export interface SessionRenamed {
  title: string;
}

/** Its review or report is there. */
export interface SessionResult {
  result: any;
}

/** It goes on after an answer. */
export interface SessionResumed {
  from: "blocked" | "completed" | "created" | "failed" | "interrupted" | "queued" | "running" | "starting" | "stopped" | "waiting_approval" | "waiting_limit";
  to: "blocked" | "completed" | "created" | "failed" | "interrupted" | "queued" | "running" | "starting" | "stopped" | "waiting_approval" | "waiting_limit";
  approvalId: number;
  decision: string;
}

/** Nothing was heard of the turn for `CC_STALL_SECONDS`; Codex is asked for it. */
export interface SessionStalled {
  silentSeconds: number;
}

/** Its turn has begun. */
export interface SessionStarted {
  from: "blocked" | "completed" | "created" | "failed" | "interrupted" | "queued" | "running" | "starting" | "stopped" | "waiting_approval" | "waiting_limit";
  to: "blocked" | "completed" | "created" | "failed" | "interrupted" | "queued" | "running" | "starting" | "stopped" | "waiting_approval" | "waiting_limit";
  codexRef: string;
  runner: string;
  model: string | null;
}

/** Its runner prepares it. */
export interface SessionStarting {
  from: "blocked" | "completed" | "created" | "failed" | "interrupted" | "queued" | "running" | "starting" | "stopped" | "waiting_approval" | "waiting_limit";
  to: "blocked" | "completed" | "created" | "failed" | "interrupted" | "queued" | "running" | "starting" | "stopped" | "waiting_approval" | "waiting_limit";
}

/** Somebody brought it back among the others. */
export interface SessionUnarchived {
}

/** Codex waits for a person's answer. */
export interface SessionWaiting {
  from: "blocked" | "completed" | "created" | "failed" | "interrupted" | "queued" | "running" | "starting" | "stopped" | "waiting_approval" | "waiting_limit";
  to: "blocked" | "completed" | "created" | "failed" | "interrupted" | "queued" | "running" | "starting" | "stopped" | "waiting_approval" | "waiting_limit";
  approvalId: number;
}

/** It waits until a limit of the agent's account resets; `until` is null while nobody knows. */
export interface SessionWaitingLimit {
  from: "blocked" | "completed" | "created" | "failed" | "interrupted" | "queued" | "running" | "starting" | "stopped" | "waiting_approval" | "waiting_limit";
  to: "blocked" | "completed" | "created" | "failed" | "interrupted" | "queued" | "running" | "starting" | "stopped" | "waiting_approval" | "waiting_limit";
  until: string | null;
}

/** Codex warns of something that the turn survives; `kind` is its notification's name. */
export interface SessionWarning {
  message: string;
  kind?: string;
  willRetry?: boolean | null;
  info?: any;
  details?: string | null;
  agentId?: number;
}

/** A person agreed to the set-up of worktrees, with the content that it has. */
export interface SetupTrusted {
  digest: string;
  files: string[];
}

/** A terminal of the session has ended; `exitCode` is null where it was cut off. */
export interface ShellClosed {
  shellId: string;
  exitCode: number | null;
  reason: string;
}

/** The end of a terminal, in a text frame; `exitCode` is null where it was cut off. */
export interface ShellExit {
  exitCode: number | null;
  reason: string;
}

/** Somebody opened a terminal where the session works. What is typed there is not kept. */
export interface ShellOpened {
  shellId: string;
  sandbox: string;
}

/** Somebody began to sign a host's agent in; `type` is `device_code` or `api_key`. */
export interface SignInBegun {
  host: string;
  type: string;
}

/** Nobody was signed in by that; `reason` says why. */
export interface SignInFailed {
  host: string;
  reason: string;
}

/** An agent has an account now, or another one; by us or by another of its clients. */
export interface SignedIn {
  host: string;
  kind: string;
  plan: string | null;
}

/** An agent has no account any more. */
export interface SignedOut {
  host: string;
}

/** Somebody had a skill followed from then on, or no more, in all that the agent does. */
export interface SkillSwitched {
  host: string;
  path: string;
  isEnabled: boolean;
}

/** The files of a session's worktree were not kept; `problem` says why, and what to do. */
export interface SnapshotFailed {
  turnId: string | null;
  path: string;
  problem: string;
}

/** Somebody changed the caps of all repositories, or the price table; `changed` names which. */
export interface SpendingChanged {
  changed: string[];
}

/** Its turn has not begun yet, and `reason`, its `waitReason`, says why; only live. */
export interface StartDelayed {
  reason: string;
}

/** Codex has taken it. */
export interface SteerAcknowledged {
  turnId: string;
}

/** Codex has not; `reason` says why. */
export interface SteerRejected {
  reason: string;
}

/** Somebody wants to tell the running turn something. */
export interface SteerRequested {
  message: string;
  turnId: string | null;
  attachments?: (Record<string, any>)[];
}

/** Somebody wants the session to end. */
export interface StopRequested {
  reason: string | null;
  outcome: "blocked" | "completed" | "created" | "failed" | "interrupted" | "queued" | "running" | "starting" | "stopped" | "waiting_approval" | "waiting_limit";
}

/** A check of the database found damage. `structure` has SQLite's words, `damaged` the rows. */
export interface StoreDamaged {
  structure: string[];
  damaged: string[];
}

/** The database has more than `CC_ALARM_SIZE`. Told once, and again when it has doubled. */
export interface StoreLarge {
  bytes: number;
  alarmBytes: number;
}

/** A stream begins with what happens now; only live. */
export interface StreamOpened {
  logId: string;
  after: number;
}

/** A stream goes on after the event `after` of the log `logId`, as was asked; only live. */
export interface StreamResumed {
  logId: string;
  after: number;
}

/** A task was cancelled; its sessions are stopped. */
export interface TaskCancelled {
  changed: string[];
}

/** A task was made. */
export interface TaskCreated {
  title: string;
  type: "investigate_failure" | "prompt_task" | "repo_health_check" | "review_task";
  priority: "high" | "low" | "normal";
}

/** A task was changed; `changed` names the fields. */
export interface TaskUpdated {
  changed: string[];
}

/** Somebody ended a command that the turns of a thread had left running. */
export interface TerminalEnded {
  host: string;
  threadId: string;
  processId: string;
  command: string;
}

/** A thread was put away; it takes no turn until it is brought back. */
export interface ThreadArchived {
  host: string;
  threadId: string;
}

/** The thread `forkId` was made of another's past, up to `lastTurnId`; all of it, if null. */
export interface ThreadForked {
  host: string;
  threadId: string;
  forkId: string;
  lastTurnId: string | null;
}

/** Somebody gave a thread of a host's agent a name. */
export interface ThreadRenamed {
  host: string;
  threadId: string;
  name: string;
}

/** A thread forgot the turn `beforeTurnId` and all that followed it. Files stayed. */
export interface ThreadReverted {
  host: string;
  threadId: string;
  beforeTurnId: string;
}

/** An archived thread was brought back. */
export interface ThreadUnarchived {
  host: string;
  threadId: string;
}

/** A thread was deleted for good. What its sessions said and did is kept here. */
export interface ThreadWasDeleted {
  host: string;
  threadId: string;
}

/** A tool of an MCP server is called, and nobody is asked: `setting` of Codex's user says so. */
export interface ToolUnasked {
  itemId: string;
  server: string;
  tool: string;
  setting: string;
  agentId?: number;
}

/** A message that an actor took in hand. Times are in seconds, to the millisecond. */
export interface TraceRecordShown {
  message: string;
  asked: boolean;
  takenAt: number;
  waited: number;
  took: number;
  outcome: Outcome;
}

/** Its transcript was removed, as it is older, or there is more, than is kept. */
export interface TranscriptRemoved {
  days: number | null;
  bytes?: number | null;
}

/** A person waits no longer for a turn that may still run on a host that does not come back. */
export interface TurnAbandoned {
  host: string;
}

/** A turn that Codex began past Command Center is the session's from now on. */
export interface TurnAdopted {
  threadId: string;
  turnId: string;
  cause: "command" | "goal" | "message" | "unknown";
}

/** Codex went on by itself for the session's goal; this is its turn of that `number`. */
export interface TurnBegan {
  turnId: string;
  number: number;
}

/** A turn had begun and ended past Command Center before it could be let in or refused. */
export interface TurnFound {
  threadId: string;
  turnId: string;
  cause: "command" | "goal" | "message" | "unknown";
  outcome: string;
  agentId?: number;
}

/** A turn that no session began is interrupted; `reason` says why. */
export interface TurnRefused {
  threadId: string;
  turnId: string;
  reason: string;
}

/** A turn that was given up when its session ended no longer runs. */
export interface TurnSettled {
  interrupted: boolean;
}

/** A picture or a text for Codex was sent, and is kept. */
export interface UploadCreated {
  uploadId: number;
  name: string;
  mediaType: string;
  size: number;
}

/** It is kept no more: somebody deleted it, or nothing needed it for a day (`unused`). */
export interface UploadDeleted {
  uploadId: number;
  name: string;
  reason: "deleted" | "unused";
}

/** Tokens used by the whole thread so far, as totals, not to be summed; only live. */
export interface UsageShown {
  total?: Record<string, any>;
  last?: Record<string, any>;
  modelContextWindow?: number | null;
  agents?: Record<string, any>;
  tokenBaseline: number;
}

/** Events of these types are sent to `origin` from now on. */
export interface WebhookCreated {
  id: number;
  origin: string;
  types: string[];
}

/** Nothing is sent there any more. */
export interface WebhookDeleted {
  id: number;
  origin: string;
}

/** It failed for a day, or said that it is gone; it waits to be resumed. `reason` says why. */
export interface WebhookPaused {
  id: number;
  origin: string;
  reason: string;
  failingSince: string;
}

/** The next event that is sent is the first of its types after the event `after`. */
export interface WebhookReplayed {
  id: number;
  after: number;
}

/** Somebody had a test sent, which is this event. */
export interface WebhookTested {
  id: number;
}

/** It was changed, paused or resumed; `changed` names the fields. */
export interface WebhookUpdated {
  id: number;
  origin: string;
  changed: string[];
}

/** Work that a session left was committed; `commit` says where and how much. */
export interface WorkCommitted {
  commit: Committed;
}

/** Work that was not committed was taken away; it is kept as the commit `sha`. */
export interface WorkDiscarded {
  discardedId: number;
  branchName: string | null;
  headSha: string;
  sha: string;
  files: number;
}

/** Commits are on a branch of a remote. */
export interface WorkPushed {
  pushId: number;
  remote: string;
  address: string;
  branchName: string;
  sha: string;
  commits: number;
}

/** Work that was discarded is on a branch again. */
export interface WorkRestored {
  discardedId: number;
  branchName: string;
  sha: string;
}

/** The files of a session's worktree were put back; `beforeId` is the snapshot that undoes it. */
export interface WorkRewound {
  snapshotId: number;
  beforeId: number;
  turnId: string | null;
  path: string;
  branchName: string | null;
  headSha: string;
  sha: string;
  files: number;
}

/** A worktree was made, by a person or for a run, or again where another client needs it. */
export interface WorktreeAdded {
  path: string;
  branchName: string | null;
  headSha: string | null;
  included?: string[];
  includedCount?: number;
  force?: boolean;
}

/** A worktree's branch was merged. */
export interface WorktreeMerged {
  path: string;
  merge: MergeResult;
}

/** Git forgot a worktree whose folder is gone. */
export interface WorktreePruned {
  path: string;
  branchName: string | null;
  headSha: string | null;
  force: boolean;
}

/** A worktree was removed; `force` says that it was removed with its changes. */
export interface WorktreeRemoved {
  path: string;
  branchName: string | null;
  headSha: string | null;
  force: boolean;
}

/** The data of an event, by its type. */
export interface EventData {
  "repo.created": RepositoryRegistered;
  "repo.updated": RepositoryUpdated;
  "repo.scanned": RepositoryScanned;
  "repo.deleted": RepositoryForgotten;
  "repo.setup.trusted": SetupTrusted;
  "repo.codex_config.trusted": ConfigurationTrusted;
  "worktree.created": WorktreeAdded;
  "worktree.removed": WorktreeRemoved;
  "worktree.pruned": WorktreePruned;
  "session.changes.viewed": FilesViewed;
  "session.committed": WorkCommitted;
  "session.message.asked": CommitMessageAsked;
  "session.conflicts.marked": ConflictsMarked;
  "session.discarded": WorkDiscarded;
  "session.restored": WorkRestored;
  "session.snapshot.failed": SnapshotFailed;
  "session.rewound": WorkRewound;
  "session.push.requested": PushRequested;
  "session.pushed": WorkPushed;
  "session.push.failed": PushFailed;
  "worktree.merged": WorktreeMerged;
  "prompt.saved": PromptSaved;
  "prompt.deleted": PromptDeleted;
  "session.pull_request.requested": PullRequestRequested;
  "session.pull_request.opened": PullRequestOpened;
  "session.pull_request.failed": PullRequestFailed;
  "session.pull_request.updated": PullRequestChanged;
  "session.pull_request.news": PullRequestNews;
  "session.pull_request.merge.requested": MergeRequested;
  "session.pull_request.merge.settled": MergeSettled;
  "task.created": TaskCreated;
  "task.updated": TaskUpdated;
  "task.cancelled": TaskCancelled;
  "session.created": SessionCreated;
  "session.placed": SessionPlaced;
  "session.queued": SessionQueued;
  "session.waiting_limit": SessionWaitingLimit;
  "session.starting": SessionStarting;
  "session.started": SessionStarted;
  "session.waiting_approval": SessionWaiting;
  "session.resumed": SessionResumed;
  "session.completed": SessionCompleted;
  "session.failed": SessionFailed;
  "session.stopped": SessionHalted;
  "session.interrupted": SessionInterrupted;
  "session.blocked": SessionBlocked;
  "session.codex_config": ConfigurationWeighed;
  "session.item": SessionItem;
  "session.item.cut_off": ItemCutOff;
  "session.agent.started": AgentStarted;
  "session.agent.ended": AgentEnded;
  "session.commands.left": CommandsLeft;
  "session.result": SessionResult;
  "session.warning": SessionWarning;
  "session.auto_review": AutoReviewed;
  "session.command.unasked": CommandUnasked;
  "session.tool.unasked": ToolUnasked;
  "session.command.elsewhere": CommandRunElsewhere;
  "session.command.outside": CommandBegunOutside;
  "session.stalled": SessionStalled;
  "session.request.refused": RequestRefused;
  "session.comment.added": CommentAdded;
  "session.comment.changed": CommentChanged;
  "session.comment.cancelled": CommentCancelled;
  "session.comments.sent": CommentsSent;
  "session.comments.reopened": CommentsReopened;
  "session.followup.queued": FollowupQueued;
  "session.followup.changed": FollowupChanged;
  "session.followup.cancelled": FollowupCancelled;
  "session.sequel.refused": SequelRefused;
  "session.steer.requested": SteerRequested;
  "session.steer.acknowledged": SteerAcknowledged;
  "session.steer.rejected": SteerRejected;
  "session.stop.requested": StopRequested;
  "session.turn.settled": TurnSettled;
  "session.turn.abandoned": TurnAbandoned;
  "session.renamed": SessionRenamed;
  "session.archived": SessionArchived;
  "session.unarchived": SessionUnarchived;
  "session.turn.started": TurnBegan;
  "session.goal.requested": GoalRequested;
  "session.goal.updated": GoalUpdated;
  "session.goal.cleared": GoalCleared;
  "session.turn.adopted": TurnAdopted;
  "session.turn.found": TurnFound;
  "session.turn.refused": TurnRefused;
  "session.start.delayed": StartDelayed;
  "session.output.delta": DeltaShown;
  "session.item.started": ItemShown;
  "session.plan": PlanShown;
  "session.diff": DiffShown;
  "session.usage": UsageShown;
  "session.terminal.opened": ShellOpened;
  "session.terminal.closed": ShellClosed;
  "approval.requested": ApprovalRequested;
  "approval.expiring": ApprovalExpiring;
  "approval.extended": ApprovalExtended;
  "approval.resolved": ApprovalResolved;
  "approval.expired": ApprovalExpired;
  "approval.allowed": ApprovalAllowed;
  "repo.rule.added": RuleAdded;
  "repo.rule.removed": RuleRemoved;
  "automation.created": AutomationCreated;
  "automation.updated": AutomationUpdated;
  "automation.deleted": AutomationDeleted;
  "automation.fired": AutomationFired;
  "automation.skipped": AutomationSkipped;
  "automation.paused": AutomationPaused;
  "backup.created": BackupMade;
  "backup.failed": BackupNotMade;
  "store.events.removed": EventsRemoved;
  "repo.events.removed": RepositoryEventsRemoved;
  "session.transcript.removed": TranscriptRemoved;
  "store.large": StoreLarge;
  "store.damaged": StoreDamaged;
  "device.created": DeviceCreated;
  "device.updated": DeviceUpdated;
  "device.passkey.added": PasskeyAdded;
  "device.passkey.removed": PasskeyRemoved;
  "device.revoked": DeviceRevoked;
  "webpush.subscribed": PushSubscribed;
  "webpush.updated": PushSubscriptionUpdated;
  "webpush.ended": PushSubscriptionEnded;
  "notify.updated": NotifyTargetUpdated;
  "webhook.created": WebhookCreated;
  "webhook.updated": WebhookUpdated;
  "webhook.replayed": WebhookReplayed;
  "webhook.tested": WebhookTested;
  "webhook.paused": WebhookPaused;
  "webhook.deleted": WebhookDeleted;
  "upload.created": UploadCreated;
  "upload.deleted": UploadDeleted;
  "account.sign_in_begun": SignInBegun;
  "account.sign_in_failed": SignInFailed;
  "account.signed_in": SignedIn;
  "account.signed_out": SignedOut;
  "thread.renamed": ThreadRenamed;
  "thread.archived": ThreadArchived;
  "thread.unarchived": ThreadUnarchived;
  "thread.forked": ThreadForked;
  "thread.reverted": ThreadReverted;
  "thread.deleted": ThreadWasDeleted;
  "thread.terminal.ended": TerminalEnded;
  "mcp.sign_in_begun": ServerSignInBegun;
  "mcp.signed_in": ServerSignedIn;
  "mcp.sign_in_failed": ServerSignInFailed;
  "skill.switched": SkillSwitched;
  "host.added": HostAdded;
  "host.removed": HostRemoved;
  "host.connected": HostConnected;
  "host.away": HostAway;
  "host.enrolled": HostEnrolled;
  "host.refused": HostRefused;
  "host.draining": HostDraining;
  "host.resumed": HostResumed;
  "host.changed": HostChanged;
  "lease.renewed": LeaseRenewed;
  "lease.lost": LeaseLost;
  "lease.reassigned": LeaseReassigned;
  "lease.abandoned": LeaseGivenUp;
  "lease.work.found": LeftWorkFound;
  "limits.changed": LimitsChanged;
  "limits.near": LimitNears;
  "limits.reached": LimitReached;
  "limits.reset": LimitReset;
  "limits.cap": CapReached;
  "limits.rules_changed": SpendingChanged;
  "clock.jumped": ClockMoved;
  "bridge.connected": BridgeFound;
  "bridge.lost": BridgeGone;
  "bridge.unavailable": BridgeMissing;
  "bridge.warning": BridgeWarning;
  "bridge.unknown": BridgeUnknownMet;
  "actor.crashed": ActorFailed;
  "actor.restarted": ActorStartedAgain;
  "actor.quarantined": ActorQuarantined;
  "actor.abandoned": ActorAbandoned;
  "actor.stalled": ActorStalled;
  "actor.suspended": ActorSuspended;
  "actor.resumed": ActorResumed;
  "actor.drained": ActorDrained;
  "actor.stopped": ActorHalted;
  "telegram.chat.migrated": ChatMigrated;
  "telegram.chat.unreachable": ChatUnreachable;
  "inbox.marked": InboxMarked;
  "stream.opened": StreamOpened;
  "stream.resumed": StreamResumed;
  "event.damaged": EventDamaged;
  "event.removed": EventRemoved;
}

/** An event as the streams tell it; one that is only live has no id. */
export type AnyEvent = {
  [K in keyof EventData]: Omit<Event, "id" | "type" | "data"> & {
    id: number | null;
    type: K;
    data: EventData[K];
  };
}[keyof EventData];

type Named = Operations[keyof Operations];

/** Every path that a method is taken at; a parameter stands for a number or a text in it. */
export type PathOf<M extends string> = Extract<Named, { method: M }>["path"];

/** The operation at a path: the one that names it in full, or else the one whose parameters fit. */
type At<M extends string, P extends string> =
  P extends Extract<Named, { method: M; isExact: true }>["path"]
    ? Extract<Named, { method: M; path: P }>
    : { [K in keyof Operations]: Operations[K] extends { method: M; path: infer Q; isExact: false }
        ? P extends Q ? Operations[K] : never
        : never }[keyof Operations];

export type QueryOf<M extends string, P extends string> = At<M, P>["query"];
export type BodyOf<M extends string, P extends string> = At<M, P>["body"];
export type AnswerOf<M extends string, P extends string> = At<M, P>["answer"];
export type ItemOf<P extends string> = AnswerOf<"GET", P> extends Page<infer T> ? T : never;
