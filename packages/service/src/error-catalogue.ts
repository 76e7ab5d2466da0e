/** Every error a client can get from any ragscale server: its code, type, status and message, in one shape. */

export type ErrorType = 'invalid_request_error' | 'rate_limit_error' | 'timeout_error' | 'server_error';

export interface ErrorEntry {
  readonly status: number;
  readonly type: ErrorType;
  /** `{name}` stands for a value given with the error. */
  readonly message: string;
  /** For docs/errors.md: when a client meets it, and what to do. */
  readonly meaning: string;
  /** Seconds of the `Retry-After` header; an error may carry a better estimate. */
  readonly retryAfterSeconds?: number;
}

export const ERRORS = {
  invalid_json: {
    status: 400,
    type: 'invalid_request_error',
    message: 'the body is not valid JSON: {detail}',
    meaning: 'The body is not UTF-8 or not JSON.',
  },
  invalid_request: {
    status: 400,
    type: 'invalid_request_error',
    message: '{detail}',
    meaning: 'A field or header is missing, unknown, of the wrong type or out of its range; `param` names it.',
  },
  unsupported: {
    status: 400,
    type: 'invalid_request_error',
    message: '{what} is not supported by this server',
    meaning: 'A feature that the API knows and this server does not offer; `param` names it.',
  },
  context_length_exceeded: {
    status: 400,
    type: 'invalid_request_error',
    message: '{detail}',
    meaning: 'More tokens than the model takes; the message names the limit. Nothing is cut silently.',
  },
  malformed_http: {
    status: 400,
    type: 'invalid_request_error',
    message: 'not a well-formed HTTP request: {detail}',
    meaning: 'The bytes on the connection are not HTTP/1.1; the connection is closed.',
  },
  invalid_api_key: {
    status: 401,
    type: 'invalid_request_error',
    message: 'Authorization: must be Bearer and a key that this server knows',
    meaning: 'From the proxy, where it asks for API keys: there is none, or none that it knows.',
  },
  not_found: {
    status: 404,
    type: 'invalid_request_error',
    message: 'no such path; /docs lists what there is',
    meaning: 'The path does not exist.',
  },
  model_not_found: {
    status: 404,
    type: 'invalid_request_error',
    message: 'no model for this path is called {model}; GET /v1/models lists what is served',
    meaning: 'The request names a model that is not served.',
  },
  method_not_allowed: {
    status: 405,
    type: 'invalid_request_error',
    message: 'this path takes {allowed}',
    meaning: 'The path exists, the method does not; `Allow` lists the ones that do.',
  },
  request_timeout: {
    status: 408,
    type: 'timeout_error',
    message: 'the request did not arrive whole in time',
    meaning: 'Headers or body came too slowly; the connection is closed.',
  },
  payload_too_large: {
    status: 413,
    type: 'invalid_request_error',
    message: 'the body is larger than {limitBytes} bytes',
    meaning: 'The body is over the limit.',
  },
  unsupported_media_type: {
    status: 415,
    type: 'invalid_request_error',
    message: '{detail}',
    meaning: 'The body is not `application/json` in UTF-8 without content coding.',
  },
  queue_full: {
    status: 429,
    type: 'rate_limit_error',
    message: '{detail}',
    meaning:
      'More requests wait than the server accepts, or so many that no answer is expected by the deadline, or within the objective of the server; try again after `Retry-After`.',
    retryAfterSeconds: 1,
  },
  rate_limit_exceeded: {
    status: 429,
    type: 'rate_limit_error',
    message: 'this API key may send {rate} requests a second; try again after Retry-After',
    meaning: 'From the proxy: the API key has used up its rate.',
    retryAfterSeconds: 1,
  },
  headers_too_large: {
    status: 431,
    type: 'invalid_request_error',
    message: 'the request line and headers together are too large',
    meaning: 'URL and headers are over the limit; the connection is closed.',
  },
  internal: {
    status: 500,
    type: 'server_error',
    message: 'an internal error; the log of the server has it under this X-Request-Id',
    meaning: 'A fault of the server.',
  },
  stalled: {
    status: 500,
    type: 'server_error',
    message: '{detail}',
    meaning:
      'From the autoscaler, at /livez: its loop has not finished a round for so long that it should be started again.',
  },
  upstream_failed: {
    status: 502,
    type: 'server_error',
    message: 'the pod broke off before it answered',
    meaning: 'From the proxy: no pod could finish the request.',
  },
  generator_failed: {
    status: 502,
    type: 'server_error',
    message: 'the generator broke off before the answer was whole, or gave what is none',
    meaning:
      'From a pod whose generator is a server elsewhere: it broke off, refused the request, or does not speak the protocol; the log of the pod says why.',
  },
  generator_unavailable: {
    status: 503,
    type: 'server_error',
    message: 'the generator cannot be reached, or is not able to answer now',
    meaning: 'From a pod whose generator is a server elsewhere: no connection, a 5xx, or no token in time.',
    retryAfterSeconds: 2,
  },
  not_ready: {
    status: 503,
    type: 'server_error',
    message: 'this server is still starting',
    meaning: 'The pod has not finished its warm-up; try again after `Retry-After`.',
    retryAfterSeconds: 2,
  },
  draining: {
    status: 503,
    type: 'server_error',
    message: 'this server is shutting down',
    meaning: 'The pod takes no new requests; another attempt reaches another pod.',
    retryAfterSeconds: 1,
  },
  no_backend: {
    status: 503,
    type: 'server_error',
    message: 'no pod is able to answer now',
    meaning: 'From the proxy: every pod is unhealthy.',
    retryAfterSeconds: 2,
  },
  deadline_exceeded: {
    status: 504,
    type: 'timeout_error',
    message: 'no answer within the deadline of {deadlineMs} ms',
    meaning:
      'The deadline (`X-Request-Timeout-Ms`, or the default) passed while the request waited or ran, or it became clear that it would.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

type Placeholders<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholders<Rest>
  : never;
type Values<Code extends ErrorCode> = {
  readonly [Name in Placeholders<(typeof ERRORS)[Code]['message']>]: string | number;
};

export interface ErrorContext {
  /** The field or header at fault. */
  readonly param?: string;
  readonly retryAfterSeconds?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

export interface ErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: ErrorType;
    readonly code: ErrorCode;
    readonly param: string | null;
  };
}

/** An error of the catalogue, on its way to a client. */
export class ServiceError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'ServiceError';
  readonly code: Code;
  readonly param: string | null;
  readonly status: number;
  /** `Retry-After` and whatever the error was given, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;

  /** @param values one for each `{name}` in the entry's message */
  constructor(code: Code, values: Values<Code>, context: ErrorContext = {}) {
    const entry: ErrorEntry = ERRORS[code];
    const byName: Readonly<Record<string, string | number>> = values;
    super(
      entry.message.replace(/\{(\w+)\}/g, (_, name: string) => String(byName[name])),
      { cause: context.cause },
    );
    this.code = code;
    this.param = context.param ?? null;
    this.status = entry.status;
    const retryAfter = context.retryAfterSeconds ?? entry.retryAfterSeconds;
    this.headers = {
      ...context.headers,
      ...(retryAfter === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(retryAfter))) }),
    };
  }

  /** The response body: OpenAI's shape. */
  toBody(): ErrorBody {
    return { error: { message: this.message, type: ERRORS[this.code].type, code: this.code, param: this.param } };
  }
}
