// Vectors of floats for one instruction set. Kernels are templates over floats<Isa>: they evaluate
// the same expression tree with one lane, eight or sixteen. Only the operations of arithmetic §1.2
// exist here: + - * / sqrt fma, comparisons, integer operations and exact conversions. So the exact
// engine, which is compiled without contraction, gives the same bits with every set; training,
// which promises no bits, is compiled with contraction: a product and a sum become an fma there.
//
// One source for each instruction set, compiled with its flags, includes this header. The template
// parameter makes the names of each set distinct, and everything is forced inline, so the linker
// never mixes the code of two sets. No standard header that defines functions may be included here.
#pragma once

#include "model/simd/native_vectors.hpp"

namespace soma::simd {

/// The result of a comparison in each lane.
template <class Isa>
struct mask {
  decltype(typename Isa::f32{} < typename Isa::f32{}) v;
};

template <class Isa>
struct ints {
  typename Isa::i32 v;
  SOMA_LANES static ints all(std::int32_t x) { return {typename Isa::i32{} + x}; }
  SOMA_LANES friend ints operator+(ints a, ints b) { return {a.v + b.v}; }
  SOMA_LANES friend ints operator-(ints a, ints b) { return {a.v - b.v}; }
  SOMA_LANES friend ints operator&(ints a, ints b) { return {a.v & b.v}; }
  SOMA_LANES friend ints operator|(ints a, ints b) { return {a.v | b.v}; }
  SOMA_LANES friend ints operator^(ints a, ints b) { return {a.v ^ b.v}; }
  SOMA_LANES friend ints operator>>(ints a, int by) { return {a.v >> by}; }  // arithmetic
  /// Bits that leave at the top are lost.
  SOMA_LANES friend ints operator<<(ints a, int by) {
    if constexpr (Isa::lanes == 1) {
      return {static_cast<std::int32_t>(static_cast<std::uint32_t>(a.v) << by)};
    } else {
      return {a.v << by};
    }
  }
};

template <class Isa>
struct floats {
  static constexpr std::size_t lanes = Isa::lanes;
  typename Isa::f32 v;

  SOMA_LANES static floats all(float x) {
    if constexpr (Isa::lanes == 1) {
      return {x};
    } else {
      return {x - typename Isa::f32{}};  // x - (+0) is x, -0 and NaN included
    }
  }
  SOMA_LANES static floats zero() { return {typename Isa::f32{}}; }
  /// `at` needs no alignment.
  SOMA_LANES static floats load(const float* at) {
    return {*reinterpret_cast<const typename Isa::loose_f32*>(at)};
  }
  SOMA_LANES void store(float* at) const { *reinterpret_cast<typename Isa::loose_f32*>(at) = v; }

