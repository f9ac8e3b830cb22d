// Kinds of columns, as the schema's binary form numbers them.
export const KIND_BOOL = 1;
export const KIND_INT = 2; // signed, bits wide
export const KIND_UINT = 3; // unsigned, bits wide
export const KIND_FIXED = 4; // a float as min + n × step, n from 0 to top
export const KIND_FLOAT32 = 5; // a float's bits, unquantised
export const KIND_FLOAT64 = 6;
export const KIND_ANGLE = 7; // a turn in 2^bits parts; wraps around
export const KIND_STRING = 8; // UTF-8, at most max bytes
export const KIND_BYTES = 9; // at most max bytes
export const KIND_ENUM = 10; // one of names, by its index
export const KIND_LEN = 11; // how many elements a slice has, at most max; their columns follow
export const KIND_REF = 12; // the id of a row of the table ref, 0 for none
