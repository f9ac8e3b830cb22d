// @muster/client/vectors: runs step vectors, for tests.

export {};
