"""Ed25519 public keys as points of the curve: which of them are unsafe to trust.

Plain arithmetic after RFC 8032 section 5.1, not constant in time: for public keys only.
"""

from __future__ import annotations

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_MINUS_1 = pow(2, (P - 1) // 4, P)

Point = tuple[int, int, int, int]  # extended homogeneous coordinates (X, Y, Z, T): x = X/Z, y = Y/Z, xy = T/Z
IDENTITY: Point = (0, 1, 1, 0)


def weakness(raw: bytes) -> str | None:
    """Why these 32 bytes must not be trusted as a public key; None when nothing speaks against them.

    Safe is a point in its canonical spelling within the group of prime order, which every honestly made key
    is. Points of small order (and those with a part of small order) lie outside it.
    """
    y, sign = int.from_bytes(raw, "little") & (2**255 - 1), raw[31] >> 7
    if y >= P:
        return "not in canonical form"
    x = _x_of(y)
    if x is None:
        return "not a point of the curve"
    if x == 0 and sign:
        return "not in canonical form"
    if x & 1 != sign:
        x = P - x
    point = (x, y, 1, x * y % P)
    if _is_identity(point) or not _is_identity(_times(ORDER, point)):
        return "a point of small order"
    return None


def _x_of(y: int) -> int | None:
    """One of the two x for this y (RFC 8032 section 5.1.3)."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * SQRT_MINUS_1 % P
    return None if (x * x - square) % P else x


def _add(p: Point, q: Point) -> Point:
    """The complete addition of RFC 8032 section 5.1.4."""
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(scalar: int, point: Point) -> Point:
    total = IDENTITY
    while scalar:
        if scalar & 1:
            total = _add(total, point)
        point = _add(point, point)
        scalar >>= 1
    return total


def _is_identity(point: Point) -> bool:
    return point[0] % P == 0 and (point[1] - point[2]) % P == 0
