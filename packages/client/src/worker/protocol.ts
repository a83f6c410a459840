import type { Properties, QoS } from "@tidewire/codec";
import type { OperationOptions } from "../calls/index.ts";
import type { RequestOptions } from "../client/index.ts";
import type { ClientErrorCode } from "../errors/index.ts";
import type { Status, StatusDetail } from "../events/index.ts";
import type { Payload } from "../messages/index.ts";
import type { PublishOptions } from "../publishing/index.ts";
import type { SubscribeOptions } from "../subscribing/index.ts";

/*
 * What a page and the worker with the connection say to each other. Everything is plain data for the structured clone.
 * A call has an id and gets one answer with it; a message handed to a page has a handle, by which the page lets it go.
 */

/** Options as they cross: without what is a function, and without the signal, for which there is `cancel`. */
export type Plain<Options extends OperationOptions> = Omit<Options, "signal" | "timeoutMs" | "onMessage">;

/** RemoteCalls by name: what they take and what they give. */
export interface RemoteCalls {
  publish: {
    readonly input: {
      readonly topic: string;
      readonly payload: Payload;
      readonly options: Plain<PublishOptions>;
    };
    readonly output: { readonly reasonCode: number; readonly properties: Properties | undefined };
  };
  subscribe: {
    readonly input: { readonly filters: readonly string[]; readonly options: Plain<SubscribeOptions> };
    readonly output: readonly number[];
  };
  /** `input` is the id of the subscribe call. */
  unsubscribe: { readonly input: number; readonly output: undefined };
  request: {
    readonly input: {
      readonly topic: string;
      readonly payload: Payload;
      readonly options: Plain<RequestOptions>;
    };
    readonly output: PlainMessage;
  };
  flush: { readonly input: undefined; readonly output: undefined };
  reauthenticate: { readonly input: undefined; readonly output: undefined };
  persisted: { readonly input: undefined; readonly output: undefined };
  checkConnection: { readonly input: undefined; readonly output: undefined };
  reconnect: { readonly input: undefined; readonly output: undefined };
  /** From now on every message is told. */
  listen: { readonly input: undefined; readonly output: undefined };
}

export type CallName = keyof RemoteCalls;

export type ToWorker =
  | { readonly kind: "hello"; readonly lock: string | undefined }
  | {
      readonly [Name in CallName]: {
        readonly kind: "call";
        readonly id: number;
        readonly name: Name;
        readonly input: RemoteCalls[Name]["input"];
      };
    }[CallName]
  /** The caller has given up. */
  | { readonly kind: "cancel"; readonly id: number }
  /** A message is done with: acknowledged with this code. */
  | { readonly kind: "done"; readonly handle: number; readonly reasonCode: number }
  /** This page is leaving; the connection stays for the others. */
  | { readonly kind: "bye" };

export type ToPage =
  | { readonly kind: "status"; readonly status: Status; readonly clientId: string; readonly detail: PlainStatusDetail }
  | { readonly kind: "answer"; readonly id: number; readonly output: unknown }
  | { readonly kind: "failure"; readonly id: number; readonly error: PlainError }
  /** For the subscription made by the call with this id; undefined: for those who listen to all. */
  | {
      readonly kind: "message";
      readonly id: number | undefined;
      readonly handle: number;
      readonly message: PlainMessage;
    }
  | { readonly kind: "error"; readonly error: PlainError };

export interface PlainMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly properties: Properties | undefined;
}

export interface PlainError {
  readonly code: ClientErrorCode;
  readonly message: string;
  readonly reasonCode: number | undefined;
}

export type PlainStatusDetail = Omit<StatusDetail, "error"> & { readonly error?: PlainError };

/** The part of `MessagePort`, `Worker` and a worker's own scope that is used. */
export interface Port {
  postMessage(message: unknown): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  removeEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  /** Only a `MessagePort` has these. */
  start?(): void;
  close?(): void;
}