  SOMA_LANES friend floats operator+(floats a, floats b) { return {a.v + b.v}; }
  SOMA_LANES friend floats operator-(floats a, floats b) { return {a.v - b.v}; }
  SOMA_LANES friend floats operator*(floats a, floats b) { return {a.v * b.v}; }
  SOMA_LANES friend floats operator/(floats a, floats b) { return {a.v / b.v}; }
  SOMA_LANES friend floats operator-(floats a) { return {-a.v}; }
  SOMA_LANES floats& operator+=(floats a) { return *this = *this + a; }
  SOMA_LANES friend mask<Isa> operator<(floats a, floats b) { return {a.v < b.v}; }
  SOMA_LANES friend mask<Isa> operator>(floats a, floats b) { return {a.v > b.v}; }
  SOMA_LANES friend mask<Isa> operator<=(floats a, floats b) { return {a.v <= b.v}; }
  SOMA_LANES friend mask<Isa> operator>=(floats a, floats b) { return {a.v >= b.v}; }
  SOMA_LANES friend mask<Isa> operator==(floats a, floats b) { return {a.v == b.v}; }
};

template <class Isa>
SOMA_LANES floats<Isa> operator+(floats<Isa> a, float b) {
  return a + floats<Isa>::all(b);
}
template <class Isa>
SOMA_LANES floats<Isa> operator-(floats<Isa> a, float b) {
  return a - floats<Isa>::all(b);
}
template <class Isa>
SOMA_LANES floats<Isa> operator*(floats<Isa> a, float b) {
  return a * floats<Isa>::all(b);
}

/// a * b + c, rounded once.
template <class Isa>
SOMA_LANES floats<Isa> fma(floats<Isa> a, floats<Isa> b, floats<Isa> c) {
  return {Isa::fma(a.v, b.v, c.v)};
}
template <class Isa>
SOMA_LANES floats<Isa> sqrt(floats<Isa> a) {
  return {Isa::sqrt(a.v)};
}
/// In each lane `yes` if the mask holds there, and `no` otherwise.
template <class Isa>
SOMA_LANES floats<Isa> select(mask<Isa> m, floats<Isa> yes, floats<Isa> no) {
  return {m.v ? yes.v : no.v};
}
template <class Isa>
SOMA_LANES ints<Isa> as_ints(floats<Isa> a) {
  return {__builtin_bit_cast(typename Isa::i32, a.v)};
}
template <class Isa>
SOMA_LANES floats<Isa> as_floats(ints<Isa> a) {
  return {__builtin_bit_cast(typename Isa::f32, a.v)};
}
/// Exact below 2^24.
template <class Isa>
SOMA_LANES floats<Isa> to_floats(ints<Isa> a) {
  return {Isa::to_f32(a.v)};
}

/// The lanes in which one of `bits` is set.
template <class Isa>
SOMA_LANES mask<Isa> any_of(ints<Isa> a, std::int32_t bits) {
  return {(a & ints<Isa>::all(bits)).v != typename Isa::i32{}};
}
/// a < b ? a : b, and so b if either is NaN (arithmetic §1.3).
template <class Isa>
SOMA_LANES floats<Isa> min(floats<Isa> a, floats<Isa> b) {
  if constexpr (requires { Isa::min(a.v, b.v); }) {
    return {Isa::min(a.v, b.v)};
  } else {
    return select(a < b, a, b);
  }
}
/// a > b ? a : b, and so b if either is NaN (arithmetic §1.3).
template <class Isa>
SOMA_LANES floats<Isa> max(floats<Isa> a, floats<Isa> b) {
  if constexpr (requires { Isa::max(a.v, b.v); }) {
    return {Isa::max(a.v, b.v)};
  } else {
    return select(a > b, a, b);
  }
}
/// For each lane one of 16 numbers, chosen by the low four bits of `at`.
template <class Isa>
SOMA_LANES floats<Isa> pick(const float (&table)[16], ints<Isa> at) {
  return {Isa::pick(table, at.v)};
}
/// The same where each lane chooses one of the first eight, for the sets to which this is cheaper.
template <class Isa>
SOMA_LANES floats<Isa> pick_low(const float (&table)[16], ints<Isa> at) {
  return {Isa::pick_low(table, at.v)};
}
/// a * 2^k rounded once, for 1/2 <= a <= 2 and -152 <= k <= 152. The caller gives k as a number and
/// as an integer. A NaN stays a NaN.
template <class Isa>
SOMA_LANES floats<Isa> scale(floats<Isa> a, floats<Isa> k, ints<Isa> k_bits) {
  if constexpr (requires { Isa::scale(a.v, k.v); }) {
    return {Isa::scale(a.v, k.v)};
  } else {  // two factors that are normal numbers: the first product is exact
    const auto half = k_bits >> 1;
    const auto bias = ints<Isa>::all(127);
    return a * as_floats((half + bias) << 23) * as_floats((k_bits - half + bias) << 23);
  }
}

/// As many 64-bit integers as `floats` has lanes.
template <class Isa>
struct longs {
  using part = typename Isa::i64;
  static constexpr std::size_t parts = Isa::parts;
  part v[parts];

