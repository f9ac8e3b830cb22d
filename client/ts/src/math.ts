/**
 * `@muster/client/math`: netcode's fixed math, with the same bits in Go and here, for rules that predict.
 *
 * @module math
 */

export { atan2, cos, sin } from "./fixedmath.js";
