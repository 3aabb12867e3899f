// The rounding that arithmetic §1.1 asks for: to nearest even, with subnormals kept. Libraries
// change the mode of a thread (libtorch can flush subnormals), so the mode is set where exact work
// begins and given back where it ends.
#pragma once

#include <cstdint>

namespace soma::exact {

class float_state_guard {
 public:
  float_state_guard() : before_(read()) { write(exact); }
  ~float_state_guard() { write(before_); }
  float_state_guard(const float_state_guard&) = delete;
  float_state_guard& operator=(const float_state_guard&) = delete;

 private:
#if defined(__x86_64__)
  // In MXCSR this masks all exceptions and sets nothing else.
  static constexpr std::uint64_t exact = 0x1f80;
  static std::uint64_t read() {
    return __builtin_ia32_stmxcsr();
  }
  static void write(std::uint64_t state) {
    __builtin_ia32_ldmxcsr(static_cast<std::uint32_t>(state));
  }
#elif defined(__aarch64__)
  static constexpr std::uint64_t exact = 0;  // FPCR
  static std::uint64_t read() {
    std::uint64_t state = 0;
    asm volatile("mrs %0, fpcr" : "=r"(state));
    return state;
  }
  static void write(std::uint64_t state) {
    asm volatile("msr fpcr, %0" ::"r"(state));
  }
#else
  static constexpr std::uint64_t exact = 0;
  static std::uint64_t read() {
    return 0;
  }
  static void write(std::uint64_t) {}
#endif
  std::uint64_t before_;
};

}  // namespace soma::exact
