export {
  type Bytes, type CallOptions, type ClientOptions, type RangeOptions, type ReadOptions, SynodClient, type WriteOptions,
} from "./client/client.ts";
export {
  ClientConnection, type ConnectionEvents, type ConnectionOptions, type ReadCallback, type StatusCallback, type WriteCallback,
} from "./client/connection.ts";
export { endpointUrl } from "./client/endpoint.ts";
export type { Timers } from "./client/timers.ts";
export type {
  Consistency, GetResult, KeyRecord, LinkState, MemberStatus, NamedBallot, PeerStatus, Query, RangeItem, RangeResult, ReadResult,
  Role, Status,
} from "./client/types.ts";
export { type ErrorBody, SynodError } from "./errors/synod-error.ts";
export { type ErrorCode, type ErrorKind, ERRORS } from "./errors/table.ts";
export { type Command, encodeCommand, type RetryToken } from "./state/commands.ts";
export type { Result } from "./state/results.ts";
