"use strict";
// The functions of which graphs and their derivatives are made, of numbers as NumPy has them.
const even = x => { const r = Math.round(x); return Math.abs(x % 1) === 0.5 && r % 2 ? r - 1 : r; };
const rest = (x, y) => { const r = x % y; return r && (r < 0) !== (y < 0) ? r + y : r; };
const loga = (x, y) => x === y ? x + Math.LN2
  : Math.max(x, y) + Math.log1p(Math.exp(-Math.abs(x - y)));
const clip = (x, low, high) => x !== x || low !== low || high !== high ? NaN
  : Math.min(Math.max(x, low), high);
const functions = {
  absolute: (x) => Math.abs(x),
  add: (x, y) => x + y,
  angle: (x) => x < 0 || Object.is(x, -0) ? Math.PI : x * 0,
  arccos: (x) => Math.acos(x),
  arccosh: (x) => Math.acosh(x),
  arcsin: (x) => Math.asin(x),
  arcsinh: (x) => Math.asinh(x),
  arctan: (x) => Math.atan(x),
  arctan2: (x, y) => Math.atan2(x, y),
  arctanh: (x) => Math.atanh(x),
  bitwise_and: (x, y) => x && y,
  bitwise_or: (x, y) => x || y,
  cbrt: (x) => Math.cbrt(x),
  ceil: (x) => Math.ceil(x),
  clip: (x, low, high) => clip(x, low, high),
  copysign: (x, y) => y < 0 || Object.is(y, -0) ? -Math.abs(x) : Math.abs(x),
  cos: (x) => Math.cos(x),
  cosh: (x) => Math.cosh(x),
  deg2rad: (x) => x * Math.PI / 180,
  degrees: (x) => x * 180 / Math.PI,
  divide: (x, y) => x / y,
  dot: (x, y) => x * y,
  equal: (x, y) => x === y,
  exp: (x) => Math.exp(x),
  exp2: (x) => 2 ** x,
  expm1: (x) => Math.expm1(x),
  fabs: (x) => Math.abs(x),
  fix: (x) => Math.trunc(x),
  float_power: (x, y) => x === 1 ? 1 : x ** y,
  floor: (x) => Math.floor(x),
  floor_divide: (x, y) => even((x - rest(x, y)) / y),
  fmax: (x, y) => x !== x ? y : y !== y ? x : Math.max(x, y),
  fmin: (x, y) => x !== x ? y : y !== y ? x : Math.min(x, y),
  fmod: (x, y) => x % y,
  greater: (x, y) => x > y,
  greater_equal: (x, y) => x >= y,
  heaviside: (x, y) => x < 0 ? 0 : x > 0 ? 1 : x === 0 ? y : NaN,
  hypot: (x, y) => Math.hypot(x, y),
  imag: (x) => 0,
  inner: (x, y) => x * y,
  invert: (x) => !x,
  isfinite: (x) => Number.isFinite(x),
  isinf: (x) => Math.abs(x) === Infinity,
  isnan: (x) => x !== x,
  ldexp: (x, y) => x * 2 ** y,
  less: (x, y) => x < y,
  less_equal: (x, y) => x <= y,
  log: (x) => Math.log(x),
  log10: (x) => Math.log10(x),
  log1p: (x) => Math.log1p(x),
  log2: (x) => Math.log2(x),
  logaddexp: (x, y) => loga(x, y),
  logaddexp2: (x, y) => loga(x * Math.LN2, y * Math.LN2) / Math.LN2,
  logical_and: (x, y) => x && y,
  logical_not: (x) => !x,
  logical_or: (x, y) => x || y,
  maximum: (x, y) => Math.max(x, y),
  minimum: (x, y) => Math.min(x, y),
  multiply: (x, y) => x * y,
  nan_to_num: (x, nan, most, least) => x !== x ? nan
    : x === Infinity ? most : x === -Infinity ? least : x,
  negative: (x) => -x,
  not_equal: (x, y) => x !== y,
  power: (x, y) => x === 1 ? 1 : x ** y,
  rad2deg: (x) => x * 180 / Math.PI,
  radians: (x) => x * Math.PI / 180,
  reciprocal: (x) => 1 / x,
  remainder: (x, y) => rest(x, y),
  rint: (x) => even(x),
  round: (x, n = 0) => even(x * 10 ** n) / 10 ** n,
  sign: (x) => Math.sign(x),
  sin: (x) => Math.sin(x),
  sinc: (x) => x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x),
  sinh: (x) => Math.sinh(x),
  sqrt: (x) => Math.sqrt(x),
  square: (x) => x * x,
  subtract: (x, y) => x - y,
  tan: (x) => Math.tan(x),
  tanh: (x) => Math.tanh(x),
  trunc: (x) => Math.trunc(x),
  vdot: (x, y) => x * y,
  where: (c, x, y) => c ? x : y,
};

// Every number of the pass, where some of those that it starts from are others.
function recompute(program, changed) {
  const at = { ...program.start, ...changed };
  for (const [place, name, ...places] of program.lines) {
    at[place] = Number(functions[name](...places.map(from => at[from])));
  }
  const pick = places => places.map(place => at[place]);
  return { v: pick(program.v), a: pick(program.a), l: pick(program.l), t: pick(program.t) };
}

// A number as the tables have it: four decimals, or an exponent where they would not show it.
function decimal(x) {
  if (x === 0) return "0";
  if (!Number.isFinite(x)) return x !== x ? "nan" : x > 0 ? "inf" : "-inf";
  const size = Math.abs(x);
  const halfway = /\.\d{4}50*$/.test(size.toFixed(20));
  if (size >= 1e-3 && size < 1e4) return (halfway ? even(x * 1e4) / 1e4 : x).toFixed(4);
  return padded(x.toExponential(2));
}

// A number of four digits that matter, without zeros at its end.
function short(x) {
  if (!Number.isFinite(x) || x === 0) return decimal(x);
  const [digits, exponent] = x.toExponential(3).split("e");
  const plain = exponent < -4 || exponent > 3 ? digits : Number(x.toPrecision(4)).toFixed(3 - exponent);
  const kept = plain.includes(".") ? plain.replace(/\.?0+$/, "") : plain;
  return exponent < -4 || exponent > 3 ? padded(kept + "e" + exponent) : kept;
}

const padded = text => text.replace(/e([+-])(\d)$/, "e$10$2");
