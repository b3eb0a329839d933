/** A member answers `local` reads from what it has applied itself, which may be old; `linearizable` ones never are. */
export type Consistency = "linearizable" | "local";

/** A key's value and its history: revisions of the write that created it and of the last one, and the number of writes since. */
export interface KeyRecord {
  readonly value: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
}

export interface RangeItem extends KeyRecord {
  readonly key: Uint8Array;
}

export type Query =
  | { readonly type: "get"; readonly key: Uint8Array }
  /** Keys that begin with `prefix`, in byte order, from the first one above `after` on; at most `limit`. */
  | { readonly type: "range"; readonly prefix: Uint8Array; readonly limit: number; readonly after?: Uint8Array };

/** `revision` is the store's revision at which it was answered. */
export interface GetResult {
  readonly type: "get";
  readonly revision: number;
  readonly record: KeyRecord | null;
}

/** `more` says that keys of the prefix lie beyond the last item. An answer is also cut short when its values are large. */
export interface RangeResult {
  readonly type: "range";
  readonly revision: number;
  readonly items: readonly RangeItem[];
  readonly more: boolean;
}

export type ReadResult = GetResult | RangeResult;

export type Role = "leader" | "follower" | "candidate" | "learner" | "removed" | "fenced";
export type LinkState = "up" | "dialing" | "down";

export interface MemberStatus {
  readonly name: string;
  readonly incarnation: string;
  readonly address: string;
}

export interface PeerStatus extends MemberStatus {
  readonly link: LinkState;
  /** Why there is no link, if the last attempt to make one was refused by either side. */
  readonly refused: string | null;
}

/** A ballot with the name of the member that owns it, null when the configuration does not know its incarnation. */
export interface NamedBallot {
  readonly round: number;
  readonly member: string | null;
  readonly incarnation: string;
}

/** One member of the configuration, and how far it has come. What only the leader knows is null when no leader could be asked, and what a member has not told its leader yet. */
export interface MemberEntry {
  /** Its incarnation. */
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly role: "voter" | "learner";
  readonly leader: boolean;
  /** Slots that it is behind the leader. */
  readonly behind: number | null;
  /** Milliseconds since the leader heard from it. */
  readonly heardMs: number | null;
  /** Heard from lately and not far behind: a learner can be promoted. */
  readonly caughtUp: boolean | null;
}

export interface Members {
  /** The slot of the configuration: what a change can be planned from. */
  readonly configuration: number;
  /** Whether the last change is not done yet; null when no leader could be asked. */
  readonly pending: boolean | null;
  readonly members: readonly MemberEntry[];
  /** Ids of the members that left last. */
  readonly removed: readonly string[];
}

/** What a member says of itself: the JSON of `GET /v1/status`. */
export interface Status {
  readonly member: string;
  readonly incarnation: string;
  /** Null until the member is founded. */
  readonly cluster: string | null;
  readonly role: Role;
  /** Name of the leader this member follows (or itself), null when it knows none. */
  readonly leader: string | null;
  readonly ballot: NamedBallot;
  /** Highest slot known to be chosen. */
  readonly committed: number;
  readonly applied: number;
  readonly revision: number;
  readonly configuration: { readonly voters: readonly MemberStatus[]; readonly learners: readonly MemberStatus[] };
  readonly peers: readonly PeerStatus[];
  /** Why the member has fenced itself, null while it has not. */
  readonly fenced: string | null;
  /** The same with its kind. Only `disk` passes, with a restart; one that is `corrupt` or `copied` never votes again as this incarnation. */
  readonly fence: { readonly kind: "corrupt" | "copied" | "disk"; readonly reason: string } | null;
  /** Fingerprints of the keys that the member accepts, the one that it uses itself first; empty: it asks for none. */
  readonly keys: readonly string[];
  /** The member's disk has no room beside its reserve: it takes nothing that makes the state grow. */
  readonly diskFull: boolean;
  readonly version: string;
}