  SOMA_LANES static longs all(std::int64_t x) {
    longs r;
    for (auto& p : r.v) p = part{} + x;
    return r;
  }
  SOMA_LANES friend longs operator&(longs a, longs b) {
    for (std::size_t i = 0; i < parts; ++i) a.v[i] = a.v[i] & b.v[i];
    return a;
  }
  SOMA_LANES friend longs operator|(longs a, longs b) {
    for (std::size_t i = 0; i < parts; ++i) a.v[i] = a.v[i] | b.v[i];
    return a;
  }
  SOMA_LANES friend longs operator^(longs a, longs b) {
    for (std::size_t i = 0; i < parts; ++i) a.v[i] = a.v[i] ^ b.v[i];
    return a;
  }
  SOMA_LANES friend longs operator-(longs a, longs b) {
    for (std::size_t i = 0; i < parts; ++i) a.v[i] = a.v[i] - b.v[i];
    return a;
  }
  SOMA_LANES friend longs operator>>(longs a, int by) {  // arithmetic
    for (std::size_t i = 0; i < parts; ++i) a.v[i] = a.v[i] >> by;
    return a;
  }
  /// Bits that leave at the top are lost.
  SOMA_LANES friend longs operator<<(longs a, int by) {
    for (std::size_t i = 0; i < parts; ++i) {
      if constexpr (Isa::lanes == 1) {
        a.v[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(a.v[i]) << by);
      } else {
        a.v[i] = a.v[i] << by;
      }
    }
    return a;
  }
};
/// The low 32 bits of each integer.
template <class Isa>
SOMA_LANES ints<Isa> low_halves(longs<Isa> a) {
  return {Isa::low_halves(a.v)};
}

/// As many binary64 numbers as `floats` has lanes.
template <class Isa>
struct doubles {
  using part = typename Isa::f64;
  static constexpr std::size_t parts = Isa::parts;
  part v[parts];

  SOMA_LANES static doubles all(double x) {
    doubles r;
    for (auto& p : r.v) {
      if constexpr (Isa::lanes == 1) {
        p = x;
      } else {
        p = x - part{};
      }
    }
    return r;
  }
  /// Loads `lanes` doubles; `at` needs no alignment.
  SOMA_LANES static doubles load(const double* at) {
    doubles r;
    __builtin_memcpy(r.v, at, sizeof r.v);
    return r;
  }
  SOMA_LANES void store(double* at) const { __builtin_memcpy(at, v, sizeof v); }

  SOMA_LANES friend doubles operator+(doubles a, doubles b) {
    for (std::size_t i = 0; i < parts; ++i) a.v[i] = a.v[i] + b.v[i];
    return a;
  }
  SOMA_LANES friend doubles operator-(doubles a, doubles b) {
    for (std::size_t i = 0; i < parts; ++i) a.v[i] = a.v[i] - b.v[i];
    return a;
  }
  SOMA_LANES friend doubles operator*(doubles a, doubles b) {
    for (std::size_t i = 0; i < parts; ++i) a.v[i] = a.v[i] * b.v[i];
    return a;
  }
  SOMA_LANES friend doubles operator/(doubles a, doubles b) {
    for (std::size_t i = 0; i < parts; ++i) a.v[i] = a.v[i] / b.v[i];
    return a;
  }
  SOMA_LANES friend doubles operator-(doubles a) {
    for (auto& p : a.v) p = -p;
    return a;
  }
};

template <class Isa>
SOMA_LANES doubles<Isa> fma(doubles<Isa> a, doubles<Isa> b, doubles<Isa> c) {
  for (std::size_t i = 0; i < doubles<Isa>::parts; ++i) a.v[i] = Isa::fma(a.v[i], b.v[i], c.v[i]);
  return a;
}
template <class Isa>
SOMA_LANES longs<Isa> as_longs(doubles<Isa> a) {
  longs<Isa> r;
  __builtin_memcpy(r.v, a.v, sizeof r.v);
  return r;
}
template <class Isa>
SOMA_LANES doubles<Isa> as_doubles(longs<Isa> a) {
  doubles<Isa> r;
  __builtin_memcpy(r.v, a.v, sizeof r.v);
  return r;
}
template <class Isa>
SOMA_LANES doubles<Isa> widen(floats<Isa> a) {
  doubles<Isa> r;
  Isa::widen(a.v, r.v);
  return r;
}
/// Rounded to nearest even.
template <class Isa>
SOMA_LANES floats<Isa> narrow(doubles<Isa> a) {
  return {Isa::narrow(a.v)};
}

}  // namespace soma::simd
