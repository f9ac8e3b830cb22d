package netcode

import "math"

// Sin, Cos and Atan2 give the same bits on every architecture and in TypeScript: they are made of additions,
// multiplications and divisions of 64-bit floats alone, each rounded on its own (the conversions keep a compiler from
// fusing them), with the polynomials of Cephes (Moshier, Methods and Programs for Mathematical Functions, 1989). Their
// error is below 1e-15 for arguments up to a million.

// Cody–Waite parts of π/4.
const (
	pi4A = 7.85398125648498535156e-1
	pi4B = 3.77489470793079817668e-8
	pi4C = 2.69515142907905952645e-15
)

// octant reduces |x| to a part of [-π/4, π/4] and the octant it came from.
func octant(x float64) (j int64, z float64) {
	j = int64(float64(x * (4 / math.Pi)))
	if j&1 == 1 {
		j++
	}
	y := float64(j)
	z = float64(x - float64(y*pi4A))
	z = float64(z - float64(y*pi4B))
	return j & 7, float64(z - float64(y*pi4C))
}

func sinPoly(z float64) float64 {
	zz := float64(z * z)
	p := 1.58962301576546568060e-10
	p = float64(p*zz) + -2.50507477628578072866e-8
	p = float64(p*zz) + 2.75573136213857245213e-6
	p = float64(p*zz) + -1.98412698295895385996e-4
	p = float64(p*zz) + 8.33333333332211858878e-3
	p = float64(p*zz) + -1.66666666666666307295e-1
	return float64(z + float64(float64(z*zz)*p))
}

func cosPoly(z float64) float64 {
	zz := float64(z * z)
	p := -1.13585365213876817300e-11
	p = float64(p*zz) + 2.08757008419747316778e-9
	p = float64(p*zz) + -2.75573141792967388112e-7
	p = float64(p*zz) + 2.48015872888517045348e-5
	p = float64(p*zz) + -1.38888888888730564116e-3
	p = float64(p*zz) + 4.16666666666665929218e-2
	return float64(float64(1-float64(0.5*zz)) + float64(float64(zz*zz)*p))
}

// Sin returns the sine of x radians. Beyond a million, and for NaN and the infinities, it returns 0.
func Sin(x float64) float64 {
	negative := x < 0
	if negative {
		x = -x
	}
	if !(x <= 1e6) {
		return 0
	}
	j, z := octant(x)
	if j > 3 {
		negative, j = !negative, j-4
	}
	y := sinPoly(z)
	if j == 1 || j == 2 {
		y = cosPoly(z)
	}
	if negative {
		return -y
	}
	return y
}

// Cos returns the cosine of x radians. Beyond a million, and for NaN and the infinities, it returns 0.
func Cos(x float64) float64 {
	if x < 0 {
		x = -x
	}
	if !(x <= 1e6) {
		return 0
	}
	j, z := octant(x)
	negative := false
	if j > 3 {
		negative, j = true, j-4
	}
	if j > 1 {
		negative = !negative
	}
	y := cosPoly(z)
	if j == 1 || j == 2 {
		y = sinPoly(z)
	}
	if negative {
		return -y
	}
	return y
}

// Sqrt returns the square root, which IEEE 754 rounds correctly everywhere.
func Sqrt(x float64) float64 { return math.Sqrt(x) }

func atanPoly(x float64) float64 {
	z := float64(x * x)
	p := -8.750608600031904122785e-1
	p = float64(p*z) + -1.615753718733365076637e1
	p = float64(p*z) + -7.500855792314704667340e1
	p = float64(p*z) + -1.228866684490136173410e2
	p = float64(p*z) + -6.485021904942025371773e1
	q := float64(z + 2.485846490142306297962e1)
	q = float64(q*z) + 1.650270098316988542046e2
	q = float64(q*z) + 4.328810604912902668951e2
	q = float64(q*z) + 4.853903996359136964868e2
	q = float64(q*z) + 1.945506571482613964425e2
	return float64(float64(x*float64(float64(z*p)/q)) + x)
}

// atan returns the arctangent of x ≥ 0.
func atan(x float64) float64 {
	const tan3pio8 = 2.41421356237309504880
	switch {
	case x <= 0.66:
		return atanPoly(x)
	case x > tan3pio8:
		return float64(math.Pi/2 - atanPoly(float64(1/x)))
	}
	return float64(math.Pi/4 + atanPoly(float64(float64(x-1)/float64(x+1))))
}

// Atan2 returns the angle of the point (x, y) in radians, from -π to π. Where either is not finite it returns 0.
func Atan2(y, x float64) float64 {
	switch {
	case x != x || y != y || math.IsInf(x, 0) || math.IsInf(y, 0):
		return 0
	case x == 0 && y == 0:
		return 0
	}
	ay := y
	if ay < 0 {
		ay = -ay
	}
	var a float64
	switch {
	case x > 0:
		a = atan(float64(ay / x))
	case x < 0:
		a = float64(math.Pi - atan(float64(ay/-x)))
	default:
		a = math.Pi / 2
	}
	if y < 0 {
		return -a
	}
	return a
}
