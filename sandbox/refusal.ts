/** What the published error envelope tells about a refused request, besides the time. */
export interface RefusalDetails {
  status: number;
  /** Last part of the envelope's `domain`. */
  exception: string;
  code: number;
  message: string;
  /** The property concerned, such as `address.country`. */
  location?: string;
  /** Response header fields that the status code demands. */
  headers?: Record<string, string>;
}

/** Thrown by a step that refuses the request; nothing has been saved when it is. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly details: RefusalDetails;

  constructor(details: RefusalDetails) {
    super(details.message);
    this.details = details;
  }
}

const CHALLENGE = 'Basic realm="Trustly API sandbox", charset="UTF-8"';

/** 400: the request or one of its properties is not valid. */
export function invalid(message: string, location?: string): Refusal {
  return new Refusal({ status: 400, exception: 'InvalidParameterException', code: 200, message, ...(location && { location }) });
}

/** 401: no credentials, or not those of a merchant. */
export function unauthorized(): Refusal {
  const headers = { 'WWW-Authenticate': CHALLENGE };
  return new Refusal({ status: 401, exception: 'AccessControlException', code: 375, message: 'Access not authorized', headers });
}

/** 404: neither a path of this API nor, on a path that names a customer, one of the merchant's. */
export function notFound(message = 'Endpoint not supported'): Refusal {
  return new Refusal({ status: 404, exception: 'NotFoundException', code: 200, message });
}

/** 405: the path is known, the method is not one of those allowed. */
export function methodNotAllowed(allow: string): Refusal {
  const message = `Method not supported: use one of ${allow}`;
  return new Refusal({ status: 405, exception: 'MethodNotAllowedException', code: 200, message, headers: { Allow: allow } });
}

/** 409: the externalId is that of another customer. */
export function conflict(): Refusal {
  const message = 'Another Customer has this externalId';
  return new Refusal({ status: 409, exception: 'DuplicateException', code: 210, message, location: 'externalId' });
}

/** 413: the content is longer than the server reads. */
export function contentTooLarge(limit: number): Refusal {
  const message = `Content too large: at most ${limit} bytes`;
  return new Refusal({ status: 413, exception: 'ContentTooLargeException', code: 200, message });
}

/** 415: the content is not JSON in UTF-8, by its own header fields. */
export function unsupportedMediaType(message = 'Unsupported media type: send application/json in UTF-8'): Refusal {
  return new Refusal({ status: 415, exception: 'UnsupportedMediaTypeException', code: 200, message });
}
