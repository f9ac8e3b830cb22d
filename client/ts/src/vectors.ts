/**
 * `@muster/client/vectors`: runs step vectors, for tests.
 *
 * @module vectors
 */

export {};
