/** A 64-bit hash (FNV-1a) of a schema's binary form, as netcode has it. */
export function fingerprint(schema: { readonly bytes: Uint8Array }): bigint {
  let h = 14695981039346656037n;
  for (const b of schema.bytes) h = BigInt.asUintN(64, (h ^ BigInt(b)) * 1099511628211n);
  return h;
}
