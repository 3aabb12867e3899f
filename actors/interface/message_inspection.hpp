// How a message<T> crosses a process boundary in CAF: its words are sent as they are. On arrival
// they are parsed like bytes from a stranger, so a damaged message is a deserialization error and
// never a crash.
#pragma once

#include <caf/error.hpp>
#include <caf/meta/load_callback.hpp>
#include <caf/meta/type_name.hpp>
#include <caf/sec.hpp>
#include <string>

#include "messages/wire/message.hpp"

namespace soma::inline interface {

/// A message's words on their way in or out, without its type, so that CAF's templates are
/// instantiated once and not for each type of message.
struct words_in_transit {
  std::string words;
  void* target = nullptr;
  /// Parses the words into the target. False when they are not a message of the target's type.
  bool (*enter)(void* target, const std::string& words) = nullptr;
};

template <class Inspector>
typename Inspector::result_type inspect_words(Inspector& f, words_in_transit& transit) {
  if constexpr (Inspector::reads_state) {
    return f(caf::meta::type_name("soma.message"), transit.words);
  } else {
    auto enter = [&transit]() -> caf::error {
      if (!transit.enter(transit.target, transit.words)) return caf::sec::invalid_argument;
      return caf::none;
    };
    return f(transit.words, caf::meta::load_callback(enter));
  }
}

template <class Inspector, class T>
typename Inspector::result_type inspect(Inspector& f, message<T>& m) {
  words_in_transit transit;
  if constexpr (Inspector::reads_state) {
    const auto view = m.bytes();
    transit.words.assign(reinterpret_cast<const char*>(view.data()), view.size());
  } else {
    transit.target = &m;
    transit.enter = [](void* target, const std::string& words) {
      auto parsed = message<T>::parse(as_bytes(words));
      if (!parsed) return false;
      *static_cast<message<T>*>(target) = std::move(*parsed);
      return true;
    };
  }
  return inspect_words(f, transit);
}

}  // namespace soma::inline interface
