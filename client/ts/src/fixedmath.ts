// Sine, cosine and arctangent with the same bits as the server's: additions, multiplications and divisions of 64-bit
// floats alone, which IEEE 754 rounds the same way everywhere, with the polynomials of Cephes (Moshier, Methods and
// Programs for Mathematical Functions, 1989). Math.sin may differ between engines by a last bit, and a prediction with it.

// Cody–Waite parts of π/4.
const PI4_A = 7.85398125648498535156e-1;
const PI4_B = 3.77489470793079817668e-8;
const PI4_C = 2.69515142907905952645e-15;
const PER_OCTANT = 1.27323954473516268615; // 4/π, rounded once

/** Reduces x ≥ 0 to a part of [-π/4, π/4] and the octant that it came from. */
function octant(x: number): [j: number, z: number] {
  let j = Math.trunc(x * PER_OCTANT);
  if (j % 2 === 1) j++;
  return [j % 8, x - j * PI4_A - j * PI4_B - j * PI4_C];
}

function polynomial(z: number, coefficients: readonly number[]): number {
  let p = 0;
  for (const c of coefficients) p = p * z + c;
  return p;
}

const SIN = [
  1.58962301576546568060e-10, -2.50507477628578072866e-8, 2.75573136213857245213e-6, -1.98412698295895385996e-4,
  8.33333333332211858878e-3, -1.66666666666666307295e-1,
];

const COS = [
  -1.13585365213876817300e-11, 2.08757008419747316778e-9, -2.75573141792967388112e-7, 2.48015872888517045348e-5,
  -1.38888888888730564116e-3, 4.16666666666665929218e-2,
];

function sinPart(z: number): number {
  const zz = z * z;
  return z + z * zz * polynomial(zz, SIN);
}

function cosPart(z: number): number {
  const zz = z * z;
  return 1 - 0.5 * zz + zz * zz * polynomial(zz, COS);
}

/** The sine of x radians. Beyond a million, and for NaN and the infinities, it is 0. */
export function sin(x: number): number {
  let negative = x < 0;
  if (negative) x = -x;
  if (!(x <= 1e6)) return 0;
  let [j, z] = octant(x);
  if (j > 3) {
    negative = !negative;
    j -= 4;
  }
  const y = j === 1 || j === 2 ? cosPart(z) : sinPart(z);
  return negative ? -y : y;
}

/** The cosine of x radians. Beyond a million, and for NaN and the infinities, it is 0. */
export function cos(x: number): number {
  if (x < 0) x = -x;
  if (!(x <= 1e6)) return 0;
  let [j, z] = octant(x);
  let negative = false;
  if (j > 3) {
    negative = true;
    j -= 4;
  }
  if (j > 1) negative = !negative;
  const y = j === 1 || j === 2 ? sinPart(z) : cosPart(z);
  return negative ? -y : y;
}

const ATAN_P = [
  -8.750608600031904122785e-1, -1.615753718733365076637e1, -7.500855792314704667340e1, -1.228866684490136173410e2,
  -6.485021904942025371773e1,
];

const ATAN_Q = [
  1, 2.485846490142306297962e1, 1.650270098316988542046e2, 4.328810604912902668951e2, 4.853903996359136964868e2,
  1.945506571482613964425e2,
];

function atanPart(x: number): number {
  const z = x * x;
  return x * ((z * polynomial(z, ATAN_P)) / polynomial(z, ATAN_Q)) + x;
}

/** The arctangent of x ≥ 0. */
function atan(x: number): number {
  if (x <= 0.66) return atanPart(x);
  if (x > 2.41421356237309504880) return Math.PI / 2 - atanPart(1 / x); // tan 3π/8
  return Math.PI / 4 + atanPart((x - 1) / (x + 1));
}

/** The angle of the point (x, y) in radians, from -π to π. Where either is not finite, and at the origin, it is 0. */
export function atan2(y: number, x: number): number {
  if (!Number.isFinite(x) || !Number.isFinite(y) || (x === 0 && y === 0)) return 0;
  const ay = y < 0 ? -y : y;
  let a = Math.PI / 2;
  if (x > 0) a = atan(ay / x);
  else if (x < 0) a = Math.PI - atan(ay / -x);
  return y < 0 ? -a : a;
}

/**
 * 2^-x for x ≥ 0. The part of x below one is the Taylor series of exp, to ten terms: within 4e-10. What is not above 0
 * counts as 0.
 */
export function halves(x: number): number {
  if (!(x > 0)) return 1;
  if (x > 1000) return 0;
  let whole = Math.floor(x);
  const y = (x - whole) * Math.LN2;
  let v = 1;
  for (let k = 10; k >= 1; k--) v = 1 - (y * v) / k;
  for (; whole > 0; whole--) v /= 2;
  return v;
}
