#include "deploy/soma/status_words.hpp"

#include <array>

namespace soma {
namespace {

template <std::size_t N, class Enum>
std::string_view nth(const std::array<std::string_view, N>& words, Enum value) {
  const auto number = static_cast<std::size_t>(value);
  return number < N ? words[number] : "unknown";
}

}  // namespace

std::string_view word_of(model_status status) {
  return nth(std::array<std::string_view, 3>{"committed", "active", "inactive"}, status);
}
std::string_view word_of(version_status status) {
  return nth(std::array<std::string_view, 6>{"committed", "revealed", "active", "superseded",
                                             "dropped", "bad"},
             status);
}
std::string_view word_of(target_status status) {
  return nth(std::array<std::string_view, 6>{"open", "filled", "revealed", "settled", "slashed",
                                             "expired"},
             status);
}
std::string_view word_of(model_verdict verdict) {
  return nth(std::array<std::string_view, 4>{"good", "unavailable", "wrong hash", "malformed"},
             verdict);
}
std::string_view word_of(audit_verdict verdict) {
  return nth(std::array<std::string_view, 6>{"ok", "unavailable", "wrong size", "wrong winner",
                                             "wrong loss", "wrong distance"},
             verdict);
}

}  // namespace soma
