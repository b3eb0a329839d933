/** One row of the error table: what a code means to a caller. */
export interface ErrorKind {
  /** HTTP status of the answer that carries it. */
  readonly status: number;
  /** The same request may be sent again as it is, and may then succeed. With `outcomeUnknown`: also if it was executed. */
  readonly retryable: boolean;
  /** Whether the request took effect is not known. Unless it is retryable, it is safe to repeat only with an idempotency key or a session. */
  readonly outcomeUnknown: boolean;
  /** What it means, for the reference page. */
  readonly meaning: string;
}

const refused = (status: number, meaning: string): ErrorKind => ({ status, retryable: false, outcomeUnknown: false, meaning });
const later = (status: number, meaning: string): ErrorKind => ({ status, retryable: true, outcomeUnknown: false, meaning });
const askAgain = (status: number, meaning: string): ErrorKind => ({ status, retryable: true, outcomeUnknown: true, meaning });
const unknown = (status: number, meaning: string): ErrorKind => ({ status, retryable: false, outcomeUnknown: true, meaning });

/** Every error that synod tells anybody about. docs/errors.md lists the same rows, and a test compares the two. */
export const ERRORS = {
  SYNOD_ERR_NOT_FOUND: refused(404, "There is no such key."),
  SYNOD_ERR_NO_ROUTE: refused(404, "There is no such path or method."),
  SYNOD_ERR_UNAUTHORIZED: refused(401, "The call changes members or leadership and does not carry a token of the cluster's key. Nothing was changed."),
  SYNOD_ERR_BAD_REQUEST: refused(400, "A parameter, header or frame does not have the form it must have."),
  SYNOD_ERR_KEY_LENGTH: refused(400, "A key has 1 to 1,024 bytes."),
  SYNOD_ERR_VALUE_TOO_LARGE: refused(413, "A value has at most 1,048,576 bytes."),
  SYNOD_ERR_PRECONDITION: refused(412, "The key's revision is not the one named by prevRevision. Nothing was changed."),
  SYNOD_ERR_IDEMPOTENCY_MISMATCH: refused(422, "The idempotency key or sequence number was used before with another request."),
  SYNOD_ERR_SESSION_EXPIRED: unknown(410, "The session is not known any more. Whether this request was executed before it ended is not known."),
  SYNOD_ERR_NO_LEADER: later(503, "No leader is known or reachable. The request was not executed."),
  SYNOD_ERR_NOT_LEADER: refused(409, "Only the leader can do this. The details name it, if one is known."),
  SYNOD_ERR_BUSY: later(503, "A bounded queue is full. The request was not executed."),
  SYNOD_ERR_NO_SPACE: later(507, "The disk is full: the leader's, or those of so many members that no quorum within its reach has room. Nothing was executed; deletes still are."),
  SYNOD_ERR_OUTCOME_UNKNOWN: unknown(504, "The request may or may not have been, or may yet be, executed."),
  SYNOD_ERR_TIMEOUT: later(504, "The read could not be answered in time."),
  SYNOD_ERR_STARTING: later(503, "This member is restoring its state. The request was not executed."),
  SYNOD_ERR_NOT_FOUNDED: later(503, "This member belongs to no cluster yet."),
  SYNOD_ERR_ALREADY_FOUNDED: refused(409, "A member belongs to a cluster already, so no other can be founded with it."),
  SYNOD_ERR_WRONG_INCARNATION: refused(409, "A document or message names another incarnation of this member."),
  SYNOD_ERR_WRONG_CLUSTER: refused(409, "The peer belongs to another cluster."),
  SYNOD_ERR_VERSION: refused(400, "The peer speaks another version of the protocol, or the data folder is of another version."),
  SYNOD_ERR_NO_SUCH_MEMBER: refused(404, "The configuration has no such member. GET /v1/members lists those that there are."),
  SYNOD_ERR_MEMBER_REMOVED: refused(409, "That incarnation was removed from the cluster and cannot come back. Empty its data folder and add it as a new member."),
  SYNOD_ERR_MEMBER_NEEDED: refused(409, "Only a member that was removed, is fenced as corrupt or copied, or never belonged to a cluster can be renewed: what this one keeps is needed."),
  SYNOD_ERR_NAME_TAKEN: refused(409, "Another member has that name. To put a learner in a voter's place, promote it with replaces; to put a new member in a learner's place, remove that one first. synod member replace does either."),
  SYNOD_ERR_TOO_MANY_MEMBERS: refused(409, "A cluster has at most 9 voters and 9 learners. Remove one first."),
  SYNOD_ERR_LAST_VOTER: refused(409, "The last voter cannot be removed. Add and promote another first."),
  SYNOD_ERR_CHANGE_PENDING: later(409, "An earlier change of the configuration is not done. Ask again when it is; GET /v1/members says so."),
  SYNOD_ERR_CHANGE_UNKNOWN: askAgain(504, "The change of members or leadership may or may not have been, or may yet be, made. Ask again: no change is made twice."),
  SYNOD_ERR_STALE_CONFIGURATION: refused(409, "The configuration has changed since this change was planned. Read GET /v1/members and plan again."),
  SYNOD_ERR_LEARNER_LAGS: later(409, "The learner has not caught up or does not answer, so it cannot vote yet. Ask again when GET /v1/members shows it caught up."),
  SYNOD_ERR_NO_LIVE_QUORUM: refused(409, "Of the voters that would remain, too few answer to make a quorum. Bring members back first, remove or replace those that do not come back, or force the change if they are about to."),
  SYNOD_ERR_NO_SUCCESSOR: later(409, "The leader is to go, and no other voter could take over: none of them reaches a quorum. Nothing was changed. Mend the links between the others; then hand leadership to one of them, or wait a minute, and ask again."),
  SYNOD_ERR_LEFT: later(503, "This member has left the cluster and serves nothing any more. Ask another. The request was not executed."),
  SYNOD_ERR_FENCED: refused(503, "This member has fenced itself and does not serve. Its status says why."),
  SYNOD_ERR_DIVERGED: later(503, "This member's state differs from the majority's and is being replaced."),
  SYNOD_ERR_STOPPING: later(503, "This member is stopping. The request was not executed."),
  SYNOD_ERR_FOLDER_LOCKED: refused(409, "Another process uses this data folder."),
  SYNOD_ERR_CORRUPT: refused(500, "Stored bytes do not match their checksum."),
  SYNOD_ERR_DISK: refused(500, "The disk reported an error."),
  SYNOD_ERR_NODES_DIFFER: refused(409, "The kept folder has another number of nodes."),
  SYNOD_ERR_NO_SUCH_NODE: refused(404, "The local cluster has no node of that name."),
  SYNOD_ERR_NODE_STATE: refused(409, "The node is not in a state in which this can be done."),
  SYNOD_ERR_UNREACHABLE: later(502, "No answer came from the address. The request was not executed."),
  SYNOD_ERR_CLUSTER_TAKEN: refused(409, "A PaxosCluster of that name is there already and is not this release's. Nothing was changed. The message says whose it is."),
  SYNOD_ERR_CLUSTER_REFUSED: refused(422, "The Kubernetes API server refuses the PaxosCluster as it is, or does not take it from this caller. Nothing was changed. The message has its words."),
  SYNOD_ERR_KUBERNETES: later(502, "The Kubernetes API server refused a request or did not answer it. The message says which."),
  SYNOD_ERR_INTERNAL: unknown(500, "A fault in synod itself; the log has the details."),
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERRORS;
